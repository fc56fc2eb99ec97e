"""Runs of the regression's listings, kept for all visitors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engines.problem import Problem
from engines.trace import Step, Trace, record
from views.player import cached

Train = Callable[..., Iterator[Step]]


@cached
def trained(name: str, _train: Train, problem: Problem, *, steps: int, rate: float) -> Trace:
    """The run of a listing. name: of the listing, by which its runs are told from another's."""
    return record(_train(problem, steps=steps, learning_rate=rate))
