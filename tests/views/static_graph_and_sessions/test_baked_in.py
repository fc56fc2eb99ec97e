"""The data baked in, as a visitor finds out: asked first, then run, then seen in the graph."""

import re
from functools import cache

import altair as alt
import pytest

from engines.problem import preset
from tests.support.visit import charts, live_texts, visit_section, words
from views.static_graph_and_sessions.baked_in import ANSWERS, fit, upside_down

ARTICLE = preset("session_article")


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from engines.problem import preset
    from views.static_graph_and_sessions import baked_in
    from views.ui.controls import Controls

    rate = float(st.query_params.get("rate", "0.2"))
    problem = preset("session_article")
    baked_in.section(Controls("section"), problem, steps=150, learning_rate=rate)


@cache
def visit(guess="show", **query):
    """The page after a guess, only read and never touched, so that tests can share it."""
    at = visit_section(section, baked_in="true", **query)
    return at.segmented_control[0].set_value(guess).run() if guess else at


def value(cell):
    return float(cell.replace("−", "-"))


def table(at, first):
    """The rows of the table whose heading begins so, as lists of texts."""
    [html] = [one for one in live_texts(at).split("<table") if f"<th>{first}</th>" in one]
    rows = [re.findall("<t[hd]>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", html)]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in rows]


def test_turned_upside_down_the_points_stay_between_their_lowest_and_highest():
    other = upside_down(ARTICLE)
    assert other.y.dtype == ARTICLE.y.dtype
    assert (other.y.min(), other.y.max()) == pytest.approx((ARTICLE.y.min(), ARTICLE.y.max()))
    assert other.least_squares()[0] == pytest.approx(-ARTICLE.least_squares()[0])


def test_nothing_runs_before_somebody_has_said_what_will_happen():
    at = visit(None)
    assert not charts(at)
    assert "its own data" not in live_texts(at)
    assert "upside down" in at.segmented_control[0].label


def test_the_lines_that_differ_are_marked_and_the_model_is_the_same_in_both():
    html = live_texts(visit(None))
    marked = [
        re.sub("<.*?>", "", line) for line in re.findall('<li class="changed">(.*?)</li>', html)
    ]
    assert any("x1 = tf.compat.v1.placeholder" in line for line in marked)
    assert any("{x1: fed.x, y1: fed.y}" in line for line in marked)
    assert any("x, y = problem.x, problem.y" in line for line in marked)
    assert not [line for line in marked if "y_pred" in line or "reduce_sum" in line or "#" in line]
    assert re.sub("<.*?>", "", html).count("y_pred = w * x**power + b") == 2


def test_other_data_change_nothing_where_the_data_are_baked_in():
    at = visit()
    assert f"**{ANSWERS['same']}**" in words(at)
    assert "columns **none** changed" in words(at)
    assert "151 steps" in words(at)
    _, own, fed, mended, other = table(at, "w")
    assert own[1:4] == fed[1:4]
    assert own[1:3] == mended[1:3]
    assert value(own[1]) > 2 > -2 > value(other[1])
    assert value(fed[3]) < 0.01  # what it prints
    assert value(fed[4]) > 1  # and what is true
    assert value(other[3]) == value(other[4]) < 0.01


def test_the_fit_and_both_graphs_are_drawn():
    shown = charts(visit())
    titles = [
        one["title"] if isinstance(one["title"], str) else one["title"]["text"] for one in shown
    ]
    assert titles == ["The fit, after other data were fed", "Baked in", "Mended"]
    for one in shown:
        alt.Chart.from_dict(one)


def test_each_curve_goes_through_the_data_that_its_listing_took():
    other = upside_down(ARTICLE)
    lines = {"baked_in": ARTICLE.least_squares(), "mended": other.least_squares()}
    drawing = fit(ARTICLE, other, lines)
    curves, points = (drawing["datasets"][name].to_pandas() for name in ("curves", "points"))
    for label, data in (("baked in", "in the graph"), ("mended", "fed")):
        curve, dots = curves[curves["listing"] == label], points[points["data"] == data]
        assert abs(curve["y"].mean() - dots["y"].mean()) < 0.1
        assert len(dots) == len(ARTICLE.x)


def test_the_table_says_that_the_placeholders_lead_nowhere():
    rows = {name: cells for name, *cells in table(visit(), "mended") if cells}
    assert rows["takes from the placeholder of x"] == ["nothing", "pow"]
    assert rows["what became of these two in the run"] == ["pruned", "fed"]
    assert rows["bytes of data in the graph"] == ["800", "0"]
    assert rows["operations run for the loss"] == ["15", "15"]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_run_that_overflows_is_told_and_its_curve_is_left_out():
    at = visit(rate="10")
    _, own, fed, *_ = table(at, "w")
    assert own[1:4] == fed[1:4]
    assert not [cell for cell in own[1:3] if cell[-1].isdigit() and abs(value(cell)) < 1e6]
    assert "columns **none** changed" in words(at)
    assert charts(at)


def test_in_lecture_mode_everything_stands_below_each_other():
    assert len(visit().columns) - len(visit(lecture="true").columns) == 4
