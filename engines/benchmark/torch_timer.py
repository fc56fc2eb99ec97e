"""Our measurements beside those of PyTorch's own timer, torch.utils.benchmark, in turn."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

import torch
from torch.utils.benchmark import Timer

from engines.benchmark.clock import measure
from engines.benchmark.operations import arrays
from engines.benchmark.operations_torch import prepare

QUESTIONS = (
    ("row_by_column", 4**8),
    ("elementwise", 4**8),
    ("square", 64),
    ("square", 256),
    ("square", 512),
    ("training_step", 100),
)


class Compared(NamedTuple):
    """Seconds for one call, by both. Medians of the rounds: both are measured once in each."""

    operation: str
    size: int
    ours: float
    theirs: float


def compare(operation: str, size: int, *, seconds: float, rounds: int = 3) -> Compared:
    """Time one operation on the CPU both ways. seconds: for each of the measurements."""
    run, wait = prepare(operation, arrays(operation, size, "float32"), "cpu", transfer=False)
    # Without the number of threads their timer would set it to one.
    timer = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
    ours, theirs = [], []
    for _ in range(rounds):
        ours += measure(run, wait, seconds=seconds).samples
        theirs += timer.blocked_autorange(min_run_time=seconds / 2).times
    return Compared(operation, size, median(ours), median(theirs))


def run(*, quick: bool) -> Iterator[Compared]:
    """Compare all QUESTIONS, on one thread. quick: for tests, fewer and shorter.

    To be called in a process of its own. Several threads wait for each other, and how long depends
    on what else the machine does: then luck would be compared.
    """
    torch.set_num_threads(1)
    for operation, size in QUESTIONS[1:4:2] if quick else QUESTIONS:
        yield compare(operation, size, seconds=0.1 if quick else 0.4)
