"""Gradient descent by hand, one point at a time: the sums of the gradient written as loops.

The model is  y_pred = w * x**power + b.  Nothing here differentiates for us, and nothing is hidden
in an array operation either: every term of the gradient is added where you can see it.

Source: experiment E2. The same algorithm elsewhere: numpy_vectorized.py (whole arrays at once),
torch_autograd.py, tf_tape.py, tf_session.py (the framework finds the gradient).
"""

from collections.abc import Iterator

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
        loss = grad_w = grad_b = x.dtype.type(0)
        for x_i, y_i in zip(x, y, strict=True):
            # Forward: predict this point, and add how wrong that was.
            y_pred = w * x_i**power + b
            loss = loss + factor * (y_pred - y_i) ** 2

            # Backward: this point's share of the gradient.
            grad_y_pred = 2 * factor * (y_pred - y_i)
            grad_w = grad_w + grad_y_pred * x_i**power
            grad_b = grad_b + grad_y_pred

        yield Step(loss, {"w": w, "b": b}, {"w": grad_w, "b": grad_b})

        # Update: a small step against the gradient.
        w = w - learning_rate * grad_w
        b = b - learning_rate * grad_b
