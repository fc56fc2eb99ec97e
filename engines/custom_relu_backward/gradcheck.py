"""Is a backward right? PyTorch's gradcheck answers, and finite differences show where it is not.

Everything here is float64. A backward is right where it multiplies the gradient that arrives by the
derivative of the forward; that derivative is measured by moving one input a little.

Source: the documentation page "Gradcheck mechanics"; engines/differences.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engines.differences import central_difference, forward_difference, jacobian

Floats = NDArray[np.float64]
Function = Callable[[Any], Any]  # a tensor in, a tensor of the same shape out

WIDTH = 1e-6  # how far gradcheck moves an input
ABSOLUTE, RELATIVE = 1e-5, 1e-3  # the tolerances of gradcheck
WIDTHS = 10.0 ** -np.arange(0, 16.5, 0.5)  # the h of the curve of errors


class Check(NamedTuple):
    """The result of gradcheck for a function at inputs of n entries together, and m outputs.

    x: the input; of several, shape (n,), their entries one after the other.
    error, message: where it did not pass, the class and the text of the error: gradcheck's own, or
    the one that the backward raised. "" where it passed.
    numerical: shape (n, m), how output j moves when input i does, by central differences.
    analytical: the same by the backward: column j is what leaves when 1 arrives at output j and 0
    at all others. None where the backward raised an error.
    """

    x: Floats
    error: str
    message: str
    numerical: Floats
    analytical: Floats | None

    @property
    def passed(self) -> bool:
        """Whether gradcheck found nothing wrong."""
        return not self.error

    @property
    def wrong(self) -> NDArray[np.intp]:
        """Where the two Jacobians differ by more than gradcheck allows: shape (k, 2), as (i, j).

        Empty where the backward raised an error.
        """
        if self.analytical is None:
            return np.empty((0, 2), np.intp)
        alike = np.isclose(self.analytical, self.numerical, rtol=RELATIVE, atol=ABSOLUTE)
        return np.argwhere(~alike)


class Kink(NamedTuple):
    """The slope at 0, where a function may have no derivative.

    slope: what the backward returns. left, right: the slopes of the function on either side, by
    one-sided differences. central: by the central difference, which at a kink is their mean.
    passed: what gradcheck says, which knows only the central difference.
    """

    slope: float
    left: float
    right: float
    central: float
    passed: bool

    @property
    def has_kink(self) -> bool:
        """Whether the slopes on the two sides differ, so that 0 has no derivative."""
        return not np.isclose(self.left, self.right, rtol=RELATIVE, atol=ABSOLUTE)

    @property
    def between(self) -> bool:
        """Whether the slope lies between those of the two sides, both included.

        Where the function bends upwards, as max(x, 0) does, such a slope is a subgradient.
        """
        low, high = sorted((self.left, self.right))
        return low - ABSOLUTE <= self.slope <= high + ABSOLUTE


class Widths(NamedTuple):
    """How far differences are from the slope that a backward gives, by their width h.

    h: shape (33,). central, forward: absolute errors, the same shape; 0 where there is none at all.
    """

    h: Floats
    central: Floats
    forward: Floats


def check(function: Callable[..., Any], *inputs: ArrayLike, scale: float = 1.0) -> Check:
    """Check the backward of a function at these inputs, each an array of any shape.

    function: takes as many tensors, and returns one or a tuple of them. What its forward raises is
    raised here.
    scale: what the gradients that arrive are multiplied by. gradcheck sends ones and zeros only,
    and so misses a backward that goes wrong with larger ones.
    """
    at = [np.asarray(x, np.float64) for x in inputs]
    entries = np.concatenate([x.ravel() for x in at])

    def scaled(*x: Any) -> tuple[Any, ...]:
        results = function(*x)
        return tuple(scale * y for y in (results if isinstance(results, tuple) else (results,)))

    def values(flat: Floats) -> Floats:
        """All outputs, one after the other, from all inputs."""
        parts = np.split(flat, np.cumsum([x.size for x in at])[:-1])
        with torch.no_grad():
            results = scaled(
                *(_leaf(part.reshape(x.shape)) for part, x in zip(parts, at, strict=True))
            )
        return np.concatenate([result.numpy().ravel() for result in results])

    numerical = jacobian(values, entries, WIDTH)
    error = message = ""
    analytical: Floats | None = None
    try:
        leaves = tuple(map(_leaf, at))
        torch.autograd.gradcheck(scaled, leaves, eps=WIDTH, atol=ABSOLUTE, rtol=RELATIVE)
    except Exception as refused:  # GradcheckError, or whatever this backward raises
        error, message = type(refused).__name__, str(refused).strip()
    try:
        by_output = torch.autograd.functional.jacobian(scaled, tuple(map(_leaf, at)))
    except Exception:  # told above, whatever it is
        pass
    else:
        rows = [
            [to.numpy().reshape(-1, x.size) for to, x in zip(of, at, strict=True)]
            for of in by_output
        ]
        analytical = np.block(rows).T  # by row an input, by column an output
    return Check(at[0] if len(at) == 1 else entries, error, message, numerical, analytical)


def kink(function: Function) -> Kink:
    """The slope of a function at 0: by its backward, and by differences to either side."""

    def values(x: float) -> float:
        return float(_values(function, x))

    return Kink(
        slope=slope(function, 0.0),
        left=forward_difference(values, 0.0, -WIDTH),
        right=forward_difference(values, 0.0, WIDTH),
        central=central_difference(values, 0.0, WIDTH),
        passed=check(function, [0.0]).passed,
    )


def widths(function: Function, point: float) -> Widths:
    """Central and forward differences of every width, against the backward's slope at a point."""
    values = partial(_values, function)
    expected = slope(function, point)
    central = central_difference(values, point, WIDTHS)
    forward = forward_difference(values, point, WIDTHS)
    return Widths(WIDTHS, np.abs(central - expected), np.abs(forward - expected))


def near(function: Function, point: float, places: ArrayLike) -> Floats:
    """How the function looks around a point where it is enlarged until h is as long as 1.

    places: shape (k,), in units of h. Returns (f(point + place * h) - f(point)) / h for each of
    WIDTHS and each place, shape (33, k).
    """
    h = WIDTHS[:, None]
    around = _values(function, point + h * np.asarray(places))
    return (around - _values(function, point)) / h


def slope(function: Function, point: float) -> float:
    """What leaves the backward of a function at one input when 1 arrives."""
    x = _leaf([point])
    (grad_x,) = torch.autograd.grad(function(x).sum(), x)
    return float(grad_x)


def _values(function: Function, x: ArrayLike) -> Floats:
    with torch.no_grad():
        values: Floats = function(_leaf(x)).numpy()
    return values


def _leaf(x: ArrayLike) -> Any:
    return torch.tensor(np.asarray(x, np.float64), requires_grad=True)
