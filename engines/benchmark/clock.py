"""Timing done right: warm-up apart, the device waited for, repeated until the spread is known."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

BLOCK_SECONDS = 0.01  # of one sample: a thousand times what a clock and a loop may be off
LEAST_SAMPLES = 9
MOST_SAMPLES = 500
CLOSE_ENOUGH = 0.01  # the notch, relative to the median


class Measured(NamedTuple):
    """Seconds. first: the first call. samples: each the mean of `calls` calls in a row."""

    first: float
    calls: int
    samples: list[float]


def measure(
    run: Callable[[], object],
    wait: Callable[[], None],
    *,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Measured:
    """Time calls of `run` until their median is known, or until `seconds` are over.

    wait: returns when the device has done all that it was given. Begins no sample after `seconds`;
    where the first call has taken all of them, there are no samples.
    """
    end = clock() + seconds

    def sample(calls: int) -> float:
        wait()  # what was given before is not ours
        start = clock()
        for _ in range(calls):
            run()
        wait()  # a GPU gives an operation back before it is done
        return (clock() - start) / calls

    # Kept apart: the first call allocates memory, chooses a kernel, traces a function.
    first = sample(1)

    # Blocks too short for a clock are the warm-up: the next one has twice as many calls.
    calls = 1
    enough = min(BLOCK_SECONDS, seconds / 20)  # there must be time for some of them
    samples: list[float] = []
    while clock() < end and not known(samples):
        mean = sample(calls)
        if calls * mean < enough and len(samples) < 3:
            calls, samples = 2 * calls, []  # what seemed long enough was held up
        else:
            samples.append(mean)
    return Measured(first, calls, samples)


def known(samples: list[float]) -> bool:
    """Whether the samples say well enough what their median is.

    By the notch of a box plot: 1.57 times the distance of the quartiles over the square root of the
    number of samples. In most repetitions the median would come out within it (McGill, Tukey and
    Larsen, "Variations of box plots", 1978).
    """
    if len(samples) < LEAST_SAMPLES:
        return False
    low, median, high = np.percentile(samples, [25, 50, 75])
    notch = 1.57 * (high - low) / np.sqrt(len(samples))
    return bool(notch <= CLOSE_ENOUGH * median) or len(samples) >= MOST_SAMPLES


class Timing(NamedTuple):
    """Milliseconds a call took: the median of all samples, and the quartiles around it."""

    low: float
    median: float
    high: float


def paired(*runs: Callable[[], object], rounds: int) -> list[Timing]:
    """Time several functions in turn, so that whatever slows the machine slows all of them.

    Each is called once uncounted, then `rounds` times. Returns a Timing for each, in order.
    """
    seconds = np.empty((len(runs), rounds))
    for run in runs:
        run()
    for k in range(rounds):
        for i, run in enumerate(runs):
            start = time.perf_counter()
            run()
            seconds[i, k] = time.perf_counter() - start
    return [Timing(*np.percentile(1000 * taken, [25, 50, 75])) for taken in seconds]
