"""Timing done right: warm-up apart, runs interleaved, spread shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


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
