"""Reads TensorFlow's graphs: as they were written, and as a session really ran them.

What ran is told by `RunMetadata`. What both are as plain data: static.py. What became of each
written operation: matching.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

from engines.graphs.static import Executed, Op, Timing, Written, source_of, source_op
from engines.listing import Place, source_lines

# What holds something that is neither a variable nor written in the graph.
STAYS = re.compile("(.*Queue|.*Barrier|.*Reader|MutableHash|MutableDense|.*Iterator|Stage)")
HANDLES = {tf.resource.as_datatype_enum, tf.variant.as_datatype_enum}  # of what no array holds

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
    functions = {
        part: _body(graph, name)
        for attribute, value in sorted(op.node_def.attr.items())
        for part, name in _functions(attribute, value)
    }
    forward = op._original_op
    return Op(
        op.name,
        op.type,
        tuple(inputs),
        tuple(shapes),
        _constant(op.node_def),
        forward=forward.name if forward is not None else "",
        bodies={
            name: Written(tuple(_op(o, body, place) for o in body.get_operations()))
            for name, body in functions.items()
        },
        **place(op)._asdict(),
    )


def _functions(attribute: str, value: Any) -> Iterator[tuple[str, str]]:
    """The functions that an attribute of an operation names, and what each is to it."""
    if value.HasField("func") and value.func.name:
        yield attribute, value.func.name
    for k, function in enumerate(value.list.func):
        yield f"{attribute}[{k}]", function.name


def _body(graph: Any, name: str) -> Any:
    """The graph of a function that a graph knows: of a loop's body, or what a dataset maps."""
    while (function := graph._get_function(name)) is None:
        graph = graph.outer_graph
    if hasattr(function, "graph"):
        return function.graph
    with graph.as_default():
        return function_def_to_graph(function.definition)


def _constant(node: Any) -> Any:
    """The value of a constant; None for other operations, and for what no array can hold."""
    if node.op != "Const" or node.attr["dtype"].type in HANDLES:
        return None
    packed = node.attr["value"].tensor
    if packed.dtype == tf.string.as_datatype_enum and packed.tensor_content:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            # How the runtime packs text, only the runtime knows.
            return session.run(tf.io.parse_tensor(packed.SerializeToString(), tf.string))
    return tf.make_ndarray(packed)


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
    them as they are. Raises NotImplementedError where the fetches need what only this session has,
    such as the items of a queue: the other would wait for them for ever.
    """
    if rewrite:
        return _executed(session, fetches, feeds)
    _refuse_what_stays(session.graph, fetches, feeds)
    keys = tf.compat.v1.GraphKeys
    unchanged = without_rewriting()
    with closing(tf.compat.v1.Session(graph=session.graph, config=unchanged)) as other:
        for kind in (keys.GLOBAL_VARIABLES, keys.LOCAL_VARIABLES):
            for variable in session.graph.get_collection(kind):
                with suppress(tf.errors.FailedPreconditionError):  # it has no value yet
                    start = variable.initializer.inputs[1]
                    other.run(variable.initializer, {start: session.run(variable)})
        other.run(session.graph.get_collection(keys.TABLE_INITIALIZERS))
        return _executed(other, fetches, feeds)


def _refuse_what_stays(graph: Any, fetches: Any, feeds: Mapping[Any, Any]) -> None:
    """Raise where the fetches need what another session of the graph cannot be given."""
    fed = {_name(_element(graph, one)) for one in _components(feeds)}
    waiting = [_element(graph, one) for one in _components(fetches)]
    seen = set()
    while waiting:
        element = waiting.pop()
        op = element if isinstance(element, tf.Operation) else element.op
        if op in seen or _name(element) in fed:
            continue
        seen.add(op)
        if STAYS.match(op.type):
            raise NotImplementedError(
                f"The graph cannot be run without its optimiser: that takes a session of its own, "
                f"and what `{op.name}` ({op.type}) holds cannot be handed to it."
            )
        waiting += [*op.inputs, *op.control_inputs]


def _components(ends: Any) -> list[Any]:
    """The tensors and operations among fetches or feeds: a sparse tensor is three of them."""
    return [
        part
        for end in tf.nest.flatten([*ends] if isinstance(ends, Mapping) else ends)
        for part in tf.nest.flatten(end, expand_composites=True)
        if part is not None
    ]


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
    fetches = _components(fetches)
    values = session.run(fetches, feeds, options=options, run_metadata=noted)

    nodes = {node.name: node for part in noted.partition_graphs for node in part.node}
    runs: dict[str, list[Any]] = {name: [] for name in nodes}
    for device in noted.step_stats.dev_stats:
        for run in device.node_stats:
            if run.node_name in nodes:
                runs[run.node_name].append(run)
    ops = tuple(_ran(nodes[name], runs[name]) for name in _in_order(nodes))
    fed, fetched = (
        [_element(session.graph, one) for one in _components(ends)] for ends in (feeds, fetches)
    )
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
        _constant(node),
        node.device.rpartition("device:")[2],
    )


def _element(graph: Any, one: Any) -> Any:
    """The tensor or the operation that is meant by it, by its name, or by a variable."""
    return graph.as_graph_element(one, allow_tensor=True, allow_operation=True)


def _in_order(nodes: Mapping[str, Any]) -> Iterable[str]:
    """The names, each after its inputs, except along an edge back to the start of a loop."""
    sources = {name: [source_op(one) for one in sorted(nodes[name].input)] for name in nodes}
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
