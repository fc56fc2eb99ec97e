"""The slope at zero, as a visitor reads of it."""

import altair as alt
import numpy as np
import pytest

from engines.custom_relu_backward.slope_at_zero import EXPRESSIONS, Slopes, Training, slopes, start
from tests.support.visit import charts, visit_section, words
from views.custom_relu_backward import slope_at_zero


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from views.custom_relu_backward import slope_at_zero
    from views.ui.controls import Controls

    controls = Controls("section")
    slope_at_zero.compare_slopes(controls)
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


@pytest.fixture(scope="module", autouse=True)
def short_runs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slope_at_zero, "STEPS", 20)
        slope_at_zero._train.clear()
        yield
    slope_at_zero._train.clear()


@pytest.fixture(scope="module")
def trained(short_runs):
    return visit(train_slopes="true", slope="0.25")


def test_the_table_is_not_there_before_somebody_has_answered():
    at = visit()
    assert "torch.relu(x)" not in words(at)
    assert not charts(at)


def test_the_table_has_every_relu_with_its_slopes_sorted_by_the_one_at_zero():
    at = visit()
    at.segmented_control[0].set_value("0 for both").run()
    assert "Not quite: **1 for the first, 0 for the second**." in words(at)
    at.segmented_control[0].set_value("1 for the first, 0 for the second").run()
    assert "Yes: **1 for the first, 0 for the second**." in words(at)
    [table] = [one.value for one in at.markdown if one.value.startswith("| written as")]
    rows = [[cell.strip(" `*") for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
    found = {
        expression: Slopes(framework, float(value), float(left), float(at_zero), float(right))
        for expression, at_zero, framework, value, left, right in rows
    }
    assert found == slopes()
    assert {one: slopes.framework for one, slopes in found.items()} == {
        one: framework for framework, several in EXPRESSIONS.items() for one in several
    }
    at_zero = [one.at_zero for one in found.values()]
    assert at_zero == sorted(at_zero)


def test_the_answer_is_what_the_framework_returns(monkeypatch):
    others = {
        slope_at_zero.FIRST: Slopes("TensorFlow", 0.0, 0.0, 0.25, 1.0),
        slope_at_zero.SECOND: Slopes("TensorFlow", 0.0, 0.0, 0.75, 1.0),
    }
    monkeypatch.setattr(slope_at_zero, "_slopes", lambda: others)
    at = visit()
    assert "0.25 for the first, 0.75 for the second" in at.segmented_control[0].options
    at.segmented_control[0].set_value("1 for the first, 0 for the second").run()
    assert "Not quite: **0.25 for the first, 0.75 for the second**." in words(at)


def test_each_start_is_told_as_its_runs_went(trained):
    told = words(trained)
    assert "At no step is any of the 1,920 entries of h exactly 0" in told
    assert "All 4 runs are **equal to the last bit**, from step 0 to 20." in told
    x, _, w1, _ = start("integers", slope_at_zero.SEED)
    assert f"**{np.sum(x @ w1 == 0)}** of the 1,920 entries" in told
    assert "all **1,920** entries of h are exactly 0. With the slope 0 **it never learns**" in told


def test_each_start_has_a_curve_for_each_slope(trained):
    shown = charts(trained)
    assert [chart["title"] for chart in shown] == [
        label for label, _ in slope_at_zero.STARTS.values()
    ]
    for chart in shown:
        alt.Chart.from_dict(chart)
        labels = chart["encoding"]["color"]["scale"]["domain"]
        assert labels == ["slope 0", "slope 0.5", "slope 1", "slope 0.25, yours"]


def test_a_slope_that_is_there_already_is_not_trained_twice(trained):
    at = visit(train_slopes="true", slope="0.5", lecture="true")
    for chart in charts(at):
        labels = chart["encoding"]["color"]["scale"]["domain"]
        assert labels == ["slope 0", "slope 0.5, yours", "slope 1"]
    # In a lecture the pictures stand below each other.
    assert len(charts(at)) == len(charts(trained)) == 3
    assert len(at.columns) < len(trained.columns)


def test_differences_are_told_in_parts_of_the_first_loss():
    runs = {
        0.0: Training(np.array([100.0, 50.0, 20.0]), np.array([3, 0, 0])),
        1.0: Training(np.array([100.0, 46.0, 19.0]), np.array([3, 0, 0])),
    }
    told = slope_at_zero._how_they_went(runs)
    assert "**3** of the 1,920 entries" in told
    assert "by up to **4.0%** of the first loss. After 2 steps they are between 19 and 20." in told


def test_two_slopes_that_never_learn_are_both_named():
    still = Training(np.array([7.0, 7.0]), np.array([1920, 1920]))
    learns = Training(np.array([7.0, 3.0]), np.array([1920, 0]))
    told = slope_at_zero._how_they_went({0.0: still, 1.0: learns, 1e-30: still})
    assert "With the slope 0 and with 1e−30 **it never learns**: the loss stays at 7." in told
    assert "The others end between 3 and 3." in told


def test_a_slope_out_of_bounds_is_refused():
    assert visit(slope="nan").session_state["refused"] == [("slope", "nan", "0.3")]
