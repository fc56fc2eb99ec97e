"""The chapters of the dynamic graph, run without a browser: their controls and their numbers."""

from __future__ import annotations

import json
import re
from functools import cache

import numpy as np
import pytest

from engines.dynamic_graph.run import inspect
from engines.experiments import EXPERIMENTS
from engines.problem import preset
from engines.regression import torch_autograd
from engines.trace import record
from tests.support.visit import (
    charts,
    components,
    edits,
    live_texts,
    player,
    plays,
    series,
    table,
    titles,
    visit,
    words,
)
from views.ui.contents import page_of

PAGE = "dynamic_graph"
ARTICLE = preset("autograd_article")
TRACE = record(torch_autograd.train(ARTICLE, steps=800, learning_rate=0.001))
CHAPTERS = page_of(f"pages/{PAGE}.py").chapters
opened = cache(lambda chapter: visit(PAGE, chapter=chapter))


def graph(at):
    return next(chart for chart in charts(at) if "chosen" in json.dumps(chart["params"]))


def value(spec, name):
    return next(param["value"] for param in spec["params"] if param["name"] == name)


def details(at):
    [html] = [text for text in live_texts(at).split("\n") if "details" in text]
    return re.sub(r"<[^>]+>", " ", html)


def answer(at, question, guess):
    [asked] = [one for one in at.segmented_control if question in one.label]
    return asked.set_value(guess).run()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_has_its_question_and_its_pictures_say_what_they_show(chapter):
    at = opened(chapter.name)
    assert not at.exception
    assert not at.warning
    assert f"## {chapter.question}" in words(at)
    assert all(len(chart["description"]) > 30 for chart in charts(at))
    assert charts(at)


def test_the_page_plays_the_article_s_run_and_the_graph_of_its_steps():
    at = opened("backward")
    plays(at, "w", TRACE.params["w"])
    plays(at, "loss", TRACE.losses)
    shown = series(at)
    steps = shown["graph_step"].astype(int)
    np.testing.assert_array_equal(shown["grad_0"], TRACE.grads["w"][steps].astype(np.float32))
    assert (steps[:3].tolist(), steps[-1]) == ([0, 1, 2], 800)


def test_forward_opens_half_way_and_ends_with_the_loss_and_backward_begins_where_it_is_called():
    forward, backward = player(opened("forward")), player(opened("backward"))
    assert (forward["parts"], forward["begin"]) == ([2, 4, 0, 0], [0, 2])
    assert (backward["parts"], backward["begin"]) == ([2, 4, 8, 4], [0, 6])
    html = live_texts(opened("backward"))
    assert "calls the object that the loss carries" in html.split('<p data-moments="6">')[1]
    texts = [one.get("html", "") for one in components(opened("forward"))]
    listed = [re.sub("<[^>]+>", "", text) for text in texts if "listing" in text]
    assert "y_pred = w * x**power + b" in listed[0]
    assert "backward" not in listed[0]


def test_the_graph_is_whole_with_the_loss_last_and_what_is_kept_beside_each_value():
    at = opened("forward")
    boxes = table(at, 0, "boxes")
    assert len(boxes) == 8
    assert boxes.groupby(["x", "y"]).size().max() == 1  # none lies on another
    assert (boxes["x"].max(), boxes["y"].max()) == (1, 3)
    loss = boxes[boxes["made"] == boxes["made"].max()]
    assert loss["kind"].tolist() == ["MulBackward0"]
    assert loss["y"].tolist() == [3]
    assert set(boxes[boxes["kept_label"] == "keeps"]["kind"]) == {"MulBackward0", "PowBackward0"}
    assert set(boxes[boxes["leaf"]]["shape"]) == {"leaf"}
    edges = table(at, 0, "edges")
    assert len(edges) == 7
    assert set(edges["angle"]) == {0, -90, 90}


def test_each_box_says_what_its_own_object_does_and_when_a_gradient_waits_for_it():
    boxes = table(opened("backward"), 0, "boxes").set_index("i")
    assert boxes["text"].tolist() == [
        *["w", "w * x**power", "b", "y_pred = … + b", "y_pred - y", "(…) ** 2", "torch.sum(…)"],
        "loss = factor * …",
    ]
    handed, ran = boxes["handed"], boxes["ran"]
    assert handed[7] == ran[7] == 6
    assert (handed[[0, 1, 2]] == ran[[1, 3, 3]].to_numpy()).all()  # where its user has run
    assert (handed[[0, 1, 2, 3, 4, 5, 6]] < ran[[0, 1, 2, 3, 4, 5, 6]]).all()


def test_what_makes_an_object_is_told_once_for_each_and_leaves_where_they_appear():
    html = live_texts(opened("forward"))
    told = re.findall(r'<p data-moments="(\d+)">(.*?)</p>', html, re.DOTALL)[:6]
    assert len({text.split("</b>.")[1] for _, text in told}) == 6  # no sentence twice
    for moment in (0, 1, 2):
        assert "no operation" in " ".join(told[moment][1].split())
    assert "the whole graph, up to the leaves" in told[5][1]


def test_details_follow_the_moment_until_a_node_is_chosen():
    at = visit(PAGE, chapter="backward")
    nodes = inspect(ARTICLE, steps=1, learning_rate=0.001).steps[0].graph.nodes
    assert value(graph(at), "chosen") == -1
    [html] = [text for text in live_texts(at).split("\n") if "details" in text]
    blocks = re.findall(r'<div data-moments="([\d ]+)">.*?<b>(\w+)</b>', html)
    by_moment = {int(m): kind for at_, kind in blocks for m in at_.split()}
    assert sorted(by_moment) == list(range(19))
    ran = ["Mul", "Sum", "Pow", "Sub", "Add", "", "Mul", ""]
    for moment, kind in enumerate(ran, start=6):
        assert by_moment[moment] == (f"{kind}Backward0" if kind else "AccumulateGrad")
    told = {
        0: "adds what arrives to w.grad",
        1: "∂out/∂p = q",
        5: "∂out/∂p = 2p",
        7: "handed on to Sum",
    }
    for node, words_of_it in told.items():
        at.selectbox(key="node").set_value(str(node)).run()
        assert value(graph(at), "chosen") == node
        assert nodes[node].kind in details(at)
        assert words_of_it in details(at)
    told_of_w = details(at.selectbox(key="node").set_value("0").run())
    assert told_of_w.count("adds what arrives to w.grad") == 1
    [html] = [text for text in live_texts(at).split("\n") if "details" in text]
    updated, emptied = (html.split(f'data-moments="{m}')[1].split("</table>")[0] for m in (14, 16))
    assert "nothing more in this step" in updated
    assert 'data-now="moved_0"' in updated
    assert 'data-now="emptied_0"' in emptied
    at.selectbox(key="node").set_value("7").run()
    linked = visit(PAGE, chapter="backward", node="7")
    assert linked.selectbox(key="node").value == "7"
    assert details(linked) == details(at)


def test_the_objects_of_a_step_are_counted_and_those_of_the_run_when_asked():
    at = visit(PAGE, chapter="freed", count="true")
    counts = table(at, 1, "counts")
    assert counts.groupby("step")["alive"].max().tolist() == [8, 14]  # both steps that are told
    assert "The whole run made **4808** objects" in words(at)
    assert "more than **14** at a time" in words(at)
    assert (player(at)["parts"], player(at)["begin"]) == ([2, 6, 2, 0], [0, 4])


def test_the_story_of_letting_go_has_the_counts_of_its_pictures():
    at = opened("freed")
    lives, boxes = table(at, 1, "lives"), table(at, 0, "boxes")
    assert lives["alive"].tolist() == [8, 8, 9, 10, 11, 12, 13, 14, 8, 8]
    told = re.findall(r'<p data-moments="(\d+)">(.*?)</p>', live_texts(at), re.DOTALL)
    assert len(told) == 11
    for m, alive in enumerate(lives["alive"]):
        drawn = boxes[(boxes["made"] <= m) & (m < boxes["gone"])]
        assert (drawn["side"] != "name").sum() == alive
        assert (drawn["side"] == "name").sum() == 1  # one name, which moves
        if m != 9:
            assert re.search(rf"\b{alive}\b", told[m][1])
    assert "#1 and #3" in told[9][1]


def test_what_is_not_zeroed_adds_up_number_by_number():
    at = visit(PAGE, chapter="adds_up")
    shown = series(at)
    assert shown["wrong_grad_w"][0] == pytest.approx(-125.154, abs=1e-3)
    assert shown["own_w"][1] == pytest.approx(TRACE.grads["w"][1], rel=1e-5)
    assert shown["wrong_grad_w"][1] == pytest.approx(-237.578, abs=1e-3)
    held = shown["wrong_grad_w"]
    assert all(held[k - 1] * held[k] < 0 for k in player(at)["stops"])
    assert set(table(at, 0, "paths")["run"]) == {"zeroed", "not zeroed"}
    for guess, opening in (("both", "Yes:"), ("same", "Not quite:"), ("show", "The answer:")):
        answer(at, "Suppose it did not", guess)
        assert f"{opening} **twice the gradient**" in words(at)
        assert "−125.154, after the second −250.307" in words(at)


def test_every_gradient_stands_beside_its_central_difference():
    at = opened("check")
    shown = series(at)
    for i in range(8):
        np.testing.assert_allclose(
            shown[f"arrived_at_{i}"], shown[f"checked_{i}"], rtol=1e-4, atol=1e-5
        )
        assert f'data-now="checked_{i}"' in live_texts(at)
    worst = shown["checked_worst"]
    assert worst[:8].max() < 1e-5
    assert worst.max() < 1e-3  # of a gradient that has all but vanished, rounding is a larger part


def test_the_articles_are_named_where_they_are_first_spoken_of():
    for chapter, name in (("training", "E3"), ("stream", "E4"), ("tape", "E5")):
        at = opened(chapter)
        assert f"[“{EXPERIMENTS[name].article.english}”](#sources)" in words(at)
        assert any('id="sources"' in element.proto.body for element in at.get("html"))
    assert "article" not in words(opened("mistakes")) + live_texts(opened("mistakes"))


def test_the_training_agrees_with_the_gradient_by_hand_and_ends_at_the_printed_digits():
    at = opened("training")
    apart = series(at)["torch_autograd_apart"]
    assert 0 < apart.max() < 1e-5
    assert len(apart) == 801
    shown = live_texts(at)
    names = "torch_autograd_grad_w", "numpy_vectorized_grad_w", "torch_autograd_apart"
    assert all(
        f'data-now="{name}"' in shown for name in names
    )  # the chart's number is the sentence's
    halved = int(np.argmax(TRACE.losses < TRACE.losses[0] / 2))
    turned = int(np.argmax(TRACE.grads["b"] > 0))
    assert {halved, turned} <= set(player(at)["stops"])
    assert "w = **2.9578** and b = **2.0990**" in " ".join(words(at).split())


@pytest.mark.parametrize("rate", ["10", "0.02"])
def test_a_rate_beyond_the_limit_is_told(rate):
    at = visit(PAGE, chapter="training", lr=rate, steps="2000")
    assert not at.exception
    told = "\n".join(element.value for kind in (at.error, at.warning) for element in kind)
    assert "grew past the largest number that 32 bits can hold" in " ".join(told.split())
    ended = record(torch_autograd.train(ARTICLE, steps=2000, learning_rate=float(rate)))
    assert player(at)["lastStep"] == len(ended) - 1 < 200


def test_words_build_graphs_of_their_own_after_a_prediction():
    at = visit(PAGE, chapter="control_flow", word="hello")
    assert titles(at) == ["10 · a", "15 · at"]
    answer(at, "five letters", "30")
    assert titles(at) == ["30 · slope", "30 · graph", "30 · hello"]
    assert "relative error" in live_texts(at)


def test_the_stream_plays_its_own_batches_and_says_how_near_it_came():
    at = visit(PAGE, chapter="stream", batch="64")
    data = player(at)
    assert (data["lastStep"], data["every"]) == (400, 20)
    assert data["words"]["step"] == "batch {step} of {last}"
    shown = series(at)
    np.testing.assert_array_equal(shown["stream_batch"], 20.0 * np.arange(401))
    np.testing.assert_array_equal(shown["loss"], shown["stream_loss"])
    assert "Batches of 64" in words(at)
    exploded = visit(PAGE, chapter="stream", batch="64", stream_rate="same")
    assert "explodes: at batch" in exploded.warning[0].value
    assert player(exploded)["lastStep"] * player(exploded)["every"] < 8000


def test_the_tape_is_asked_with_numbers_that_show_its_local_derivatives():
    at = visit(PAGE, chapter="tape", tape_question="asked_again")
    assert not at.exception
    assert "2aw + b" not in live_texts(at)
    answer(at, "How it ends", "error")
    assert "Yes: <b>an error</b>" in live_texts(at)
    shown = "\n".join(code.value for code in at.code)
    assert "A non-persistent GradientTape" in shown
    assert "Trying to backward through the graph a second time" in shown
    at = visit(PAGE, chapter="tape")
    assert "2aw + b = <b>26</b>" in live_texts(at)
    assert live_texts(at).count("<td>3</td>") == 1  # the slope at w**2, the same in both
    article = visit(PAGE, chapter="tape", tape_a="1")
    assert "2aw + b = <b>10</b>" in live_texts(article)  # E5's printed derivative


def test_a_mistake_that_trains_is_drawn_beside_the_right_run_once_predicted():
    at = visit(PAGE, chapter="mistakes", mistake="not_zeroed")
    assert edits(at)[0] != edits(at)[1]
    assert set(table(at, 0, "paths")["run"]) == {"the right run"}
    assert "how does this run end" in live_texts(at)
    answer(at, "How it ends", "wrong")
    assert "Yes: <b>wrong numbers</b>" in live_texts(at)
    assert set(table(at, 0, "paths")["run"]) == {"the right run", "with the mistake"}
    assert player(at)["whose"] == "the right run"


def test_a_mistake_that_raises_shows_the_framework_s_own_words():
    at = visit(PAGE, chapter="mistakes", mistake="backward_twice")
    answer(at, "How it ends", "first_step")
    shown = "\n".join(code.value for code in at.code)
    assert "Trying to backward through the graph a second time" in shown
    assert "site-packages" not in shown


NONSENSE = {
    "backward": {"node": "<script>", "moment": "18", "step": "-5"},
    "training": {"preset": "../../etc", "steps": "-5", "w": "nan", "lr": "inf"},
    "stream": {"batch": "7", "stream_rate": "1e9"},
    "tape": {"tape_w": "1e9", "tape_a": "nan", "tape_question": "nicely"},
    "mistakes": {"mistake": "rm -rf"},
}


@pytest.mark.parametrize("chapter", NONSENSE)
def test_nonsense_in_the_address_is_refused_aloud(chapter):
    at = visit(PAGE, chapter=chapter, **NONSENSE[chapter])
    assert not at.exception
    told = "\n".join(warning.value for warning in at.warning)
    assert [name for name in NONSENSE[chapter] if f"for {name} = " not in told] == []


@pytest.mark.parametrize(
    "query",
    [
        {"preset": "own", "power": "1", "slope": "0", "offset": "0", "noise": "0", "steps": "1"},
        {"preset": "own", "points": "500", "loss": "mean_half_squared"},
        {"preset": "own", "points": "3", "noise": "0", "lecture": "true"},
    ],
    ids=str,
)
def test_extremes_are_trained_like_anything_else(query):
    at = visit(PAGE, chapter="training", **query)
    assert not at.exception
    assert titles(at)[0] == "The fit"
    assert len(series(at)["w"]) == player(at)["lastStep"] + 1
