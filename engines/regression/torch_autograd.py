"""Gradient descent in PyTorch: autograd finds the gradient.

The model is  y_pred = w * x**power + b.  Each forward pass builds a new graph as its lines run;
`loss.backward()` walks that graph back to w and b and adds what it finds to their `.grad`.

`stream` trains the same model on data that never repeats.

Source: experiment E3; the stream is E4. The same algorithm elsewhere: numpy_vectorized.py and
numpy_loops.py (gradients by hand), tf_tape.py (a tape), tf_session.py (a graph built once).
"""

from collections.abc import Iterator
from typing import Any

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


def batches(*, size: int = 8, seed: int = 1000) -> Iterator[tuple[Any, Any]]:
    """Yield x and y without end, float32, shape (size,): y = 2x + 3, with noise of deviation 3."""
    random = torch.Generator().manual_seed(seed)
    while True:
        x = 20 * torch.rand(size, generator=random)
        yield x, 2 * x + 3 + 3 * torch.randn(size, generator=random)


def stream(
    problem: Problem, *, steps: int, learning_rate: float, batch: int = 8, seed: int = 1000
) -> Iterator[Step]:
    """Yield step 0, 1, … steps, as `train` does, each with a batch of its own from `batches`.

    problem: the start and the loss; its data, the preset's first batch, is what step 0 draws.
    The loss is that of the step's batch: sums over more points are larger.
    """
    power, factor = problem.power, problem.factor
    w = torch.tensor(problem.w, requires_grad=True)
    b = torch.tensor(problem.b, requires_grad=True)

    for _, (x, y) in zip(range(steps + 1), batches(size=batch, seed=seed), strict=False):
        y_pred = w * x**power + b
        loss = factor * torch.sum((y_pred - y) ** 2)
        loss.backward()
        grad_w, grad_b = w.grad.item(), b.grad.item()

        yield Step(loss.item(), {"w": w.item(), "b": b.item()}, {"w": grad_w, "b": grad_b})

        with torch.no_grad():
            w -= learning_rate * w.grad
            b -= learning_rate * b.grad
        w.grad.zero_()
        b.grad.zero_()
