"""Is a gradient right? Compare it with the slope that small steps in w and b really show.

Everything here is float64. The gradient checked is the pair (grad_w, grad_b), and its error is
that of the pair: the length of the difference over the length of the longer of the two.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engines.problem import Problem

Floats = NDArray[np.float64]
Side = Literal["central", "forward"]
EPSILON = float(np.finfo(np.float64).eps)


def difference_quotient(problem: Problem, w: Any, b: Any, h: float, side: Side) -> Floats:
    """The slope of the loss along w and along b, from losses a distance h away.

    w, b: arrays of shape (k,), one entry for each point to look at. Returns shape (2, k).
    central: (L(w + h) - L(w - h)) / 2h.  forward: (L(w + h) - L(w)) / h.
    """
    w, b = np.asarray(w, np.float64), np.asarray(b, np.float64)
    back = h if side == "central" else 0.0
    along_w = problem.loss_at(w + h, b) - problem.loss_at(w - back, b)
    along_b = problem.loss_at(w, b + h) - problem.loss_at(w, b - back)
    slopes: Floats = np.stack([along_w, along_b]) / (h + back)
    return slopes


def relative_error(one: Floats, other: Floats) -> Floats:
    """|one - other| over the longer of the two, for pairs along the first axis; 0 for two zeros."""
    gap = np.hypot(*(one - other))
    size = np.maximum(np.hypot(*one), np.hypot(*other))
    return np.divide(gap, size, out=np.zeros_like(gap), where=size > 0)


def error_of_a_correct_gradient(
    problem: Problem, w: Any, b: Any, *, grads: Floats, h: float, side: Side
) -> Floats:
    """The largest relative error that is still no sign of a mistake, shape (k,).

    Two parts. Truncation: a quotient is not a derivative; forward it is off by h/2 times the
    second derivative, central by a third derivative, which a quadratic loss does not have.
    Rounding: two nearly equal losses, each known to about sixteen digits, are subtracted and the
    rest is divided by h. So the first grows with h and the second with 1/h.

    grads: the gradient in question, shape (2, k).
    """
    w, b = np.asarray(w, np.float64), np.asarray(b, np.float64)
    x, y = problem.x.astype(np.float64), problem.y.astype(np.float64)
    predicted = w[..., None] * x**problem.power + b[..., None]
    residual = np.abs(predicted - y)
    # A residual is known to epsilon times the numbers it came from, and the loss squares it.
    numbers = np.abs(predicted) + np.abs(y) + h
    loss_rounding = 2 * EPSILON * problem.factor * np.sum((residual + h) * numbers, axis=-1)
    # Moving w by h moves it, in floating point, only nearly by h.
    step_rounding = EPSILON * np.maximum(np.abs(w), np.abs(b)) * np.hypot(*grads)
    rounding = (2 * loss_rounding + step_rounding) / h
    own_rounding = 8 * EPSILON * problem.factor * np.sum(numbers, axis=-1)

    diagonal = np.diag(problem.hessian)
    truncation = float(np.hypot(*diagonal)) * h / 2 if side == "forward" else 0.0
    size = np.hypot(*grads)
    error: Floats = truncation + rounding + own_rounding
    return np.minimum(np.divide(error, size, out=np.full_like(error, 2.0), where=size > 0), 2.0)
