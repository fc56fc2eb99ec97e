"""Gradient descent in PyTorch: autograd finds the gradient.

The model is  y_pred = w * x**power + b.  Each forward pass builds a new graph as its lines run;
`loss.backward()` walks that graph back to w and b and adds what it finds to their `.grad`.

Source: experiment E3. The same algorithm in another library: numpy_vectorized.py and
numpy_loops.py (gradients by hand), tf_tape.py (a tape), tf_session.py (a graph built once).
"""

from collections.abc import Iterator

import torch

from engines.problem import Problem
from engines.trace import Step


def train(problem: Problem, *, steps: int, learning_rate: float) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    problem: the data, the start and the loss, in float32 or float64.
    """
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)
    power, factor = problem.power, problem.factor
    w = torch.tensor(problem.w, requires_grad=True)
    b = torch.tensor(problem.b, requires_grad=True)

    for _ in range(steps + 1):
        # Forward: predict, then say in one number how wrong that was.
        y_pred = w * x**power + b
        loss = factor * torch.sum((y_pred - y) ** 2)

        # Backward: autograd fills in w.grad and b.grad.
        loss.backward()
        grad_w, grad_b = w.grad.item(), b.grad.item()

        yield Step(loss.item(), {"w": w.item(), "b": b.item()}, {"w": grad_w, "b": grad_b})

        # Update: a small step against the gradient, which is no part of the graph.
        with torch.no_grad():
            w -= learning_rate * w.grad
            b -= learning_rate * b.grad

        # backward() adds to .grad, so the next step must find it empty.
        w.grad.zero_()
        b.grad.zero_()
