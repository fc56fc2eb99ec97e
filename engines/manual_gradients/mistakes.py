"""Mistakes people make when they write the gradient by hand.

Each is the listing of numpy_vectorized.py with one line changed, and is run like it; or that
listing as it is, with a learning rate or a data point that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from engines.listing import edited, source_of
from engines.problem import Problem
from engines.regression import numpy_vectorized
from engines.trace import Step, Trace

# By mistake: the line of the listing, and what somebody wrote in its place.
CHANGES = {
    "wrong_sign": {
        "grad_y_pred = 2 * factor * (y_pred - y)": "grad_y_pred = 2 * factor * (y - y_pred)"
    },
    "input_forgotten": {"grad_w = np.sum(grad_y_pred * x**power)": "grad_w = np.sum(grad_y_pred)"},
    "factor_forgotten": {
        "grad_y_pred = 2 * factor * (y_pred - y)": "grad_y_pred = 2 * (y_pred - y)"
    },
    "updated_w": {
        "b = b - learning_rate * grad_b": (
            "b = b - learning_rate * np.sum(2 * factor * (w * x**power + b - y))"
        )
    },
}


class Variant(NamedTuple):
    """A listing, and what it is run with. right, wrong: the line that differs, "" if none does."""

    right: str
    wrong: str
    source: str
    problem: Problem
    learning_rate: float
    train: Callable[..., Iterator[Step]]


def with_mistake(mistake: str | None, problem: Problem, learning_rate: float) -> Variant:
    """What runs when this mistake is made, or none.

    Besides CHANGES there are two outside the listing: "beyond_limit", a learning rate 2% above the
    largest stable one, and "outlier", a third of the way through the data a y a hundred times too
    large (or 100, where it was 0). Raises KeyError for any other name.
    """
    train = numpy_vectorized.train
    right = Variant("", "", source_of(train), problem, learning_rate, train)
    if mistake is None:
        return right
    if mistake == "beyond_limit":
        too_large = 1.02 * problem.largest_stable_learning_rate
        return right._replace(
            right=f"learning_rate = {learning_rate:.6g}",
            wrong=f"learning_rate = {too_large:.6g}",
            learning_rate=too_large,
        )
    if mistake == "outlier":
        i = len(problem.y) // 3
        y = problem.y.copy()
        y[i] = 100 * (y[i] or 1)
        return right._replace(
            right=f"y[{i}] = {problem.y[i]:.6g}",
            wrong=f"y[{i}] = {y[i]:.6g}",
            problem=replace(problem, y=y),
        )
    listing = edited(train, CHANGES[mistake])
    return Variant(
        listing.right,
        listing.wrong,
        listing.source,
        problem,
        learning_rate,
        listing.names["train"],
    )


End = Literal["arrives", "elsewhere", "explodes"]


def how_it_ended(problem: Problem, trace: Trace) -> End:
    """Where a run ended: uphill, at the least-squares answer (within 2% of the way), or elsewhere.

    problem: the right one, even where the run had another.
    """
    if trace.final.non_finite or trace.losses[-1] > trace.losses[0]:
        return "explodes"
    best_w, best_b = problem.least_squares()
    distance = np.hypot(problem.w - best_w, problem.b - best_b)
    missed = np.hypot(trace.final.params["w"] - best_w, trace.final.params["b"] - best_b)
    return "arrives" if missed <= 0.02 * distance else "elsewhere"
