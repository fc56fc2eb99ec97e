"""Slopes without calculus: move a number a little, and see how much the result moves.

Source: the central difference, whose error shrinks with the square of the width h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def central_difference(function: Callable[[Any], Any], x: Any, h: Any) -> Any:
    """(f(x + h) - f(x - h)) / 2h. x, h: numbers, or arrays taken entry by entry."""
    return (function(x + h) - function(x - h)) / (2 * h)


def forward_difference(function: Callable[[Any], Any], x: Any, h: Any) -> Any:
    """(f(x + h) - f(x)) / h, with one side only. Its error shrinks with the width h itself."""
    return (function(x + h) - function(x)) / h


def jacobian(function: Callable[[Floats], Any], x: Floats, h: float) -> Floats:
    """How each result moves when one entry of x does, by central differences.

    x: any shape. function: of an array like x, a number or an array. Returns an array of the shape
    of x followed by the shape of the result.
    """
    directions = np.eye(x.size).reshape(x.size, *x.shape)
    slopes = np.array(
        [central_difference(lambda t: function(x + t * along), 0.0, h) for along in directions]  # noqa: B023
    )
    return slopes.reshape(x.shape + slopes.shape[1:])


def relative_error(one: Any, other: Any) -> Any:
    """|one - other| over the longer of the two; 0 for two zeros.

    The first axis is that of a vector, and what follows it are several vectors at once.
    """
    # np.hypot, because the squares of the smallest and the largest numbers are no numbers.
    gap = np.hypot.reduce(np.asarray(one) - other, axis=0)
    size = np.maximum(np.hypot.reduce(one, axis=0), np.hypot.reduce(other, axis=0))
    return gap / np.where(size > 0, size, 1)
