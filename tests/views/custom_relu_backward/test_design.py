"""Designing a backward: what is drawn of it, and what is told."""

import math
import re

import numpy as np
import pytest

from engines.custom_relu_backward.design import STEEPEST, Design, Tried, check
from engines.custom_relu_backward.gradcheck import Kink
from views.custom_relu_backward import design, slope_editor
from views.custom_relu_backward.angle_dial import dial


def value(figure, name):
    return next(param["value"] for param in figure["params"] if param["name"] == name)


# The curves, and what is pulled in them


def test_the_curves_are_those_of_the_design_and_of_the_forward_s_own_slope():
    curves = design._curves(Design("slopes", -0.5, 3, 2))
    x, y = np.array(curves.forward).T
    np.testing.assert_allclose(y, np.maximum(x, 0))
    assert [{y for _, y in side} for side in curves.backward] == [{-0.5}, {2.0}]
    assert [{y for _, y in side} for side in curves.truth] == [{0.0}, {1.0}]
    assert curves.at == 3
    assert curves.extra == ()
    smooth = design._curves(Design("smooth"))
    assert [list(side) for side in smooth.backward] == [
        [(x, pytest.approx(y, abs=1e-5)) for x, y in side] for side in smooth.truth
    ]


def test_the_clipped_one_has_a_curve_for_what_it_does_with_more():
    curves = design._curves(Design("clipped"))
    assert {y for _, y in curves.extra} == {0.1}
    assert curves.extra_name == "the same, where 10 arrives"
    assert [{y for _, y in side} for side in curves.backward] == [{0.0}, {1.0}]


@pytest.mark.parametrize(
    ("pull", "slopes"),
    [
        ({"below": 0.5, "at": 1, "above": -2}, {"below": 0.5, "at": 1.0, "above": -2.0}),
        ({"below": -STEEPEST}, {"below": -STEEPEST}),
        ({"below": 5.01}, None),
        ({"below": math.nan}, None),
        ({"below": "0.5"}, None),
        ({"below": True}, None),
        ({"variant": 1.0}, None),
        ({}, None),
        ("below", None),
        (None, None),
    ],
)
def test_only_slopes_are_taken_from_a_browser(monkeypatch, pull, slopes):
    monkeypatch.setattr(slope_editor.st, "session_state", {slope_editor.KEY: {"pull": pull}})
    assert slope_editor.pulled() == slopes


def test_the_dial_is_turned_by_the_angle_and_right_is_never_red():
    figure = dial(90.0, color="green")
    rows = figure["datasets"]["arrows"].to_pandas()
    assert rows["turned"].tolist() == [0, pytest.approx(math.pi / 2)]
    assert rows["color"].tolist()[1] == "green"
    assert value(figure, "words") == "90.0°"
    nothing = dial(math.nan, color="red")
    assert len(nothing["datasets"]["arrows"]) == 1
    assert value(nothing, "words") == "none"


# The sentence on the stage


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (Design("true"), "<b>gradcheck passes:</b>"),
        (Design("leaky", 0.2), "<b>gradcheck passes:</b>"),
        (Design("smooth"), "<b>gradcheck passes:</b>"),
        (
            Design("slopes", 0.3),
            "at x = −2 the forward has the slope 0, and the backward says 0.3.",
        ),
        (Design("slopes", 0, 1, 1.5), "at x = 0.5 the forward has the slope 1, and the backward"),
        (Design("clipped"), "It only sends ones; where 10 arrives, 1 leaves instead of 10."),
        (Design("slopes", 0, 4, 1), "At zero it says 4, which belongs to neither side"),
    ],
)
def test_what_gradcheck_says_is_told_with_the_numbers_that_it_is_about(chosen, told):
    assert told in design._checked(check(chosen))


def test_an_angle_is_told_with_what_it_means():
    losses = np.array([9.0, 1.0])
    for angle, told in (
        (0.0, "<b>0°</b> apart"),
        (12.34, "<b>12.3°</b> away from the true one: still downhill"),
        (180.0, "<b>180.0°</b> away from the true one: uphill"),
        (math.nan, "No gradient reaches w1"),
    ):
        assert told in design._pointed(Tried(losses, angle))


def test_the_losses_are_told_with_those_of_the_right_one():
    right = Tried(np.array([9.0, 2.0]), 0.0)
    assert "falls from 9 to <b>2</b> in" in design._trained(right, right)
    assert "to <b>4</b>; with the right ReLU it ends at 2." in design._trained(
        Tried(np.array([9.0, 4.0]), 1.0), right
    )
    assert "does not fall: it goes from 9 to <b>90</b>" in design._trained(
        Tried(np.array([9.0, 90.0]), 1.0), right
    )
    assert "overflows at step 2" in design._trained(Tried(np.array([9.0, 90, np.inf]), 1.0), right)


# What is told below it


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
