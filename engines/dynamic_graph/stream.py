"""A line learnt from a stream: each step draws a batch, uses it once and throws it away.

The model is that of torch_autograd.py; only where the data come from differs.

Source: experiment E4.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch

from engines.problem import Problem, preset
from engines.trace import Step, Trace, record

# The law behind the data: y = 2x + 3 with normal noise, x evenly spread from 0 to 20.
SLOPE, OFFSET, NOISE, RIGHT = 2.0, 3.0, 3.0, 20.0


def batches(*, size: int = 8, seed: int = 1000) -> Iterator[tuple[Any, Any]]:
    """Yield x and y without end, float32, shape (size,)."""
    random = torch.Generator().manual_seed(seed)
    while True:
        x = RIGHT * torch.rand(size, generator=random)
        yield x, SLOPE * x + OFFSET + NOISE * torch.randn(size, generator=random)


def train(
    problem: Problem, *, steps: int, learning_rate: float, batch: int = 8, seed: int = 1000
) -> Iterator[Step]:
    """Yield step 0, 1, … steps, each with a batch of its own from `batches`.

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


def run(batch: int, learning_rate: float) -> tuple[Trace, list[tuple[Any, Any]]]:
    """The article's stream in batches of this size: its run, and x and y of each batch it drew."""
    article = preset("stream_article")
    trace = record(train(article, steps=article.steps, learning_rate=learning_rate, batch=batch))
    return trace, list(islice(batches(size=batch), len(trace)))
