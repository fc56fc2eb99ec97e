"""Graphs in sessions that tests read: of our listings, and of a loop and a branch."""

from __future__ import annotations

import inspect
import re
from contextlib import contextmanager
from functools import cache

import tensorflow as tf

from engines.graphs.matching import match
from engines.graphs.read_tensorflow import executed, without_rewriting, written
from engines.graphs.static import source_of
from engines.problem import preset
from engines.regression import tf_session
from engines.static_graph_and_sessions import adding, baked_in

v1 = tf.compat.v1
ARTICLE = preset("session_article")


def repeat(x_value):
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, shape=(), name="x")
        n = tf.compat.v1.placeholder(tf.int32, shape=(), name="n")
        _, power = tf.while_loop(
            lambda i, power: i < n,
            lambda i, power: (i + 1, power * x),
            [0, 1.0],
        )
    session = tf.compat.v1.Session(graph=graph)
    try:
        yield session.run(power, {x: x_value, n: 3})
    finally:
        session.close()


def choose(x_value):
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, shape=(), name="x")
        y = tf.cond(x > 0, lambda: x * x, lambda: -x)
    session = tf.compat.v1.Session(graph=graph)
    try:
        yield session.run(y, {x: x_value})
    finally:
        session.close()


STEP = {"steps": 1, "learning_rate": 0.01}
LISTINGS = {
    "session": (tf_session.train, (ARTICLE,), STEP),
    "baked_in": (baked_in.train, (ARTICLE,), STEP),
    "sum": (adding.add, (2, 4), {}),
    "while": (repeat, (2.0,), {}),
    "cond": (choose, (2.0,), {}),
}
DATA = {"x": ARTICLE.x, "y": ARTICLE.y}
RUNS = {  # listing, fetches, feeds; both by the listing's own names
    "session_prediction": ("session", ["y_pred"], {"x": ARTICLE.x}),
    "session_loss": ("session", ["loss"], DATA),
    "session_gradients": ("session", ["grad_w", "grad_b"], DATA),
    "session_step": ("session", ["loss", "grad_w", "grad_b", "new_w", "new_b"], DATA),
    "session_updates": ("session", ["new_w", "new_b"], DATA),
    "session_loss_updates": ("session", ["loss", "new_w", "new_b"], DATA),
    "session_initializer": ("session", ["initialize"], {}),
    "baked_in_loss": ("baked_in", ["loss"], {"x1": ARTICLE.x, "y1": ARTICLE.y}),
    "sum": ("sum", ["c"], {"a": 2, "b": 4}),
    "while": ("while", ["power"], {"x": 2, "n": 5}),
    "cond": ("cond", ["y"], {"x": 2}),
}
COUNTS = {  # written, executed
    "session_prediction": (88, 9),
    "session_loss": (88, 15),
    "session_gradients": (88, 35),
    "session_step": (88, 52),
    "session_updates": (88, 46),
    "session_loss_updates": (88, 50),
    "session_initializer": (88, 7),
    "baked_in_loss": (81, 15),
    "sum": (4, 4),
    "while": (13, 33),
    "cond": (5, 12),
}


@contextmanager
def paused(listing, *args, **settings):
    """The names of a listing after its first run, its session still open."""
    run = listing(*args, **settings)
    try:
        next(run)
        yield inspect.getgeneratorlocals(run)
    finally:
        run.close()


@contextmanager
def paused_by_name(name):
    listing, args, settings = LISTINGS[name]
    with paused(listing, *args, **settings) as names:
        yield names, written(names["graph"], listing)


def trace(names, fetches, feeds, **options):
    """Fetches and feeds are names of the listing; other fetches are TensorFlow's names."""
    fetched = [names.get(name, name) for name in fetches]
    fed = {names[name]: value for name, value in feeds.items()}
    return executed(names["session"], fetched, fed, **options)


@cache
def seen(name, rewrite=True):
    """What was written, what ran, and the match of the two."""
    listing, fetches, feeds = RUNS[name]
    with paused_by_name(listing) as (names, graph):
        ran = trace(names, fetches, feeds, rewrite=rewrite)
    return graph, ran, match(graph, ran)


# What is not itself without others: of old loops and branches, and what holds something.
FLOW = "Switch|Merge|Enter|Exit|NextIteration|LoopCond"
TOGETHER = f"({FLOW}|.*Table.*|.*Queue.*|TensorList.*|Stack.*|_Retval|VarHandleOp)"


def values_alone(session, fetches, feeds, found, known):
    """By operation that ran, its first result, from a graph of exactly these and no optimiser.

    Without those that loops, tables and queues are made of, and what depends on them. found: what
    was executed. known: the values of variables, by the name of the operation that holds them.
    """
    options, noted = v1.RunOptions(output_partition_graphs=True), v1.RunMetadata()
    session.run(fetches, feeds, options, noted)
    handed_in = {}
    for one, value in feeds.items():
        tensors = tf.nest.flatten(one, expand_composites=True)
        values = value if isinstance(value, tuple) else [value]  # a sparse one is three
        handed_in |= {
            f"{t.op.name}:{t.value_index}": v for t, v in zip(tensors, values, strict=True)
        }
    nodes = {node.name: node for part in noted.partition_graphs for node in part.node}
    definition, entering, there = v1.GraphDef(), {}, set()
    for name in (op.name for op in found.ops):
        node, own = nodes[name], name.lstrip("_")  # names of our own must not begin like this
        data = [tensor for tensor in node.input if not tensor.startswith("^")]
        if node.op == "_Arg" or (node.op == "ReadVariableOp" and data[0] in known):
            # Its value is put there.
            put = known[data[0]] if data else handed_in["{}:{}".format(*source_of(found.fed[name]))]
            entering[own] = put
            kind = node.attr["dtype" if data else "T"]
            definition.node.add(name=own, op="Placeholder").attr["dtype"].CopyFrom(kind)
        elif not re.fullmatch(TOGETHER, node.op) and {source_of(one)[0] for one in data} <= there:
            alone = definition.node.add()
            alone.CopyFrom(node)
            alone.device, alone.name = "", own
            alone.attr.pop("_class", None)  # beside whom it has to be
            alone.input[:] = [tensor.lstrip("_") for tensor in data]
        else:
            continue
        there.add(name)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
    results = {op.name: op.outputs[0] for op in graph.get_operations() if op.outputs}
    shown = {
        name: one for name, one in results.items() if one.dtype not in (tf.resource, tf.variant)
    }
    if not shown:
        return {}
    with v1.Session(graph=graph, config=without_rewriting()) as alone:
        return alone.run(shown, {results[name]: value for name, value in entering.items()})
