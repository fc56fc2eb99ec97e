"""The timed operations in NumPy: it has the CPU only, and works where the data lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.benchmark.operations import LEARNING_RATE

Array = NDArray[Any]


def product(a: Array, b: Array) -> Array:
    """A row by a column, or two square matrices."""
    return a @ b


def parabola(x: Array) -> Array:
    """Three operations, one number at a time."""
    return 3 * (x * x) + 2


def training_step(x: Array, y: Array, w1: Array, w2: Array) -> Array:
    """Predict, find the gradients by hand, update w1 and w2 in place; returns the loss."""
    h = x @ w1
    h_relu = np.maximum(h, 0)
    y_pred = h_relu @ w2
    loss = np.square(y_pred - y).sum()

    grad_y_pred = 2 * (y_pred - y)
    grad_w2 = h_relu.T @ grad_y_pred
    grad_h = (grad_y_pred @ w2.T) * (h > 0)
    grad_w1 = x.T @ grad_h

    w1 -= LEARNING_RATE * grad_w1
    w2 -= LEARNING_RATE * grad_w2
    return np.asarray(loss)


def copy(x: Array, to: Array) -> Array:
    """Read all of x and write it to memory that is there already."""
    np.copyto(to, x)
    return to


LISTINGS: dict[str, Callable[..., Any]] = {
    "row_by_column": product,
    "square": product,
    "elementwise": parabola,
    "training_step": training_step,
    "copy": copy,
}

OUT_OF_MEMORY = MemoryError


def use(device: str) -> None:
    """Prepare this process for `device`: there is nothing to do."""


def prepare(
    operation: str, arrays: Sequence[Array], device: str, *, transfer: bool
) -> tuple[Callable[[], object], Callable[[], None]]:
    """The operation as a function without arguments, and one that waits until it is done.

    There is nothing to wait for. Raises ValueError for another device than the CPU, and for a
    transfer: NumPy works where the data is.
    """
    if device != "cpu" or transfer:
        raise ValueError("NumPy works on the CPU, where the data is")
    listing = LISTINGS[operation]
    return lambda: listing(*arrays), lambda: None
