"""Designing a backward, having it checked, and comparing widths, as a visitor reads of it."""

import re
from functools import cache

import altair as alt
import numpy as np
import pytest

from engines.custom_relu_backward.design import Design, source_of
from engines.custom_relu_backward.gradcheck import WIDTH, Kink
from engines.custom_relu_backward.slope_at_zero import start
from engines.network import torch_own_relu
from tests.support.visit import charts, titles, visit_section, words
from views.custom_relu_backward import design, widths
from views.ui import slow_run


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from views.custom_relu_backward import design, widths
    from views.ui.controls import Controls

    controls = Controls("section")
    chosen = design.choose_and_check(controls)
    widths.compare(controls, chosen)
    st.session_state["refused"], st.session_state["chosen"] = controls.refused, chosen


def visit(**query):
    """A visit of one's own. See `seen` for one that is only read."""
    return visit_section(section, **query)


seen = cache(visit)


# What is chosen is what is shown


@pytest.mark.parametrize("variant", design.VARIANTS)
def test_every_variant_has_its_listing_its_words_and_its_curves(variant):
    slopes = {"below": -0.25, "at": -2.0, "above": 1.5}
    at = seen(variant=variant, **{name: str(slope) for name, slope in slopes.items()})
    used = design.USED.get(variant, ())
    expected = Design(variant, **{name: slopes[name] for name in used})
    assert at.session_state["chosen"] == expected
    assert at.code[0].value == source_of(expected).rstrip()
    assert design.ABOUT[variant] in words(at)
    assert titles(at) == ["Forward and backward", "Error against the width h"]
    for chart in charts(at):
        alt.Chart.from_dict(chart)
    assert [one.key for one in at.number_input] == list(used)


def test_the_curves_are_those_of_the_design_and_the_dot_is_its_slope_at_zero():
    drawing = design._curves(Design("slopes", -0.5, 3, 2))
    rows = drawing["datasets"]["lines"].to_pandas()
    forward, backward = (rows[rows["curve"] == name] for name in ("forward", "backward"))
    np.testing.assert_array_equal(forward["value"], np.maximum(forward["x"], 0))
    assert set(backward["value"][backward["x"] < 0]) == {-0.5}
    assert set(backward["value"][backward["x"] > 0]) == {2.0}
    assert set(zip(backward["side"], np.sign(backward["x"]), strict=True)) == {(-1, -1), (1, 1)}
    assert 0 not in set(backward["x"])
    dot = drawing["datasets"]["dot"].to_pandas()
    assert (dot["x"].tolist(), dot["value"].tolist()) == ([0], [3])
    ends = {param["name"]: param.get("value") for param in drawing["params"]}
    assert ends["low"] < -0.5
    assert ends["high"] > 3


def test_what_cannot_be_designed_is_refused():
    at = visit(variant="slopes", below="7", at="nan", above="-inf", point="1e9")
    assert at.session_state["refused"] == [
        ("below", "7", "0.1"),
        ("at", "nan", "1"),
        ("above", "-inf", "1"),
        ("point", "1e9", "above"),
    ]
    assert visit(variant="typo").session_state["refused"] == [("variant", "typo", "true")]


def test_a_pill_that_is_taken_back_leaves_the_right_one():
    at = visit(variant="leaky")
    at.button_group(key="variant").set_value(None).run()
    assert not at.exception
    assert at.session_state["chosen"].variant == "true"


# gradcheck


def test_the_right_one_passes_and_nothing_is_complained_of():
    at = seen()
    assert "**It passes.** At x = −2, −0.5, 0.5, 2," in words(at)
    assert len(at.code) == 1
    assert "What it says" not in words(at)


def test_what_is_refused_is_shown_in_pytorchs_words_and_entry_by_entry():
    at = seen(variant="slopes", below="-0.25", at="-2.0", above="1.5")
    failed = design.check(Design("slopes", -0.25, -2, 1.5)).ones
    assert "**It is refused** at x = −2, −0.5, 0.5, 2" in words(at)
    assert at.code[1].value == f"GradcheckError: {failed.message}"
    for row in (
        "−2 | 0 | **−0.25**",
        "−0.5 | 0 | **−0.25**",
        "0.5 | 1 | **1.5**",
        "2 | 1 | **1.5**",
    ):
        assert f"| {row} |" in words(at)
    for phrase in ("Jacobian mismatch for output 0 with", "numerical", "analytical"):
        assert f"| `{phrase}" in words(at)


def test_the_clipped_one_is_let_pass_and_then_caught_with_more_arriving():
    at = seen(variant="clipped", below="-0.25", at="-2.0", above="1.5")
    told = words(at)
    assert "**It passes, and it should not.**" in told
    assert "with 10 arriving" in told
    assert "| 0.5 | 10 | **1** |\n| 2 | 10 | **1** |" in told
    assert "| −2 |" not in told


@pytest.mark.parametrize(
    ("kink", "told"),
    [
        (Kink(0.5, 0, 1, 0.5, True), "would pass.*subgradient"),
        (Kink(1, 0, 1, 0.5, False), "would be refused.*subgradient"),
        (Kink(-2, 0, 1, 0.5, False), r"\*\*−2\*\*, is not between"),
        (Kink(1, 3, 1, 2, False), "lies between the two, and as there is no derivative"),
        (Kink(0.5, 0.5, 0.5, 0.5, True), "there is no kink.*would pass"),
        (Kink(1, 0.5, 0.5, 0.5, False), "there is no kink.*says 1.*would be refused"),
    ],
)
def test_the_slope_at_zero_is_told_apart(kink, told):
    assert re.search(told, design._at_zero(kink))


# In training


def test_the_right_one_trains_like_itself_once_it_is_asked_for(monkeypatch):
    asked, train = [], torch_own_relu.train

    def short(*arrays, steps, learning_rate, relu):
        asked.append((steps, learning_rate))
        return train(*arrays, steps=20, learning_rate=1e-4, relu=relu)

    slow_run._result.clear()
    monkeypatch.setattr(torch_own_relu, "train", short)
    monkeypatch.setattr(design, "draw", lambda seed: start("random", seed))
    visit()
    assert asked == []
    at = visit(train_design="true")
    assert asked == [(500, 1e-6)]
    assert "**to the last bit**: in 20 steps" in words(at)
    again = visit(train_design="true")
    assert len(asked) == 1  # it is kept
    assert "The loss with both" in titles(again)
    slow_run._result.clear()


@pytest.mark.parametrize(
    ("own", "is_right", "told"),
    [
        ([9, 5, 2], True, "falls from 9 to **2**. This is another function"),
        (
            [9, 5, 2],
            False,
            "which is wrong, it falls all the same: from 9 to **2**. A wrong gradient",
        ),
        (
            [9, 5, 0.5],
            False,
            "**0.5**. It even ends lower than with the right one. A wrong gradient",
        ),
        ([9, 50, 9], False, "**does not fall**: from 9 it goes to 9."),
        ([9, np.inf, np.nan], False, "**overflows at step 1**"),
    ],
)
def test_training_is_told_as_it_went(own, is_right, told):
    right = np.array([9.0, 3.0, 1.0])
    text = design._how_it_went(right, np.array(own, float), "leaky", is_right=is_right)
    assert "right backward the loss falls from 9 to 1." in text
    assert told in text


# Differences of every width


def told_of(chosen, point):
    return widths._told(widths._widths(chosen, point), point)


def test_the_smooth_one_has_both_arms_of_the_v():
    told = told_of(Design("smooth"), 0.3)
    assert "from 0.1 to 0.01, divides that of the central difference by 100" in told
    assert "that of the forward difference by 10." in told
    assert "Narrower is not better" in told
    assert "no error at all" not in told


def test_close_to_the_kink_the_central_difference_reaches_over_it():
    told = told_of(Design("true"), 1e-4)
    assert "**Wider than 0.0001** the central difference reaches across the kink" in told
    assert "its error grows to 0.5." in told
    assert "of the 58 differences have no error at all" in told


def test_where_nothing_changes_only_the_kink_disturbs_a_difference():
    told = told_of(Design("true"), -0.3)
    assert "**Wider than 0.3** both differences reach across the kink" in told
    assert "the errors grow to 0.35 and 0.7." in told
    assert "**Narrower ones are exact.**" in told


def test_a_slope_that_is_wrong_below_zero_is_seen_only_there():
    chosen = Design("slopes", 0.25, 1, 1)
    assert told_of(chosen, -0.3).startswith("**No width makes it right.**")
    assert "No width" not in told_of(chosen, 0.3)


@pytest.mark.parametrize("point", [0.3, 1e-4])
def test_no_width_excuses_a_wrong_slope(point):
    told = told_of(Design("slopes", 0, 1, 0.5), point)
    assert told.startswith("**No width makes it right.**")
    assert "no error is below 0.5:" in told


def test_an_axis_without_zero_has_all_errors_but_the_exact_ones():
    errors = widths._widths(Design("true"), 1e-4)
    drawing = widths._errors(Design("true"), "near")
    rows = drawing["datasets"]["rows"].to_pandas()
    assert (rows["error"] > 0).all()
    zeros = (errors.central == 0).sum() + (errors.forward == 0).sum()
    assert len(rows) == 58 - zeros < 58
    assert drawing["datasets"]["usual"].to_pandas()["h"].tolist() == [WIDTH]


def test_the_point_chosen_is_the_one_that_is_checked():
    assert "**Wider than 0.3**" in words(seen())
    assert "**Wider than 0.0001**" in words(seen(point="near"))
