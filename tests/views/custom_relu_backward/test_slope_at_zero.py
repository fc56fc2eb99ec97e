"""The slope at zero, as a visitor reads of it."""

import re

import numpy as np
import pytest

from engines.custom_relu_backward.slope_at_zero import Training, slopes, start
from views.custom_relu_backward import slope_at_zero


@pytest.fixture(scope="module", autouse=True)
def short_runs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slope_at_zero, "STEPS", 20)
        slope_at_zero._train.clear()
        yield
    slope_at_zero._train.clear()


@pytest.fixture
def runs(request):
    return {one: slope_at_zero._train(request.param, one) for one in (0.0, 0.5, 1.0, 0.25)}


def each(kind):
    return pytest.mark.parametrize("runs", [kind], indirect=True)


def test_the_nine_are_sorted_by_their_slope_at_zero():
    html = slope_at_zero._nine(slopes(), answered=True)
    rows = re.findall(r"<th><b>(.*?)</b></th><td>(.*?)</td>", html)
    assert [float(at_zero) for at_zero, _ in rows] == [0, 0.5, 1]
    shown = {
        expression: float(at_zero)
        for at_zero, cell in rows
        for expression in re.findall("<code>(.*?)</code>", cell)
    }
    assert shown == {expression: one.at_zero for expression, one in slopes().items()}
    assert len(shown) == 9


def test_before_it_is_answered_the_nine_tell_no_slope():
    html = slope_at_zero._nine(slopes(), answered=False)
    assert re.findall(r"<th><b>(.*?)</b></th>", html) == ["?"]
    # In the order of the answer they would tell it.
    asked = re.findall("<code>(.*?)</code>", html)
    assert asked == list(slopes())


@each("random")
def test_without_an_exact_zero_all_runs_are_the_same(runs):
    told = slope_at_zero._how_they_went(runs)
    assert "At no step is any of the 1,920 entries of h exactly 0" in told
    assert "All 4 runs are <b>equal to the last bit</b>, from step 0 to 20." in told


@each("integers")
def test_exact_zeros_are_counted(runs):
    x, _, w1, _ = start("integers", slope_at_zero.SEED)
    assert f"<b>{np.sum(x @ w1 == 0)}</b> of the 1,920 entries" in slope_at_zero._how_they_went(
        runs
    )


@each("zeros")
def test_with_w1_at_zero_and_the_slope_zero_nothing_is_learnt(runs):
    told = slope_at_zero._how_they_went(runs)
    assert "all <b>1,920</b> entries of h are exactly 0. With the slope 0 <b>it never" in told
    chart = slope_at_zero._losses(runs, 0.25)
    labels = (
        chart["layer"][0]["encoding"]["color"]["scale"]["domain"]
        if "layer" in chart
        else (chart["encoding"]["color"]["scale"]["domain"])
    )
    assert labels == ["slope 0", "slope 0.5", "slope 1", "slope 0.25, yours"]


def test_a_slope_that_is_there_already_has_one_line():
    texts = re.findall(r"'text': \{'field': '(\w+)'", str(slope_at_zero._kink(0.5)))
    assert set(texts) == {"slope"}  # each line has its slope beside it
    rows = slope_at_zero._kink(0.5)["datasets"]["through"].to_pandas()
    assert sorted(set(rows["slope"])) == [0, 0.5, 1]
    assert set(rows[rows["own"]]["slope"]) == {0.5}


def test_differences_are_told_in_parts_of_the_first_loss():
    runs = {
        0.0: Training(np.array([100.0, 50.0, 20.0]), np.array([3, 0, 0])),
        1.0: Training(np.array([100.0, 46.0, 19.0]), np.array([3, 0, 0])),
    }
    told = slope_at_zero._how_they_went(runs)
    assert "<b>3</b> of the 1,920 entries" in told
    assert (
        "by up to <b>4.0%</b> of the first loss. After 2 steps they are between 19 and 20." in told
    )


def test_two_slopes_that_never_learn_are_both_named():
    still = Training(np.array([7.0, 7.0]), np.array([1920, 1920]))
    learns = Training(np.array([7.0, 3.0]), np.array([1920, 0]))
    told = slope_at_zero._how_they_went({0.0: still, 1.0: learns, 1e-30: still})
    assert "With the slope 0 and with 1e−30 <b>it never learns</b>: the loss stays at 7." in told
    assert "The others end between 3 and 3." in told
