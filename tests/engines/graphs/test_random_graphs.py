"""Random small graphs: to read one changes no number, and what is said of operations is true."""

import numpy as np
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engines.graphs.matching import match
from engines.graphs.read_tensorflow import executed, written
from tests.support.session_graphs import values_alone

v1 = tf.compat.v1


def after(a, b):
    with tf.control_dependencies([tf.identity(b)]):
        return a - 1.0


@tf.function(autograph=False)
def called(a, b):
    return a * b - a


@tf.function(autograph=False)
def calls_another(a, b):
    return called(a, b) + tf.cond(tf.reduce_sum(b) > 0, lambda: called(b, a), lambda: a)


def in_the_first_generation(way):
    """A loop or a branch made of Switch and Merge instead of a body of its own."""

    def of_old(a, b):
        v1.disable_control_flow_v2()
        try:
            return way(a, b)
        finally:
            v1.enable_control_flow_v2()

    return of_old


def branch(a, b):
    return tf.cond(tf.reduce_sum(a) > 0, lambda: a + 1.0, lambda: b - 1.0)


def loop(a, b):
    return tf.while_loop(lambda i, _: i < 3, lambda i, s: (i + 1, s + b), [0, a])[1]


def each_row(a, b):
    return tf.map_fn(lambda rows: rows[0] - rows[1], (a, b), fn_output_signature=tf.float64)


def looked_up(a, b):
    keys, values = tf.constant([-1, 0, 1, 2], tf.int64), tf.constant([5, 6, 7, 8], tf.float64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -2.0)
    return table.lookup(tf.cast(a, tf.int64)) + b


def queued(a, b):
    queue = v1.FIFOQueue(1, [tf.float64], shapes=[(2, 3)])
    with tf.control_dependencies([queue.enqueue(a * b)]):
        return queue.dequeue()


def slices(a, b):
    return tf.convert_to_tensor(*tf.gradients(tf.gather(a, [1, 1]) * b, a))  # slices, if b is not a


def sparse(a, b):
    thin = tf.sparse.map_values(tf.multiply, tf.sparse.from_dense(a), 2.0)
    return tf.sparse.to_dense(thin) + b


# What a line may do with two of the tensors so far, each 2 x 3.
WAYS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "negative": lambda a, b: -a,
    "nothing added": lambda a, b: a + 0.0,
    "nothing multiplied": lambda a, b: a * 1.0,
    "multiplied by nothing": lambda a, b: a * 0.0 + b,
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
    "branch": branch,
    "loop": loop,
    "old branch": in_the_first_generation(branch),
    "old loop": in_the_first_generation(loop),
    "each row": each_row,
    "function": called,
    "functions": calls_another,
    "in order": after,
    "text": lambda a, b: tf.strings.to_number(tf.strings.as_string(a), tf.float64) - b,
    "texts": lambda a, b: tf.cast(
        tf.strings.length(tf.strings.join([tf.strings.as_string(a), "!"])), tf.float64
    ),
    "table": looked_up,
    "queue": queued,
    "slices": slices,
    "sparse": sparse,
}
# Whole and small, so that the order in which they are added changes no bit.
X = np.array([[1.0, -2.0, 3.0], [0.0, 2.0, -1.0]])
Y = np.array([[2.0, 2.0, -1.0], [1.0, 0.0, 3.0]])
START, LEAVES = X - Y, 5
THIN = v1.SparseTensorValue(np.array([[0, 1], [1, 2]]), np.array([3.0, -2.0]), np.array([2, 3]))
SAME = {"kept", "rewritten", "merged", "folded"}  # its value is that of an operation that ran
WITHIN = {"fused", "absorbed", "reordered"}  # it went into the work of what comes later
TAKEN = {"fed", "pruned"}  # what can become of what is fed
UNTOUCHED = {"kept", "merged", "lowered", "fed", "pruned"}  # all that can be without an optimiser


@st.composite
def graphs(draw):
    """Lines, each a way and the places of what it takes; which are fetched, as what; what is fed.

    fed: of all tensors that can be, one, by its place among them.
    """
    lines = []
    for i in range(draw(st.integers(1, 6))):
        there = st.integers(0, LEAVES - 1 + i)
        lines.append((draw(st.sampled_from(sorted(WAYS))), draw(there), draw(there)))
    ends = st.integers(LEAVES, LEAVES - 1 + len(lines))
    fetched = draw(st.lists(ends, min_size=1, max_size=3, unique=True))
    fed = draw(st.none() | st.integers(0, 200))
    return lines, fetched, fed, draw(st.sampled_from(["values", "gradients", "sparse"]))


def built(lines, fetched, fed, also):
    """Put it into the default graph. Returns fetches, feeds."""
    x, y = (v1.placeholder(tf.float64, (2, 3), name=name) for name in "xy")
    thin = v1.sparse_placeholder(tf.float64, (2, 3), name="thin")
    dense = tf.ensure_shape(tf.sparse.to_dense(thin), (2, 3))
    pool = [x, y, tf.Variable(START, name="v"), tf.constant(Y, name="c"), dense]
    for way, a, b in lines:
        pool.append(tf.clip_by_value(WAYS[way](pool[a], pool[b]), -9, 9))
    fetches = [pool[i] for i in fetched]
    if also == "gradients":
        fetches += [one for one in tf.gradients(fetches[-1], [x, y]) if one is not None]
    if also == "sparse":
        fetches.append(tf.sparse.from_dense(fetches[-1]))
    feeds = {x: X, y: Y, thin: THIN}
    if fed is not None:
        able = [one for one in fed_by_anybody() if one.op not in (x.op, y.op)]
        one = able[fed % len(able)]
        feeds[one] = np.resize(X * Y, one.shape)
    return fetches, feeds


def fed_by_anybody():
    """The tensors of numbers in the default graph that can be fed."""
    graph = tf.compat.v1.get_default_graph()
    return [
        one
        for op in graph.get_operations()
        for one in op.outputs
        if one.dtype == tf.float64
        and one.shape.is_fully_defined()
        and graph.is_feedable(one)
        and op._get_control_flow_context() is None
    ]


def parts(values):
    """Arrays, by what they are of; a sparse one is three."""
    return tf.nest.flatten(values, expand_composites=True)


def fetched_alone(session, feeds):
    """The value of each written operation that is an array and can be fetched, as its tensor."""
    graph, of_arrays = session.graph, (tf.float64, tf.int32, tf.int64, tf.bool, tf.string)
    fed = {tensor.op.name for tensor in parts([*feeds])}  # it may run all the same
    perhaps, alone = set(), {}  # what is behind an old branch may not be there
    for op in graph.get_operations():
        sources = {*op.control_inputs} | {tensor.op for tensor in op.inputs}
        if op.type in ("Switch", "RefSwitch") or (sources & perhaps and op.type != "Merge"):
            perhaps.add(op)
        elif (
            op.name not in fed
            and graph.is_fetchable(op)
            and op._get_control_flow_context() is None  # within an old loop or branch
        ):
            alone |= {one.name: one for one in op.outputs if one.dtype in of_arrays}
    return {name.removesuffix(":0"): value for name, value in session.run(alone, feeds).items()}


def takers(graph, *, waiting):
    """By operation, all that its value can be in: what takes it, and what takes that.

    waiting: whether what only waits for it is meant, too.
    """
    found = {}
    for op in reversed(graph.get_operations()):
        users = {user for one in op.outputs for user in one.consumers()}
        users |= {*op._control_outputs} if waiting else set()
        found[op.name] = {user.name for user in users}.union(
            *(found.get(user.name, ()) for user in users)
        )
    return found


@settings(max_examples=12, derandomize=True, deadline=None, database=None)
@given(graphs())
# All of these were wrong once.
@example(([("branch", 3, 0)], [5], None, "values"))  # which way it goes was known before
@example(([("add several", 3, 0)], [5], None, "values"))
@example(([("constants multiplied", 2, 0), ("broadcast", 0, 3)], [6, 5], None, "sparse"))
@example(([("old branch", 3, 4), ("each row", 1, 0)], [5], 1, "gradients"))
@example(([("old branch", 0, 1)], [5], None, "gradients"))  # merged in the second result
@example(([("subtract", 3, 4), ("subtract", 3, 4)], [6, 5], None, "sparse"))  # all of it twice
@example(([("split", 0, 4), ("unstack", 0, 0)], [6, 5], 85, "values"))  # one of three results fed
@example(
    ([("gather", 1, 1), ("gather", 5, 2), ("nothing multiplied", 3, 6)], [7], 190, "gradients")
)
def test_it_ran_as_it_would_have_and_every_operation_became_what_is_said(case):
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        fetches, feeds = built(*case)
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        plain = ran_plainly(session, fetches, feeds)
        right = fetched_alone(session, feeds)
        as_written = written(graph)
        found = executed(session, fetches, feeds)
        assert_same(found.values, plain)
        matched = match(as_written, found)
        # Where TensorFlow's optimiser merges or folds what is fed, it forgets the feed.
        entered = found.fed.values()
        forgotten = [one for one in parts([*feeds]) if one.name.removesuffix(":0") not in entered]
        if any(matched.fates[one.op.name].status not in TAKEN for one in forgotten):
            return
        ran = values_alone(session, parts(fetches), feeds, found, {"v": START})
        is_told(matched, ran, right, takers(graph, waiting=True))
        pruned = {
            one: np.full(one.shape, 7.0)
            for one in fed_by_anybody()
            if matched.fates[one.op.name].status == "pruned" and one not in feeds
        }
        assert_same(ran_plainly(session, fetches, feeds | pruned), plain)

        if any(way == "queue" for way, *_ in case[0]):
            return
        found = executed(session, fetches, feeds, rewrite=False)
        assert_same(found.values, plain)
        matched = match(as_written, found)
        after = takers(graph, waiting=False)
        taken_apart = {op.name for op in as_written.ops if op.bodies}
        varies = set().union(*(after[one.op.name] for one in parts([*feeds])), after["v"])
        for name, fate in matched.fates.items():
            known = name not in varies or fate.into in taken_apart
            assert fate.status in UNTOUCHED or known, (name, fate)
            assert fate.status != "kept" or found[name].kind.endswith(as_written[name].kind), name
        np.testing.assert_array_equal(session.run("v/Read/ReadVariableOp:0"), START)


def ran_plainly(session, fetches, feeds):
    """What a session fetches, by TensorFlow's name, as in Executed."""
    names = [tensor.name.removesuffix(":0") for tensor in parts(fetches)]
    return dict(zip(names, parts(session.run(fetches, feeds)), strict=True))


def assert_same(values, others):
    assert values.keys() == others.keys()
    for name, value in values.items():
        assert np.asarray(value).tobytes() == np.asarray(others[name]).tobytes(), name


def is_told(matched, ran, right, after):
    """Whether what is said of operations agrees with the values of both graphs.

    ran, right: of executed and of written operations, by name, where they are known. after: by
    written operation, what its value can be in.
    """
    for name, fate in matched.fates.items():
        into = fate.into or name
        if fate.status in SAME:
            assert into in matched.sources, (name, fate)
            if into in ran and name in right:
                np.testing.assert_array_equal(ran[into], right[name], f"{name}: {fate}")
        if fate.status in WITHIN and into not in matched.sources:
            assert into in after[name], (name, fate)  # a loop or a branch that was taken apart
        elif fate.status in WITHIN and into in ran and name in right:
            later = [v for one, v in right.items() if one.partition(":")[0] in {name, *after[name]}]
            assert any(np.array_equal(ran[into], one) for one in later), (name, fate)
    for name, source in matched.sources.items():
        for one in source.written if source.origin == "written" and name in ran else ():
            if one in right:
                np.testing.assert_array_equal(ran[name], right[one], f"{name}: {source}")
