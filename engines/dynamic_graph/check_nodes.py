"""Every gradient in a graph, checked without autograd: move one number a little, run again.

The listing runs twice for each node, with one entry of its result made a little larger and a
little smaller; all that comes after it follows. The change of the loss, divided by the distance, is
the gradient that should have arrived there.

Source: the central difference, as in gradient_check.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from engines.graphs.autograd import Graph
from engines.problem import Problem
from engines.trace import Step

Train = Callable[..., Iterator[Step]]
WIDTH = 1e-5  # relative to the number moved, where that is larger than 1


def differences(train: Train, problem: Problem, graph: Graph, *, point: int) -> dict[int, float]:
    """By id of a node, the gradient of the loss by one entry of its result.

    train: the listing, in which each operation makes one node; it runs in float64. graph: that of
    its first step from the problem's start. point: which entry; of results with fewer, the last.
    """
    exact = problem.astype(np.float64)

    def loss(problem: Problem) -> float:
        return float(next(train(problem, steps=0, learning_rate=0.0)).loss)

    found = {}
    for leaf in graph.leaves:
        start = {name: float(getattr(exact, name)) for name in ("w", "b")}
        h = WIDTH * max(1, abs(start[leaf.name]))
        up, down = (
            loss(exact.starting_at(**{**start, leaf.name: start[leaf.name] + way}))
            for way in (h, -h)
        )
        found[leaf.id] = (up - down) / (2 * h)
    for operation, node in enumerate(node for node in graph.nodes if node.text):
        value = np.zeros(1) if node.value is None else node.value
        h = WIDTH * max(1, abs(float(value.flat[min(point, value.size - 1)])))
        changed = []
        for way in (h, -h):
            with _Nudge(operation, point, way):
                changed.append(loss(exact))
        found[node.id] = (changed[0] - changed[1]) / (2 * h)
    return found


class _Nudge(TorchFunctionMode):  # type: ignore[misc]
    """While it is entered, one entry of one result that has a gradient is moved by h."""

    def __init__(self, operation: int, point: int, h: float) -> None:
        super().__init__()
        self._operation, self._point, self._h = operation, point, h
        self._operations = count()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        made = isinstance(result, torch.Tensor) and result.grad_fn is not None
        if made and next(self._operations) == self._operation:
            flat = result.data.view(-1)
            flat[min(self._point, len(flat) - 1)] += self._h
        return result
