"""What became of each written operation, and no name is believed unproved."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
import tensorflow as tf

from engines.graphs.matching import Source, match
from engines.graphs.read_tensorflow import executed, written
from engines.graphs.static import source_of
from tests.support.session_graphs import ARTICLE, DATA, RUNS, paused_by_name, seen, trace

every_run = pytest.mark.parametrize("name", RUNS)


@cache
def session_seen(*fetches, **options):
    with paused_by_name("session") as (names, graph):
        ran = trace(names, fetches, DATA, **options)
    return graph, ran, match(graph, ran)


def kinds(ops):
    return Counter(op.kind for op in ops)


def test_fetching_the_loss_alone_lets_two_operations_become_one():
    graph, ran, matched = session_seen("loss")
    assert ran["sub"].kind == "SquaredDifference"
    assert graph["sub"].kind == "Sub"
    assert matched.fates["sub"] == ("fused", "sub")
    assert matched.fates["pow_1"] == ("fused", "sub")
    assert matched.sources["sub"] == Source("written", ("pow_1",))
    assert matched.fates["pow"] == ("rewritten", "")
    assert matched.fates["pow/y"] == ("absorbed", "pow")
    assert matched.fates["Sum"] == ("kept", "")


def test_who_looks_at_the_difference_prevents_that():
    _, ran, matched = session_seen("loss", "sub:0")
    assert "SquaredDifference" not in kinds(ran.ops)
    assert matched.fates["sub"] == ("kept", "")
    assert matched.fates["pow_1"] == ("rewritten", "")
    assert matched.sources["sub"] == Source("written", ("sub",))


def test_a_name_that_lives_on_with_another_meaning_is_not_called_kept():
    _, ran, matched = seen("baked_in_loss")
    assert ran["add"].kind == "Sub"
    assert matched.sources["add"] == Source("reused")
    assert matched.fates["add"] == ("reordered", "sub")
    assert matched.fates["sub"] == ("rewritten", "")


def test_data_baked_in_are_constants_and_the_feeds_go_nowhere():
    graph, ran, matched = seen("baked_in_loss")
    assert ran.fed == {}
    assert "_Arg" not in kinds(ran.ops)
    assert matched.fates["x1"] == matched.fates["y1"] == ("pruned", "")
    np.testing.assert_array_equal(ran["sub/y"].value, ARTICLE.y)
    assert graph["sub"].data == ("add", "sub/y")


def test_equal_constants_are_merged_and_computed_ones_folded():
    graph, ran, matched = seen("session_step")
    merged = {name: fate.into for name, fate in matched.fates.items() if fate.status == "merged"}
    assert merged
    for name, into in merged.items():
        assert graph[name].value == ran[into].value
        assert name in matched.sources[into].written
    folded = [name for name, fate in matched.fates.items() if fate.status == "folded"]
    assert {graph[name].kind for name in folded} == {"Reshape", "Sub"}
    assert {ran[name].kind for name in folded} == {"Const"}


def test_what_only_hands_on_is_absorbed_and_what_has_a_new_name_is_found():
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, shape=(), name="x")
        more = tf.add(tf.identity(x, name="same"), 1)
        tf.subtract(tf.multiply(more, more, name="product"), x, name="rest")
    with tf.compat.v1.Session(graph=graph) as session:
        ran = executed(session, "rest:0", {"x:0": 3})
        matched = match(written(graph), ran)
    [square] = [op.name for op in ran.ops if op.kind == "Square"]
    assert ran.values == {"rest": 13}
    assert matched.fates["same"] == ("absorbed", "_arg_x_0_0")
    assert matched.fates["product"] == ("rewritten", square)
    assert matched.sources[square] == Source("written", ("product",))
    assert square not in matched.fates


def test_without_the_optimiser_the_graph_is_pruned_and_not_rewritten():
    for fetch in ("y_pred", "loss", "initialize"):
        graph, ran, matched = session_seen(fetch, rewrite=False)
        assert set(matched.counts) <= {"kept", "merged", "fed", "pruned"}
        for op in ran.ops:
            if op.kind not in ("_Arg", "_Retval"):
                assert graph[op.name].kind == op.kind
    assert session_seen("loss")[2].counts["pruned"] == 71
    assert session_seen("loss", rewrite=False)[2].counts["pruned"] == 71


def test_what_is_fed_needs_nothing_before_it():
    with paused_by_name("session") as (names, graph):
        ran = trace(names, ["loss"], {"y_pred": ARTICLE.x, "y": ARTICLE.y})
    matched = match(graph, ran)
    fates = {name: fate.status for name, fate in matched.fates.items()}
    assert fates["add"] == fates["y"] == "fed"
    assert fates["x"] == fates["pow"] == fates["mul"] == fates["w"] == "pruned"
    assert matched.sources["_arg_add_0_0"] == Source("fed", ("add",))


def test_fetching_what_was_fed_runs_nothing():
    with paused_by_name("session") as (names, graph):
        ran = trace(names, ["x"], {"x": ARTICLE.x})
    assert ran.ops == ()
    np.testing.assert_array_equal(ran.values["x"], ARTICLE.x)
    assert match(graph, ran).counts == {"pruned": 88}


@pytest.mark.parametrize("rewrite", [True, False])
@every_run
def test_a_name_that_is_called_kept_has_the_inputs_it_was_written_with(name, rewrite):
    graph, ran, matched = seen(name, rewrite=rewrite)
    kept = [name for name, fate in matched.fates.items() if fate.status == "kept"]
    assert kept
    for op in map(graph.__getitem__, kept):
        assert ran[op.name].kind == op.kind
        assert len(ran[op.name].data) == len(op.data)
        as_written = {source_of(tensor)[0] for tensor in op.data}
        for tensor in ran[op.name].data:
            source = matched.sources[source_of(tensor)[0]]
            assert source.origin in ("written", "fed", "lowered")
            assert as_written & {source_of(one)[0] for one in source.written}


@every_run
def test_what_went_into_another_operation_says_into_which(name):
    graph, ran, matched = seen(name)
    for fate in matched.fates.values():
        if fate.status in ("merged", "fused", "reordered", "absorbed"):
            assert fate.into
        if fate.status in ("kept", "pruned", "lowered", "fed"):
            assert not fate.into
        assert not fate.into or fate.into in matched.sources or graph[fate.into].bodies
    ends = {op.name for op in ran.ops if op.kind in ("_Arg", "_Retval")}
    runtime = [name for name, it in matched.sources.items() if it.origin in ("fed", "fetched")]
    assert set(runtime) == ends


def alone(names, fetches, feeds, fed):
    """The value of each operation that ran, from a graph of exactly these, with no optimiser."""
    options, ran = tf.compat.v1.RunOptions(output_partition_graphs=True), tf.compat.v1.RunMetadata()
    data = {names[name]: value for name, value in feeds.items()}
    names["session"].run([names[name] for name in fetches], data, options, ran)
    known = {name: names["session"].run(names[name]) for name in "wb"}
    definition, entering = tf.compat.v1.GraphDef(), {}
    for node in (node for part in ran.partition_graphs for node in part.node):
        if node.op in ("_Arg", "ReadVariableOp"):  # its value is put there
            name = node.name.lstrip("_")  # names of our own must not begin like this
            entering[name] = known[node.input[0]] if node.input else feeds[fed[node.name]]
            definition.node.add(name=name, op="Placeholder")
            definition.node[-1].attr["dtype"].type = tf.float32.as_datatype_enum
        elif node.op not in ("_Retval", "VarHandleOp"):
            definition.node.append(node)
            definition.node[-1].device = ""
            definition.node[-1].input[:] = [tensor.lstrip("_") for tensor in node.input]
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
    tensors = {op.name: op.outputs[0] for op in graph.get_operations()}
    with tf.compat.v1.Session(graph=graph, config=config) as session:
        return session.run(tensors, {tensors[name]: value for name, value in entering.items()})


@cache
def valued(name):
    """The match of a run, the value of each operation that ran, and of each that was written."""
    listing, fetches, feeds = RUNS[name]
    with paused_by_name(listing) as (names, graph):
        ran = trace(names, fetches, feeds)
        matched = match(graph, ran)
        told = {
            one for it in matched.sources.values() if it.origin == "written" for one in it.written
        }
        data = {names[name]: value for name, value in feeds.items()}
        every = {one: f"{one}:0" for one in told | {"add"} if graph[one].kind != "VarHandleOp"}
        as_written = names["session"].run(every, data)
        return matched, alone(names, fetches, feeds, ran.fed), as_written


@pytest.mark.parametrize(
    "name", ["session_prediction", "session_loss", "session_gradients", "baked_in_loss"]
)
def test_what_is_said_to_compute_something_has_its_value(name):
    matched, values, as_written = valued(name)
    pairs = [
        (run, one)
        for run, source in matched.sources.items()
        for one in source.written
        if run in values and one in as_written
    ]
    assert len(pairs) > len(values) / 2
    for run, one in pairs:
        np.testing.assert_allclose(values[run], as_written[one], rtol=1e-4, atol=1e-6)


def test_what_is_said_to_have_another_meaning_has_another_value():
    matched, values, as_written = valued("session_loss")
    assert matched.sources["sub"].written == ("pow_1",)
    np.testing.assert_allclose(values["sub"], (values["add"] - ARTICLE.y) ** 2, rtol=1e-6)
    matched, values, as_written = valued("baked_in_loss")
    assert matched.sources["add"].origin == "reused"
    assert not np.isclose(values["add"], as_written["add"]).any()
