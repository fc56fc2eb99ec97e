"""The data baked in, as a visitor finds out: asked first, then run, then seen in the graph."""

import re
from functools import cache

import altair as alt
import numpy as np
import pytest

from engines.problem import preset
from tests.support.visit import charts, live_texts, player, plays, series, titles, visit, words
from views.player import Timeline, every_step
from views.static_graph_and_sessions.baked_in import (
    ANSWERS,
    PROBLEM,
    SETTINGS,
    fit,
    train,
    upside_down,
)

ARTICLE = preset("session_article")
PAGE = "static_graph_and_sessions"


@cache
def opened(guess="show", **query):
    """The chapter after a guess, only read and never touched, so that tests can share it."""
    at = visit(PAGE, chapter="baked_in", **query)
    if guess:
        at.segmented_control(key="guess of baked in").set_value(guess).run()
    assert not at.exception
    return at


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


def test_before_somebody_has_said_what_will_happen_the_program_trains_with_its_own_data():
    at = opened(None)
    assert titles(at) == ["The fit"]
    plays(at, "w", train("baked_in", PROBLEM, PROBLEM, **SETTINGS).params["w"])
    assert "its own data" not in live_texts(at)
    assert "upside down" in at.segmented_control(key="guess of baked in").label


def test_afterwards_both_programs_are_fed_other_data_and_the_player_has_both():
    at = opened()
    other = upside_down(PROBLEM)
    mended = train("mended", PROBLEM, other, **SETTINGS)
    plays(at, "w", train("baked_in", PROBLEM, PROBLEM, **SETTINGS).params["w"])
    plays(at, "mended_w", mended.params["w"])
    assert player(at)["whose"] == "baked in"
    shown = series(at)
    assert shown["misfit"][-1] == pytest.approx(
        float(other.loss_at(shown["w"][-1], shown["b"][-1])), rel=1e-4
    )


def test_the_lines_that_differ_are_marked_and_the_model_is_the_same_in_both():
    html = live_texts(opened())
    marked = [
        re.sub("<.*?>", "", line) for line in re.findall('<li class="changed">(.*?)</li>', html)
    ]
    assert any("x1 = tf.compat.v1.placeholder" in line for line in marked)
    assert any("{x1: fed.x, y1: fed.y}" in line for line in marked)
    assert any("x, y = problem.x, problem.y" in line for line in marked)
    assert not [line for line in marked if "y_pred" in line or "reduce_sum" in line or "#" in line]
    assert re.sub("<.*?>", "", html).count("y_pred = w * x**power + b") == 2
    assert "mended_x" not in html
    assert "yield" not in html


def test_other_data_change_nothing_where_the_data_are_baked_in():
    at = opened()
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
    shown = charts(opened())
    assert [one["title"]["text"] for one in shown] == ["The fit", "Baked in", "Mended"]
    for one in shown:
        alt.Chart.from_dict(one)


def test_the_picture_has_both_data_once_they_are_fed_and_a_curve_for_each_program():
    timeline = Timeline(
        every_step({f"{p}{n}": np.zeros(2) for p in ("", "mended_") for n in "wb"}), 1
    )
    before, after = (
        fit(ARTICLE, upside_down(ARTICLE), timeline, drawn=drawn)
        for drawn in (("baked_in",), ("baked_in", "mended"))
    )
    data = [set(one["datasets"]["points"].to_pandas()["data"]) for one in (before, after)]
    assert data == [{"its data"}, {"its data", "fed"}]
    assert [len(one["layer"][1]["layer"]) for one in (before, after)] == [1, 2]


def test_the_table_says_that_the_placeholders_lead_nowhere():
    rows = {name: cells for name, *cells in table(opened(), "mended") if cells}
    assert rows["takes from the placeholder of x"] == ["nothing", "pow"]
    assert rows["what became of these two in the run"] == ["pruned", "fed"]
    assert rows["bytes of data in the graph"] == ["800", "0"]
    assert rows["operations run for the loss"] == ["15", "15"]
