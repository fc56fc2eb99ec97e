"""What PyTorch hangs on its results, and what happens when it is asked in other ways.

The same listings for TensorFlow's tape: tape.py.

Source: experiment E5 and the documentation page "Autograd mechanics".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from engines.graphs import read_torch
from engines.graphs.autograd import StepGraph
from engines.listing import run_each, source_of


def two_and_four() -> Any:
    """Add two numbers, and have the sum at once."""
    return torch.tensor(2) + torch.tensor(4)


def derivative(*, a: float = 1, b: float = 2, c: float = 3, w: float = 4) -> tuple[float, float]:
    """The value of y = a*w**2 + b*w + c and its derivative dy/dw = 2*a*w + b, from a graph."""
    point = torch.tensor(w, dtype=torch.float32, requires_grad=True)
    y = a * point**2 + b * point + c
    y.backward()
    return y.item(), point.grad.item()


def parabola(a: float, b: float, c: float, w: Any) -> Iterator[Any]:
    """A graph with every value on the way to y."""
    a, b, c = map(torch.tensor, (a, b, c))
    w = torch.tensor(w, requires_grad=True)
    aside = a * b  # w has no part in this
    y = a * w**2 + b * w + c
    y.backward()
    yield w, y, aside


def not_watched(a: float, b: float, c: float, w: Any) -> Any:
    """Ask for the slope at a tensor that does not require it."""
    w = torch.tensor(w)
    y = a * w**2 + b * w + c
    y.backward()
    return w.grad


def variable(a: float, b: float, c: float, w: Any) -> Any:
    """Ask for the slope at a parameter, which requires it by itself."""
    w = torch.nn.Parameter(torch.tensor(w))
    y = a * w**2 + b * w + c
    y.backward()
    return w.grad


def asked_again(a: float, b: float, c: float, w: Any) -> Any:
    """Go through the same graph a second time."""
    w = torch.tensor(w, requires_grad=True)
    y = a * w**2 + b * w + c
    y.backward()
    first = w.grad.clone()
    y.backward()
    return first, w.grad


def persistent(a: float, b: float, c: float, w: Any) -> Any:
    """Go a second time through a graph that keeps what it saved."""
    w = torch.tensor(w, requires_grad=True)
    y = a * w**2 + b * w + c
    y.backward(retain_graph=True)
    first = w.grad.clone()
    y.backward()
    return first, w.grad


def run_all(a: float, b: float, c: float, w: float) -> dict[str, tuple[str, str]]:
    """Run every listing of this file. Returns its source and what it said, by its name.

    That is what it returned, as `print` shows it, one thing on each line; or the error.
    """
    asked = run_each(
        (derivative, not_watched, variable, asked_again, persistent), a=a, b=b, c=c, w=w
    )
    return asked | run_each([two_and_four]) | {"parabola": (source_of(parabola), "")}


def record(a: float, b: float, c: float, w: float) -> StepGraph:
    """Run `parabola` and return its graph, and what ran without a place in it as plain events."""
    [step] = read_torch.record(parabola(a, b, c, w))
    return step
