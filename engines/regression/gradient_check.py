"""Is a gradient right? Compare it with the slope that small steps in w and b really show.

Everything here is float64. The gradient checked is the pair (grad_w, grad_b), and its error is
that of the pair: the length of the difference over the length of the longer of the two.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engines.differences import central_difference, forward_difference, relative_error
from engines.problem import Problem
from engines.trace import Trace, thin

Floats = NDArray[np.float64]
Side = Literal["central", "forward"]
WIDTHS = 10.0 ** -np.arange(1, 13)  # the h of the curve of errors
USUAL_WIDTH = 4  # its index in WIDTHS: 1e-5, usual for central differences
EPSILON = float(np.finfo(np.float64).eps)


def difference_quotient(problem: Problem, w: Any, b: Any, h: Any, side: Side) -> Floats:
    """The slope of the loss along w and along b, from losses a distance h away.

    w, b: arrays of shape (k,), one entry for each place; h: one width for all of them, or one for
    each. Returns shape (2, k).
    """
    w, b = np.asarray(w, np.float64), np.asarray(b, np.float64)
    quotient = central_difference if side == "central" else forward_difference
    along_w = quotient(lambda moved: problem.loss_at(moved, b), w, h)
    along_b = quotient(lambda moved: problem.loss_at(w, moved), b, h)
    return np.stack([along_w, along_b])


def error_of_a_correct_gradient(
    problem: Problem, w: Any, b: Any, *, slopes: Floats, h: Any, side: Side
) -> Floats:
    """The largest relative error that is still no sign of a mistake, shape (k,).

    Two parts. Truncation: a quotient is not a derivative; forward it is off by h/2 times the
    second derivative, central by a third derivative, which a quadratic loss does not have.
    Rounding: two nearly equal losses, each known to about sixteen digits, are subtracted and the
    rest is divided by h. So the first grows with h and the second with 1/h.

    slopes: the true gradient, or the best that is known of it, shape (2, k).
    """
    w, b = np.asarray(w, np.float64), np.asarray(b, np.float64)
    x, y = problem.x.astype(np.float64), problem.y.astype(np.float64)
    predicted = w[..., None] * x**problem.power + b[..., None]
    residual = np.abs(predicted - y)
    moved = np.asarray(h)[..., None] * np.maximum(np.abs(x) ** problem.power, 1)
    # A residual is known to epsilon times the numbers it came from, and the loss squares it.
    numbers = np.abs(predicted) + np.abs(y) + moved
    loss_rounding = 2 * EPSILON * problem.factor * np.sum((residual + moved) * numbers, axis=-1)
    # Moving w by h moves it, in floating point, only nearly by h.
    size: Floats = np.hypot(*slopes)
    step_rounding = EPSILON * np.maximum(np.abs(w), np.abs(b)) * size
    rounding = (2 * loss_rounding + step_rounding) / h
    own_rounding = 8 * EPSILON * problem.factor * np.sum(numbers, axis=-1)

    diagonal = np.diag(problem.hessian)
    truncation = float(np.hypot(*diagonal)) * h / 2 if side == "forward" else 0.0
    error: Floats = truncation + rounding + own_rounding
    return np.minimum(error / np.where(size > 0, size, error), 2.0)


def check(problem: Problem, trace: Trace, *, keep: int) -> dict[str, NDArray[Any]]:
    """The gradients of a run against the losses around them, at `keep` of its steps.

    The run is float64: the rounding of a float32 run is not excused.
    Returns arrays of at most `keep` entries: checked, the steps; hand_w and hand_b, the run's own
    gradient; numeric_w and numeric_b, central differences of the usual width, relative to the
    larger of 1, |w| and |b|; error, the relative error of one against the other, and allowed, how
    much of it rounding excuses.
    """
    at = thin(len(trace), keep)
    w, b, grads, widths = _around(trace, at)
    with np.errstate(all="ignore"):  # a run that overflows takes its check along
        h = widths[USUAL_WIDTH]
        measured = difference_quotient(problem, w, b, h, "central")
        # The widest central difference is the one that rounding touches least.
        best = difference_quotient(problem, w, b, widths[0], "central")
        allowed = error_of_a_correct_gradient(problem, w, b, slopes=best, h=h, side="central")
        error = relative_error(grads, measured)
    hand = {"checked": at, "hand_w": grads[0], "hand_b": grads[1]}
    numeric = {"numeric_w": measured[0], "numeric_b": measured[1]}
    return {**hand, **numeric, "error": error, "allowed": allowed}


def check_widths(problem: Problem, trace: Trace, *, keep: int) -> dict[str, NDArray[Any]]:
    """The same with every width: checked_widths, the steps; and for each WIDTHS[i] the errors
    central_i and forward_i, and allowed_i, what rounding excuses of the first.
    """
    at = thin(len(trace), keep)
    w, b, grads, widths = _around(trace, at)
    central, forward, allowed = {}, {}, {}
    with np.errstate(all="ignore"):
        best = difference_quotient(problem, w, b, widths[0], "central")
        for i, h in enumerate(widths):
            measured = difference_quotient(problem, w, b, h, "central")
            central[f"central_{i}"] = relative_error(grads, measured)
            measured = difference_quotient(problem, w, b, h, "forward")
            forward[f"forward_{i}"] = relative_error(grads, measured)
            allowed[f"allowed_{i}"] = error_of_a_correct_gradient(
                problem, w, b, slopes=best, h=h, side="central"
            )
    return {"checked_widths": at, **central, **forward, **allowed}


def _around(trace: Trace, at: NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Floats]:
    """w, b, the gradient (2, k) and the widths (12, k) at the steps `at`."""
    w, b = trace.params["w"][at], trace.params["b"][at]
    grads = np.stack([trace.grads["w"][at], trace.grads["b"][at]]).astype(np.float64)
    # A width that is nothing beside the numbers it moves would measure nothing.
    widths = WIDTHS[:, None] * np.maximum(1, np.maximum(np.abs(w), np.abs(b)))
    return w, b, grads, widths
