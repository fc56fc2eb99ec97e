"""From an Altair chart to something on the page, in two parts with very different prices.

Building a chart with Altair takes tens of milliseconds. So a `@picture` has two parts: its drawing
is built once for all runs and all visitors, and what depends on a run is filled in as named data
and as values of parameters.

    @picture
    def loss(trace: Trace, timeline: Timeline, *, color: str) -> Filling:
        return {"walked": trace.to_frame()}, {"last": len(trace) - 1}

    @loss.drawing
    def _(timeline: Timeline, *, color: str) -> Drawing:
        line = alt.Chart(alt.NamedData("walked")).mark_line(color=color)
        return drawing(line.encode(…), title="The loss", description="Loss against step.")

    show(loss(trace, timeline, color="red"), key="loss", height=300)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any, Generic, Literal, ParamSpec, TypeAlias, cast

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from views.player.caching import cached, keeping
from views.player.parts import Part, note, on_page
from views.player.timeline import STEP, Timeline

P = ParamSpec("P")
Figure: TypeAlias = dict[str, Any]  # a specification that can be shown
Drawing: TypeAlias = dict[
    str, Any
]  # one in which the data and the values of parameters are missing
# The data of each alt.NamedData of a drawing, and the value of each parameter that it uses.
Filling: TypeAlias = tuple[Mapping[str, pd.DataFrame], Mapping[str, Any]]

VALIDATE = False  # half of the time of a drawing would go into that; the tests do it, for each
STATE = alt.param(name="state", value="", bind=alt.BindDirect(element="#root", event="player"))
NOW = alt.param(name="now", expr="split(state || '', ',')")
# The colour of text inside a chart: Streamlit's theme sets the background, and nothing for text.
INK = alt.param(
    name="ink",
    expr="luminance(background) < 0.4 ? '#e6e9ed' : '#1f2a35'",
)


class picture(Generic[P]):
    """A function that returns what a run fills into a drawing. Called, it returns the Figure.

    The drawing, declared with `@name.drawing`, takes the parameters of the function that it needs,
    by the same names. Both are kept, by the content of what they are given; a drawing depends on a
    timeline only by where it keeps which series.
    """

    def __init__(self, fill: Callable[P, Filling]) -> None:
        """fill: its arguments are what the figure depends on."""
        update_wrapper(self, fill)
        self._signature = inspect.signature(fill)
        self._filled = cached(_in_arrow(fill))

    def drawing(self, draw: Callable[..., Drawing]) -> None:
        """Declare the drawing."""
        self._needs = list(inspect.signature(draw).parameters)
        self._drawn = keeping(draw, by="names_key", at_most=64)

    def __call__(self, *args: P.args, **named: P.kwargs) -> Figure:
        """The drawing with the run filled in."""
        given = self._signature.bind(*args, **named)
        given.apply_defaults()
        drawn = self._drawn(**{name: given.arguments[name] for name in self._needs})
        tables, values = self._filled(*args, **named)
        params = [*drawn["params"], *({"name": name, "value": values[name]} for name in values)]
        return {**drawn, "params": params, "datasets": {**drawn.get("datasets", {}), **tables}}


def _in_arrow(
    fill: Callable[P, Filling],
) -> Callable[P, tuple[dict[str, pa.Table], Mapping[str, Any]]]:
    """Streamlit sends tables as Arrow: converted once, rather than at each run of the page."""

    def filled(*args: P.args, **named: P.kwargs) -> Any:
        data, values = fill(*args, **named)
        tables = {n: pa.Table.from_pandas(rows, preserve_index=False) for n, rows in data.items()}
        return tables, values

    return update_wrapper(filled, fill)


def drawing(chart: Any, *, title: Any, description: str) -> Drawing:
    """The specification of a chart, without data. It follows the player where it asks for `now`.

    title: a text, or an Altair title that follows the player. description: what the picture shows,
    for a reader who cannot see it.
    """
    if isinstance(title, str):
        title = alt.Title(title)
    chart = chart.copy(deep=False)  # Altair's own methods copy all that is in it, each anew
    chart.title, chart.description = title, description
    own = [] if chart.params is alt.Undefined else chart.params
    chart.params = [*own, STATE.param, NOW.param, INK.param]
    spec: Drawing = chart.to_dict(validate=VALIDATE)
    # As wide as the picture, axes and all: Streamlit would hold it to the width at first.
    spec["title"]["limit"] = {"expr": f"width + 5 * {TEXT}"}
    if "now[" not in str(spec):  # it stays as it is at every step
        spec["params"] = [one for one in spec["params"] if one["name"] not in ("state", "now")]
    # A canvas redraws some hundred marks in a frame; a tree of elements with labels does not.
    return {**spec, "usermeta": {"embedOptions": {"renderer": "canvas"}}}


# ---- On the page


def in_lecture() -> bool:
    """Whether the page is shown to a hall: everything is large. The toggle has this key."""
    return on_page() and bool(st.session_state.get("lecture", False))


def show(
    figure: Figure,
    *,
    key: str,
    height: int | Literal["stretch"] = "stretch",
    in_hall: int | None = None,
    place: DeltaGenerator | None = None,
    **selecting: Any,
) -> DeltaGenerator:
    """Put a figure into the page, as wide as its container.

    height, in_hall: pixels, and how many in lecture mode; if not said, 1.7 times as many. Or what
    the container leaves, as on a stage. place:
    where, if not here: a container, or what an earlier call returned, to replace it. In an
    `st.empty` it would be gone for a moment at each run of the page. selecting: for a figure that
    can be clicked, what `st.vega_lite_chart` takes for that.
    """
    lecture = in_lecture()
    params = [*figure["params"], {"name": "lecture", "value": lecture}, LARGER, SCREEN]
    spec = {**figure, "params": params, "config": CONFIG, "padding": PADDING}
    note(key, Part("", {}, spec), place=place)
    if not on_page():
        return st.container()
    tall: Any = height
    if lecture and height != "stretch":
        tall = in_hall or round(1.7 * height)
    chart = (place or st).vega_lite_chart(spec, key=key, width="stretch", height=tall, **selecting)
    return cast(DeltaGenerator, chart)


# ---- For drawings

# Sizes are for a window 900 pixels high, and grow with it: a hall reads from the last row, whatever
# the projector has. Text is never smaller than on such a window outside of lecture mode.
# How much larger a lecturer has made everything (views/ui/talk.js), "" where nobody has.
LARGER: Figure = {"name": "larger", "value": "", "bind": {"element": "html", "event": "larger"}}
SCREEN: Figure = {
    "name": "screen",
    # That the height is named makes it computed anew when the window changes.
    "expr": "max(lecture ? 0.5 : 1, (windowSize()[1] + 0 * height) / (lecture ? 900 : 1100))"
    " * (lecture && larger || 1)",
}
TEXT = "((lecture ? 24 : 13) * screen)"  # in expressions: the size of text in axes and legends
FAINT = "luminance(background) < 0.4 ? '#b4bfca' : '#4e5a66'"  # and its colour


def sized(usual: float, in_hall: float) -> alt.ExprRef:
    """A size that is another one in lecture mode. In an expression it is `lecture ? … : …`."""
    return alt.ExprRef(f"(lecture ? {in_hall:g} : {usual:g}) * screen")


def mark(size: float) -> alt.ExprRef:
    """The area of a mark, larger where it is to be seen from the last row."""
    return alt.ExprRef(f"(lecture ? {2.5 * size:g} : {size:g}) * screen * screen")


def _config() -> Figure:
    def by(expression: str) -> dict[str, str]:
        return {"expr": expression}

    text, thick = by(TEXT), "((lecture ? 1.8 : 1) * screen)"
    quiet = by(FAINT)  # Streamlit's own grey is too faint on white
    # Numbers as the readout writes them, 8000 and not 8,000, all of an axis with as many digits.
    label = "isNumber(datum.value) ? replace(datum.label, regexp(',', 'g'), '') : datum.label"
    axis = {
        "labelExpr": label,
        "labelFontSize": text,
        "labelColor": quiet,
        "titleFontSize": text,
        "titleColor": quiet,
        "grid": True,
        "titlePadding": 8,
    }
    return {
        "mark": {"aria": False},
        "axis": axis,
        # As many ticks as there is room for their labels.
        "axisX": {"tickCount": by(f"ceil(width / (4.5 * {TEXT}))")},
        # Labels that grow while playing must not push the rest.
        "axisY": {
            "minExtent": by(f"3.4 * {TEXT}"),
            "tickCount": by(f"ceil(height / (3 * {TEXT}))"),
            "labelBound": True,  # a label over the edge would push the title out of the picture
        },
        "legend": {
            "labelFontSize": text,
            "labelColor": quiet,
            "titleFontSize": text,
            "orient": "top",
            "title": None,
            # What is between the entries changes with their size: else they are not laid out anew.
            "columnPadding": by("10 * screen"),
            "rowPadding": by("2 * screen"),
        },
        "title": {"fontSize": by(f"{TEXT} + 2"), "anchor": "start", "offset": 8, "fontWeight": 600},
        "text": {"fontSize": text},
        "line": {"strokeWidth": by(f"2.5 * {thick}")},
        "rule": {"strokeWidth": by(f"1.5 * {thick}")},
        "point": {"size": by(f"60 * {thick} * {thick}")},
        "circle": {"size": by(f"30 * {thick} * {thick}"), "opacity": 0.8},
    }


CONFIG = _config()
# A label at the end of an axis is wider than the axis by half of it.
PADDING = {"expr": f"ceil(0.9 * {TEXT})"}


# A number at an axis: written out where it can be, else with a power of ten and a true minus.
POWER = "replace(replace(format(datum.value, '~e'), 'e+', 'e'), 'e-', 'e−')"
LABEL = (
    f"datum.value === 0 || abs(log(abs(datum.value))) < 9.3 ? format(datum.value, '~g') : {POWER}"
)
# At an axis whose `ticks` are those of `decades`: all in the one way or all in the other.
DECADES = f"ticks[0] < 1e-4 || peek(ticks) > 1e4 ? {POWER} : format(datum.value, '~g')"


def between(low: str, high: str, **more: Any) -> alt.Scale:
    """A scale whose domain is two expressions."""
    return alt.Scale(domain=[alt.ExprRef(low), alt.ExprRef(high)], nice=False, **more)


def frame(timeline: Timeline, run: str, *names: str) -> alt.Chart:
    """One row: the step shown and these series' values at it, without the prefix of their run."""
    values = {name: timeline.now(run + name) for name in names}
    return alt.Chart(alt.InlineData(values=[{}])).transform_calculate(step=STEP, **values)


def decades(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: some powers of ten, or on a short one 1, 2 and 5 times each."""
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    ticks = powers[:: 1 + len(powers) // 7]
    if len(powers) <= 3:
        ticks = np.outer(powers, [1, 2, 5]).ravel()
    inside: list[float] = ticks[(ticks >= low) & (ticks <= high)].tolist()
    return inside


def readable(chart: alt.Chart, **style: Any) -> alt.LayerChart:
    """Text with a rim in the colour of the page, so that it can be read over what it crosses."""
    rim = chart.mark_text(**style, stroke=alt.ExprRef("background"), strokeWidth=4)
    text: alt.LayerChart = rim + chart.mark_text(**style)
    return text
