"""A framework's own graph as plain data: what was computed from what, where, and what came back.

Nothing here knows a framework. Arrays are NumPy's, and copies: they stay when the graph is gone.
Data flows along an edge from its source to its target; the gradient comes back the other way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engines.listing import Place

Array = NDArray[Any]
Kind = Literal["forward", "plain", "backward", "update", "zero", "error"]


@dataclass(frozen=True, eq=False)
class Output:
    """One result of a node.

    name: the listing's variable that holds it, or "": the leaf's own, or w of `w = a * b`.
    value: None where only the framework saw it, inside a composite operation.
    gradient: of what backward() was called on, by this value, all of it summed; None before it
    arrives and where it never does. Both have the given shape, in which a length of -1 is another
    one in each row, as in a nested tensor.
    """

    name: str
    shape: tuple[int, ...]
    value: Array | None
    gradient: Array | None


@dataclass(frozen=True, eq=False)
class Node:
    """One object of the graph: an operation that can be differentiated, or a leaf's accumulator.

    id: numbered as they are made, over the whole recording; the same number is the same object.
    kind: the framework's name for it, such as MulBackward0.
    line, text: the listing's line, counted from 1, and the expression in it that made the node;
    None and "" for leaves, which are older than the line that first needs them.
    repetition: how often this expression had made a node of this kind before, in this step.
    saved: tensors it keeps for backward. settings: numbers it keeps, such as an exponent.
    forward: index of the event with which it entered the graph; backward: of that in which it ran.
    module: the part of a model that ran it, as the listing reaches it: model.layers.0; "" for none.
    """

    id: int
    kind: str
    line: int | None
    text: str
    repetition: int
    outputs: tuple[Output, ...]
    saved: Mapping[str, Array]
    settings: Mapping[str, float]
    forward: int = 0
    backward: int | None = None
    module: str = ""

    @property
    def name(self) -> str:
        """The listing's names for its results, one after the other; "" where it has none."""
        return ", ".join(output.name for output in self.outputs if output.name)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first result, which for most operations is the only one."""
        return self.outputs[0].shape

    @property
    def value(self) -> Array | None:
        """The first result; see Output."""
        return self.outputs[0].value

    @property
    def gradient(self) -> Array | None:
        """What arrived for the first result; see Output."""
        return self.outputs[0].gradient


@dataclass(frozen=True, eq=False)
class Edge:
    """A value on its way from the node that made it to one that used it.

    source, target: ids of nodes. output: which of the source's results it is.
    argument: its place among the target's inputs that can be differentiated.
    gradient: what the target sent back along this edge, before it is summed with that of other
    edges; None before it ran, and where there was nothing to send.
    """

    source: int
    target: int
    output: int
    argument: int
    gradient: Array | None


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in the order in which they were made, and the edges between them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def __getitem__(self, number: int) -> Node:
        """The node of that id. Raises KeyError."""
        return self._by_id[number]

    @cached_property
    def _by_id(self) -> dict[int, Node]:
        return {node.id: node for node in self.nodes}

    @property
    def leaves(self) -> tuple[Node, ...]:
        """Where nothing flows in: the accumulators, which add up the gradients of parameters."""
        targets = {edge.target for edge in self.edges}
        return tuple(node for node in self.nodes if node.id not in targets)

    @property
    def backward_order(self) -> tuple[Node, ...]:
        """The nodes that ran in backward(), in the order in which the engine ran them."""
        ran = [(node.backward, node) for node in self.nodes if node.backward is not None]
        return tuple(node for _, node in sorted(ran, key=lambda pair: pair[0]))

    def inputs(self, node: int) -> tuple[Edge, ...]:
        """The edges into a node, in the order of its arguments."""
        return tuple(edge for edge in self.edges if edge.target == node)

    def to_text(self) -> str:
        """One paragraph for each node, numbers to three digits: the same from run to run."""
        rank = {node.id: k for k, node in enumerate(self.backward_order, start=1)}
        return "".join(self._paragraph(node, rank.get(node.id)) for node in self.nodes)

    def _paragraph(self, node: Node, rank: int | None) -> str:
        sources = [
            f"<- #{e.source}" + f".{e.output}" * (e.output > 0) for e in self.inputs(node.id)
        ]
        lines = [" ".join(filter(None, [f"#{node.id}", node.kind, node.name, *sources]))]
        if node.text:
            again = f"  repetition {node.repetition}" * (node.repetition > 0)
            lines.append(f"line {node.line}: {node.text}{again}")
        for output in node.outputs:
            shape, value = list(output.shape), brief(output.value)
            lines.append(f"{shape} value {value}  gradient {brief(output.gradient)}")
        if node.saved or node.settings:
            kept = [f"{name} {brief(array)}" for name, array in node.saved.items()]
            kept += [f"{name} {number:g}" for name, number in node.settings.items()]
            lines.append("keeps " + ", ".join(kept))
        lines.append("did not run in backward" if rank is None else f"backward {rank}")
        return "\n    ".join(lines) + "\n"


@dataclass(frozen=True, eq=False)
class Event:
    """One thing that happened in a step.

    kind: forward, an operation that made nodes; plain, one that made none; backward, a node that
    ran; update, a leaf or its gradient changed in place; zero, a gradient emptied; error.
    line, text: where the listing was, as in Node. For an error, text is still the expression.
    nodes: ids of those that were made, or of the one that ran.
    live: how many nodes exist now, of all that were seen since the recording began.
    name, value: what the listing's variable of that name holds from now on, such as w or w.grad
    (None for a gradient that is none). An expression without a name has a value all the same.
    message: what the framework said, for an error.
    """

    kind: Kind
    line: int | None
    text: str
    nodes: tuple[int, ...]
    live: int
    name: str = ""
    value: Array | None = None
    message: str = ""


@dataclass(frozen=True, eq=False)
class StepGraph:
    """One training step, from its forward pass to the zeroing: its graph, and what happened when.

    step: 0 for the first. The last event is an error where the step ended in one.
    """

    step: int
    graph: Graph
    events: tuple[Event, ...]

    @property
    def error(self) -> Event | None:
        """The event that ended the step before its time, if one did."""
        return next((event for event in self.events if event.kind == "error"), None)

    def to_text(self) -> str:
        """One line for each event, then the graph."""
        lines = [f"step {self.step}"]
        for event in self.events:
            made = "".join(f" #{node}" for node in event.nodes)
            told = event.message or brief(event.value)
            if event.kind == "backward" and not event.name:
                told = f"gradient {brief(self.graph[event.nodes[0]].gradient)}"
            lines.append(
                f"  {event.kind}{made}  line {event.line}: {event.text}  -> "
                + (f"{event.name} = " if event.name else "")
                + f"{told}  ({event.live} live)"
            )
        return "\n".join(lines) + "\n\n" + self.graph.to_text()


def brief(array: Array | None) -> str:
    """A number to three digits, an array as its smallest and largest, or "none".

    Complex numbers are ordered by their real parts. What is no number is written as Python does.
    """
    if array is None:
        return "none"
    if array.size == 0:
        return "empty"
    ends = np.min(array), np.max(array)
    if array.dtype.kind in "biuf":
        low, high = (f"{float(end) + 0.0:.3g}" for end in ends)
    elif array.dtype.kind == "c":
        low, high = (f"{complex(end) + 0.0:.3g}" for end in ends)
    else:
        low, high = map(repr, ends)
    return low if low == high else f"{low}..{high}"


@dataclass(eq=False)
class StepBuilder:
    """The step that is being recorded. nodes and edges go by the id of the (target) node."""

    number: int
    events: list[Event] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)
    edges: dict[int, tuple[Edge, ...]] = field(default_factory=dict)
    made: Counter[tuple[Place, str]] = field(default_factory=Counter)

    def repetition(self, place: Place, kind: str) -> int:
        """How often it was asked before, in this step, for this kind of node made at this place."""
        self.made[place, kind] += 1
        return self.made[place, kind] - 1

    def made_by(self, number: int, event: int) -> None:
        """This node is seen only now: it was made in that event, and has existed since."""
        node = self.nodes[number] = replace(self.nodes[number], forward=event)
        told = self.events[event]
        is_result = self.edges[number] and node.value is not None
        self.events[event] = replace(
            told,
            kind="forward",
            nodes=tuple(sorted((*told.nodes, number))),
            value=node.value if is_result else told.value,
        )
        for i, later in enumerate(self.events[event:], start=event):
            self.events[i] = replace(later, live=later.live + 1)

    def arrived(self, number: int, gradients: list[Array | None]) -> None:
        """The node runs in backward(), and these came for its outputs. Its event is the next."""
        node = self.nodes[number]
        pairs = zip(node.outputs, gradients, strict=True)
        outputs = tuple(replace(output, gradient=gradient) for output, gradient in pairs)
        self.nodes[number] = replace(node, outputs=outputs, backward=len(self.events))

    def left(self, number: int, gradients: list[Array | None]) -> None:
        """The node has run, and sends these gradients back along the edges into it."""
        edges = self.edges[number]
        self.edges[number] = tuple(replace(e, gradient=gradients[e.argument]) for e in edges)

    def absorb(self, later: StepBuilder) -> None:
        """Take in what was recorded later and still belonged to this step."""
        before = len(self.events)
        for number, node in later.nodes.items():
            known = self.nodes.get(number, node)
            forward = known.forward + before * (known is node)
            if node.backward is None:
                self.nodes[number] = replace(known, forward=forward)
            else:
                backward = before + node.backward
                self.nodes[number] = replace(node, forward=forward, backward=backward)
        self.edges = {**later.edges, **self.edges}
        self.events += later.events

    def finish(self) -> StepGraph:
        """The step as plain data. By now it is known which variables its results went to."""
        for i, event in enumerate(self.events):
            if event.kind == "forward":
                made = [self.nodes[number] for number in event.nodes if self.edges[number]]
                name = ", ".join(node.name for node in made if node.name)
                self.events[i] = replace(event, name=name)
        numbers = sorted(self.nodes)
        nodes = tuple(self.nodes[number] for number in numbers)
        edges = tuple(edge for number in numbers for edge in self.edges[number])
        return StepGraph(self.number, Graph(nodes, edges), tuple(self.events))
