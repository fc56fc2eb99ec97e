"""The graph of one training step, drawn object by object as slow motion goes through it."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.graphs.autograd import StepGraph
from views.dynamic_graph.graph_series import end_of_backward, entries, moments, role
from views.graphs.layered import positions
from views.player import (
    MOMENT,
    PHASE,
    STEP,
    Drawing,
    Filling,
    Timeline,
    between,
    drawing,
    picture,
    show,
    sized,
)
from views.ui.controls import Controls
from views.ui.palette import BEST, GRADIENT, MODEL, QUIET

HALF = 0.45  # half a box, of the distance between two columns or two layers
GAP = 0.06  # between boxes of two layers
BARS, WIDTH = 0.17, 0.25  # from the middle of a box to the bars of its array; theirs together
ROWS = (-0.27, -0.09, 0.1, 0.28)  # of text in a box, from its middle
STRIPS = (("value", ROWS[2], "made", MODEL), ("arrived", ROWS[3], "ran", GRADIENT))
NOW = f"({PHASE} == 4 ? known : {MOMENT})"  # outside slow motion, the end of backward()
SMALL, LARGE = "(lecture ? 18 : 11.5)", "(lecture ? 22 : 13)"  # text
TITLE = "PyTorch\\'s own graph of step"
FIRST = "5"  # the node inspected at first: in E3 the square, whose derivative is worth a look


def _options(step: StepGraph) -> dict[str, str]:
    """The nodes that can be inspected: by place, as a visitor reads it."""
    return {
        str(i): f"{node.kind}, {node.text or node.name}" for i, node in enumerate(step.graph.nodes)
    }


def chosen(controls: Controls, step: StepGraph) -> int:
    """The place of the node that is inspected, chosen further down the page or by a click."""
    return int(controls.chosen("node", _options(step), FIRST))


def choose(controls: Controls, step: StepGraph) -> None:
    """The list of nodes to inspect; a click on one in the graph does the same."""
    controls.choice(
        st.selectbox, "Look into", "node", _options(step), FIRST, on_choice=_forget_click
    )


def _forget_click() -> None:
    """Make the drawing anew: the browser says nothing of a click on what was clicked last."""
    st.session_state["drawing of the graph"] = st.session_state.get("drawing of the graph", 0) + 1


def show_step(step: StepGraph, timeline: Timeline, *, node: int) -> None:
    """The graph of the steps inspected, of which `step` is the first, with one node marked."""
    structure = str([(*role(node), node.shape) for node in step.graph.nodes])
    key = f"step_graph {st.session_state.get('drawing of the graph', 0)}"

    def clicked() -> None:
        match st.session_state[key].get("selection"):
            case {"picked": [{"i": i}, *_]}:  # a browser can send anything
                st.session_state["node"] = str(i)
        Controls.moved()

    figure = step_graph(step, structure, timeline, node=node)
    clicks: dict[str, Any] = {"on_select": clicked, "selection_mode": "picked"}
    show(figure, key=key, height=660, in_hall=880, **clicks)


@picture
def step_graph(_step: StepGraph, structure: str, timeline: Timeline, *, node: int) -> Filling:
    """Every object of a step's graph, with what it holds. structure: equal for equal graphs."""
    tables = _tables(_step)
    values = {
        "chosen": node,
        "known": end_of_backward(timeline),
        "right": float(tables["boxes"]["x"].max()),
        "bottom": float(tables["boxes"]["y"].max()),
    }
    return tables, values


def _tables(step: StepGraph) -> dict[str, pd.DataFrame]:
    """Boxes, edges and the cells of strips, each with the moments at which it changes."""
    graph, happened = step.graph, moments(step)
    at = positions(graph)
    never = len(happened) + 1
    when = {(event.kind, event.name): m for m, event in enumerate(happened)}
    made, ran = (
        {n: m for m, event in enumerate(happened) if event.kind == kind for n in event.nodes}
        for kind in ("forward", "backward")
    )
    boxes: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    for i, node in enumerate(graph.nodes):
        (x, y), grad = at[node.id], f"{node.name}.grad"
        leaf = not node.text
        box = {"i": i, "x": x, "y": y, "made": made[node.id], "ran": ran.get(node.id, never)}
        words = {
            "kind": node.kind,
            "text": f"leaf {node.name}" if leaf else node.text,
            "shape": str(node.shape),
            "value_label": node.name if leaf else "value",
            "gradient_label": grad if leaf else "gradient",
        }
        changes = {
            "moved": when.get(("update", node.name), never),
            "emptied": when.get(("zero", grad), never),
        }
        boxes.append({**box, **words, **changes, "leaf": leaf})
        bars = len(entries(int(np.prod(node.shape))))
        for bar in range(bars):
            left, right = (x + BARS + WIDTH * place / bars for place in (bar, bar + 1))
            cells.append({**box, "slot": len(cells), "x": left, "x2": right})
    edges = [
        {
            "x": at[edge.source][0],
            "y": at[edge.source][1] + HALF - GAP,
            "x2": at[edge.target][0],
            "y2": at[edge.target][1] - HALF + GAP,
            "made": made[edge.target],
            "ran": ran.get(edge.target, never),
        }
        for edge in graph.edges
    ]
    tables: dict[str, list[dict[str, Any]]] = {"boxes": boxes, "edges": edges, "cells": cells}
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


@step_graph.drawing
def _draw(timeline: Timeline) -> Drawing:
    layers = [*_edges(), _boxes(timeline)]
    layers += [_strip(timeline, *strip) for strip in STRIPS]
    return drawing(
        alt.layer(*layers),
        title=alt.TitleParams(alt.ExprRef(f"'{TITLE} ' + {timeline.now('graph_step')}")),
        description=(
            "One box for each object of the autograd graph, from the leaves at the top to the loss "
            "at the bottom, with the value computed there and the gradient that arrived."
        ),
    )


def _x(field: str) -> alt.X:
    return alt.X(
        f"{field}:Q", axis=None, scale=between(f"-{HALF} - 0.01", f"right + {HALF} + 0.01")
    )


def _y(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=None, scale=between(f"bottom + {HALF}", f"-{HALF}"))


def _edges() -> list[Any]:
    """A line from each object to the one that used its result, and its way back in backward()."""
    made = alt.Chart(alt.NamedData("edges")).transform_filter(f"{NOW} >= datum.made")
    gone_back = made.transform_filter(f"{NOW} >= datum.ran")
    line = {"x": _x("x"), "x2": "x2:Q", "y": _y("y"), "y2": "y2:Q"}
    head: dict[str, Any] = {"filled": True, "opacity": 1}
    return [
        made.mark_rule(color=QUIET).encode(**line),
        made.transform_filter(f"{NOW} < datum.ran")
        .mark_point(**head, shape="triangle-down", color=QUIET, size=90)
        .encode(x=_x("x2"), y=_y("y2")),
        gone_back.mark_rule(color=GRADIENT, strokeWidth=3).encode(**line),
        gone_back.mark_point(**head, shape="triangle-up", color=GRADIENT, size=140).encode(
            x=_x("x"), y=_y("y")
        ),
    ]


def _boxes(timeline: Timeline) -> Any:
    """The objects that exist by now, with what they hold. Those that change or run stand out."""

    def at(name: str) -> str:
        return timeline.now(f"{name}_0", further="datum.i")

    def reach(name: str) -> str:
        low, high = at(f"{name}_low"), at(f"{name}_high")
        return f"{low} == {high} ? {_number(low)} : {_number(low)} + ' … ' + {_number(high)}"

    runs, changes = "datum.state === 'runs'", "datum.state === 'changes'"
    color = f"{runs} ? '{GRADIENT}' : '{MODEL}'"
    fields = ("kind", "text", "shape", "value", "gradient")
    told = [alt.Tooltip(field=field, type="nominal") for field in fields]
    outline = {"x": _x("left"), "x2": "right:Q", "y": _y("top"), "y2": "bottom:Q"}
    rectangles = (
        alt.Chart()
        .mark_rect(
            cornerRadius=alt.ExprRef("datum.leaf ? 18 : 5"),
            fill=alt.ExprRef(color),
            fillOpacity=alt.ExprRef(f"{runs} || {changes} ? 0.3 : 0.07"),
            stroke=alt.ExprRef(color),
            strokeWidth=alt.ExprRef(f"{runs} || {changes} ? 3.5 : 1.2"),
            cursor="pointer",
        )
        .encode(**outline, tooltip=told)
        .add_params(alt.selection_point("picked", fields=["i"], toggle=False))
    )
    chosen = (
        alt.Chart()
        .transform_filter("datum.i === chosen")
        .mark_rect(filled=False, stroke=BEST, strokeWidth=2.5, strokeDash=[5, 4], cornerRadius=5)
        .encode(**outline)
    )
    code = (
        alt.Chart()
        .mark_text(
            align="left",
            baseline="middle",
            fontSize=sized(11.5, 18),
            color=alt.ExprRef("ink"),
            font="monospace",
            limit=alt.ExprRef("0.44 * width"),
        )
        .encode(x=_x("start"), y=_y("row_1"), text="text:N", tooltip=told)
    )

    def by_role(**chosen: Any) -> alt.ExprRef:
        """What the text of each role looks like; the last is for all others."""
        *some, (_, rest) = chosen.items()
        cases = [f"datum.role === '{name}' ? {value} : " for name, value in some]
        return alt.ExprRef("".join(cases) + str(rest))

    # One layer for all other texts of a box: each layer more costs the server some 20 ms to build.
    at_row = {
        "kind": 0,
        "shape": 0,
        "value_label": 2,
        "value": 2,
        "gradient_label": 3,
        "gradient": 3,
    }
    rows = {f"row_{i}": f"datum.y + {row}" for i, row in enumerate(ROWS)}
    texts = (
        alt.Chart()
        .transform_fold(list(at_row), as_=["role", "said"])
        .transform_calculate(
            place="datum.role === 'shape' ? datum.end : datum.start",
            row=f"datum['row_' + ({at_row})[datum.role]]",
        )
        .mark_text(
            baseline="middle",
            align=by_role(shape="'right'", other="'left'"),
            fontSize=by_role(kind=LARGE, other=SMALL),
            dx=by_role(value=f"5.2 * {SMALL}", gradient=f"5.2 * {SMALL}", other=0),
            fontWeight=by_role(kind=600, gradient=600, other=400),
            color=by_role(gradient=f"'{GRADIENT}'", other="ink"),
            opacity=by_role(shape=0.75, value_label=0.75, gradient_label=0.75, other=1),
        )
        .encode(x=_x("place"), y=_y("row"), text="said:N", tooltip=told)
    )
    changing = " || ".join(f"{MOMENT} == datum.{when}" for when in ("made", "moved", "emptied"))
    return (
        alt.layer(rectangles, code, texts, chosen, data=alt.NamedData("boxes"))
        # An accumulator is older than the step: only the first step makes it, with its first use.
        .transform_filter(f"{NOW} >= datum.made || datum.leaf && {STEP} > 0")
        .transform_calculate(
            state=f"{PHASE} == 4 ? 'rests' : {MOMENT} == datum.ran ? 'runs' : "
            f"{changing} ? 'changes' : 'rests'",
            value=f"{NOW} >= datum.moved ? {_number(at('moved'))} : {reach('value')}",
            gradient=f"{NOW} >= datum.emptied ? {_number(at('emptied'))} : {NOW} >= datum.ran ? "
            f"datum.leaf ? {_number(at('grad'))} : {reach('arrived')} : "
            f"datum.leaf && {STEP} > 0 ? {_number(at('emptied'))} : 'none'",
            left=f"datum.x - {HALF}",
            right=f"datum.x + {HALF}",
            top=f"datum.y - {HALF - GAP}",
            bottom=f"datum.y + {HALF - GAP}",
            start=f"datum.x - {HALF - 0.03}",
            end=f"datum.x + {HALF - 0.03}",
            **rows,
        )
    )


def _strip(timeline: Timeline, name: str, row: float, known: str, color: str) -> Any:
    """Some entries of each array as bars, up or down from the middle of their row of the box."""

    def at(series: str, by: str) -> str:
        return timeline.now(f"{name}_{series}_0", further=by)

    ends = f"abs({at('low', 'datum.i')}), abs({at('high', 'datum.i')})"
    height = f"{at('strip', 'datum.slot')} / max(1e-30, {ends})"
    return (
        alt.Chart(alt.NamedData("cells"))
        .transform_filter(f"{NOW} >= datum.{known} && width > 450")  # no room on a phone
        .transform_calculate(
            y1=f"datum.y + {row}",
            y2=f"datum.y + {row} - 0.085 * {height}",
        )
        .mark_rect(color=color, opacity=0.9)
        .encode(x=_x("x"), x2="x2:Q", y=_y("y1"), y2="y2:Q")
    )


def _number(value: str) -> str:
    """The Vega expression that writes a number with three digits, or with two where it is tiny."""
    digits = f"abs({value}) < 0.001 && {value} != 0 ? '.1e' : '.3~g'"
    size = f"isNaN({value}) ? 'not a number' : {value} > 0 ? '∞' : '−∞'"
    return f"(isFinite({value}) ? format({value}, {digits}) : {size})"
