"""A static graph as written, beside what a session executed of it: band by band, line by line.

Each band is a line of the listing. Left of it are the operations that the line made, right those
that ran in their place. Pointing at one shows where its inputs come from and what uses it.
"""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from engines.static_graph_and_sessions.one_run import Run
from views.player import MOMENT, PHASE, Drawing, Filling, between, drawing, picture, show
from views.static_graph_and_sessions.layout import GAP, HALF, columns_of, places_of, tables_of
from views.static_graph_and_sessions.moments import events
from views.ui.palette import BEST, GRADIENT, MISTAKE, MODEL, QUIET

TOLD = ("operation", "name", "written in", "takes", "value", "shape", "time", "what became of it")
# Numbers of their own, so that nothing is drawn anew while the moment stays the same.
AT = alt.param(name="at", expr=f"{PHASE} == 4 ? last : {MOMENT}")
HERE = alt.param(name="here", expr=f"{PHASE} == 4 ? -1 : {MOMENT}")  # outside slow motion nowhere


def show_both(run: Run) -> None:
    """Show the two graphs."""
    _, rows = places_of(run)
    show(both(run), key="picture", height=int(rows * 27) + 20, in_hall=int(rows * 48) + 20)
    st.caption(
        "Blue: runs as it was written. Violet, with a thick edge: changed by TensorFlow. Orange: "
        "now. Dotted: does not run. Round: the runtime's own. Point at an operation to see what it "
        "takes, what takes from it, and what became of it. Each run is timed once and with tracing "
        "on, so only the order of magnitude counts; time passes between operations, too."
    )


@picture
def both(run: Run) -> Filling:
    """The written graph beside the executed one."""
    places, bottom = places_of(run)
    tables = tables_of(run, places)
    last = len(events(run)) - 1
    written, ran = (
        [sum(chip["made"] <= m for chip in tables["chips"] if chip["side"] == side)
         for m in range(last + 1)]
        for side in ("written", "executed")
    )  # fmt: skip
    timings = run.executed.timings.values()
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}, {
        "last": last,
        "bottom": bottom,
        "written": written,
        "ran": ran,
        "failed": run.message is not None,
        "took": max((timing.start + timing.total for timing in timings), default=0.0),
        "edge": 0.9 if columns_of(run) == 1 else 0.3,
        "columns": columns_of(run),
    }


@both.drawing
def _draw() -> Drawing:
    size = "(lecture ? 19 : 11.5)"
    right, half = f"(2 * columns + 1.4 * {GAP})", f"width * columns / (2 * columns + 1.4 * {GAP})"
    across, down = between("0", right), between("bottom", "0")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", axis=None, scale=across)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", axis=None, scale=down)

    # Which box is pointed at decides which edges stand out.
    pointed = alt.selection_point(
        "pointed", fields=["id"], on="pointerover", clear="pointerout", empty=False
    )
    near = "isArray(pointed.id) && (pointed.id[0] === datum.from || pointed.id[0] === datum.to)"
    edges = (
        alt.Chart(alt.NamedData("edges"))
        .transform_filter("at >= datum.made")
        .mark_line(
            tooltip=None,
            color=alt.ExprRef(f"{near} ? '{GRADIENT}' : '{QUIET}'"),
            strokeWidth=alt.ExprRef(f"{near} ? 2.5 : 1"),
            opacity=alt.ExprRef(f"{near} ? 1 : edge"),
        )
        .encode(x=x("x"), y=y("y"), detail="edge:N", order="order:Q")
    )
    # An arrowhead says where a line ends, for some pass behind other boxes.
    heads_of = {"right": 90, "down": 180, "left": 270, "up": 0}
    arrows = (
        alt.Chart(alt.NamedData("edges"))
        .transform_filter("at >= datum.made && datum.head !== ''")
        .mark_point(
            shape="triangle-up",
            tooltip=None,
            filled=True,
            size=alt.ExprRef(f"(columns === 1 ? 5 : 2.2) * {size}"),
            angle=alt.ExprRef(f"({heads_of})[datum.head]"),
            color=alt.ExprRef(f"{near} ? '{GRADIENT}' : '{QUIET}'"),
            opacity=alt.ExprRef(f"{near} ? 1 : max(edge, 0.6)"),
        )
        .encode(x=x("x"), y=y("y"))
    )
    chips = (
        alt.Chart(alt.NamedData("chips"))
        .transform_filter("at >= datum.made")
        .transform_calculate(
            x1="datum.x + 0.04",
            x2="datum.x + 0.96",
            y1=f"datum.y - {HALF}",
            y2=f"datum.y + {HALF}",
            start=f"datum.x + 0.04 + 6 * {right} / width",
            end=f"datum.x + 0.96 - 6 * {right} / width",
            id="datum.side + ' ' + datum.name",
            state="datum.failed && at >= last - 1 ? 'failed' : "
            "(here === datum.ran || here === datum.also) ? 'runs' : "
            "at >= datum.ran ? datum.look : "
            "at === last && !failed ? 'pruned' : 'waits'",
        )
    )
    told = [alt.Tooltip(field=field, type="nominal") for field in TOLD]
    outline = {"x": x("x1"), "x2": "x2:Q", "y": y("y1"), "y2": "y2:Q"}
    is_ = "datum.state === '{}'".format
    color = (
        f"{is_('failed')} ? '{MISTAKE}' : {is_('runs')} ? '{GRADIENT}' : "
        f"{is_('changed')} ? '{BEST}' : "
        f"{is_('kept')} ? '{MODEL}' : '{QUIET}'"
    )
    lit = f"{is_('runs')} || {is_('changed')} || {is_('kept')}"
    ground = chips.mark_rect(fill=alt.ExprRef("background"), cornerRadius=3).encode(**outline)
    boxes = (
        chips.mark_rect(
            cornerRadius=alt.ExprRef(f"{is_('runtime')} ? 9 : 3"),
            fill=alt.ExprRef(color),
            fillOpacity=alt.ExprRef(f"{is_('runs')} ? 0.5 : {lit} ? 0.3 : 0.04"),
            stroke=alt.ExprRef(color),
            strokeWidth=alt.ExprRef(
                f"{is_('failed')} ? 4 : {is_('runs')} || {is_('changed')} ? 2.5 : 1"
            ),
            strokeDash=alt.ExprRef(f"{is_('pruned')} ? [2, 3] : [1, 0]"),
            strokeOpacity=alt.ExprRef(f"{is_('pruned')} || {is_('waits')} ? 0.6 : 1"),
        )
        .encode(**outline, tooltip=told)
        .add_params(pointed)
    )
    room = f"width / {right}"
    texts = (
        chips.transform_fold(["label", "took"], as_=["role", "said"])
        .transform_calculate(
            place="datum.role === 'took' ? datum.end : datum.start",
            words=f"{room} < 50 ? '' : "
            f"datum.role === 'label' || {lit} || {is_('runtime')} ? datum.said : "
            f"columns === 1 && at !== last ? 'not computed' : ''",
        )
        .mark_text(
            fontSize=alt.ExprRef(size),
            baseline="middle",
            align=alt.ExprRef("datum.role === 'took' ? 'right' : 'left'"),
            color=alt.ExprRef("ink"),
            opacity=alt.ExprRef(f"{is_('pruned')} ? 0.55 : 1"),
            fontWeight=alt.ExprRef(f"datum.role === 'took' || {is_('runs')} ? 600 : 400"),
            limit=alt.ExprRef(
                f"datum.role === 'took' ? {room} : "
                f"{room} * 0.84 - (datum.took === '' ? 0 : (columns === 1 ? 7 : 2.6) * {size})"
            ),
        )
        .encode(x=x("place"), y=y("y"), text="words:N", tooltip=told)
    )
    lines = (
        alt.Chart(alt.NamedData("lines"))
        .transform_filter("at >= datum.made")
        .mark_text(
            align="left",
            baseline="middle",
            font="monospace",
            fontSize=alt.ExprRef(f"{size} + 0.5"),
            color=alt.ExprRef("ink"),
            opacity=alt.ExprRef("here === datum.made ? 1 : 0.75"),
            fontWeight=alt.ExprRef("here === datum.made ? 700 : 400"),
            dy=3,
            limit=alt.ExprRef(half),
        )
        .encode(x=x("x"), y=y("y"), text="text:N")
    )
    heads = (
        alt.Chart(alt.InlineData([{"i": 0}, {"i": 1}]))
        .transform_calculate(
            x=f"0.04 + datum.i * (columns + {GAP})",
            y="0.5",
            written_so_far=f"'As written: ' + {_operations('written[at]')} + "
            "(ran[at] === 0 ? ', none computed' : '')",
            none="at === last ? 'nothing' : 'nothing so far'",
            time="at === last ? ', ' + format(took, '.0f') + ' µs in all' : "
            "columns === 1 ? '' : ', each with its microseconds'",
            some=f"{_operations('ran[at]')} + datum.time",
            said="datum.i === 0 ? datum.written_so_far : 'As executed by your run: ' + ("
            "failed && at >= last - 1 ? 'an error' : ran[at] === 0 ? datum.none : datum.some)",
        )
        .mark_text(
            align="left", baseline="middle", fontSize=alt.ExprRef(f"{size} + 3"), fontWeight=700,
            color=alt.ExprRef("ink"), limit=alt.ExprRef(half),
        )
        .encode(x=x("x"), y=y("y"), text="said:N")
    )  # fmt: skip
    return drawing(
        alt.layer(edges, ground, boxes, arrows, texts, lines, heads).add_params(AT, HERE),
        title="",
        description=(
            "One band for each line of the listing: left the operations that it wrote, right those "
            "that the session executed in their place, with the microseconds that each took."
        ),
    )


def _operations(count: str) -> str:
    """The Vega expression that says how many operations these are."""
    return f"({count} + ({count} === 1 ? ' operation' : ' operations'))"
