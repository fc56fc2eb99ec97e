"""Mistakes people make when they write the gradient by hand.

Each is the listing of numpy_vectorized.py with one line changed, and is run like it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from engines.problem import Problem
from engines.regression import numpy_vectorized
from engines.trace import Step, Trace


@dataclass(frozen=True)
class Mistake:
    """One line of the listing, and what somebody wrote in its place."""

    right: str
    wrong: str

    @property
    def source(self) -> str:
        """The whole listing with the wrong line in it."""
        return inspect.getsource(numpy_vectorized.train).replace(self.right, self.wrong)

    def train(self, problem: Problem, *, steps: int, learning_rate: float) -> Iterator[Step]:
        """Run the wrong listing: the same contract as every engine's `train`."""
        namespace: dict[str, Any] = dict(vars(numpy_vectorized))
        exec(compile(self.source, "<mistake>", "exec"), namespace)
        steps_taken: Iterator[Step] = namespace["train"](
            problem, steps=steps, learning_rate=learning_rate
        )
        return steps_taken


MISTAKES: dict[str, Mistake] = {
    "wrong_sign": Mistake(
        right="grad_y_pred = 2 * factor * (y_pred - y)",
        wrong="grad_y_pred = 2 * factor * (y - y_pred)",
    ),
    "input_forgotten": Mistake(
        right="grad_w = np.sum(grad_y_pred * x**power)",
        wrong="grad_w = np.sum(grad_y_pred)",
    ),
    "factor_forgotten": Mistake(
        right="grad_y_pred = 2 * factor * (y_pred - y)",
        wrong="grad_y_pred = 2 * (y_pred - y)",
    ),
    "updated_w": Mistake(
        right="b = b - learning_rate * grad_b",
        wrong="b = b - learning_rate * np.sum(2 * factor * (w * x**power + b - y))",
    ),
}


class Made(NamedTuple):
    """What is to be run, with a mistake in it or without.

    right, wrong: the line as it should be and as it is; both empty where nothing is wrong.
    source: the listing that runs.
    """

    right: str
    wrong: str
    source: str
    problem: Problem
    learning_rate: float
    train: Callable[..., Iterator[Step]]


def make(mistake: str | None, problem: Problem, learning_rate: float) -> Made:
    """What runs when this mistake is made, or none.

    Besides those in the listing there are two outside it: "beyond_limit", a learning rate 2%
    above the largest stable one, and "outlier", a third of the way through the data a y a hundred
    times too large (or 100, where it was 0). Raises KeyError for any other name.
    """
    train = numpy_vectorized.train
    source = inspect.getsource(train)
    if mistake is None:
        return Made("", "", source, problem, learning_rate, train)
    if mistake == "beyond_limit":
        too_large = 1.02 * problem.largest_stable_learning_rate
        right, wrong = f"learning_rate = {learning_rate:.6g}", f"learning_rate = {too_large:.6g}"
        return Made(right, wrong, source, problem, too_large, train)
    if mistake == "outlier":
        i = len(problem.y) // 3
        y = problem.y.copy()
        y[i] = 100 * (y[i] or 1)
        right, wrong = f"y[{i}] = {problem.y[i]:.6g}", f"y[{i}] = {y[i]:.6g}"
        return Made(right, wrong, source, replace(problem, y=y), learning_rate, train)
    line = MISTAKES[mistake]
    return Made(line.right, line.wrong, line.source, problem, learning_rate, line.train)


End = Literal["arrives", "elsewhere", "explodes"]


def how_it_ended(problem: Problem, trace: Trace) -> End:
    """Where a run ended: uphill, within 2% of its way to the least-squares answer, or elsewhere.

    problem: the right one, even where the run had another.
    """
    if trace.final.non_finite or trace.losses[-1] > trace.losses[0]:
        return "explodes"
    best_w, best_b = problem.least_squares()
    way = np.hypot(problem.w - best_w, problem.b - best_b)
    missed = np.hypot(trace.final.params["w"] - best_w, trace.final.params["b"] - best_b)
    return "arrives" if missed <= 0.02 * way else "elsewhere"
