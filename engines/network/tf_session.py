"""A network of two layers as a static graph: described once, then run in a session.

The model is  y_pred = relu(x @ w1) @ w2,  and the loss is the sum of (y_pred - y)**2.

Source: experiment E11. The same algorithm in PyTorch: torch_own_relu.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from engines.trace import Step


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
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(x_value.dtype, shape=(None, x_value.shape[1]), name="x")
        y = tf.compat.v1.placeholder(y_value.dtype, shape=(None, y_value.shape[1]), name="y")

        # No array as the initial value, which would become a constant and stay in the graph.
        w1_start = tf.compat.v1.placeholder(w1_value.dtype, shape=w1_value.shape, name="w1_start")
        w2_start = tf.compat.v1.placeholder(w2_value.dtype, shape=w2_value.shape, name="w2_start")
        w1 = tf.Variable(w1_start, name="w1")
        w2 = tf.Variable(w2_start, name="w2")

        # Forward: two layers, and what is negative between them becomes 0.
        h = tf.matmul(x, w1)
        h_relu = tf.maximum(h, 0)
        y_pred = tf.matmul(h_relu, w2)
        loss = tf.reduce_sum((y_pred - y) ** 2)

        # Backward: TensorFlow adds the operations that compute the gradient.
        grad_w1, grad_w2 = tf.gradients(loss, [w1, w2])

        # Update: a small step against the gradient, which is a part of the graph.
        new_w1 = w1.assign(w1 - learning_rate * grad_w1)
        new_w2 = w2.assign(w2 - learning_rate * grad_w2)

        initialize = tf.compat.v1.global_variables_initializer()

    session = tf.compat.v1.Session(graph=graph)
    try:
        session.run(initialize, {w1_start: w1_value, w2_start: w2_value})
        fetches = [loss, grad_w1, grad_w2, new_w1, new_w2]
        params = {"w1": w1_value, "w2": w2_value}
        for _ in range(steps + 1):
            loss_value, *grads, w1_next, w2_next = session.run(fetches, {x: x_value, y: y_value})
            yield Step(loss_value, params, {"w1": grads[0], "w2": grads[1]})
            params = {"w1": w1_next, "w2": w2_next}
    finally:
        session.close()
