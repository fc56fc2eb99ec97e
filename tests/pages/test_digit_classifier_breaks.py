"""Where the digit classifier breaks, and how its gradients are checked, without a browser."""

from __future__ import annotations

import numpy as np
import pytest

from engines.digit_classifier import torch_autograd
from engines.digit_classifier.digits import scans
from engines.digit_classifier.gradient_check import check
from tests.support.digit_chapters import PAGE, grid, numbers, told
from tests.support.visit import edits, live_texts, player, series, table, titles, visit, words
from views.digit_classifier import mistakes, runs
from views.digit_classifier.runs import Settings
from views.ui.texts import as_html

# ---- Where it breaks


def made(name):
    """The chapter with this mistake, after somebody has asked to see."""
    at = visit(PAGE, chapter="mistakes", mistake=name)
    [asked] = [one for one in at.button_group if str(one.key).startswith("guess of")]
    return asked.set_value("show").run()


@pytest.mark.parametrize("name", mistakes.TOLD)
def test_nothing_is_told_of_a_mistake_before_somebody_has_said_how_it_ends(name):
    at = visit(PAGE, chapter="mistakes", mistake=name)
    assert "Read the lines, say how it ends, and look." in told(at)
    short, rest = map(str.strip, mistakes.TOLD[name].story.split("\n\n"))
    assert as_html(short) not in live_texts(at)
    assert "*" not in short  # a stage is told in HTML
    assert {*table(at, 0, "rows")["line"]} == {"right, test"}
    outcome = mistakes.run(name)
    assert edits(at) == [outcome.listing.right, outcome.listing.wrong]
    at = made(name)
    assert not at.exception
    assert as_html(short) in live_texts(at)
    assert rest in [one.value.strip() for one in at.markdown]
    assert f"**{mistakes.ENDS[outcome.end]}**" in words(at)


def test_right_and_wrong_are_in_one_picture():
    at, run = made("shuffled"), mistakes.run("shuffled").run
    assert titles(at) == ["Images read correctly, in percent", "The loss"]
    ends = table(at, 0, "rows").groupby("line")["value"].last()
    assert ends["right, test"] > 98
    assert ends["mistake, training"] == 100 * run.train_accuracy[-1] > 60
    assert ends["mistake, test"] == 100 * run.test_accuracy[-1] < 20
    share = f"{100 * run.train_accuracy[-1]:.1f}\N{NO-BREAK SPACE}%"
    assert f"{share} of the images it learns from" in told(at)
    assert {*table(at, 1, "rows")["line"]} == {"right", "mistake"}


def test_an_error_is_told_in_the_words_of_both_frameworks_and_explained():
    at = made("reshape")
    assert [one.value for one in at.code][:4] == [
        "x = images.reshape(-1, 28 * 28)",
        "RuntimeError: shape '[-1, 784]' is invalid for input of size 8192",
        "x = tf.reshape(images, (-1, 28 * 28))",
        "InvalidArgumentError: Input to reshape is a tensor with 8192 values, but the requested "
        "shape requires a multiple of 784",
    ]
    assert "| `for input of size 8192` |" in words(at)
    assert "| `a tensor with 8192 values` |" in words(at)
    assert words(at).count("**To mend it.**") == 2


def test_weights_that_began_alike_are_shown_alike_beside_the_right_ones():
    at = made("zeros")
    right, wrong = (
        numbers(grid(at, f"40 units: {which}")["images"], 40, 64) for which in ("right", "mistake")
    )
    assert len(np.unique(wrong, axis=0)) == 1
    assert len(np.unique(right, axis=0)) == 40
    assert "All 256 units of the first layer still have equal weights." in told(at)
    assert "All 384 hidden units pass nothing on, for any test image." in told(made("dead"))


@pytest.mark.parametrize("name", ["not_scaled", "rate"])
def test_where_the_loss_overflows_it_is_said_at_which_step(name):
    last = len(mistakes.run(name).run.losses) - 1
    at = made(name)
    assert f"The loss overflows at step {last}." in told(at)
    assert "After 300 steps the right listing reads 95.8\N{NO-BREAK SPACE}%" in told(at)
    # Of the right run no more is shown than can be compared.
    assert player(at)["lastStep"] == table(at, 1, "rows")["x"].max() == last + mistakes.MORE


# ---- Check it


def test_gradients_of_the_kept_weights_are_checked():
    at, run = visit(PAGE, chapter="check", handful="3"), runs.trained(Settings())
    found = series(at)
    ours = check(torch_autograd.train, scans(), run.params(len(run.at) - 1), each=4, seed=3)
    assert [found[f"g{j}"][-1] for j in range(24)] == ours.by_backward.tolist()
    assert [found[f"d{j}"][-1] for j in range(24)] == ours.by_differences.tolist()
    assert found["largest"][-1] == ours.error[~ours.kinks].max()
    assert (found["outside"] == 0).all()
    assert f"w1[{ours.places[0][0]}, {ours.places[0][1]}]" in live_texts(at)


@pytest.mark.parametrize("loss", runs.LOSSES)
def test_no_right_gradient_is_called_wrong(loss):
    for seed in range(1, 5):
        at = visit(PAGE, chapter="check", loss=loss, handful=str(seed))
        assert (series(at)["outside"] == 0).all()


def test_a_gradient_that_is_a_little_too_long_is_found_out():
    found = series(visit(PAGE, chapter="check", spoil="true"))
    outside = np.array([found[f"o{j}"][-1] for j in range(24)])
    assert found["outside"][-1] == outside.sum() > 0
    assert {j // 4 for j in np.flatnonzero(outside)} == {2}  # the third array is w2
    assert found["largest"][-1] == pytest.approx(0.01 / 1.01, rel=0.01)
