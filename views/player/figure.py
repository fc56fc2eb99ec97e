"""From an Altair chart to something on the page, in two parts with very different prices.

Building a chart with Altair takes tens of milliseconds. So the drawing, a template, is built once
for all runs and all visitors: what depends on a run enters it only as named data and as values of
parameters, and a figure is a template with both filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd
import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.problem import Problem
from engines.trace import Trace
from views.player.timeline import Timeline

Figure = dict[str, Any]

# For functions of a run that are worth keeping, shared by all visitors: same run, same result.
cached = st.cache_resource(
    max_entries=32,
    show_spinner=False,
    hash_funcs={kind: lambda value: value.key for kind in (Problem, Trace, Timeline)},
)

# The same for a function of an engine: made once, for that costs as much as a small section.
kept = lru_cache(maxsize=64)(cached)

# For drawings, which depend on a timeline only by where it keeps which series.
drawn = st.cache_resource(
    max_entries=256,
    show_spinner=False,
    hash_funcs={Timeline: lambda timeline: timeline.names_key},
)

STATE = alt.param(
    name="state", value="", bind=alt.BindDirect(element="#player-state", event="input")
)
NOW = alt.param(name="now", expr="split(state, ',')")
# The colour of text inside a chart: Streamlit's theme sets the background, and nothing for text.
INK = alt.param(name="ink", expr="luminance(background) < 0.4 ? '#e6e9ed' : '#1f2a35'")


def template(
    chart: Any, values: tuple[str, ...], *, title: Any, description: str, lecture: bool
) -> Figure:
    """The specification of a chart that follows the player.

    values: names of the parameters, used in the chart's expressions, that each run fills in.
    title: a text, or an Altair title that follows the player.
    description: what the picture shows, for a reader who cannot see it. lecture: sizes for the
    last row of a lecture hall.
    """
    params = [alt.param(name=name, value=0) for name in values]
    spec: Figure = (
        chart.add_params(STATE, NOW, INK, *params)
        .properties(title=title, description=description)
        .to_dict(
            validate=False
        )  # half of the time would go into that: tests/views/player/test_figure.py does it
    )
    if "now[" not in str(spec):  # it stays as it is at every step
        spec["params"] = [one for one in spec["params"] if one["name"] not in ("state", "now")]
    # A canvas redraws some hundred marks in a frame; a tree of elements with labels does not.
    renderer = {"embedOptions": {"renderer": "canvas"}}
    return {**spec, "config": _config(lecture), "usermeta": renderer}


def readable(chart: alt.Chart, **style: Any) -> alt.LayerChart:
    """Text with a rim in the colour of the page, so that it can be read over what it crosses."""
    rim = chart.mark_text(**style, stroke=alt.ExprRef("background"), strokeWidth=4)
    text: alt.LayerChart = rim + chart.mark_text(**style)
    return text


def figure(
    of: Figure, data: Mapping[str, pd.DataFrame], values: Mapping[str, Any] | None = None
) -> Figure:
    """The template `of`, with the data of each `alt.NamedData` and the values of its parameters."""
    values = values or {}
    params = [
        {**param, "value": values[param["name"]]} if param["name"] in values else param
        for param in of["params"]
    ]
    # Streamlit sends tables as Arrow: converted here, once, rather than at each run of the page.
    tables = {name: pa.Table.from_pandas(rows, preserve_index=False) for name, rows in data.items()}
    return {**of, "params": params, "datasets": {**of.get("datasets", {}), **tables}}


def show(
    spec: Figure, *, key: str, height: int, place: DeltaGenerator | None = None
) -> DeltaGenerator:
    """Put the figure into the page, as wide as its container and `height` pixels high.

    place: where, if not here: a container, or what an earlier call returned, to replace it. In an
    `st.empty` it would be gone for a moment at each run of the page.
    """
    return (place or st).vega_lite_chart(spec, key=key, width="stretch", height=height)


def _config(lecture: bool) -> Figure:
    text, mark = (24, 1.8) if lecture else (13, 1.0)
    axis = {"labelFontSize": text, "titleFontSize": text, "grid": True, "titlePadding": 8}
    return {
        "mark": {"aria": False},
        "axis": axis,
        "axisY": {"minExtent": 3.4 * text},  # labels that grow while playing must not push the rest
        "legend": {"labelFontSize": text, "titleFontSize": text, "orient": "top", "title": None},
        "title": {"fontSize": text + 2, "anchor": "start", "offset": 8, "fontWeight": 600},
        "text": {"fontSize": text},
        "line": {"strokeWidth": 2.5 * mark},
        "rule": {"strokeWidth": 1.5 * mark},
        "point": {"size": 60 * mark**2},
        "circle": {"size": 30 * mark**2, "opacity": 0.8},
    }
