"""Random small graphs: to read one changes no number, and what is said of operations is true."""

import numpy as np
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engines.graphs.matching import match
from engines.graphs.read_tensorflow import executed, written
from engines.graphs.static import source_of

v1 = tf.compat.v1


def after(a, b):
    with tf.control_dependencies([tf.identity(b)]):
        return a - 1.0


@tf.function(autograph=False)
def called(a, b):
    return a * b - a


# What a line may do with two of the tensors so far, each 2 x 3.
WAYS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "negative": lambda a, b: -a,
    "nothing added": lambda a, b: a + 0.0,
    "nothing multiplied": lambda a, b: a * 1.0,
    "constants multiplied": lambda a, b: a * 2.0 * 3.0,
    "power": lambda a, b: a**2,
    "squared difference": lambda a, b: tf.square(a - b),
    "add several": lambda a, b: tf.add_n([a, b, a]),
    "maximum": tf.maximum,
    "relu": lambda a, b: tf.nn.relu(a),
    "where": lambda a, b: tf.where(a > b, a, b),
    "matmul": lambda a, b: a @ tf.transpose(b) @ a,
    "concat": lambda a, b: tf.concat([a[:1], b[1:]], 0),
    "stack": lambda a, b: tf.reduce_sum(tf.stack([a, b]), 0),
    "unstack": lambda a, b: tf.stack(tf.unstack(a)[::-1]),
    "split": lambda a, b: tf.concat(tf.split(a, 3, axis=1)[::-1], 1),
    "gather": lambda a, b: tf.gather(a, [2, 0, 1], axis=1),
    "reshape": lambda a, b: tf.reshape(tf.transpose(tf.reshape(a, (3, 2))), (2, 3)),
    "broadcast": lambda a, b: tf.reduce_sum(a, 1, keepdims=True) - b,
    "cast": lambda a, b: tf.cast(tf.cast(a, tf.int32), tf.float64),
    "zeros": lambda a, b: tf.zeros_like(a) + b,
    "folded": lambda a, b: tf.constant([1.0, 2.0, 3.0], tf.float64) * 2.0 + a,
    "stopped": lambda a, b: tf.stop_gradient(a) * b,
    "identity": lambda a, b: tf.identity(a),
    "twice the same": lambda a, b: (a * b) + (a * b),
    "branch": lambda a, b: tf.cond(tf.reduce_sum(a) > 0, lambda: a + 1.0, lambda: b - 1.0),
    "loop": lambda a, b: tf.while_loop(lambda i, _: i < 3, lambda i, s: (i + 1, s + b), [0, a])[1],
    "function": called,
    "in order": after,
}
# What NumPy makes of the operations that a session may run.
KINDS = {
    "AddN": lambda *all_of_them: sum(all_of_them),
    "AddV2": np.add,
    "ConcatV2": lambda *parts: np.concatenate(parts[:-1], int(parts[-1])),
    "GatherV2": lambda a, places, axis: np.take(a, places, int(axis)),
    "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
    "Identity": np.asarray,
    "Less": np.less,
    "LessEqual": np.less_equal,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Pow": np.power,
    "Relu": lambda a: np.maximum(a, 0),
    "Reshape": np.reshape,
    "SelectV2": np.where,
    "Snapshot": np.asarray,
    "Square": np.square,
    "SquaredDifference": lambda a, b: np.square(a - b),
    "StopGradient": np.asarray,
    "Sub": np.subtract,
    "Transpose": np.transpose,
    "ZerosLike": np.zeros_like,
    "_Retval": np.asarray,
}
# Whole and small, so that the order in which they are added changes no bit.
X = np.array([[1.0, -2.0, 3.0], [0.0, 2.0, -1.0]])
Y = np.array([[2.0, 2.0, -1.0], [1.0, 0.0, 3.0]])
START, LEAVES = X - Y, 4
SAME = {"kept", "rewritten", "merged", "folded"}  # its value is that of an operation that ran


@st.composite
def graphs(draw):
    """Lines, each a way and the places of what it takes; which are fetched and fed; gradients?"""
    lines = []
    for i in range(draw(st.integers(1, 6))):
        there = st.integers(0, LEAVES - 1 + i)
        lines.append((draw(st.sampled_from(sorted(WAYS))), draw(there), draw(there)))
    ends = st.integers(LEAVES, LEAVES - 1 + len(lines))
    fetched = draw(st.lists(ends, min_size=1, max_size=3, unique=True))
    return lines, fetched, draw(st.lists(ends, max_size=1)), draw(st.booleans())


def built(lines, fetched, fed, gradients):
    """Put it into the default graph. Returns fetches, feeds."""
    x, y = (v1.placeholder(tf.float64, (2, 3), name=name) for name in "xy")
    pool = [x, y, tf.Variable(START, name="v"), tf.constant(Y, name="c")]
    for way, a, b in lines:
        pool.append(tf.clip_by_value(WAYS[way](pool[a], pool[b]), -9, 9))
    fetches = [pool[i] for i in fetched]
    if gradients:
        fetches += [one for one in tf.gradients(fetches[-1], [x, y]) if one is not None]
    return fetches, {x: X, y: Y} | {pool[i]: X * Y for i in fed}


def worked_out(found, feeds):
    """The value of each operation that ran and has one that NumPy can compute, by name."""
    handed_in = {tensor.op.name: value for tensor, value in feeds.items()}
    known = {name: handed_in[source_of(tensor)[0]] for name, tensor in found.fed.items()}
    for op in found.ops:
        takes = [source_of(name) for name in op.data]
        if op.kind == "Const":
            known[op.name] = np.asarray(op.value)
        elif op.kind == "ReadVariableOp":
            known[op.name] = START
        elif op.kind in KINDS and all(name in known and slot == 0 for name, slot in takes):
            known[op.name] = KINDS[op.kind](*(known[name] for name, _ in takes))
    return known


def fetched_alone(session, feeds):
    """The value of each written operation with one result that is a number and can be fetched."""
    graph, of_numbers = session.graph, (tf.float64, tf.int32, tf.bool)
    fed = {tensor.op.name for tensor in feeds}  # it may run all the same, for what waits for it
    ops = [
        op
        for op in graph.get_operations()
        if len(op.outputs) == 1
        and op.name not in fed
        and graph.is_fetchable(op)
        and op._get_control_flow_context() is None  # within an old loop or branch
    ]
    alone = {op.name: op.outputs[0] for op in ops if op.outputs[0].dtype in of_numbers}
    return session.run(alone, feeds)


@settings(max_examples=20, derandomize=True, deadline=None, database=None)
@given(graphs())
@example(([("branch", 3, 0)], [4], [], False))  # both of these were wrong once
@example(([("add several", 3, 0)], [4], [], False))
def test_it_ran_as_it_would_have_and_every_operation_became_what_is_said(case):
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        fetches, feeds = built(*case)
        session.run(v1.global_variables_initializer())
        plain = {
            one.name: value for one, value in zip(fetches, session.run(fetches, feeds), strict=True)
        }
        right = fetched_alone(session, feeds)
        for rewrite in (True, False):
            found = executed(session, fetches, feeds, rewrite=rewrite)
            for value, other in zip(found.values.values(), plain.values(), strict=True):
                assert value.tobytes() == np.asarray(other).tobytes()
            is_told(match(written(graph), found), worked_out(found, feeds), right)
        np.testing.assert_array_equal(session.run("v/Read/ReadVariableOp:0"), START)


def is_told(matched, ran, right):
    """Whether what is said of operations agrees with the values of both graphs.

    ran, right: of executed and of written operations, by name, where they are known.
    """
    for name, fate in matched.fates.items():
        into = fate.into or name
        if fate.status in SAME:
            assert into in matched.sources, (name, fate)
            if into in ran and name in right:
                np.testing.assert_array_equal(ran[into], right[name], f"{name}: {fate}")
    for name, source in matched.sources.items():
        for one in source.written if source.origin == "written" and name in ran else ():
            if one in right:
                np.testing.assert_array_equal(ran[name], right[one], f"{name}: {source}")
