"""Gradient descent in TensorFlow, eagerly: a tape finds the gradient.

The model is  y_pred = w * x**power + b.  Operations run at once, as in NumPy; a GradientTape
writes down those that touch a variable, and is then asked to differentiate what it wrote.

Source: experiment E5. The same algorithm elsewhere: numpy_vectorized.py and numpy_loops.py
(gradients by hand), torch_autograd.py (a graph instead of a tape), tf_session.py (built once).
"""

from collections.abc import Iterator

import tensorflow as tf

from engines.problem import Problem
from engines.trace import Step


def train(problem: Problem, *, steps: int, learning_rate: float) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    problem: the data, the start and the loss, in float32 or float64.
    """
    x, y = tf.constant(problem.x), tf.constant(problem.y)
    power, factor = problem.power, problem.factor
    w = tf.Variable(problem.w)
    b = tf.Variable(problem.b)

    for _ in range(steps + 1):
        # Forward: predict, then say in one number how wrong that was.
        with tf.GradientTape() as tape:
            y_pred = w * x**power + b
            loss = factor * tf.reduce_sum((y_pred - y) ** 2)

        # Backward: the tape is read from its end.
        grad_w, grad_b = tape.gradient(loss, [w, b])

        params = {"w": w.numpy(), "b": b.numpy()}
        yield Step(loss.numpy(), params, {"w": grad_w.numpy(), "b": grad_b.numpy()})

        # Update: a small step against the gradient.
        w.assign_sub(learning_rate * grad_w)
        b.assign_sub(learning_rate * grad_b)
