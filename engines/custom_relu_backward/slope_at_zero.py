"""The slope at zero of different ways to write max(x, 0), and where it matters in training.

At 0 the function has a kink and no derivative; what a framework returns there is its choice.

Source: the documentation pages "Autograd mechanics", on non-differentiable functions, of PyTorch,
and "Introduction to gradients and automatic differentiation" of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from engines.network import torch_own_relu

# By framework. Each is run as it is written here.
EXPRESSIONS = {
    "PyTorch": (
        "torch.relu(x)",
        "x.clamp(min=0)",
        "torch.maximum(x, torch.tensor(0.0))",
        "x * (x > 0)",
        "(x + x.abs()) / 2",
    ),
    "TensorFlow": (
        "tf.nn.relu(x)",
        "tf.maximum(x, 0.0)",
        "tf.maximum(0.0, x)",
        "tf.clip_by_value(x, 0.0, x.dtype.max)",
    ),
}
Start = Literal["random", "integers", "zeros"]
BATCH, INPUTS, HIDDEN, OUTPUTS = 64, 20, 30, 5


class Slopes(NamedTuple):
    """A way to write max(x, 0): its value at 0, and its derivative at -1, 0 and 1."""

    framework: str
    value: float
    left: float
    at_zero: float
    right: float


def slopes() -> dict[str, Slopes]:
    """By expression, what its framework computes in float32."""
    import tensorflow as tf  # noqa: PLC0415 (at the top of an engine stands one framework)

    found = {}
    for expression in EXPRESSIONS["PyTorch"]:
        x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
        y = eval(expression, {"torch": torch, "x": x})
        y.sum().backward()
        found[expression] = Slopes("PyTorch", y[1].item(), *x.grad.tolist())
    for expression in EXPRESSIONS["TensorFlow"]:
        x = tf.constant([-1.0, 0.0, 1.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = eval(expression, {"tf": tf, "x": x})
        found[expression] = Slopes("TensorFlow", float(y[1]), *tape.gradient(y, x).numpy().tolist())
    return found


def start(kind: Start, seed: int) -> tuple[NDArray[np.float32], ...]:
    """x (BATCH, INPUTS), y (BATCH, OUTPUTS), w1 (INPUTS, HIDDEN) and w2 (HIDDEN, OUTPUTS).

    All are from a normal distribution, but:
    integers: x and w1 are -1, 0 or 1, so that many sums of their products are exactly 0.
    zeros: w1 begins at 0, and with it every sum.
    """
    random = np.random.default_rng(seed)
    shapes = (BATCH, INPUTS), (BATCH, OUTPUTS), (INPUTS, HIDDEN), (HIDDEN, OUTPUTS)
    x, y, w1, w2 = (random.standard_normal(shape, dtype=np.float32) for shape in shapes)
    if kind == "integers":
        x, w1 = (random.integers(-1, 2, array.shape).astype(np.float32) for array in (x, w1))
    if kind == "zeros":
        w1 = np.zeros_like(w1)
    return x, y, w1, w2


class Training(NamedTuple):
    """A run. losses: shape (steps + 1,). zeros: in how many of the BATCH * HIDDEN entries of h, the
    input to the ReLU, each of these steps found an exact 0, the same shape.
    """

    losses: NDArray[np.float64]
    zeros: NDArray[np.intp]


def train(
    relu: Callable[[Any], Any], kind: Start, seed: int, *, steps: int, learning_rate: float
) -> Training:
    """Train network/torch_own_relu.py with this ReLU between its layers, from one of the starts."""
    zeros: list[int] = []

    def counting(h: Any) -> Any:
        zeros.append(int((h == 0).sum()))
        return relu(h)

    arrays = start(kind, seed)
    engine = torch_own_relu.train(*arrays, steps=steps, learning_rate=learning_rate, relu=counting)
    losses = np.array([step.loss for step in engine], np.float64)
    return Training(losses, np.array(zeros))
