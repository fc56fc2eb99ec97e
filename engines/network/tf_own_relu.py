"""A ReLU with a custom gradient in TensorFlow, and a network of two layers that trains with it.

The model is  y_pred = relu(x @ w1) @ w2,  and the loss is the sum of (y_pred - y)**2. Under
`tf.custom_gradient` a function returns its output, and the function that a tape is to call for the
gradient. What that one needs of the input, it finds in the names around it; nothing is saved.

Source: experiment E10, and the documentation page "tf.custom_gradient". The same in PyTorch:
torch_own_relu.py; as a static graph with TensorFlow's own gradient: tf_session.py.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from engines.trace import Step


@tf.custom_gradient
def my_relu(x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """ReLU, and what it does to a gradient: cut where x was negative."""

    def backward(grad_output: Any) -> Any:
        return tf.where(x < 0, tf.zeros_like(grad_output), grad_output)

    return tf.maximum(x, 0), backward


def train(
    x_value: NDArray[Any],
    y_value: NDArray[Any],
    w1_value: NDArray[Any],
    w2_value: NDArray[Any],
    *,
    steps: int,
    learning_rate: float,
) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    x_value: (n, d_in), y_value: (n, d_out); the start w1_value: (d_in, h), w2_value: (h, d_out);
    all in float32 or all in float64.
    """
    x, y = tf.constant(x_value), tf.constant(y_value)
    w1 = tf.Variable(w1_value)
    w2 = tf.Variable(w2_value)

    for _ in range(steps + 1):
        # Forward: two layers, and between them a ReLU of our own.
        with tf.GradientTape() as tape:
            h = tf.matmul(x, w1)
            h_relu = my_relu(h)
            y_pred = tf.matmul(h_relu, w2)
            loss = tf.reduce_sum((y_pred - y) ** 2)

        # Backward: the tape is read from its end, and calls our backward on its way.
        grad_w1, grad_w2 = tape.gradient(loss, [w1, w2])

        params = {"w1": w1.numpy(), "w2": w2.numpy()}
        yield Step(loss.numpy(), params, {"w1": grad_w1.numpy(), "w2": grad_w2.numpy()})

        # Update: a small step against the gradient.
        w1.assign_sub(learning_rate * grad_w1)
        w2.assign_sub(learning_rate * grad_w2)
