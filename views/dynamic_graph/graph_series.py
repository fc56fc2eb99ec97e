"""The numbers in the graph of one training step, as series that the player plays.

All steps inspected have graphs of the same shape, so the first one's order of nodes and edges is
that of all: `value_low_3` is the smallest entry of the value at its node 3, `sent_at_3` one entry
of what went back along its edge 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.graphs.autograd import Edge, Event, Graph, Node, StepGraph
from views.player import Phase, Series, Timeline, some_steps

Array = NDArray[Any]
BARS = 16  # entries of a long array that are drawn

# How fast the result of an operation grows with its first input: the local derivative.
SLOPES: dict[str, Callable[[Node], Any]] = {
    "MulBackward0": lambda node: node.saved["other"],
    "AddBackward0": lambda _: 1.0,
    "SubBackward0": lambda _: 1.0,
    "PowBackward0": lambda node: (
        node.settings["exponent"] * node.saved["self"] ** (node.settings["exponent"] - 1)
    ),
    "SumBackward0": lambda _: 1.0,
}


def moments(step: StepGraph) -> list[Event]:
    """What slow motion stops at: all that makes, runs or changes something of the graph."""
    told = ("forward", "backward", "update", "zero")
    return [event for event in step.events if event.kind in told]


def end_of_backward(timeline: Timeline) -> int:
    """The moment at which a step's gradients are all there, and its update is still to come."""
    return sum(timeline.parts[: Phase.UPDATE]) - 1


def role(node: Node) -> tuple[Any, ...]:
    """What makes it the same node in the graph of another step, though not the same object."""
    return node.kind, node.line, node.text, node.repetition, "" if node.text else node.name


def written(graph: Graph, node: Node) -> str:
    """The line's part that the node stands for; … is what the object that it points to has made."""
    if not node.text:
        return node.name
    text = node.text
    for edge in graph.inputs(node.id):
        if inner := graph[edge.source].text:
            text = text.replace(inner, "…", 1)
    return f"{node.name} = {text}" if node.name else text


def nodes_like(first: Graph, graph: Graph) -> list[Node]:
    """The nodes of a graph in the order of the first one's."""
    same = {role(node): node for node in graph.nodes}
    return [same[role(node)] for node in first.nodes]


def edges_like(first: Graph, graph: Graph) -> list[Edge]:
    """The edges of a graph in the order of the first one's."""
    return [edge for node in nodes_like(first, graph) for edge in graph.inputs(node.id)]


def followed(
    steps: Sequence[StepGraph], expected: Sequence[Mapping[int, float]], *, point: int
) -> dict[str, Series]:
    """The series of all numbers in these steps' graphs, and of the check of their gradients.

    expected: for each step, by id of a node, what the gradient should be at one entry of its
    result. point: which entry; each array's is followed on its own, too. NaN stands for none.
    """
    rows = [
        _numbers(steps[0], step, point) | _checked(steps[0], step, gradients, point)
        for step, gradients in zip(steps, expected, strict=True)
    ]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return some_steps(columns, np.array([step.step for step in steps]))


def _checked(
    first: StepGraph, step: StepGraph, expected: Mapping[int, float], point: int
) -> dict[str, float]:
    """What the gradients should be, and the worst gap, relative to its gradient's largest entry."""
    nodes = nodes_like(first.graph, step.graph)
    gaps = [
        abs(_entry(node.gradient, point) - expected[node.id])
        / max(np.abs(node.gradient).max(), 1e-30)
        for node in nodes
        if node.gradient is not None
    ]
    return {f"checked_{i}": expected[node.id] for i, node in enumerate(nodes)} | {
        "checked_worst": float(np.max(gaps))  # not a number, where one of them is none
    }


def _numbers(first: StepGraph, step: StepGraph, point: int) -> dict[str, float]:
    nodes = nodes_like(first.graph, step.graph)
    edges = edges_like(first.graph, step.graph)
    arrays: dict[str, list[Array | None]] = {
        "value": [node.value for node in nodes],
        "arrived": [node.gradient for node in nodes],
        "kept": [next(iter(node.saved.values()), None) for node in nodes],
        "sent": [edge.gradient for edge in edges],
        "slope": [_slope(step.graph[edge.target]) for edge in edges],
    }
    ends: dict[str, Callable[[Array], Any]] = {"low": np.min, "high": np.max}
    entry = {"at": lambda array: _entry(array, point)}
    shown = {"value": ends, "arrived": ends | entry, "kept": ends, "sent": ends, "slope": entry}
    numbers = {
        f"{name}_{end}_{i}": np.nan if array is None else float(pick(array))
        for name, picks in shown.items()
        for end, pick in picks.items()
        for i, array in enumerate(arrays[name])
    }
    place = {node.id: i for i, node in enumerate(nodes)}
    numbers |= {  # the chain rule for the entry that is followed
        f"part_at_{j}": numbers[f"arrived_at_{place[edge.target]}"] * numbers[f"slope_at_{j}"]
        for j, edge in enumerate(edges)
    }
    for name in ("value", "arrived"):
        strips = [array.ravel()[entries(array.size)] for array in arrays[name] if array is not None]
        bars = np.concatenate([*strips, np.zeros(0)])
        numbers |= {f"{name}_strip_{i}": float(bar) for i, bar in enumerate(bars)}
    return {"graph_step": float(step.step), **numbers, **_of_leaves(step, nodes)}


def _entry(array: Array, point: int) -> float:
    return float(array.flat[min(point, array.size - 1)])


def _slope(node: Node) -> Array | None:
    return np.asarray(SLOPES[node.kind](node)) if node.kind in SLOPES else None


def _of_leaves(step: StepGraph, nodes: list[Node]) -> dict[str, float]:
    """What leaves and their .grad hold after each event that changes them."""
    after: dict[tuple[str, str], Array | None] = {
        (event.kind, event.name): event.value for event in moments(step)
    }
    numbers: dict[str, float] = {}
    changes = {"grad": ("backward", ".grad"), "emptied": ("zero", ".grad"), "moved": ("update", "")}
    for name, (kind, of) in changes.items():
        for i, node in enumerate(nodes):
            value = after.get((kind, node.name + of))
            numbers[f"{name}_{i}"] = np.nan if value is None else float(value)
    return numbers


def entries(size: int) -> NDArray[np.intp]:
    """Which entries of an array of that size are drawn as bars: evenly spread; none of a number."""
    if size == 1:
        return np.arange(0)
    return np.linspace(0, size - 1, min(size, BARS)).round().astype(np.intp)
