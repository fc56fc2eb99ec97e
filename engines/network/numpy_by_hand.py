"""A network of two layers in NumPy: every gradient by hand.

The model is  y_pred = relu(x @ w1) @ w2,  and the loss is the sum of (y_pred - y)**2. The chain
rule goes through the lines of the forward pass from the last to the first, one line for each.

Source: experiment E10. The same algorithm with autograd and a custom ReLU: torch_own_relu.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.trace import Step


def train(
    x: NDArray[Any],
    y: NDArray[Any],
    w1: NDArray[Any],
    w2: NDArray[Any],
    *,
    steps: int,
    learning_rate: float,
) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    x: (n, d_in), y: (n, d_out); the start w1: (d_in, h), w2: (h, d_out); all in float32 or all in
    float64.
    """
    for _ in range(steps + 1):
        # Forward: two layers, and what is negative between them becomes 0.
        h = x @ w1
        h_relu = np.maximum(h, 0)
        y_pred = h_relu @ w2
        loss = np.sum((y_pred - y) ** 2)

        # Backward: how the loss changes with each result above, the last one first.
        grad_y_pred = 2 * (y_pred - y)
        grad_w2 = h_relu.T @ grad_y_pred
        grad_h_relu = grad_y_pred @ w2.T
        grad_h = np.where(h < 0, 0, grad_h_relu)
        grad_w1 = x.T @ grad_h

        yield Step(loss, {"w1": w1, "w2": w2}, {"w1": grad_w1, "w2": grad_w2})

        # Update: a small step against the gradient.
        w1 = w1 - learning_rate * grad_w1
        w2 = w2 - learning_rate * grad_w2
