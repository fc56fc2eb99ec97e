"""A picture: its drawing is made once, what depends on the run is filled in, and all is valid.

That every drawing of every page is what the grammar of Vega-Lite allows is seen to where it is
drawn: tests/conftest.py has `drawing` validate in all tests.
"""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import pytest
from jsonschema import ValidationError

from tests.support.server import pages
from tests.support.visit import charts, visit, visit_section
from tests.views.gpu_speedup.test_this_machine import device
from views.gpu_speedup import this_machine
from views.gpu_speedup.contenders import LOOKS
from views.player import TEXT, Timeline, decades, drawing, every_step, mark, picture, sized

drawn = []


@picture
def dots(values: tuple[float, ...], timeline: Timeline, *, color: str = "red"):
    """Dots of values."""
    return {"rows": pd.DataFrame({"x": values})}, {"last": len(values)}


@dots.drawing
def _(timeline: Timeline, *, color: str):
    drawn.append(color)
    rows = alt.Chart(alt.NamedData("rows")).mark_point(color=color, size=mark(10))
    reached = alt.datum.x < alt.expr(timeline.now("w"))
    chart = rows.encode(x="x:Q").transform_filter(reached)
    return drawing(chart, title="Dots", description="Dots that follow the player.")


def timeline(values=(1.0, 2.0), names=("w",)):
    return Timeline(every_step({name: np.array(values) for name in names}), len(values) - 1)


def filled(figure):
    return {one["name"]: one.get("value") for one in figure["params"]}


def test_a_drawing_is_made_once_for_all_runs_whose_series_have_the_same_names():
    drawn.clear()
    one = dots((1.0, 2.0), timeline(), color="blue")
    other = dots((1.0, 3.0, 5.0), timeline((4.0, 5.0, 6.0)), color="blue")
    assert drawn == ["blue"]
    assert (filled(one)["last"], filled(other)["last"]) == (2, 3)
    assert one["datasets"]["rows"].to_pylist() == [{"x": 1.0}, {"x": 2.0}]
    assert other["datasets"]["rows"].num_rows == 3
    dots((1.0, 2.0), timeline(names=("v", "w")), color="blue")
    dots((1.0, 2.0), timeline(), color="green")
    assert drawn == ["blue", "blue", "green"]


def test_defaults_count_as_if_they_were_given():
    drawn.clear()
    dots((1.0,), timeline(names=("w", "d")))
    dots((1.0,), timeline=timeline(names=("w", "d")), color="red")
    assert drawn == ["red"]
    assert dots.__doc__ == "Dots of values."


def test_only_a_drawing_that_asks_for_the_player_is_bound_to_it():
    assert {"state", "now", "ink"} <= filled(dots((1.0,), timeline())).keys()
    still = drawing(
        alt.Chart(alt.NamedData("rows")).mark_point().encode(x="x:Q"), title="", description=""
    )
    assert [one["name"] for one in still["params"]] == ["ink"]


def test_a_drawing_that_is_not_valid_is_found_when_it_is_drawn():
    wrong = alt.Chart(alt.NamedData("rows")).mark_point().encode(x="x:Q")
    wrong.encoding.x.scale = 7
    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        drawing(wrong, title="", description="")
    with pytest.raises(ValidationError):
        alt.Chart.from_dict({"mark": "circle", "encoding": {"x": {"field": "a", "scale": 7}}})


@pytest.mark.parametrize("lecture", ["false", "true"])
def test_shown_it_is_valid_and_lecture_mode_reaches_it(lecture):
    def page():
        from tests.views.player.test_figure import dots, timeline
        from views.player import show

        show(dots((1.0, 2.0), timeline()), key="dots", height=100)

    [chart] = charts(visit_section(page, lecture=lecture))
    alt.Chart.from_dict(chart)
    assert filled(chart)["lecture"] == (lecture == "true")
    assert chart["config"]["axis"]["labelFontSize"] == {"expr": TEXT}
    assert chart["description"] == "Dots that follow the player."


@pytest.mark.parametrize("path", pages())
def test_every_chart_of_a_page_is_valid_as_it_is_sent(path, monkeypatch):
    cpus = tuple(device(framework, "cpu", "Some CPU") for framework in LOOKS)
    monkeypatch.setattr(this_machine, "inspected", lambda: this_machine.Server(2, cpus))
    shown = charts(visit(path.strip("/") or None, mistake="not_zeroed", train="true"))
    assert shown
    for chart in shown:
        alt.Chart.from_dict(chart)


def test_sizes_react_to_lecture_mode_and_ticks_are_few():
    assert sized(13, 24).to_dict() == {"expr": TEXT[1:-1]}
    assert mark(10).to_dict() == {"expr": "(lecture ? 25 : 10) * screen * screen"}
    assert decades(1e-2, 1e3) == [1e-2, 1e-1, 1, 10, 100, 1000]
    assert decades(1e-3, 1e3) == [1e-3, 1e-1, 10, 1000]
    assert decades(1, 10) == [1, 2, 5, 10]
    assert 3 <= len(decades(1e-30, 1e30)) <= 10
