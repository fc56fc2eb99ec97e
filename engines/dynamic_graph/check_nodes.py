"""Every gradient in a graph, checked without autograd: move one number a little, run again.

The listing runs twice for each node, with one entry of its result made a little larger and a
little smaller; all that comes after it follows. The change of the loss, divided by the distance, is
the gradient that should have arrived there.

Source: the central difference, as in gradient_check.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from engines.differences import central_difference
from engines.graphs.autograd import Graph
from engines.problem import Problem
from engines.trace import Step

Train = Callable[..., Iterator[Step]]
WIDTH = 1e-5  # relative to the number moved, where that is larger than 1


def expected_gradients(
    train: Train, problem: Problem, graph: Graph, *, point: int
) -> dict[int, float]:
    """By id of a node, the gradient of the loss by one entry of its result.

    train: the listing, in which each operation makes one node; it runs in float64. graph: that of
    its first step from the problem's start. point: which entry; of results with fewer, the last.
    """
    exact = problem.astype(np.float64)
    start = {"w": float(exact.w), "b": float(exact.b)}

    def loss_from(name: str, value: float) -> float:
        return _loss(train, exact.starting_at(**{**start, name: value}))

    def loss_moved(operation: int, by: float) -> float:
        with _Moved(operation, point, by):
            return _loss(train, exact)

    found = {}
    for leaf in graph.leaves:
        at = start[leaf.name]
        found[leaf.id] = central_difference(partial(loss_from, leaf.name), at, _width(at))
    for operation, node in enumerate(node for node in graph.nodes if node.text):
        value = np.zeros(1) if node.value is None else node.value
        h = _width(float(value.flat[min(point, value.size - 1)]))
        found[node.id] = central_difference(partial(loss_moved, operation), 0.0, h)
    return found


def _width(number: float) -> float:
    return WIDTH * max(1, abs(number))


def _loss(train: Train, problem: Problem) -> float:
    return float(next(train(problem, steps=0, learning_rate=0.0)).loss)


class _Moved(TorchFunctionMode):  # type: ignore[misc]
    """While it is entered, one entry of one result that has a gradient is moved by that much."""

    def __init__(self, operation: int, point: int, by: float) -> None:
        super().__init__()
        self._operation, self._point, self._by = operation, point, by
        self._operations = count()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        made = isinstance(result, torch.Tensor) and result.grad_fn is not None
        if made and next(self._operations) == self._operation:
            flat = result.data.view(-1)
            flat[min(self._point, len(flat) - 1)] += self._by
        return result
