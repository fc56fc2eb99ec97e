"""Is a backward right? PyTorch's gradcheck says so, and differences of our own say where.

Everything here is float64. A backward is right where it multiplies what arrives by the derivative
of the forward; the derivative is measured by moving one input a little.

Source: the documentation page "Gradcheck mechanics", and the central difference, as in
gradient_check.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Function = Callable[[Any], Any]  # a tensor in, a tensor of the same shape out

WIDTH = 1e-6  # how far gradcheck moves an input
ABSOLUTE, RELATIVE = 1e-5, 1e-3  # what gradcheck lets pass
WIDTHS = 10.0 ** -np.arange(0, 14.5, 0.5)  # the h of the curve of errors


class Check(NamedTuple):
    """What became of a check of `function` at the inputs x, of any shape with n entries.

    passed, message: gradcheck's verdict and, where it is against, its words or the error that the
    backward ended in.
    numerical: shape (n, n), how output j moves when input i does, by central differences.
    analytical: the same by the backward: column j is what leaves when 1 arrives at output j and 0
    at all others. None where the backward ended in an error.
    """

    x: Floats
    passed: bool
    message: str
    numerical: Floats
    analytical: Floats | None

    @property
    def agrees(self) -> NDArray[np.bool_] | None:
        """Entry by entry, whether the two are as near as gradcheck asks. Shape (n, n), or None."""
        if self.analytical is None:
            return None
        return np.isclose(self.analytical, self.numerical, rtol=RELATIVE, atol=ABSOLUTE)


class Kink(NamedTuple):
    """A slope at 0, where a function may have none.

    slope: what the backward says. left, right: what the function does on either side, by
    one-sided differences. central: by the central difference, which at a kink is the mean of these.
    passed: gradcheck's verdict, which knows only the central difference.
    """

    slope: float
    left: float
    right: float
    central: float
    passed: bool

    @property
    def has_kink(self) -> bool:
        """Whether the two sides have slopes of their own, so that 0 has no derivative."""
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

    h, central, forward: shape (29,), absolute errors; 0 where there is none at all.
    """

    h: Floats
    central: Floats
    forward: Floats


def check(function: Function, x: ArrayLike, *, louder: float = 1.0) -> Check:
    """Judge the backward of `function` at the inputs x.

    louder: what the gradients that arrive are multiplied by. gradcheck sends ones and zeros only,
    and so does not see a backward that goes wrong with larger ones.
    """

    def checked(x: Any) -> Any:
        return louder * function(x)

    at = np.asarray(x, np.float64)
    try:
        passed = torch.autograd.gradcheck(
            checked, _leaf(at), eps=WIDTH, atol=ABSOLUTE, rtol=RELATIVE
        )
        message = ""
    except RuntimeError as error:  # GradcheckError is one, and so is what a backward ends in
        passed, message = False, str(error).strip()
    try:
        analytical = _analytical(checked, at)
    except RuntimeError:
        analytical = None
    return Check(at, passed, message, _numerical(checked, at), analytical)


def kink(function: Function) -> Kink:
    """Look at `function` and its backward at 0, and at a small distance on either side."""
    below, zero, above = _values(function, [-WIDTH, 0.0, WIDTH]).tolist()
    return Kink(
        slope=slope(function, 0.0),
        left=(zero - below) / WIDTH,
        right=(above - zero) / WIDTH,
        central=(above - below) / (2 * WIDTH),
        passed=check(function, [0.0]).passed,
    )


def widths(function: Function, point: float) -> Widths:
    """Central and forward differences of every width, against the backward's slope at a point."""
    up, down = _values(function, point + WIDTHS), _values(function, point - WIDTHS)
    here = _values(function, [point])
    central, forward = (up - down) / (2 * WIDTHS), (up - here) / WIDTHS
    given = slope(function, point)
    return Widths(WIDTHS, np.abs(central - given), np.abs(forward - given))


def slope(function: Function, point: float) -> float:
    """What leaves the backward of `function` at one input when 1 arrives."""
    x = _leaf([point])
    (left,) = torch.autograd.grad(function(x).sum(), x)
    return float(left)


def _analytical(function: Function, x: Floats) -> Floats:
    leaf = _leaf(x)
    output = function(leaf)
    columns = []
    for j in range(x.size):
        arriving = torch.zeros_like(output)
        arriving.view(-1)[j] = 1
        (leaving,) = torch.autograd.grad(output, leaf, arriving, retain_graph=True)
        columns.append(leaving.numpy().ravel())
    return np.stack(columns, axis=1)


def _numerical(function: Function, x: Floats) -> Floats:
    rows = []
    for i in range(x.size):
        up, down = x.copy(), x.copy()
        up.flat[i] += WIDTH
        down.flat[i] -= WIDTH
        rows.append((_values(function, up) - _values(function, down)).ravel() / (2 * WIDTH))
    return np.stack(rows)


def _values(function: Function, x: ArrayLike) -> Floats:
    with torch.no_grad():
        values: Floats = function(_leaf(x)).numpy()
    return values


def _leaf(x: ArrayLike) -> Any:
    return torch.tensor(np.asarray(x, np.float64), requires_grad=True)
