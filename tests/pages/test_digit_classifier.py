"""The chapters on the digit classifier, run without a browser: controls and numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engines.digit_classifier import layers, mnist, tf_tape, torch_autograd
from engines.digit_classifier.digits import scans, split
from engines.digit_classifier.drawing import READY, pixels
from engines.digit_classifier.inside import strongest
from engines.digit_classifier.recording import Recorder
from engines.digit_classifier.torch_saliency import saliency
from engines.listing import source_of
from engines.regression import numpy_vectorized
from tests.support.digit_chapters import PAGE, grid, numbers, told
from tests.support.visit import (
    live_texts,
    opens_with_its_question,
    player,
    series,
    visit,
    words,
)
from views.digit_classifier import code, image_grid, inside, pen, runs
from views.digit_classifier.runs import Settings
from views.ui.contents import page_of

CHAPTERS = page_of(f"pages/{PAGE}.py").chapters
opened = cache(lambda chapter: visit(PAGE, chapter=chapter))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_has_its_question_and_its_pictures_say_what_they_show(chapter):
    opens_with_its_question(opened(chapter.name), chapter)


def sent(at):
    """How many bytes of pictures and of numbers."""
    parts = [one.proto.json for one in at.get("bidi_component")]
    for chart in at.get("vega_lite_chart"):
        parts += [chart.proto.spec, *(one.data.data for one in chart.proto.datasets)]
    return sum(map(len, parts))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_sends_less_than_400_kilobytes(chapter):
    assert sent(opened(chapter.name)) < 400_000


# ---- It learns


def test_the_wall_and_the_table_are_those_of_the_run():
    at, run = opened("it_learns"), runs.trained(Settings())
    wall = grid(at, "96 of the 360 test images")
    np.testing.assert_array_equal(numbers(wall["read"], 301, 96), run.predicted[:, :96])
    assert wall["labels"] == scans().test_labels[:96].tolist()
    ink = numbers(wall["images"], 96, 8, 8)
    np.testing.assert_allclose(ink / 255, scans().test_images[:96] / 16, atol=0.002)
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
    assert "These 50,826 began at random." in told(at)
    share = f"{100 * run.test_accuracy[-1]:.1f}\N{NO-BREAK SPACE}%"
    assert f"In the end it is {right}, which is {share}." in told(at)
    for stop, share in zip(data["stops"], (0.5, 0.9, 0.95), strict=True):
        assert run.test_accuracy[stop] >= share
        assert (run.test_accuracy[:stop] < share).all()


def test_other_settings_are_another_run():
    at = visit(PAGE, loss="cross_entropy", optimizer="adam", times="1/2", batch="512")
    run = runs.trained(Settings("cross_entropy", "adam", "1/2", 512))
    np.testing.assert_allclose(series(at)["loss"], run.losses.astype(np.float32))
    assert "The rate is 0.0005." in at.caption[0].value


def test_no_run_that_can_be_chosen_overflows():
    x = scans().scaled(scans().test_images)
    for (loss, optimizer), rate in runs.RATES.items():
        settings = Settings(loss, optimizer, "2")
        assert settings.rate == 2 * rate == 8 * settings._replace(times="1/4").rate
        *_, last = torch_autograd.train(
            scans(),
            layers.start(64),
            steps=runs.STEPS,
            learning_rate=settings.rate,
            loss_of=getattr(torch_autograd, loss),
            optimizer=getattr(torch_autograd, optimizer),
        )
        read = layers.answer(x, last.params).outputs.argmax(axis=1)
        assert (read == scans().test_labels).mean() > 0.9


@pytest.mark.parametrize("optimizer", runs.OPTIMIZERS)
@pytest.mark.parametrize("loss", runs.LOSSES)
def test_with_784_inputs_the_rate_is_smaller_and_nothing_overflows(loss, optimizer):
    settings = Settings(loss, optimizer, "2", images="mnist")
    smaller = 1 if optimizer == "adam" else 64 / 784
    assert settings.rate == pytest.approx(2 * runs.RATES[loss, optimizer] * smaller)
    steps = torch_autograd.train(
        as_mnist(600),
        layers.start(784),
        steps=15,
        learning_rate=settings.rate,
        loss_of=getattr(torch_autograd, loss),
        optimizer=getattr(torch_autograd, optimizer),
    )
    losses = [step.loss for step in steps]
    assert losses[-1] < 0.9 * losses[0]


def test_a_second_visitor_gets_the_kept_run():
    before = runs.trained(Settings())
    visit(PAGE)
    assert runs.trained(Settings()) is before


# ---- Draw a digit


@pytest.mark.parametrize("digit", READY)
def test_a_ready_made_digit_has_the_outputs_of_the_kept_weights(digit):
    at, run = visit(PAGE, chapter="draw", digit=str(digit)), runs.trained(Settings())
    image = pixels(READY[digit], scans())
    ink = numbers(grid(at, "What it sees")["images"], 8, 8)
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


# ---- MNIST


def as_mnist(count):
    """Scans as large and as bright as images of MNIST."""
    images = np.kron(scans().images[:count], np.ones((3, 3), np.uint8)).astype(np.uint16)
    images = np.pad(images * 255 // 16, ((0, 0), (2, 2), (2, 2)))
    return split("MNIST", images, scans().labels[:count], tested=count // 6, brightest=255)


def test_mnist_is_read_where_keras_has_it_with_as_many_numbers_as_in_the_article(monkeypatch):
    digits = as_mnist(1200)
    monkeypatch.setattr(mnist, "offer", lambda: mnist.Offer(digits))
    monkeypatch.setattr(runs, "STEPS", 40)
    for chapter in ("it_learns", "draw", "inside", "code", "check"):
        at = visit(PAGE, chapter=chapter, images="mnist", optimizer="adam")
        assert not at.exception
        assert not at.warning
        assert sent(at) < 400_000
        if chapter in ("it_learns", "code", "check"):
            assert "235,146" in live_texts(at)
            assert "50,826" not in live_texts(at)
        if chapter == "it_learns":
            [right] = [series(at)["right"]]
            assert right[-1] > 0.6 * len(digits.test_images) > 2 * right[0]
            assert grid(at, "96 of the 200 test images")["side"] == 28


def test_where_mnist_cannot_be_had_it_is_said_why_and_the_scans_are_used(monkeypatch):
    monkeypatch.setattr(mnist, "offer", lambda: mnist.Offer(None, "It did not come."))
    at = visit(PAGE, images="mnist")
    [warning] = at.warning
    assert warning.value == "MNIST could not be had, so these are the scans. It did not come."
    assert at.session_state["images"] == "scans"
    assert "images" not in at.query_params
    assert "These 50,826 began at random." in told(at)
    assert not at.run().warning


# ---- Inside


def frames(data):
    """What a wall of signed images shows from each of its steps on, as shares of its scale."""
    side = data["side"]
    ink = numbers(data["images"], data["count"], side, side)
    return (ink[np.array(data["picks"])].astype(float) - 127.5) / 127.5


def test_the_wall_of_units_begins_empty_and_shows_what_training_added():
    at, run = opened("inside"), runs.trained(Settings())
    data = grid(at, "36 of 256 units")
    assert (data["at"][0], data["at"][-1], data["chosen"]) == (0, 300, 0)
    seen = frames(data)
    assert np.abs(seen[0]).max() < 0.005
    first, last = (run.weights["w1"][i].astype(np.float32) for i in (0, -1))
    shown = inside._units(run, scans(), 36).which
    expected = (last - first)[:, shown].T.reshape(36, 8, 8)
    scale = np.quantile(np.abs(expected), 0.99)
    np.testing.assert_allclose(seen[-1], np.clip(expected / scale, -1, 1), atol=0.005)
    share = series(at)["share"]
    assert share[0] == 0
    np.testing.assert_allclose(
        share[-1], 100 * np.linalg.norm(last - first) / np.linalg.norm(first), rtol=1e-4
    )
    assert share[-1] == share.max()
    themselves = frames(grid(visit(PAGE, chapter="inside", view="weights"), "36 of 256 units"))
    assert np.abs(themselves[0]).mean() > 0.3  # noise, from the first step on


def test_a_unit_that_is_chosen_shows_the_images_it_answers_to():
    at, run = visit(PAGE, chapter="inside", unit="5"), runs.trained(Settings())
    unit = int(inside._units(run, scans(), 36).which[4])
    assert grid(at, "36 of")["chosen"] == 4
    data = grid(at, "Test images it answers to most")
    x, last = scans().scaled(scans().test_images), run.params(len(run.at) - 1)
    ink = numbers(data["images"], data["count"], 8, 8)[data["picks"][-1]]
    best = strongest(unit, x, last, 6)
    np.testing.assert_allclose(ink / 255, scans().test_images[best] / 16, atol=0.002)
    assert series(at)["passes"][-1] == (layers.answer(x, last).h1[:, unit] > 0).sum()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inside, "clicked", lambda key: 7)
        at.run()
    assert at.number_input(key="unit").value == 8
    assert grid(at, "36 of")["chosen"] == 7
    assert not at.warning


@pytest.mark.parametrize(
    "sent", [None, "chosen", {"chosen": -1}, {"chosen": True}, {"chosen": 0.5}]
)
def test_a_click_that_is_no_place_is_none(sent, monkeypatch):
    monkeypatch.setattr(image_grid.st, "session_state", {"wall": sent})
    assert image_grid.clicked("wall") is None


def test_the_slopes_are_those_of_the_output_and_the_image_that_are_chosen():
    at, run = visit(PAGE, chapter="inside", image="1", output="8"), runs.trained(Settings())
    image = scans().test_images[run.shown[1]]
    ink = numbers(grid(at, "A test image of a 1")["images"], 8, 8)
    np.testing.assert_allclose(ink / 255, image / 16, atol=0.002)
    [x] = scans().scaled(image[None])
    params = run.params(len(run.at) - 1)
    expected = saliency(x, params, 8)
    expected /= np.quantile(np.abs(expected), 0.99)
    data = grid(at, "How output 8 answers to ink")
    assert [data["names"][i] for i in data["picks"][-1]] == ["backward()", "the tape"]
    for seen in frames(data)[-1]:
        np.testing.assert_allclose(seen.ravel(), np.clip(expected, -1, 1), atol=0.005)
    output = layers.answer(x, params).outputs[8]
    np.testing.assert_allclose(series(at)["output"][-1], output, atol=1e-6)


# ---- The code


@pytest.mark.parametrize("loss", runs.LOSSES)
@pytest.mark.parametrize("optimizer", runs.OPTIMIZERS)
def test_the_lines_shown_are_lines_of_what_ran(loss, optimizer):
    shown = code.rows(Settings(loss, optimizer))
    assert len(shown) == 4
    for column, engine in enumerate((numpy_vectorized, torch_autograd, tf_tape)):
        functions = [engine.train]
        if column:
            functions += [getattr(engine, loss), getattr(engine, optimizer)]
        lines = {line.strip() for one in functions for line in source_of(one).splitlines()}
        for row in shown:
            assert row[column]
            assert {line.strip() for line in row[column].splitlines()} <= lines


def test_both_frameworks_have_the_same_losses_and_it_is_said_whose_lines_they_are():
    at = opened("code")
    found = series(at)
    assert len(found["loss"]) == 51
    np.testing.assert_allclose(found["tape"], found["loss"], rtol=1e-5)
    np.testing.assert_allclose(found["loss"], runs.trained(Settings()).losses[:51], rtol=1e-6)
    assert "These are the four lines of Manual gradients</b>, for two numbers and for 50,826" in (
        live_texts(at)
    )
    assert [f'data-moments="{phase}"' in live_texts(at) for phase in range(5)] == [True] * 5
    assert player(at)["parts"] == [1, 1, 1, 1]


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
