"""The page on a ReLU with its own backward, run without a browser."""

from __future__ import annotations

import re

import pytest

from engines.custom_relu_backward.one_pass import watch
from tests.support.visit import charts, live_texts, player, visit, words

PAGE = "custom_relu_backward"


@pytest.fixture(scope="module")
def first_visit():
    return visit(PAGE)


def told(at):
    return re.findall(r'<p data-moments="\d+">(.*?)</p>', live_texts(at))


def test_a_first_visit_goes_through_one_pass_forward_and_back(first_visit):
    data = player(first_visit)
    assert data["parts"] == [4, 6, 0, 0]
    assert data["words"]["phases"] == ["forward", "backward"]
    assert data["begin"] == [0, 0]
    story = told(first_visit)
    assert len(story) == 11
    assert "True in 3 of 9 places" in story[7]
    assert "zeros in x: 3" in story[7]


def test_nothing_is_trained_before_somebody_asks(first_visit):
    assert player(first_visit)["series"] == {}
    assert "loss" not in player(first_visit)["readout"]


def test_a_matrix_of_one_s_own_goes_through_the_function(first_visit):
    at = visit(PAGE, matrix="own", rows="-1 2; 3 -4", arriving="ones")
    seen = watch(((-1.0, 2.0), (3.0, -4.0)), ((1.0, 1.0), (1.0, 1.0)))
    assert seen.grad_x.tolist() == [[0, 1], [1, 0]]
    assert "True in 2 of 4 places" in told(at)[7]
    assert "True in 3 of 9 places" not in told(at)[7]


def test_the_right_backward_passes_and_a_wrong_slope_does_not():
    assert "**It passes.**" in words(visit(PAGE))
    at = visit(PAGE, variant="slopes", below="0.5")
    assert "**It passes.**" not in words(at)
    at = visit(PAGE, variant="clipped")
    assert "passes" in words(at)


def test_a_wrong_backward_that_crashes_says_so_in_pytorch_s_words():
    at = visit(PAGE, mistake="too_many")
    at.button_group(key=guess(at)).set_value("show").run()
    assert "returned an incorrect number of gradients" in "\n".join(code.value for code in at.code)


def guess(at):
    [key] = [
        group.key
        for group in at.button_group
        if group.key.startswith("guess of") and group.key != "guess of slope at zero"
    ]
    return key


def test_the_second_derivative_can_be_wrong_without_a_word():
    right = visit(PAGE, double_backward="in_place")
    assert "**Right.**" in words(right)
    silent = visit(PAGE, double_backward="once_differentiable", second_derivative="grad")
    assert "**Right.**" not in words(silent)


BAD = [
    {"matrix": "cube", "arriving": "late"},
    {"matrix": "own", "rows": "1 2; 3"},
    {"matrix": "own", "rows": "nan inf; 1e999 " + "7 " * 5000},
    {"matrix": "own", "rows": "<script>alert(1)</script>"},
    {"matrix": "own", "rows": ""},
    {"variant": "steep", "below": "inf", "at": "nan", "above": "-1e400"},
    {"variant": "slopes", "below": "99", "above": "-99"},
    {"mistake": "everything", "double_backward": "thrice", "second_derivative": "why"},
    {"slope": "-1", "point": "nowhere", "dtype": "float8", "five_engines_dtype": "int"},
    {"train": "perhaps", "step": "-1", "moment": "99"},
]


@pytest.mark.parametrize(
    "query", BAD, ids=lambda query: "&".join(map("=".join, query.items()))[:40]
)
def test_absurd_addresses_give_a_working_page(query):
    at = visit(PAGE, **query)
    assert not at.exception
    assert len(charts(at)) >= 3
    assert len(told(at)) == 11
