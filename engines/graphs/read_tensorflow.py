"""Reads TensorFlow's graphs: as they were written, and as a session really ran them.

What ran is told by `RunMetadata`. What both are as plain data: static.py. What became of each
written operation: matching.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import tensorflow as tf

from engines.graphs.static import Executed, Op, Timing, Written, source_of
from engines.listing import Place, source_lines

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
    lines, first = source_lines(listing)
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
    """Run a session once, noting what it executes; updates among the fetches take place.

    fetches, feeds: as for session.run, which also says what is raised.
    rewrite: False to see the graph before its optimiser rewrites it, without what is not needed.
    That takes a session of its own, which starts with the values of this one's variables and leaves
    them as they are.
    """
    if rewrite:
        return _executed(session, fetches, feeds)
    other = tf.compat.v1.Session(graph=session.graph, config=without_rewriting())
    try:
        for variable in session.graph.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES):
            with suppress(tf.errors.FailedPreconditionError):  # it has no value yet
                start = variable.initializer.inputs[1]
                other.run(variable.initializer, {start: session.run(variable)})
        return _executed(other, fetches, feeds)
    finally:
        other.close()


def without_rewriting() -> Any:
    """The configuration of a session whose optimiser leaves the graph as it is written."""
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config


def _executed(session: Any, fetches: Any, feeds: Mapping[Any, Any]) -> Executed:
    options = tf.compat.v1.RunOptions(
        trace_level=tf.compat.v1.RunOptions.SOFTWARE_TRACE, output_partition_graphs=True
    )
    noted = tf.compat.v1.RunMetadata()
    fetches = tf.nest.flatten(fetches)
    values = session.run(fetches, feeds, options=options, run_metadata=noted)

    nodes = {node.name: node for part in noted.partition_graphs for node in part.node}
    runs: dict[str, list[Any]] = {name: [] for name in nodes}
    for device in noted.step_stats.dev_stats:
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
    """The names, each after its inputs, except along an edge back to the start of a loop."""
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
