"""Mistakes people make when they write the gradient by hand.

Each is the listing of numpy_vectorized.py with one line changed, and is run like it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engines import numpy_vectorized
from engines.problem import Problem
from engines.trace import Step


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
