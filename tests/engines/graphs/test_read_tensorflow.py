"""The graph is TensorFlow's own, as written and as executed, and no name is believed unproved."""

import inspect
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import tensorflow as tf

from engines.graphs.matching import Source, match
from engines.graphs.read_tensorflow import executed, written
from engines.graphs.static import source_of, to_graph
from engines.problem import preset
from engines.regression import tf_session
from engines.static_graph_and_sessions import adding, baked_in, update_styles

GOLDEN = Path(__file__).parent / "golden"
ARTICLE = preset("session_article")


# Listings, waiting with an open session


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


def seen(name, **options):
    """What was written, what ran, and the match of the two."""
    listing, fetches, feeds = RUNS[name]
    with paused_by_name(listing) as (names, graph):
        ran = trace(names, fetches, feeds, **options)
    return graph, ran, match(graph, ran)


def session_seen(fetches, **options):
    with paused_by_name("session") as (names, graph):
        ran = trace(names, fetches, DATA, **options)
    return graph, ran, match(graph, ran)


def kinds(ops):
    return Counter(op.kind for op in ops)


every_run = pytest.mark.parametrize("name", RUNS)


# Golden graphs


def text_of(name):
    _, ran, matched = seen(name)
    return f"{matched.to_text()}\n{ran.to_text()}"


def compare(text, name):
    file = GOLDEN / f"tf_{name}.txt"
    if "BACKSTEP_WRITE_GOLDEN" in os.environ:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@every_run
def test_what_ran_and_what_became_of_the_rest_is_as_on_file(name):
    compare(text_of(name), name)


@pytest.mark.parametrize("name", LISTINGS)
def test_what_was_written_is_as_on_file(name):
    with paused_by_name(name) as (_, graph):
        compare(graph.to_text(), f"{name}_written")


@every_run
def test_of_what_was_written_so_many_ran(name):
    graph, ran, matched = seen(name)
    assert (len(graph.ops), len(ran.ops)) == COUNTS[name]
    assert [*matched.fates] == [op.name for op in graph.ops]
    assert [*matched.sources] == [op.name for op in ran.ops]


# As written


def test_each_operation_has_the_line_of_the_listing_that_made_it():
    with paused_by_name("session") as (names, graph):
        lines, _ = inspect.getsourcelines(tf_session.train)
        for op in graph.ops:
            assert op.text == lines[op.line - 1].strip()
        for name in ("x", "y_pred", "loss", "new_w", "initialize"):
            made = graph[names[name].op.name if name != "initialize" else names[name].name]
            assert made.text.startswith(name)
    assert [op.line for op in graph.ops] == sorted(op.line for op in graph.ops)


def test_an_operation_of_a_gradient_names_the_one_it_is_the_derivative_of():
    with paused_by_name("session") as (_, graph):
        pass
    derivatives = [op for op in graph.ops if op.forward]
    assert {op.forward for op in derivatives} == {"mul_1", "Sum", "pow_1", "sub", "add", "mul"}
    assert {op.text for op in derivatives} == {"grad_w, grad_b = tf.gradients(loss, [w, b])"}
    assert graph["gradients/mul_grad/Mul"].forward == "mul"


def test_the_parts_of_a_loop_have_their_own_lines():
    with paused_by_name("while") as (_, graph):
        pass
    loop = graph["while"]
    assert [*loop.bodies] == ["body", "cond"]
    assert loop.text == "_, power = tf.while_loop("
    assert loop.bodies["body"]["mul"].text == "lambda i, power: (i + 1, power * x),"
    assert loop.bodies["cond"]["Less"].text == "lambda i, power: i < n,"


def test_what_a_function_made_belongs_to_the_line_that_calls_it():
    settings = {**STEP, "style": "apply_gradients"}
    with paused(update_styles.train, preset("update_styles_article"), **settings) as names:
        of_train = written(names["graph"], update_styles.train)
        of_style = written(names["graph"], update_styles.apply_gradients)
        without = written(names["graph"])
    name = "gradients/add_2_grad/Sum"
    assert of_train[name].text.startswith("grads, update = STYLES[style](")
    assert of_style[name].text.startswith("(grad_w, _), (grad_b, _) = optimizer.compute_gradients")
    assert of_style["random_uniform/shape"].line is None
    assert {(op.line, op.text) for op in without.ops} == {(None, "")}


def test_two_of_the_three_update_styles_write_the_same_graph():
    texts = {}
    for style in update_styles.STYLES:
        settings = {**STEP, "style": style}
        with paused(update_styles.train, preset("update_styles_article"), **settings) as names:
            texts[style] = written(names["graph"]).to_text()
    assert texts["apply_gradients"] == texts["minimize"] != texts["assign"]


def test_a_constant_has_its_value_and_a_shape_that_is_not_known_says_so():
    with paused_by_name("session") as (_, graph):
        pass
    assert graph["pow/y"].value == ARTICLE.power
    assert graph["x"].shapes == ((None,),)
    assert graph["w/Assign"].shapes == ()
    with paused_by_name("baked_in") as (_, graph):
        np.testing.assert_array_equal(graph["sub/y"].value, ARTICLE.y)


# As executed


def test_what_comes_back_is_what_the_session_returns():
    with paused_by_name("session") as (names, _):
        plainly = names["session"].run(
            names["loss"], {names["x"]: ARTICLE.x, names["y"]: ARTICLE.y}
        )
        for rewrite in (True, False):
            ran = trace(names, ["loss"], DATA, rewrite=rewrite)
            assert ran.values == {"mul_1": plainly}
            assert ran.fed == {"_arg_x_0_0": "x", "_arg_y_0_1": "y"}
            assert ran.fetched == {"_retval_mul_1_0_0": "mul_1"}


def test_what_is_fetched_for_its_effect_has_no_value():
    _, ran, matched = seen("session_initializer")
    assert ran.values == {"init": None}
    assert ran.fetched == {"init": "init"}
    assert matched.counts == {"kept": 7, "pruned": 81}


def test_operations_begin_after_those_they_take_from():
    _, ran, _ = seen("session_step")
    assert sorted(ran.order) == sorted(op.name for op in ran.ops)
    place = {name: i for i, name in enumerate(ran.order)}
    listed = {op.name: i for i, op in enumerate(ran.ops)}
    for op in ran.ops:
        for source, _ in map(source_of, op.inputs):
            assert place[source] < place[op.name]
            assert listed[source] < listed[op.name]
    assert min(timing.start for timing in ran.timings.values()) == 0
    assert all(t.total >= 0 and t.runs == 1 for t in ran.timings.values())
    assert sum(timing.total for timing in ran.timings.values()) > 0


def test_shapes_are_those_of_this_run():
    with paused_by_name("session") as (names, _):
        for size in (1, 7):
            ran = trace(names, ["y_pred"], {"x": ARTICLE.x[:size]})
            assert ran["add"].shapes == ((size,),)
            assert ran["add"].device == "CPU:0"


def test_a_loop_has_the_same_operations_for_every_length_and_runs_them_again():
    with paused_by_name("while") as (names, graph):
        runs = {n: trace(names, ["power"], {"x": 2, "n": n}) for n in (0, 1, 5)}
    assert len({ran.to_text().replace("    []\n", "") for n, ran in runs.items() if n}) == 1
    for n, ran in runs.items():
        assert [*ran.values.values()] == [2**n]
        multiply = [op.name for op in ran.ops if op.kind == "Mul"]
        test = [op.name for op in ran.ops if op.kind == "Less"]
        assert [ran.timings[name].runs for name in test] == [n + 1]
        assert sum(ran.timings[name].runs for name in multiply if name in ran.timings) == n
    fate, sources = match(graph, ran).fates["while"], match(graph, ran).sources
    assert fate.status == "lowered"
    assert all(sources[name] == Source("lowered", ("while",)) for name in (*multiply, *test))


def test_both_branches_are_there_and_one_has_run():
    for x, taken in ((2, "Square"), (-2, "Neg")):
        with paused_by_name("cond") as (names, _):
            ran = trace(names, ["y"], {"x": x})
        branches = {op.kind: op.name for op in ran.ops if op.kind in ("Square", "Neg")}
        assert [kind for kind, name in branches.items() if name in ran.timings] == [taken]
        assert len(branches) == 2


# What became of the written operations


def test_fetching_the_loss_alone_lets_two_operations_become_one():
    graph, ran, matched = session_seen(["loss"])
    assert ran["sub"].kind == "SquaredDifference"
    assert graph["sub"].kind == "Sub"
    assert matched.fates["sub"] == ("fused", "sub")
    assert matched.fates["pow_1"] == ("fused", "sub")
    assert matched.sources["sub"] == Source("written", ("pow_1",))
    assert matched.fates["pow"] == ("rewritten", "")
    assert matched.fates["pow/y"] == ("absorbed", "pow")
    assert matched.fates["Sum"] == ("kept", "")


def test_who_looks_at_the_difference_prevents_that():
    _, ran, matched = session_seen(["loss", "sub:0"])
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
        assert name in matched.sources[into].of
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
    for fetches in (["y_pred"], ["loss"], ["initialize"]):
        graph, ran, matched = session_seen(fetches, rewrite=False)
        assert set(matched.counts) <= {"kept", "merged", "fed", "pruned"}
        for op in ran.ops:
            if op.kind not in ("_Arg", "_Retval"):
                assert graph[op.name].kind == op.kind
    assert session_seen(["loss"])[2].counts["pruned"] == 71
    assert session_seen(["loss"], rewrite=False)[2].counts["pruned"] == 71


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
            assert as_written & {source_of(one)[0] for one in source.of}


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


def valued(name):
    """The match of a run, the value of each operation that ran, and of each that was written."""
    listing, fetches, feeds = RUNS[name]
    with paused_by_name(listing) as (names, graph):
        ran = trace(names, fetches, feeds)
        matched = match(graph, ran)
        told = {one for it in matched.sources.values() if it.origin == "written" for one in it.of}
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
        for one in source.of
        if run in values and one in as_written
    ]
    assert len(pairs) > len(values) / 2
    for run, one in pairs:
        np.testing.assert_allclose(values[run], as_written[one], rtol=1e-4, atol=1e-6)


def test_what_is_said_to_have_another_meaning_has_another_value():
    matched, values, as_written = valued("session_loss")
    assert matched.sources["sub"].of == ("pow_1",)
    np.testing.assert_allclose(values["sub"], (values["add"] - ARTICLE.y) ** 2, rtol=1e-6)
    matched, values, as_written = valued("baked_in_loss")
    assert matched.sources["add"].origin == "reused"
    assert not np.isclose(values["add"], as_written["add"]).any()


# For whoever draws it


def test_as_a_graph_every_input_is_an_edge():
    graph, ran, _ = seen("session_loss")
    for ops in (graph.ops, ran.ops):
        drawn = to_graph(ops)
        assert [node.name for node in drawn.nodes] == [op.name for op in ops]
        assert [node.kind for node in drawn.nodes] == [op.kind for op in ops]
        assert len(drawn.edges) == sum(len(op.inputs) for op in ops)
        assert all(edge.source < edge.target for edge in drawn.edges)
    assert {node.name for node in to_graph(ran.ops).leaves} == {
        *("_arg_x_0_0", "_arg_y_0_1", "w", "b", "Const", "mul_1/x")
    }
    [x] = [node for node in to_graph(graph.ops).nodes if node.name == "x"]
    assert x.shape == (-1,)


# Nothing is left behind


def test_reading_adds_nothing_to_the_graph_and_closes_its_session(sessions):
    with paused_by_name("session") as (names, _):
        before = len(names["graph"].get_operations())
        values = names["session"].run([names["w"], names["b"]])
        for fetches in (["loss"], ["new_w", "new_b"]):
            trace(names, fetches, DATA, rewrite=False)
        with pytest.raises(tf.errors.InvalidArgumentError, match="must feed"):
            trace(names, ["loss"], {}, rewrite=False)
        assert names["session"].run([names["w"], names["b"]]) == values
        assert len(names["graph"].get_operations()) == before
        [_, *own] = sessions
        assert len(own) == 3
        for session in own:
            with pytest.raises(RuntimeError, match="closed"):
                session.run(names["w"])
    assert tf.compat.v1.get_default_session() is None
    assert tf.executing_eagerly()


def test_an_update_that_is_fetched_takes_place():
    with paused_by_name("session") as (names, _):
        ran = trace(names, ["new_w"], DATA)
        assert names["session"].run(names["w"]) == ran.values["ReadVariableOp_2"]


def test_without_the_optimiser_variables_start_where_they_are_now():
    with paused_by_name("session") as (names, _):
        now = names["session"].run(names["w"])
        assert now != ARTICLE.w
        assert trace(names, ["w"], {}, rewrite=False).values == {"w/Read/ReadVariableOp": now}


def test_a_session_that_was_not_initialised_says_so_in_both_ways():
    with paused_by_name("session") as (names, _):
        session = tf.compat.v1.Session(graph=names["graph"])
        try:
            for rewrite in (True, False):
                with pytest.raises(tf.errors.FailedPreconditionError):
                    executed(session, names["y_pred"], {names["x"]: ARTICLE.x}, rewrite=rewrite)
                ran = executed(session, names["initialize"], {}, rewrite=False)
                assert len(ran.ops) == 7
        finally:
            session.close()


def test_graphs_built_before_leave_no_trace():
    for _ in range(3):  # each of these takes numbers that the process hands out
        seen("while")
        seen("cond")
    for name in ("while", "cond", "session_step"):
        assert text_of(name) == (GOLDEN / f"tf_{name}.txt").read_text(encoding="utf-8")
    with paused_by_name("while") as (_, graph):
        text = (GOLDEN / "tf_while_written.txt").read_text(encoding="utf-8")
        assert graph.to_text() == text


def test_visitors_in_threads_see_their_own_graphs():
    names = [*RUNS] * 2
    together = Barrier(len(names), timeout=30)

    def visit(name):
        together.wait()
        return text_of(name)

    with ThreadPoolExecutor(len(names)) as pool:
        for name, text in zip(names, pool.map(visit, names), strict=True):
            assert text == (GOLDEN / f"tf_{name}.txt").read_text(encoding="utf-8")
