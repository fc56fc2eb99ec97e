"""From an Altair chart to something on the page: built once, cached, shown again cheaply."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from engines.problem import Problem
from engines.trace import Trace
from views.timeline import Timeline

type_of_chart = alt.Chart | alt.LayerChart
Figure = dict[str, Any]

# For functions of a run that are worth keeping, shared by all visitors: same run, same result.
cached = st.cache_resource(
    max_entries=256,
    show_spinner=False,
    hash_funcs={kind: lambda value: value.key for kind in (Problem, Trace, Timeline)},
)

STATE = alt.param(
    name="state", value="", bind=alt.BindDirect(element="#player-state", event="input")
)
NOW = alt.param(name="now", expr="split(state, ',')")


def figure(
    chart: type_of_chart,
    data: dict[str, pd.DataFrame],
    *,
    title: str,
    description: str,
    lecture: bool,
) -> Figure:
    """A Vega-Lite specification with its data, ready to be cached and shown.

    data: for each `alt.NamedData` of the chart. description: what the picture shows, for a reader
    who cannot see it. lecture: sizes for the last row of a lecture hall.
    """
    spec: Figure = chart.properties(title=title, description=description).to_dict()
    return {**spec, "datasets": {**spec.get("datasets", {}), **data}, "config": _config(lecture)}


def following(chart: Any) -> Any:
    """The chart, connected to the player: `now` in its expressions is the step's values."""
    return chart.add_params(STATE, NOW)


def show(spec: Figure, *, key: str, height: int) -> None:
    """Put the figure into the page, as wide as its container and `height` pixels high."""
    st.vega_lite_chart(spec, key=key, width="stretch", height=height)


def _config(lecture: bool) -> Figure:
    text, mark = (22, 1.8) if lecture else (13, 1.0)
    axis = {"labelFontSize": text, "titleFontSize": text, "grid": True, "titlePadding": 8}
    return {
        "axis": axis,
        "legend": {"labelFontSize": text, "titleFontSize": text, "orient": "top", "title": None},
        "title": {"fontSize": text + 2, "anchor": "start", "offset": 8, "fontWeight": 600},
        "text": {"fontSize": text},
        "line": {"strokeWidth": 2.5 * mark},
        "rule": {"strokeWidth": 1.5 * mark},
        "point": {"size": 60 * mark**2},
        "circle": {"size": 30 * mark**2, "opacity": 0.8},
    }
