"""One training step in PyTorch, eagerly.

Source: experiment E9, for which first_calls.py times it. The same in TensorFlow, in three ways:
first_calls_tensorflow.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

Arrays = Sequence[NDArray[Any]]


def parabola(x: Any, y: Any, w: Any, b: Any) -> Any:
    """The mean squared error of w * x**2 + b."""
    return torch.mean((w * x**2 + b - y) ** 2)


def two_layers(x: Any, y: Any, w1: Any, w2: Any) -> Any:
    """The summed squared error of relu(x @ w1) @ w2."""
    return torch.sum((x.mm(w1).clamp(min=0).mm(w2) - y) ** 2)


LOSSES = {"parabola": parabola, "two_layers": two_layers}


def eager(loss_name: str, data: Arrays, start: Arrays, learning_rate: float) -> Iterator[float]:
    """Yield the loss before each update, without end."""
    x, y = (torch.tensor(values) for values in data)
    params = [torch.tensor(values, requires_grad=True) for values in start]
    while True:
        loss = LOSSES[loss_name](x, y, *params)
        loss.backward()
        with torch.no_grad():
            for param in params:
                param.sub_(learning_rate * param.grad)
                param.grad.zero_()
        yield loss.item()
