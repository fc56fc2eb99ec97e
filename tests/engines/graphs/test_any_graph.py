"""Graphs that were not written for this: read and matched as they ran, or refused in words."""

import numpy as np
import pytest
import tensorflow as tf

from engines.graphs.matching import match
from engines.graphs.read_tensorflow import executed, written

v1 = tf.compat.v1


def ran(build, *, rewrite=True):
    """Build a graph, run it plainly and recorded, and match the two. Returns values and match.

    build: called in the graph, returns fetches, feeds.
    """
    with tf.Graph().as_default() as graph:
        fetches, feeds = build()
        starts = v1.global_variables_initializer(), v1.local_variables_initializer()
        starts = (*starts, v1.tables_initializer())
        with v1.Session(graph=graph) as session:
            session.run(starts)
            plain = tf.nest.flatten(session.run(fetches, feeds), expand_composites=True)
        with v1.Session(graph=graph) as session:
            session.run(starts)
            found = executed(session, fetches, feeds, rewrite=rewrite)
        as_written = written(graph)
        assert as_written.to_text()
        assert found.to_text()
        values = [value for value in found.values.values() if value is not None]
        for one, other in zip(values, plain, strict=True):
            np.testing.assert_array_equal(one, other)
        return values, match(as_written, found)


def gradient_of_a_loop():
    x = v1.placeholder(tf.float32, ())
    _, p = tf.while_loop(lambda i, p: i < 3, lambda i, p: (i + 1, p * x), [0, 1.0])
    return tf.gradients(p, x), {x: 2.0}


def tensor_array():
    x = v1.placeholder(tf.float32, (3,))
    squares = tf.map_fn(lambda one: one * one, x)
    return tf.gradients(squares, x), {x: [1.0, 2.0, 3.0]}


def first_generation_loop():
    enabled = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        x = v1.placeholder(tf.float32, ())
        _, p = tf.while_loop(lambda i, p: i < 3, lambda i, p: (i + 1, p * x), [0, 1.0])
        y = tf.cond(p > 5, lambda: p + 1, lambda: p - 1)
        return [y, *tf.gradients(y, x)], {x: 2.0}
    finally:
        if enabled:
            v1.enable_control_flow_v2()


def one_of_several():
    k = v1.placeholder(tf.int32, ())
    branches = [lambda: tf.constant(1.0), lambda: tf.constant(2.0) * 3, lambda: tf.constant(7.0)]
    return [tf.switch_case(k, branches, name="chosen")], {k: 1}


def a_dataset():
    numbers = tf.data.Dataset.range(3).map(lambda a: a * 2).filter(lambda a: a > 0)
    return [v1.data.make_one_shot_iterator(numbers).get_next()], {}


def slices():
    table = tf.Variable([[1.0], [2.0]], name="table")
    loss = tf.reduce_sum(tf.gather(table, [0, 0]))
    return tf.gradients(loss, [table]), {}


def sparse():
    fed = v1.sparse_placeholder(tf.float32, (1, 2))
    twice = tf.sparse.map_values(tf.multiply, fed, 2.0)
    return [twice], {fed: v1.SparseTensorValue([[0, 1]], [3.0], [1, 2])}


def words():
    name = tf.constant("one two")
    return [tf.strings.join([name, v1.placeholder_with_default("!", ())], name="said")], {}


def a_table():
    start = tf.lookup.KeyValueTensorInitializer(["a", "b"], [5, 6])
    table = tf.lookup.StaticHashTable(start, -1)
    return [table.lookup(v1.placeholder_with_default(["b", "c"], (2,)))], {}


def a_local_variable():
    _, update = v1.metrics.mean(v1.placeholder_with_default([1.0, 2.0], (2,)))
    return [update], {}


def a_function():
    @tf.function(autograph=False)
    def square(x):
        return x * x + 1.0

    x = v1.placeholder(tf.float32, (), name="x")
    return [tf.identity(square(x), name="y")], {x: 3.0}


GRAPHS = {
    gradient_of_a_loop: [12],
    tensor_array: [[2, 4, 6]],
    first_generation_loop: [9, 12],
    one_of_several: [6],
    slices: [[[1], [1]], [0, 0], [2, 1]],
    sparse: [[[0, 1]], [6], [1, 2]],
    words: [b"one two!"],
    a_table: [[6, -1]],
    a_local_variable: [1.5],
    a_function: [10],
}


@pytest.mark.parametrize("rewrite", [True, False])
@pytest.mark.parametrize("build", GRAPHS, ids=lambda build: build.__name__)
def test_it_is_read_as_it_ran(build, rewrite):
    values, found = ran(build, rewrite=rewrite)
    for value, right in zip(values, GRAPHS[build], strict=True):
        np.testing.assert_array_equal(value, right)
    assert set(found.sources.values())


@pytest.mark.parametrize("rewrite", [True, False])
def test_what_a_dataset_maps_is_read_and_its_place_cannot_be_handed_over(rewrite):
    if rewrite:
        assert ran(a_dataset)[0] == [2]
    else:
        with pytest.raises(NotImplementedError, match=r"IteratorGetNext.* cannot be handed to it"):
            ran(a_dataset, rewrite=False)


def test_a_queue_is_not_waited_for():
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        queue = v1.FIFOQueue(3, [tf.float32], shapes=[()])
        added, taken = queue.enqueue_many([[1.0, 2.0, 3.0]]), queue.dequeue()
        session.run(added)
        with pytest.raises(NotImplementedError, match="QueueDequeueV2"):
            executed(session, [taken], {}, rewrite=False)
        assert executed(session, [taken], {}).values == {"fifo_queue_Dequeue": 1}
        replaced = executed(session, [taken + 1.0], {taken: 5.0}, rewrite=False)
        assert replaced.values == {"add": 6}  # what is fed needs no queue


@pytest.mark.parametrize("rewrite", [True, False])
def test_what_takes_a_constant_that_is_fed_is_kept(rewrite):
    def build():
        c = tf.constant(5.0, name="c")
        return [tf.multiply(c, 2.0, name="y")], {c: 7.0}

    values, found = ran(build, rewrite=rewrite)
    assert values == [14]
    fates = {name: found.fates[name].status for name in ("c", "y/y", "y")}
    assert fates == {"c": "fed", "y/y": "kept", "y": "kept"}
    assert found.sources["y"].origin == "written"


def test_a_constant_that_is_no_number_is_itself():
    def build():
        x = v1.placeholder(tf.float32, (), name="x")
        return [tf.multiply(x, float("nan"), name="y")], {x: 1.0}

    _, found = ran(build, rewrite=False)
    assert found.fates["y/y"].status == "kept"
    assert found.sources["y/y"].origin == "written"


def test_an_old_loop_is_kept_operation_by_operation():
    _, found = ran(first_generation_loop, rewrite=False)
    kept = {name for name, fate in found.fates.items() if fate.status == "kept"}
    parts = ("Enter", "Merge", "LoopCond", "Switch", "NextIteration", "Exit_1")
    assert {f"while/{part}" for part in parts} <= kept


@pytest.mark.parametrize("rewrite", [True, False])
def test_a_branch_that_was_taken_apart_is_in_its_parts(rewrite):
    _, found = ran(one_of_several, rewrite=rewrite)
    assert found.fates["chosen/indexed_case"].status == "lowered"
    parts = {name: source for name, source in found.sources.items() if "branch" in name}
    assert len(parts) == 4  # which is taken, and what each gives
    assert {source.origin for source in parts.values()} == {"lowered"}


@pytest.mark.parametrize("rewrite", [True, False])
def test_a_function_that_is_called_is_kept_or_taken_apart_and_what_takes_its_value_is_kept(rewrite):
    _, found = ran(a_function, rewrite=rewrite)
    assert found.fates["PartitionedCall"].status in (("kept", "lowered") if rewrite else ("kept",))
    assert found.fates["y"].status == "kept"
    assert found.sources["y"].origin == "written"
