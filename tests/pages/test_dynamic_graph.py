"""The dynamic graph page, run without a browser."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest

from engines.dynamic_graph.run import inspect
from engines.problem import preset
from engines.regression import torch_autograd
from engines.trace import record
from tests.support.visit import charts, live_texts, player, plays, series, visit, words

PAGE = "dynamic_graph"
ARTICLE = preset("autograd_article")
TRACE = record(torch_autograd.train(ARTICLE, steps=800, learning_rate=0.001))


@pytest.fixture(scope="module")
def first_visit():
    return visit(PAGE)


def names(at):
    titles = [chart["title"] for chart in charts(at)]
    texts = [title if isinstance(title, str) else title["text"] for title in titles]
    return [text if isinstance(text, str) else "graph" for text in texts]


def graph(at):
    return next(chart for chart in charts(at) if "chosen" in json.dumps(chart["params"]))


def value(spec, name):
    return next(param["value"] for param in spec["params"] if param["name"] == name)


def details(at):
    [html] = [text for text in live_texts(at).split("\n") if "details" in text]
    return re.sub(r"<[^>]+>", " ", html)


def test_the_page_plays_the_article_s_run_and_the_graph_of_its_steps(first_visit):
    plays(first_visit, "w", TRACE.params["w"])
    plays(first_visit, "loss", TRACE.losses)
    shown = series(first_visit)
    at = shown["graph_step"].astype(int)
    np.testing.assert_array_equal(shown["grad_0"], TRACE.grads["w"][at].astype(np.float32))
    assert (at[:3].tolist(), at[-1]) == ([0, 1, 2], 800)


def test_slow_motion_has_the_moments_of_the_graph_and_is_on_from_the_start(first_visit):
    data = player(first_visit)
    assert data["parts"] == [2, 4, 8, 4]
    assert data["slow"]
    html = live_texts(first_visit)
    for moment in range(sum(data["parts"]) + 1):
        assert f'<p data-moments="{moment}">' in html


def test_the_published_end_is_told_from_the_run(first_visit):
    text = " ".join(words(first_visit).split())
    assert "w = **2.9578** and b = **2.0990**" in text


def test_every_gradient_stands_beside_its_central_difference(first_visit):
    shown = series(first_visit)
    for i in range(8):
        np.testing.assert_allclose(
            shown[f"arrived_at_{i}"], shown[f"checked_{i}"], rtol=1e-4, atol=1e-5
        )
        assert f'data-now="checked_{i}"' in live_texts(first_visit)
    worst = shown["checked_worst"]
    assert worst[:8].max() < 1e-5
    assert worst.max() < 1e-3  # of a gradient that has all but vanished, rounding is a larger part


def test_numpy_s_gradient_by_hand_and_autograd_s_differ_by_rounding(first_visit):
    apart = series(first_visit)["torch_autograd_apart"]
    assert 0 < apart.max() < 1e-5
    assert len(apart) == 801


def test_a_node_that_is_chosen_is_marked_and_told():
    at = visit(PAGE)
    nodes = inspect(ARTICLE, steps=1, learning_rate=0.001).steps[0].graph.nodes
    assert value(graph(at), "chosen") == 5
    told = {0: "adds it to w.grad", 1: "∂out/∂p = q", 5: "∂out/∂p = 2p", 7: "other"}
    for node, words_of_it in told.items():
        at.selectbox(key="node").set_value(str(node)).run()
        assert value(graph(at), "chosen") == node
        assert nodes[node].kind in details(at)
        assert words_of_it in details(at)
    linked = visit(PAGE, node="7")
    assert linked.selectbox(key="node").value == "7"
    assert details(linked) == details(at)


def test_the_whole_run_is_counted_when_asked():
    at = visit(PAGE, steps="100", count="true")
    assert "The whole run made **608** objects" in words(at)
    assert "more than **14** at a time" in words(at)


def test_a_second_backward_is_predicted_and_then_told_from_a_run():
    at = visit(PAGE)
    assert "An accumulator adds" not in words(at)
    for guess, opening in (("both", "Yes:"), ("same", "Not quite:"), ("show", "The answer:")):
        [asked] = [one for one in at.segmented_control if "Suppose it did not" in one.label]
        asked.set_value(guess).run()
        assert f"{opening} **twice the gradient**" in words(at)
        assert "−125.154, after the second −250.307" in words(at)


def test_a_mistake_that_trains_is_played_beside_the_right_run():
    at = visit(PAGE, mistake="not_zeroed")
    wrong = series(at)["wrong_loss"]
    assert wrong[0] == pytest.approx(TRACE.losses[0], rel=1e-5)
    assert wrong[-1] > 10 * TRACE.losses[-1]
    [asked] = [one for one in at.segmented_control if "how does this run end" in one.label]
    asked.set_value("wrong").run()
    assert "Yes: **it runs, with wrong numbers**" in words(at)
    assert names(at).count("The loss") == 2


def test_a_mistake_that_raises_shows_the_framework_s_own_words():
    at = visit(PAGE, mistake="backward_twice")
    [asked] = [one for one in at.segmented_control if "how does this run end" in one.label]
    asked.set_value("first_step").run()
    shown = "\n".join(code.value for code in at.code)
    assert "Trying to backward through the graph a second time" in shown
    assert "site-packages" not in shown


@pytest.mark.parametrize("rate", ["10", "0.02"])
def test_a_rate_beyond_the_limit_is_told_and_does_not_break_the_graph(rate):
    at = visit(PAGE, lr=rate, steps="2000")
    assert not at.exception
    told = "\n".join(element.value for kind in (at.error, at.warning) for element in kind)
    assert "grew past the largest number that 32 bits can hold" in " ".join(told.split())
    ended = record(torch_autograd.train(ARTICLE, steps=2000, learning_rate=float(rate)))
    assert player(at)["lastStep"] == len(ended) - 1 < 200


NONSENSE = {
    **{"node": "<script>", "mistake": "rm -rf", "preset": "../../etc"},
    **{"batch": "7", "stream_rate": "1e9"},
    **{"moment": "18", "steps": "-5", "w": "nan", "lr": "inf"},
    **{"tape_w": "1e9", "tape_a": "nan", "tape_question": "nicely"},
}


def test_nonsense_in_the_address_is_refused_aloud():
    at = visit(PAGE, tensorflow="true", **NONSENSE)
    assert not at.exception
    assert [name for name in NONSENSE if f"for {name} = " not in at.warning[0].value] == []


@pytest.mark.parametrize(
    "query",
    [
        {"preset": "own", "points": "3", "noise": "0", "word": "**x**" * 100},
        {"preset": "own", "power": "1", "slope": "0", "offset": "0", "noise": "0", "steps": "1"},
        {"preset": "own", "points": "500", "loss": "mean_half_squared"},
        {"mistake": "integer", "lr": "10", "batch": "64", "stream_rate": "same"},
        {"mistake": "history", "steps": "2000", "lr": "10"},
        {"lecture": "true", "mistake": "detached"},
    ],
    ids=str,
)
def test_extremes_are_shown_like_anything_else(query):
    at = visit(PAGE, **query)
    assert not at.exception
    assert player(at)["parts"] == [2, 4, 8, 4]
    assert names(at)[0] == "graph"


def test_two_data_sets_in_one_process_each_have_their_own_shapes():
    for query, shape in (({}, 100), ({"preset": "own", "points": "3"}, 3)):
        at = visit(PAGE, **query)
        [chart] = [one for one in at.get("vega_lite_chart") if "chosen" in one.proto.spec]
        tables = {
            data.name: pa.ipc.open_stream(data.data.data).read_all()
            for data in chart.proto.datasets
        }
        shapes = set(tables["boxes"]["shape"].to_pylist())
        assert shapes == {"()", f"({shape},)"}
        assert tables["cells"].num_rows == 4 * min(16, shape)


def test_tensorflow_is_asked_only_where_somebody_wants_it(first_visit):
    assert "dy/d(value)" not in live_texts(first_visit)
    at = visit(PAGE, tensorflow="true", tape_a="3", tape_question="asked_again")
    assert not at.exception
    assert r"\mathbf{26}" in "\n".join(element.value for element in at.latex)
    assert "dy/d(value)" in live_texts(at)
    [asked] = [one for one in at.segmented_control if "TensorFlow" in one.label]
    asked.set_value("error").run()
    shown = "\n".join(code.value for code in at.code)
    assert "A non-persistent GradientTape" in shown
    assert "Trying to backward through the graph a second time" in shown


def test_a_word_and_a_batch_size_in_the_address_are_taken():
    at = visit(PAGE, word="hello", batch="64")
    [asked] = [one for one in at.segmented_control if "five letters" in one.label]
    asked.set_value("30").run()
    assert "“hello”" in " ".join(names(at))
    assert "Batches of 64" in words(at)
