"""A static graph as it was written, and as a session really ran it: plain data.

A session does not run the graph it was given. It takes what the fetches need, lets an optimiser
rewrite that, adds operations of its own, and runs the rest. Nothing here knows TensorFlow: its
graphs are read by read_tensorflow.py, and what became of each written operation is found by
matching.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from numpy.typing import NDArray

from engines.graphs.autograd import Edge, Graph, Node, Output, brief

Array = NDArray[Any]
Shape = tuple[int | None, ...]  # None where a length is not known before the run


@dataclass(frozen=True, eq=False)
class Op:
    """One operation of a TensorFlow graph.

    inputs: as TensorFlow notes them: "a" is the first result of a, "a:1" its second, and "^a" means
    that a runs before, without handing over anything.
    shapes: of its results, None where not even the number of axes is known. In an executed graph
    they are those of this run, and an operation that did not run has none.
    value: of a constant, else None. device: where it ran, such as "CPU:0"; "" in a written graph.
    line, text: the listing's line that made it, counted from 1; None and "" for what no line of it
    made, and in an executed graph.
    forward: the operation whose derivative this is a part of; "" for others.
    bodies: of a loop or a branch, by TensorFlow's names for them, such as "cond" and "body".
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    shapes: tuple[Shape | None, ...]
    value: Array | None = None
    device: str = ""
    line: int | None = None
    text: str = ""
    forward: str = ""
    bodies: Mapping[str, Written] = field(default_factory=dict)

    @property
    def data(self) -> tuple[str, ...]:
        """The inputs that hand something over."""
        return tuple(name for name in self.inputs if not name.startswith("^"))


@dataclass(frozen=True, eq=False)
class Ops:
    """Operations, each after those it takes from."""

    ops: tuple[Op, ...]

    def __getitem__(self, name: str) -> Op:
        """The operation of that name. Raises KeyError."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Op]:
        return {op.name: op for op in self.ops}

    def to_text(self) -> str:
        """One paragraph for each operation, without times: the same from run to run."""
        return "".join(map(_paragraph, self.ops))


class Written(Ops):
    """A graph as it was written: its operations in the order of their creation."""


class Timing(NamedTuple):
    """When an operation first began, in microseconds after the first of all; how long it took.

    total: microseconds, of all its runs together. runs: more than one inside a loop.
    """

    start: float
    total: float
    runs: int


@dataclass(frozen=True, eq=False)
class Executed(Ops):
    """What one run of a session executed.

    The order of ops is the same from run to run. The order in which they really ran, which is not,
    is that of the timings.
    timings: by name; an operation that is missing did not run, such as a branch not taken.
    fed, fetched: by the name of the operation the runtime put there, the written tensor, as in
    Op.inputs; an operation that was fetched for its effect stands there under its own name.
    values: by fetched name, what came back; None for what was fetched for its effect.
    """

    timings: Mapping[str, Timing]
    fed: Mapping[str, str]
    fetched: Mapping[str, str]
    values: Mapping[str, Array | None]

    @property
    def order(self) -> tuple[str, ...]:
        """The names in the order in which they first began."""
        return tuple(sorted(self.timings, key=lambda name: self.timings[name].start))


def to_graph(ops: Sequence[Op]) -> Graph:
    """The operations as nodes, numbered from 0 in their order, with an edge for each input.

    Every node has an output, the first of which has the operation's name. A length that is not
    known is -1. An edge's argument counts all inputs, also those that hand nothing over. What a
    loop hands to its next iteration is an edge from a later node to an earlier one.
    """
    number = {op.name: i for i, op in enumerate(ops)}
    nodes, edges = [], []
    for i, op in enumerate(ops):
        shapes = [tuple(-1 if n is None else n for n in shape or ()) for shape in op.shapes]
        first, *others = shapes or [()]
        outputs = [Output(op.name, first, op.value, None)]
        outputs += [Output("", shape, None, None) for shape in others]
        nodes.append(Node(i, op.kind, op.line, op.text, 0, tuple(outputs), {}, {}))
        for argument, tensor in enumerate(op.inputs):
            source, slot = source_of(tensor)
            edges.append(Edge(number[source], i, slot, argument, None))
    return Graph(tuple(nodes), tuple(edges))


def source_op(tensor: str) -> str:
    """The operation that an input comes from; see Op.inputs."""
    return source_of(tensor)[0]


def source_of(tensor: str) -> tuple[str, int]:
    """The operation that an input comes from, and which of its results it is; see Op.inputs."""
    name, _, slot = tensor.removeprefix("^").partition(":")
    return name, int(slot or 0)


def _paragraph(op: Op) -> str:
    # What stands for an input that a body does not use has a number of this process in its name.
    name, *inputs = (
        re.sub(r"_\d+(?=___redundant)", "", tensor) for tensor in (op.name, *op.inputs)
    )
    lines = [" ".join([name, op.kind, *(f"<- {tensor}" for tensor in inputs)])]
    if op.line is not None:
        lines.append(f"line {op.line}: {op.text}")
    if op.forward:
        lines.append(f"derivative of {op.forward}")
    shapes = ["?" if shape is None else str(list(shape)) for shape in op.shapes]
    value = "" if op.value is None else f"value {brief(op.value)}"
    if shapes or value:
        lines.append(" ".join(filter(None, [*shapes, value])))
    for part, body in op.bodies.items():
        lines += [f"{part}:", *(f"    {line}" for line in body.to_text().splitlines())]
    return "\n    ".join(lines) + "\n"


class Message(NamedTuple):
    """What TensorFlow said: the class of its error, the operation it names, if any, a sentence."""

    error: str
    operation: str
    sentence: str

    @property
    def refused(self) -> bool:
        """Whether nothing ran: the session or the graph refuses with one of Python's own errors."""
        own = ("ValueError", "TypeError", "RuntimeError", "OperatorNotAllowedInGraphError")
        return self.error in own


class Refused(NamedTuple):
    """The source of a listing with a mistake in it, and what TensorFlow said of that."""

    source: str
    message: Message
