"""The chapters on a ReLU with its own backward, run without a browser: controls and numbers."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from engines.custom_relu_backward.design import Design, source_of
from engines.custom_relu_backward.one_pass import watch
from engines.network import torch_own_relu
from engines.network.compare import RATE, STEPS, draw
from tests.support.visit import (
    charts,
    components,
    live_texts,
    opens_with_its_question,
    player,
    series,
    titles,
    visit,
    words,
)
from views.custom_relu_backward import slope_editor
from views.ui.contents import page_of

PAGE = "custom_relu_backward"
CHAPTERS = page_of(f"pages/{PAGE}.py").chapters
opened = cache(lambda chapter: visit(PAGE, chapter=chapter))


def told(at):
    return [
        re.sub(r"<[^>]+>", "", text)
        for text in re.findall(r"<p(?: [^>]*)?>(.*?)</p>", live_texts(at), re.DOTALL)
    ]


def code(at):
    """The listing on the stage, as it is read."""
    [html] = [text for text in live_texts(at).split("\n") if "listing-name" in text]
    lines = re.findall(r"<code>(.*?)</code>", html)
    return [re.sub(r"<[^>]+>", "", line).replace("&lt;", "<") for line in lines]


def editor(at):
    [data] = [one for one in components(at) if "steepest" in one]
    return data


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_has_its_question_and_its_pictures_say_what_they_show(chapter):
    opens_with_its_question(opened(chapter.name), chapter)


# By hand


def test_a_first_visit_goes_through_one_pass_forward_and_back():
    at = opened("one_pass")
    data = player(at)
    assert data["parts"] == [4, 6, 0, 0]
    assert data["words"]["phases"] == ["forward", "backward"]
    assert data["begin"] == [0, 8]  # where the gradient is cut
    assert data["series"] == {}  # nothing is trained
    assert len(told(at)) == 11
    assert "True at 3 of 9 entries" in told(at)[7]
    assert "exactly 0 (3 of 9)" in told(at)[7]
    assert "grad_x[x < 0] = 0" in [line.strip() for line in code(at)]
    assert not any('"""' in line for line in code(at))


def test_a_matrix_of_one_s_own_goes_through_the_function():
    at = visit(PAGE, matrix="own", rows="-1 2; 3 -4", arriving="ones")
    seen = watch(((-1.0, 2.0), (3.0, -4.0)), ((1.0, 1.0), (1.0, 1.0)))
    assert seen.grad_x.tolist() == [[0, 1], [1, 0]]
    assert "True at 2 of 4 entries" in told(at)[7]
    assert "- `grad_x`: 0, 1; 1, 0" in words(at)


def test_a_matrix_that_is_none_is_refused_with_its_reason():
    at = visit(PAGE, matrix="own", rows="1 `x` <b>")
    assert any("`x` is not a number" in warning.value for warning in at.warning)


# Design


def test_the_design_opens_on_a_wrong_slope_with_every_verdict():
    at = opened("design")
    [story] = told(at)
    assert (
        "gradcheck objects: at x = −2 the forward has the slope 0, and the backward says" in story
    )
    assert "12.4° away from the true one: still downhill" in story
    assert "falls from 130475 to 185; with the right ReLU it ends at 144." in story
    assert "\n".join(code(at)) == source_of(Design("slopes", 0.3, 1, 1)).rstrip()
    assert editor(at)["slopes"] == {"below": 0.3, "at": 1.0, "above": 1.0}
    assert titles(at)[0] == "The loss"
    assert "**It is refused** at x = −2, −0.5, 0.5, 2" in words(at)
    assert "| −2 | 0 | **0.3** |" in words(at)


@pytest.mark.parametrize("variant", ["true", "leaky", "smooth"])
def test_what_is_right_passes_and_is_not_red(variant):
    at = visit(PAGE, chapter="design", variant=variant)
    assert "gradcheck passes: away from zero" in told(at)[0]
    assert "0° apart" in told(at)[0]
    assert "**It passes.**" in words(at)
    assert "#c8443f" not in str(charts(at))


def test_the_clipped_one_is_told_where_ten_arrives():
    at = visit(PAGE, chapter="design", variant="clipped")
    assert "where 10 arrives, 1 leaves instead of 10" in told(at)[0]
    assert "**It passes, and it should not.**" in words(at)
    assert "| 0.5 | 10 | **1** |" in words(at)
    assert "when 1 arrived" not in words(at)
    assert editor(at)["extra_name"] == "the same, where 10 arrives"
    assert editor(at)["slopes"] == {}


def test_a_field_and_a_handle_move_the_same_slope():
    at = visit(PAGE, chapter="design", below="0.5")
    at.number_input(key="below").set_value(-1.0).run()
    assert editor(at)["slopes"]["below"] == -1
    assert "slope[x < 0] = -1.0" in [line.strip() for line in code(at)]
    at.button_group(key="variant").set_value("true").run()
    assert editor(at)["slopes"] == {"below": 0.0, "at": 1.0, "above": 1.0}
    pulled = {"below": 0.2, "at": 1.0, "above": 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slope_editor, "pulled", lambda: pulled)
        at.run()
    assert at.button_group(key="variant").value == "slopes"
    assert at.number_input(key="below").value == 0.2
    assert not at.warning


# Wrong backwards


def test_a_wrong_backward_that_crashes_says_so_in_pytorch_s_words():
    at = visit(PAGE, chapter="mistakes", mistake="too_many")
    [asked] = [one for one in at.button_group if str(one.key).startswith("guess of")]
    asked.set_value("show").run()
    assert "returned an incorrect number of gradients" in "\n".join(one.value for one in at.code)
    assert "at line" in told(at)[0]


# The slope at zero


def test_the_nine_slopes_come_after_the_guess():
    at = visit(PAGE, chapter="slope_at_zero")
    assert live_texts(at).count("<code>") == 9  # the ways to write it, without their slopes
    assert live_texts(at).count("<b>?</b>") == 1
    assert "<th>slope at −1</th>" not in live_texts(at)
    assert "it never learns: the loss stays at 364.2" in told(at)[0]
    at.segmented_control[0].set_value("0 for both").run()
    assert "Not quite: **1 for the first, 0 for the second**." in words(at)
    assert "<b>?</b>" not in live_texts(at)
    assert live_texts(at).count("<code>") >= 9
    assert "<th>slope at −1</th>" in live_texts(at)


@pytest.mark.parametrize("start", ["random", "integers"])
def test_another_start_is_trained(start):
    at = visit(PAGE, chapter="slope_at_zero", start=start, slope="0.5")
    assert ("equal to the last bit" in told(at)[0]) == (start == "random")
    [chart] = [one for one in charts(at) if one["title"]["text"] == "Loss by slope at zero"]
    labels = chart["encoding"]["color"]["scale"]["domain"]
    assert labels == ["slope 0", "slope 0.5, yours", "slope 1"]


# The network trained


def test_the_network_is_trained_at_once_at_two_rates():
    at = opened("training")
    steps = torch_own_relu.train(*draw(0, "float64"), steps=STEPS, learning_rate=RATE)
    losses = np.array([step.loss for step in steps])
    found = series(at)
    np.testing.assert_array_equal(found["loss"], losses.astype(np.float32))
    assert found["dead"].max() == 0
    assert found["faster_dead"][-1] == 77
    assert "in the end 77 are dead, and the loss is 550." in told(at)[0]
    assert player(at)["whose"] == "η = 1e−6"
    assert player(at)["begin"] == [100, None]


def test_five_times_the_rate_overflows():
    at = visit(PAGE, chapter="training", times="5")
    assert "Five times the rate is too far: the loss overflows at step 7." in told(at)[0]


# Backward again


def test_the_second_derivative_can_be_wrong_without_a_word():
    at = opened("double_backward")  # in NumPy
    assert "There is no error, and no warning." in told(at)[0]
    assert "| d²y/dx² = 2 | 2 | **1** |" in words(at)
    assert "**Wrong, without any error.**" in words(at)
    right = visit(PAGE, chapter="double_backward", double_backward="in_place")
    assert "**Right.**" in words(right)
    assert "| dy/dx = 2x | 6 | **6** |" in words(right)


def test_the_refusal_is_explained_and_can_be_passed_by():
    how = {"chapter": "double_backward", "double_backward": "once_differentiable"}
    at = visit(PAGE, **how)
    assert "`trying to differentiate twice`" in words(at)
    assert len(charts(at)) == 1  # the message has the place of the other
    silent = visit(PAGE, **how, second_derivative="grad")
    assert "The decorator does not protect against this call." in words(silent)
    assert len(charts(silent)) == 2


# The same elsewhere


def test_all_five_are_compared_at_once():
    at = opened("elsewhere")
    assert "grad_h = np.where(h < 0, 0, grad_h_relu)" in [line.strip() for line in code(at)]
    assert series(at)["farthest"].max() < 1e-12
    assert "less than the 1e−12" in words(at)
    assert "Equal to it in every bit" in words(at)
    assert "torch.relu" in words(at)
    at.button_group(key="listing").set_value("custom_gradient").run()
    assert code(at)[0] == "@tf.custom_gradient"


# Ask the output


def test_every_width_is_asked():
    at = opened("check")
    assert player(at)["lastStep"] == 32
    np.testing.assert_allclose(series(at)["h"][[0, 12]], [1, 1e-6])
    assert series(at)["central_error"].min() < 1e-10
    assert "The backward says 0.574443" in told(at)[0]
    assert "Narrower is not better" in words(at)
    at.button_group(key="checked").set_value("straight_through").run()
    at.button_group(key="point").set_value("below").run()
    assert "**No width makes it right.**" in words(at)


# ---- Addresses

BAD = [
    {"matrix": "cube", "arriving": "late", "step": "-1", "moment": "99"},
    {"matrix": "own", "rows": "nan inf; 1e999 " + "7 " * 5000},
    {"matrix": "own", "rows": "<script>alert(1)</script>"},
    {"matrix": "own", "rows": ""},
    {"chapter": "design", "variant": "steep", "below": "inf", "at": "nan", "above": "-1e400"},
    {"chapter": "design", "below": "99", "above": "-99"},
    {"chapter": "mistakes", "mistake": "everything"},
    {"chapter": "slope_at_zero", "slope": "-1", "start": "late"},
    {"chapter": "training", "times": "1e9", "dtype": "float8", "step": "9e9"},
    {"chapter": "double_backward", "double_backward": "thrice", "second_derivative": "why"},
    {"chapter": "elsewhere", "listing": "__class__", "dtype": "int"},
    {"chapter": "check", "checked": "never", "point": "nowhere", "moment": "3"},
    {"chapter": "nowhere"},
]


@pytest.mark.parametrize(
    "query", BAD, ids=lambda query: "&".join(map("=".join, query.items()))[:40]
)
def test_absurd_addresses_give_a_working_page(query):
    at = visit(PAGE, **query)
    assert not at.exception
    assert at.warning
    assert charts(at)
