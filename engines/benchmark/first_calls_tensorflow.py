"""One training step in TensorFlow in three ways: a session's graph, a traced function, eagerly.

Each listing yields the loss before each update, without end, and pays for what it needs before its
first one. `function` and `eager` are one listing, but for the line that traces it.

Source: experiment E9, for which first_calls.py times them. The same in PyTorch:
first_calls_torch.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

Arrays = Sequence[NDArray[Any]]


def parabola(x: Any, y: Any, w: Any, b: Any) -> Any:
    """The mean squared error of w * x**2 + b."""
    return tf.reduce_mean((w * x**2 + b - y) ** 2)


def two_layers(x: Any, y: Any, w1: Any, w2: Any) -> Any:
    """The summed squared error of relu(x @ w1) @ w2."""
    return tf.reduce_sum((tf.matmul(tf.maximum(tf.matmul(x, w1), 0), w2) - y) ** 2)


LOSSES = {"parabola": parabola, "two_layers": two_layers}


def session(loss_name: str, data: Arrays, start: Arrays, learning_rate: float) -> Iterator[float]:
    """Describe the step as a graph; each run of it feeds the data and fetches the loss."""
    graph = tf.Graph()
    with graph.as_default():
        placeholders = [tf.compat.v1.placeholder(a.dtype, (None, *a.shape[1:])) for a in data]
        starts = [tf.compat.v1.placeholder(a.dtype, a.shape) for a in start]
        params = [tf.Variable(value) for value in starts]
        loss = LOSSES[loss_name](*placeholders, *params)
        grads = tf.gradients(loss, params)
        updates = [
            param.assign_sub(learning_rate * grad)
            for param, grad in zip(params, grads, strict=True)
        ]
        update = tf.group(*updates)
        initialize = tf.compat.v1.global_variables_initializer()

    session = tf.compat.v1.Session(graph=graph)
    try:
        session.run(initialize, dict(zip(starts, start, strict=True)))
        feeds = dict(zip(placeholders, data, strict=True))
        while True:
            loss_value, _ = session.run([loss, update], feeds)
            yield float(loss_value)
    finally:
        session.close()


def function(loss_name: str, data: Arrays, start: Arrays, learning_rate: float) -> Iterator[float]:
    """Have `tf.function` trace the step at its first call; later calls run what was traced."""
    return eager(loss_name, data, start, learning_rate, traced=True)


def eager(
    loss_name: str, data: Arrays, start: Arrays, learning_rate: float, *, traced: bool = False
) -> Iterator[float]:
    """Run each operation of the step as Python comes to it, while a tape looks on."""
    x, y = (tf.constant(values) for values in data)
    params = [tf.Variable(values) for values in start]

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = LOSSES[loss_name](x, y, *params)
        for param, grad in zip(params, tape.gradient(loss, params), strict=True):
            param.assign_sub(learning_rate * grad)
        return loss

    if traced:
        step = tf.function(step)
    while True:
        yield float(step(x, y))
