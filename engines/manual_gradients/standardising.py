"""Data in units of their own spread: the same fit, and a rounder bowl of the loss."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.problem import Problem


class Units(NamedTuple):
    """Where zero was put, and how much is called one, for what w multiplies and for y."""

    x_middle: float = 0.0
    x_one: float = 1.0
    y_middle: float = 0.0
    y_one: float = 1.0

    def back(self, w: Any, b: Any) -> tuple[Any, Any]:
        """The (w, b), numbers or arrays, that draw the same line in the units of the data."""
        slope = self.y_one * w / self.x_one
        return slope, self.y_middle + self.y_one * b - slope * self.x_middle


def standardised(problem: Problem) -> tuple[Problem, Units]:
    """The problem with a mean of 0 and a standard deviation of 1, for what w multiplies and for y.

    What w multiplies is x**power, so the new problem's power is 1. What does not vary keeps its
    unit.
    """
    feature, y = problem.x**problem.power, problem.y
    units = Units(*_middle_and_one(feature), *_middle_and_one(y))
    # Twice: of large numbers that differ little, the mean is only known to their last digits.
    x = (feature - feature[0] - (units.x_middle - feature[0])) / units.x_one
    new = replace(problem, x=x, y=(y - units.y_middle) / units.y_one, power=1)
    return new, units


def _middle_and_one(values: NDArray[np.floating]) -> tuple[float, float]:
    apart = values - values[0]
    return float(values[0] + apart.mean()), float(apart.std()) or 1.0


def steps_to(part: float, problem: Problem, learning_rate: float) -> float:
    """How many steps it takes until `part` of the error along the flattest axis is left.

    Infinite where it does not shrink. In a trough the flattest axis has no error: the other counts.
    """
    condition = 1.0 if math.isinf(problem.condition) else problem.condition
    shrinks = learning_rate * problem.lambda_max / condition  # η·λ of the flattest axis
    if not 0 < shrinks < 2 or learning_rate >= problem.largest_stable_learning_rate:
        return math.inf
    if shrinks == 1:
        return 1.0
    rate = math.log1p(-shrinks) if shrinks < 1 else math.log(shrinks - 1)
    return max(1.0, math.log(part) / rate)
