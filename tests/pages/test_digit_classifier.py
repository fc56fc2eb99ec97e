"""The chapters on the digit classifier, run without a browser: controls and numbers."""

from __future__ import annotations

import base64
import re
from functools import cache

import numpy as np
import pytest

from engines.digit_classifier import layers, torch_autograd
from engines.digit_classifier.digits import scans
from engines.digit_classifier.drawing import READY, pixels
from engines.digit_classifier.recording import Recorder
from tests.support.visit import charts, components, live_texts, player, series, visit, words
from views.digit_classifier import pen, runs
from views.digit_classifier.runs import Settings
from views.ui.contents import page_of

PAGE = "digit_classifier"
CHAPTERS = page_of(f"pages/{PAGE}.py").chapters
opened = cache(lambda chapter: visit(PAGE, chapter=chapter))


def told(at):
    [text] = re.findall(r'<p class="on">(.*?)</p>', live_texts(at), re.DOTALL)
    return re.sub(r"<[^>]+>", "", text)


def grid(at, title):
    [data] = [one for one in components(at) if str(one.get("title")).startswith(title)]
    return data


def numbers(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_has_its_question_and_its_pictures_say_what_they_show(chapter):
    at = opened(chapter.name)
    assert not at.exception
    assert not at.warning
    assert f"## {chapter.question}" in words(at)
    for chart in charts(at):
        assert chart["description"]
    assert sum("story" in text for text in live_texts(at).split("\n")) == 1


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_sends_less_than_400_kilobytes(chapter):
    at = opened(chapter.name)
    sent = [one.proto.json for one in at.get("bidi_component")]
    for chart in at.get("vega_lite_chart"):
        sent += [chart.proto.spec, *(one.data.data for one in chart.proto.datasets)]
    assert sum(map(len, sent)) < 400_000


# ---- It learns


def test_the_wall_and_the_table_are_those_of_the_run():
    at, run = opened("it_learns"), runs.trained(Settings())
    wall = grid(at, "100 of the 360 test images")
    np.testing.assert_array_equal(numbers(wall["read"], 301, 100), run.predicted[:, :100])
    assert wall["labels"] == scans().test_labels[:100].tolist()
    ink = numbers(wall["images"], 100, 8, 8)
    np.testing.assert_allclose(ink / 255, scans().test_images[:100] / 16, atol=0.002)
    found = series(at)
    for step in (0, 20, 300):
        table = np.array([found[f"read{i}"][step] for i in range(100)]).reshape(10, 10)
        assert np.trace(table) == found["right"][step] == round(360 * run.test_accuracy[step])
        assert table.sum(axis=1).tolist() == np.bincount(scans().test_labels).tolist()
        assert table.sum(axis=0).tolist() == np.bincount(run.predicted[step], minlength=10).tolist()


def test_it_opens_where_much_is_still_misread_and_says_how_it_ends():
    at, run = opened("it_learns"), runs.trained(Settings())
    data = player(at)
    assert (data["begin"], data["lastStep"]) == ([20, None], 300)
    assert 0.5 < run.test_accuracy[20] < 0.9
    right = round(360 * run.test_accuracy[-1])
    assert "50,826 numbers began at random" in told(at)
    assert f"In the end it is {right}, which is {100 * run.test_accuracy[-1]:.1f} %." in told(at)
    for stop, share in zip(data["stops"], (0.5, 0.9, 0.95), strict=True):
        assert run.test_accuracy[stop] >= share
        assert (run.test_accuracy[:stop] < share).all()


def test_other_settings_are_another_run():
    at = visit(PAGE, loss="cross_entropy", optimizer="adam", times="1/2", batch="512")
    run = runs.trained(Settings("cross_entropy", "adam", "1/2", 512))
    np.testing.assert_allclose(series(at)["loss"], run.losses.astype(np.float32))
    assert "The rate is 0.0005." in at.caption[0].value


def test_no_run_that_can_be_chosen_overflows():
    for loss, optimizer in runs.RATES:
        run = runs.trained(Settings(loss, optimizer, "2"))
        assert np.isfinite(run.losses).all()
        assert run.test_accuracy[-1] > 0.9


def test_a_second_visitor_gets_the_kept_run():
    before = runs.trained(Settings())
    visit(PAGE)
    assert runs.trained(Settings()) is before


# ---- Draw a digit


@pytest.mark.parametrize("digit", READY)
def test_a_ready_made_digit_has_the_outputs_of_the_kept_weights(digit):
    at, run = visit(PAGE, chapter="draw", digit=str(digit)), runs.trained(Settings())
    image = pixels(READY[digit], scans())
    ink = numbers(grid(at, "As the network sees it")["images"], 8, 8)
    np.testing.assert_allclose(ink / 255, image / 16, atol=0.002)
    found = series(at)
    assert len(found["out0"]) == len(run.at)
    [x] = scans().scaled(image[None])
    for i in (0, 17, len(run.at) - 1):
        outputs = layers.answer(x, run.params(i)).outputs
        ours = [found[f"out{k}"][i] for k in range(10)]
        np.testing.assert_allclose(ours, outputs, atol=1e-6)
        assert found["read"][i] == np.argmax(outputs)
    assert f"It is {int(found['read'][-1])} from" in told(at)


def test_it_forgets_when_it_is_stepped_back():
    at, run = opened("draw"), runs.trained(Settings())
    read = series(at)["read"]
    assert (read[-1], player(at)["begin"]) == (3, [300, None])
    assert (read[:4] != 3).any()
    steps = run.at[1:][np.diff(read) != 0]
    assert player(at)["stops"] == steps.tolist()
    assert f"It is 3 from step {steps[-1]} on" in told(at)


def test_the_nearest_images_are_sent_once_each_with_their_digits():
    data = grid(opened("draw"), "Learnt images nearest to it")
    assert data["at"][0] == 0
    assert data["at"][-1] == 300
    assert {len(pick) for pick in data["picks"]} == {5}
    assert data["count"] == len({i for pick in data["picks"] for i in pick})
    near = [data["names"][i] for i in data["picks"][-1]]
    assert near.count("3") >= 4


def test_an_address_with_nonsense_is_told_and_still_works():
    at = visit(PAGE, chapter="draw", digit="12", loss="none", batch="-1", step="9999")
    assert not at.exception
    for name in ("digit", "loss", "batch", "step"):
        assert f"The address asks for {name}" in words(at)
    assert player(at)["lastStep"] == 300


# ---- The pen


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        {"strokes": "none"},
        {"strokes": [[]]},
        {"strokes": [[[0.1]]]},
        {"strokes": [[[0.1, 2]]]},
        {"strokes": [[[0.1, float("nan")]]]},
        {"strokes": [[[0.1, True]]]},
        {"strokes": [[[0.1, "0.2"]]]},
        {"strokes": [[[0.5, 0.5]] * 2000]},
    ],
)
def test_what_is_no_drawing_is_nothing(sent, monkeypatch):
    monkeypatch.setattr(pen.st, "session_state", {pen.KEY: {"drawn": sent}})
    assert pen.drawn() is None


def test_strokes_come_back_as_they_were_drawn(monkeypatch):
    sent = {"strokes": [[[0, 0.25], [1, 0.5]], [[0.5, 0.5]]]}
    monkeypatch.setattr(pen.st, "session_state", {pen.KEY: {"drawn": sent}})
    assert pen.drawn() == [[(0.0, 0.25), (1.0, 0.5)], [(0.5, 0.5)]]
    monkeypatch.setattr(pen.st, "session_state", {pen.KEY: {"drawn": {"strokes": []}}})
    assert pen.drawn() == []


# ---- Stopped


def test_a_run_that_is_stopped_can_be_played_so_far_and_be_trained_to_its_end():
    settings = Settings("mean_squared_error", "adam", "1/4", 32)
    recorder = Recorder(scans(), at=[0, 1, 2, 5])
    steps = torch_autograd.train(scans(), layers.start(64), steps=7, learning_rate=0.1)
    recorder.watch(steps)
    at = visit(PAGE, optimizer="adam", times="1/4", batch="512")
    at.session_state[runs.RUNNING] = settings, recorder
    at.session_state[runs.STOPPED] = settings, recorder.run()
    at.session_state["batch"] = "32"
    at.run()
    assert not at.exception
    assert player(at)["lastStep"] == 7
    assert "Here the training was stopped." in told(at)
    [button] = [one for one in at.button if one.label == "Train to the end"]
    button.click().run()
    assert player(at)["lastStep"] == 300
    assert runs.STOPPED not in at.session_state
