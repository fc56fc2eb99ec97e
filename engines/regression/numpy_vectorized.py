"""Gradient descent by hand, in NumPy: whole arrays at once.

The model is  y_pred = w * x**power + b.  Nothing here differentiates for us: the two lines that
compute grad_w and grad_b are the chain rule, worked out on paper and typed in.

Source: experiment E1. The same algorithm elsewhere: numpy_loops.py (one point at a time),
torch_autograd.py, tf_tape.py, tf_session.py (the framework finds the gradient).
"""

from collections.abc import Iterator

import numpy as np

from engines.problem import Problem
from engines.trace import Step


def train(problem: Problem, *, steps: int, learning_rate: float) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    problem: the data, the start and the loss, in float32 or float64.
    """
    x, y = problem.x, problem.y
    power, factor = problem.power, problem.factor
    w, b = problem.w, problem.b

    for _ in range(steps + 1):
        # Forward: predict, then say in one number how wrong that was.
        y_pred = w * x**power + b
        loss = factor * np.sum((y_pred - y) ** 2)

        # Backward: how the loss changes with each prediction, then with w and b.
        grad_y_pred = 2 * factor * (y_pred - y)
        grad_w = np.sum(grad_y_pred * x**power)
        grad_b = np.sum(grad_y_pred)

        yield Step(loss, {"w": w, "b": b}, {"w": grad_w, "b": grad_b})

        # Update: a small step against the gradient.
        w = w - learning_rate * grad_w
        b = b - learning_rate * grad_b
