"""TensorFlow's graph as it was written, and as a session really ran it, both as plain data.

A session does not run the graph it was given. It takes what the fetches need, lets an optimiser
rewrite that, adds operations of its own, and runs the rest. `RunMetadata` says what became of it.
What became of each written operation: tf_matching.py.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.graph import Edge, Graph, Node, Output, brief
from engines.listing import Place

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
    loop hands to its next round is an edge from a later node to an earlier one.
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


def source_of(tensor: str) -> tuple[str, int]:
    """The operation an input comes from, and which of its results it is; see Op.inputs."""
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


# ---- As written


def written(graph: Any, listing: Callable[..., Any] | None = None) -> Written:
    """Read a tf.Graph, and which lines of a listing made it.

    listing: the function whose lines are given; without it no operation has a line. What a function
    made that the listing called belongs to the line with the call.
    """
    place = (lambda _: Place()) if listing is None else _places(listing)
    return Written(tuple(_op(op, graph, place) for op in graph.get_operations()))


def _op(op: Any, graph: Any, place: Callable[[Any], Place]) -> Op:
    inputs = [_name(tensor) for tensor in op.inputs] + [f"^{o.name}" for o in op.control_inputs]
    shapes = [None if t.shape.rank is None else tuple(t.shape.as_list()) for t in op.outputs]
    constant = tf.make_ndarray(op.get_attr("value")) if op.type == "Const" else None
    functions = {
        name: graph._get_function(attr.func.name).graph
        for name, attr in sorted(op.node_def.attr.items())
        if attr.HasField("func") and attr.func.name
    }
    forward = op._original_op
    return Op(
        op.name,
        op.type,
        tuple(inputs),
        tuple(shapes),
        constant,
        forward=forward.name if forward is not None else "",
        bodies={
            name: Written(tuple(_op(o, body, place) for o in body.get_operations()))
            for name, body in functions.items()
        },
        **place(op)._asdict(),
    )


def _places(listing: Callable[..., Any]) -> Callable[[Any], Place]:
    """A function that says where in a listing an operation was made, from its stack."""
    lines, first = inspect.getsourcelines(listing)
    file = listing.__code__.co_filename

    def place(op: Any) -> Place:
        for frame in reversed(op.traceback or ()):
            line = frame.lineno - first + 1
            if frame.filename == file and 1 <= line <= len(lines):
                return Place(line, lines[line - 1].strip())
        return Place()

    return place


def _name(element: Any) -> str:
    """A tensor or an operation, as in Op.inputs."""
    return str(element.name).removesuffix(":0")


# ---- As executed


def executed(
    session: Any, fetches: Any, feeds: Mapping[Any, Any], *, rewrite: bool = True
) -> Executed:
    """Run a session once, looking at what it executes; updates among the fetches take place.

    fetches, feeds: as for session.run, which also says what is raised.
    rewrite: False to see the graph before its optimiser rewrites it, without what is not needed.
    That takes a session of its own, which starts with the values of this one's variables and leaves
    them as they are.
    """
    if rewrite:
        return _traced(session, fetches, feeds)
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    other = tf.compat.v1.Session(graph=session.graph, config=config)
    try:
        for variable in session.graph.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES):
            with suppress(tf.errors.FailedPreconditionError):  # it has no value yet
                start = variable.initializer.inputs[1]
                other.run(variable.initializer, {start: session.run(variable)})
        return _traced(other, fetches, feeds)
    finally:
        other.close()


def _traced(session: Any, fetches: Any, feeds: Mapping[Any, Any]) -> Executed:
    options = tf.compat.v1.RunOptions(
        trace_level=tf.compat.v1.RunOptions.SOFTWARE_TRACE, output_partition_graphs=True
    )
    seen = tf.compat.v1.RunMetadata()
    fetches = tf.nest.flatten(fetches)
    values = session.run(fetches, feeds, options=options, run_metadata=seen)

    nodes = {node.name: node for part in seen.partition_graphs for node in part.node}
    runs: dict[str, list[Any]] = {name: [] for name in nodes}
    for device in seen.step_stats.dev_stats:
        for run in device.node_stats:
            if run.node_name in nodes:
                runs[run.node_name].append(run)
    ops = tuple(_ran(nodes[name], runs[name]) for name in _in_order(nodes))
    fed, fetched = ([_element(session.graph, one) for one in ends] for ends in (feeds, fetches))
    arrays = [None if value is None else np.asarray(value) for value in values]
    return Executed(
        ops,
        _timings({name: its for name, its in runs.items() if its}),
        _ends(nodes, "_arg", fed),
        _ends(nodes, "_retval", fetched),
        dict(zip(map(_name, fetched), arrays, strict=True)),
    )


def _ran(node: Any, runs: list[Any]) -> Op:
    """An executed operation. Its shapes are those of its first run."""
    results = runs[0].output if runs else []
    return Op(
        node.name,
        node.op,
        tuple(node.input),
        tuple(tuple(n.size for n in one.tensor_description.shape.dim) for one in results),
        tf.make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None,
        node.device.rpartition("device:")[2],
    )


def _element(graph: Any, one: Any) -> Any:
    """The tensor or the operation that is meant by it, by its name, or by a variable."""
    return graph.as_graph_element(one, allow_tensor=True, allow_operation=True)


def _in_order(nodes: Mapping[str, Any]) -> Iterable[str]:
    """The names, each after those it takes from, but for the way back to the start of a loop."""
    sources = {name: [source_of(one)[0] for one in sorted(nodes[name].input)] for name in nodes}
    before = {
        name: [source for source in sources[name] if nodes[source].op != "NextIteration"]
        for name in sorted(nodes)
    }
    return TopologicalSorter(before).static_order()


def _timings(runs: Mapping[str, list[Any]]) -> dict[str, Timing]:
    starts = {name: min(run.all_start_nanos for run in its) for name, its in runs.items()}
    first = min(starts.values(), default=0)
    return {
        name: Timing(
            (starts[name] - first) / 1000,
            sum(run.op_end_rel_nanos - run.op_start_rel_nanos for run in its) / 1000,
            len(its),
        )
        for name, its in runs.items()
    }


def _ends(nodes: Iterable[str], mark: str, elements: Iterable[Any]) -> dict[str, str]:
    """By the name of what the runtime put at a feed or a fetch: the tensor that is there."""
    ends = {}
    for element in elements:
        name, slot = source_of(_name(element))
        put = re.compile(rf"{mark}_{re.escape(name)}_{slot}_\d+")
        if isinstance(element, tf.Operation):
            ends[name] = name  # it has nothing to hand out, so nothing was put there
        ends |= {node: _name(element) for node in nodes if put.fullmatch(node)}
    return ends
