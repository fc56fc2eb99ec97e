"""How not to time: what `clock.measure` does, with one thing left out each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from timeit import timeit

from engines.benchmark.clock import Measured

Run = Callable[[], object]
Wait = Callable[[], None]
MOST = 300  # calls that are timed one by one


def without_warm_up(run: Run, wait: Wait, *, seconds: float) -> Measured:
    """Ten calls from the very first on, divided by ten: the article's, without its warm-up."""

    def waited() -> None:
        run()
        wait()

    mean = timeit(waited, number=10) / 10
    return Measured(mean, 10, [mean])


def without_waiting(run: Run, wait: Wait, *, seconds: float) -> Measured:
    """Until Python goes on, which may be long before the device has done its work."""
    end = time.perf_counter() + seconds
    samples: list[float] = []
    while not samples or (time.perf_counter() < end and len(samples) < MOST):
        start = time.perf_counter()
        run()
        samples.append(time.perf_counter() - start)
        wait()  # uncounted; else all that was ever asked for would pile up
    return Measured(samples[0], 1, samples[1:])


def one_by_one(run: Run, wait: Wait, *, seconds: float) -> Measured:
    """Each call by itself, in order: to time once is to get one of these."""
    end = time.perf_counter() + seconds
    samples: list[float] = []
    while not samples or (time.perf_counter() < end and len(samples) < MOST):
        start = time.perf_counter()
        run()
        wait()
        samples.append(time.perf_counter() - start)
    return Measured(samples[0], 1, samples[1:])
