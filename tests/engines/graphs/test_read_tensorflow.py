"""The graph is TensorFlow's own, as written and as executed."""

import inspect
import os
from concurrent.futures import ThreadPoolExecutor
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
from engines.static_graph_and_sessions import update_styles
from tests.support.session_graphs import (
    ARTICLE,
    DATA,
    LISTINGS,
    RUNS,
    STEP,
    paused,
    paused_by_name,
    seen,
    trace,
)

GOLDEN = Path(__file__).parent / "golden"


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


every_run = pytest.mark.parametrize("name", RUNS)


# Golden graphs


def text_of(name, read=seen):
    _, ran, matched = read(name)
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


# To draw it


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

anew = seen.__wrapped__  # in a graph of its own, rather than the one read for other tests


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
        anew("while")
        anew("cond")
    for name in ("while", "cond", "session_step"):
        assert text_of(name, anew) == (GOLDEN / f"tf_{name}.txt").read_text(encoding="utf-8")
    with paused_by_name("while") as (_, graph):
        text = (GOLDEN / "tf_while_written.txt").read_text(encoding="utf-8")
        assert graph.to_text() == text


def test_visitors_in_threads_see_their_own_graphs():
    names = [*RUNS]
    together = Barrier(len(names), timeout=30)

    def visit(name):
        together.wait()
        return text_of(name, anew)

    with ThreadPoolExecutor(len(names)) as pool:
        for name, text in zip(names, pool.map(visit, names), strict=True):
            assert text == (GOLDEN / f"tf_{name}.txt").read_text(encoding="utf-8")
