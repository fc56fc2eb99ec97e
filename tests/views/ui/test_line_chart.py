"""The line chart: one table of all lines, axes that hold them, gaps where a log has no place."""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import pytest

from views.ui.line_chart import CURVE_STEPS, Line, lines
from views.ui.palette import Look

RED, BLUE = Look("falls", "#ff0000", (4, 2)), Look("rises", "#0000ff")


def drawn(*shown, **options):
    return lines(shown, title="Lines", y="value", description="Two lines.", **options)


def rows(figure):
    return figure["datasets"]["rows"].to_pandas()


def values(figure):
    return {one["name"]: one.get("value") for one in figure["params"]}


def test_each_line_has_its_rows_its_name_and_its_look():
    figure = drawn(Line(RED, np.array([4.0, 2.0, 1.0])), Line(BLUE, np.array([1.0, 2.0])))
    table = rows(figure)
    assert table[table["line"] == "falls"]["value"].tolist() == [4, 2, 1]
    assert table[table["line"] == "rises"]["x"].tolist() == [0, 1]
    scale = figure["encoding"]["color"]["scale"]
    assert scale == {"domain": ["falls", "rises"], "range": ["#ff0000", "#0000ff"]}
    assert figure["encoding"]["strokeDash"]["scale"]["range"] == [[4, 2], [1, 0]]
    assert (figure["title"]["text"], figure["description"]) == ("Lines", "Two lines.")


def test_a_line_may_be_anywhere_on_the_axis():
    figure = drawn(Line(RED, np.array([1.0, 2.0]), np.array([10.0, 30.0])))
    assert rows(figure)[["x", "until"]].to_numpy().tolist() == [[10, 30], [30, 31]]
    assert (values(figure)["first"], values(figure)["last"]) == (10, 30)


def test_a_logarithmic_axis_leaves_out_what_it_has_no_place_for():
    figure = drawn(Line(RED, np.array([0.0, -1.0, np.inf, np.nan, 3.0, 12.0])))
    assert rows(figure)["value"].tolist() == [3, 12]
    assert (values(figure)["low"], values(figure)["high"]) == (2, 18)
    assert values(figure)["last"] == 5  # the axis still has all steps


def test_a_linear_axis_begins_at_zero_or_below():
    figure = drawn(Line(RED, np.array([0.0, 20.0])), log=False)
    assert (values(figure)["low"], values(figure)["high"]) == (0, 21)
    figure = drawn(Line(RED, np.array([-3.0, 20.0])), log=False, highest=100)
    assert (values(figure)["low"], values(figure)["high"]) == (-3, 100)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("shown", [[math.nan], [0.0], [5.0]])
def test_few_values_or_none_make_an_axis_that_has_an_extent(shown, log):
    figure = drawn(Line(RED, np.array(shown)), log=log)
    assert values(figure)["low"] < values(figure)["high"]
    assert values(figure)["first"] < values(figure)["last"]
    assert all(map(math.isfinite, values(figure)["ticks"]))


def test_a_long_run_is_thinned_and_keeps_both_ends():
    table = rows(drawn(Line(RED, np.arange(1.0, 8002.0))))
    assert len(table) <= CURVE_STEPS + 1
    assert (table["x"].iloc[0], table["x"].iloc[-1]) == (0, 8000)


def test_only_lines_that_follow_the_player_have_a_dot_at_its_step():
    one = Line(RED, np.array([1.0, 2.0]))
    still, following = drawn(one), drawn(one, follows=True)
    assert "layer" not in still
    assert len(following["layer"]) == 2
    assert "toNumber(now[0])" in str(following["layer"][1])
    assert "now[" not in str(still)
    alt.Chart.from_dict({**following, "datasets": {}})
