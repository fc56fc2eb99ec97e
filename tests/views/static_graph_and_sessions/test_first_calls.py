"""What engines cost, who overtakes whom, and the measurement as a visitor meets it."""

import math
from itertools import product

import altair as alt
import pytest
from streamlit.testing.v1 import AppTest

from engines.benchmark import first_calls
from tests.support.visit import charts, words
from views.static_graph_and_sessions import first_calls as section_of_calls
from views.static_graph_and_sessions.first_calls_chart import (
    LOOKS,
    TASKS,
    Cost,
    added_up,
    cheaper_steps,
    cost,
    overtaking,
)
from views.ui import measuring


def row(engine, cold, warm, later, task="parabola"):
    """A result as it is measured; later: its lower quartile, median and upper quartile."""
    framework = "torch" if engine == "torch_autograd" else "tensorflow"
    measured = {"task": task, "engine": engine, "cold": cold, "warm": [warm, warm, warm]}
    compared = {"steps": 100, "loss": 0.25, "framework": framework, "version": "1.2.3"}
    return {**measured, "later": list(later), **compared}


ROWS = [
    row("tf_session", 60, 30, (0.14, 0.15, 0.16)),
    row("tf_function", 100, 20, (0.19, 0.20, 0.21)),
    row("tf_tape", 40, 1, (0.70, 0.80, 0.90)),
    row("torch_autograd", 2, 0.1, (0.04, 0.05, 0.06)),
    row("tf_session", 100, 30, (0.30, 0.40, 0.50), "two_layers"),
    row("tf_function", 140, 20, (0.40, 0.45, 0.50), "two_layers"),
    row("tf_tape", 80, 2, (1.00, 1.10, 1.20), "two_layers"),
    row("torch_autograd", 3, 0.3, (0.45, 0.60, 0.90), "two_layers"),
]
BY = {(one["task"], one["engine"]): one for one in ROWS}


# Who is ahead


def test_the_first_call_counts_once_and_each_later_one_again():
    assert Cost(30, 2).total(1) == 30
    assert Cost(30, 2).total(11) == 50


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Cost(30, 1), Cost(10, 3), (12, math.inf)),  # level after 11 steps
        (Cost(30, 1), Cost(11, 3), (11, math.inf)),
        (Cost(10, 1), Cost(10, 3), (2, math.inf)),  # level at the first step
        (Cost(9, 1), Cost(10, 3), (1, math.inf)),
        (Cost(9, 3), Cost(10, 3), (1, math.inf)),
        (Cost(10, 3), Cost(30, 1), (1, 10)),  # ahead at first, then level
        (Cost(10, 3), Cost(10, 3), (math.inf, math.inf)),
        (Cost(30, 3), Cost(10, 3), (math.inf, math.inf)),
        (Cost(30, 3), Cost(10, 1), (math.inf, math.inf)),
    ],
)
def test_a_crossing_is_at_the_first_step_that_is_cheaper(one, other, expected):
    assert cheaper_steps(one, other) == expected


def test_a_crossing_agrees_with_adding_up_step_by_step():
    costs = [Cost(first, later) for first, later in product((1, 7, 30), (0.5, 1.25, 4))]
    for one, other in product(costs, costs):
        cheaper = [n for n in range(1, 101) if one.total(n) < other.total(n)]
        first, last = cheaper_steps(one, other)
        assert cheaper == [n for n in range(1, 101) if first <= n <= last]


def test_the_spread_of_later_calls_moves_the_crossing():
    session, eager = BY["parabola", "tf_session"], BY["parabola", "tf_tape"]
    best, usual, worst = overtaking(session, eager, "cold")
    # 20 ms dearer at first, and then 0.9 - 0.14, 0.8 - 0.15, 0.7 - 0.16 ms cheaper at each step.
    assert [best[0], usual[0], worst[0]] == [20 // 0.76 + 2, 20 // 0.65 + 2, 20 // 0.54 + 2]


def test_the_picture_marks_the_crossings_that_are_settled_and_only_those():
    rows = [one for one in ROWS if one["task"] == "two_layers"]
    spec = added_up(rows, "cold")
    marked = spec["datasets"]["crossings"].to_pylist()
    # Against PyTorch the quartiles overlap; against eager TensorFlow both graphs overtake.
    assert [(mark["one"], mark["steps"]) for mark in marked] == [
        ("tf_session", 30),
        ("tf_function", 94),
    ]
    for mark in marked:
        right = cost(BY["two_layers", mark["one"]], "cold").total(mark["steps"])
        assert mark["ms"] == pytest.approx(right)
    lines = spec["datasets"]["lines"].to_pandas()
    assert set(lines["engine"]) == {look.label for look in LOOKS.values()}
    assert (lines["low"] <= lines["ms"]).all()
    assert (lines["ms"] <= lines["high"]).all()
    assert lines["steps"].min() == 1


def test_what_is_told_is_what_is_measured_where_it_can_be():
    assert list(TASKS) == list(first_calls.TASKS)
    assert set(LOOKS) == set(first_calls.ENGINES)


# The section


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from views.static_graph_and_sessions import first_calls
    from views.ui.controls import Controls

    controls = Controls("section")
    first_calls.in_child = lambda arguments, seconds: st.session_state["how"]()
    measuring = first_calls.section(controls)
    st.session_state["refused"] = controls.refused
    measuring.run()


@pytest.fixture
def visit():
    """Open the section with a measurement of one's own; nobody else has measured yet."""
    measuring._latest.clear()

    def open_with(measure, **query):
        at = AppTest.from_function(section, default_timeout=30)
        at.session_state["how"] = measure
        at.session_state["lecture"] = query.get("lecture") == "true"
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        assert not at.exception
        return at

    yield open_with
    measuring._latest.clear()


def measured():
    yield None
    yield from ROWS
    yield {"cores": 4}


def press(at, label):
    [button] = [button for button in at.button if button.label == label]
    button.click().run()
    assert not at.exception
    return at


def drawn_tasks(at):
    """The titles of the pictures, which each run fills in."""
    params = [param for chart in charts(at) for param in chart["params"]]
    return [param["value"] for param in params if param["name"] == "task"]


def asked_to_see(at):
    at.segmented_control[0].set_value("show").run()
    return at


def test_nothing_is_measured_or_shown_until_somebody_asks(visit):
    def never():
        raise AssertionError
        yield

    at = visit(never)
    assert not charts(at)
    assert not at.segmented_control


def test_a_prediction_comes_before_the_pictures(visit):
    at = press(visit(measured), "Measure on this machine")
    assert not charts(at)
    asked_to_see(at)
    assert "**PyTorch, eager**" in words(at)
    assert drawn_tasks(at) == list(TASKS.values())
    for chart in charts(at):
        alt.Chart.from_dict(chart)


def test_the_numbers_told_are_those_measured(visit):
    text = words(asked_to_see(press(visit(measured), "Measure on this machine")))
    assert "| TensorFlow, session | 60 ms | 30 ms | **0.15 ms** (0.14 to 0.16) |" in text
    assert "losses lie between 0.25 and 0.25" in text
    # A session's step takes 0.15 ms, one of eager TensorFlow 0.8, one of PyTorch 0.05.
    assert "A step of it is **5.33 times as fast** as a step of eager TensorFlow." in text
    assert "A step of eager PyTorch is **3 times as fast** as a step of it" in text
    assert "| TensorFlow, session | **from step 32 on** (28 to 39) | never |" in text
    # Two layers: the quartiles of the session and of PyTorch overlap.
    assert "Between it and eager PyTorch it is too close to tell." in text
    assert "| TensorFlow, session | **from step 30 on** (24 to 42) | too close to tell |" in text


def test_a_warm_first_call_is_paid_back_sooner(visit):
    text = words(asked_to_see(press(visit(measured, first_call="warm"), "Measure on this machine")))
    assert "| tf.function | **from step 33 on** (28 to 40) | never |" in text


def test_a_first_call_that_is_none_is_refused(visit):
    at = visit(measured, first_call="<script>")
    asked_to_see(press(at, "Measure on this machine"))
    assert at.session_state["first_call"] == "cold"
    assert section_of_calls.STARTS["cold"] == at.segmented_control[1].options[0]


def test_what_somebody_has_measured_others_see_with_its_age(visit):
    press(visit(measured), "Measure on this machine")
    at = visit(measured)
    assert not at.segmented_control
    asked_to_see(press(at, "Show what was last measured here"))
    captions = "\n".join(element.value for element in at.caption)
    assert "within the last minute" in captions
    assert "4 cores" in captions


@pytest.mark.parametrize("error", [RuntimeError, ChildProcessError, TimeoutError])
def test_where_nothing_could_be_measured_it_says_why_and_offers_it_again(visit, error):
    def refused():
        raise error("Traceback …\n  File …\nthe reason\n")
        yield

    at = press(visit(refused), "Measure on this machine")
    [warning] = at.warning
    assert "easur" in warning.value
    assert "the reason" not in warning.value  # there may be a path in it
    assert not at.button[0].disabled
    at.session_state["how"] = measured
    press(at, "Measure on this machine")
    assert not at.warning


def test_in_lecture_mode_the_pictures_stand_below_each_other(visit):
    press(visit(measured), "Measure on this machine")
    shown, again = visit(measured), visit(measured, lecture="true")
    for at in (shown, again):
        asked_to_see(press(at, "Show what was last measured here"))
    assert len(shown.columns) == 2
    assert not again.columns
