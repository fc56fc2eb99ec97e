"""The slope at zero of PyTorch's ways to write max(x, 0), and where it matters in training.

At 0 the function has a kink and no derivative; what a framework returns there is its choice.

Source: the documentation page "Autograd mechanics", on non-differentiable functions; in TensorFlow:
tf_slopes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from engines.network import torch_own_relu

# Each is run as it is written here.
EXPRESSIONS = (
    "torch.relu(x)",
    "x.clamp(min=0)",
    "torch.maximum(x, torch.tensor(0.0))",
    "x * (x > 0)",
    "(x + x.abs()) / 2",
)
Relu = Callable[[Any], Any]  # a tensor in, a tensor of the same shape out
Start = Literal["random", "integers", "zeros"]


def relu_of(expression: str) -> Relu:
    """A function of x that computes the expression. Raises KeyError unless in EXPRESSIONS."""
    if expression not in EXPRESSIONS:
        raise KeyError(expression)
    relu: Relu = eval(f"lambda x: {expression}", {"torch": torch})
    return relu


def slopes() -> dict[str, tuple[float, ...]]:
    """By expression: its value at 0, and its derivative at -1, 0 and 1, by PyTorch."""
    found = {}
    for expression in EXPRESSIONS:
        x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
        y = relu_of(expression)(x)
        y.sum().backward()
        found[expression] = (y[1].item(), *x.grad.tolist())
    return found


def start(kind: Start, seed: int) -> tuple[NDArray[np.float32], ...]:
    """x (64, 20), y (64, 5), w1 (20, 30) and w2 (30, 5), from a normal distribution, but:

    integers: x and w1 are -1, 0 or 1, so that many sums of their products are exactly 0.
    zeros: w1 begins at 0, and with it every sum.
    """
    random = np.random.default_rng(seed)
    shapes = (64, 20), (64, 5), (20, 30), (30, 5)
    x, y, w1, w2 = (random.standard_normal(shape, dtype=np.float32) for shape in shapes)
    if kind == "integers":
        x, w1 = (random.integers(-1, 2, array.shape).astype(np.float32) for array in (x, w1))
    if kind == "zeros":
        w1 = np.zeros_like(w1)
    return x, y, w1, w2


class Trained(NamedTuple):
    """One run. losses: shape (steps + 1,). zeros: in how many entries of h, the input to the ReLU,
    each of these steps found an exact 0, the same shape.
    """

    losses: NDArray[np.float64]
    zeros: NDArray[np.intp]


def train_each(
    relus: Mapping[str, Relu],
    x_value: NDArray[Any],
    y_value: NDArray[Any],
    w1_value: NDArray[Any],
    w2_value: NDArray[Any],
    *,
    steps: int,
    learning_rate: float,
) -> dict[str, Trained]:
    """By name, network/torch_own_relu.py trained with each ReLU from the same arrays."""
    runs = {}
    for name, relu in relus.items():
        zeros: list[int] = []
        engine = torch_own_relu.train(
            x_value,
            y_value,
            w1_value,
            w2_value,
            steps=steps,
            learning_rate=learning_rate,
            relu=_counting(relu, zeros),
        )
        losses = np.array([step.loss for step in engine], np.float64)
        runs[name] = Trained(losses, np.array(zeros))
    return runs


def _counting(relu: Relu, zeros: list[int]) -> Relu:
    def counted(h: Any) -> Any:
        zeros.append(int((h == 0).sum()))
        return relu(h)

    return counted
