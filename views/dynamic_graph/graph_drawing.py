"""The graph of one training step, drawn object by object as slow motion goes through it."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.graphs.autograd import Graph, StepGraph
from views.dynamic_graph.graph_series import end_of_backward, entries, moments, role, written
from views.player import (
    MOMENT,
    PHASE,
    STEP,
    TEXT,
    Drawing,
    Filling,
    Timeline,
    between,
    drawing,
    mark,
    picture,
    show,
    sized,
)
from views.ui.controls import Controls
from views.ui.palette import GRADIENT, MODEL, QUIET

WIDE, HIGH = 0.46, 0.45  # half a box, of the distance between two columns or two rows
BARS, WIDTH = 0.17, 0.25  # from the middle of a box to the bars of its array; theirs together
ROWS = (-0.345, -0.17, 0.005, 0.18, 0.35)  # of text in a box, from its middle
STRIPS = (("value", ROWS[2], "made", MODEL), ("arrived", ROWS[4], "ran", GRADIENT))
NOW = f"({PHASE} == 4 ? known : {MOMENT})"  # outside slow motion, the end of backward()
SMALL, LARGE = "((lecture ? 23.5 : 12) * screen)", "((lecture ? 24 : 13.5) * screen)"  # text
TITLE = "PyTorch\\'s own graph of step"
COLUMNS = 2
RUNNING = "now"  # not one node, but at each moment the one that is made or runs
# Orange that can be read as text on a box at rest, on one that runs, and in both themes.
ORANGE = "(luminance(background) < 0.4 ? '#ffb37d' : '#8a3f00')"


def _options(step: StepGraph) -> dict[str, str]:
    """The nodes that can be inspected: by place, as a visitor reads it."""
    return {RUNNING: "The object of this moment"} | {
        str(i): f"{node.kind}, {node.text or node.name}" for i, node in enumerate(step.graph.nodes)
    }


def choose(controls: Controls, step: StepGraph) -> int | None:
    """The list of nodes to inspect; or a click in the graph: the place of the one chosen.

    None where none is, and that of the moment is shown.
    """
    chosen = controls.choice(
        st.selectbox,
        "The node to look into",
        "node",
        _options(step),
        RUNNING,
        on_choice=_forget_click,
        label_visibility="collapsed",
    )
    return int(chosen) if chosen and chosen != RUNNING else None


def _forget_click() -> None:
    """Make the drawing anew: the browser says nothing of a click on what was clicked last."""
    st.session_state["drawing of the graph"] = st.session_state.get("drawing of the graph", 0) + 1


def show_step(step: StepGraph, timeline: Timeline, *, node: int | None) -> None:
    """The graph of the steps inspected, of which `step` is the first, with one node marked."""
    structure = structure_of(step)
    key = f"step_graph {st.session_state.get('drawing of the graph', 0)}"

    def clicked() -> None:
        match st.session_state[key].get("selection"):
            case {"picked": [{"i": i}, *_]}:  # a browser can send anything
                st.session_state["node"] = str(i)
            case _:  # beside all boxes
                st.session_state["node"] = RUNNING
        Controls.moved()

    figure = step_graph(step, structure, timeline, node=node)
    clicks: dict[str, Any] = {"on_select": clicked, "selection_mode": "picked"}
    show(figure, key=key, **clicks)


def structure_of(step: StepGraph) -> str:
    """Equal for graphs that are drawn with the same boxes."""
    return str([(*role(node), node.shape) for node in step.graph.nodes])


@picture
def step_graph(
    _step: StepGraph, structure: str, timeline: Timeline, *, node: int | None
) -> Filling:
    """Every object of a step's graph, with what it holds. structure: equal for equal graphs."""
    tables = _tables(_step)
    values = {
        "chosen": -1 if node is None else node,
        "known": end_of_backward(timeline),
        "right": float(tables["boxes"]["x"].max()),
        "bottom": float(tables["boxes"]["y"].max()),
    }
    return tables, values


def _tables(step: StepGraph) -> dict[str, pd.DataFrame]:
    """Boxes, edges and the cells of strips, each with the moments at which it changes."""
    graph, happened = step.graph, moments(step)
    at = snake(graph)
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
        users = [edge.target for edge in graph.edges if edge.source == node.id]
        handed = max((ran.get(user, never) for user in users), default=box["ran"])
        words = {
            "handed": handed,  # the moment from which its gradient waits for it
            "kind": node.kind,
            "text": written(graph, node),
            "made_by": node.text or node.name,
            "shape": "leaf" if leaf else str(node.shape),
            "value_label": node.name if leaf else "value",
            "kept_label": "keeps" if node.saved else "",
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
            **_ends(at[edge.source], at[edge.target]),
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
            "at the bottom, with the value computed there, what is kept for the backward pass, and "
            "the gradient that arrived. Pointers lead from each object to those it was made from."
        ),
    )


def snake(graph: Graph) -> dict[int, tuple[float, float]]:
    """By id of a node, its column and its row: the leaves, then the operations in their order.

    One row leads to the right and the next to the left, so that what follows each other is
    neighbours, and all of a short graph has room on a screen.
    """
    places = {leaf.id: (float(i), 0.0) for i, leaf in enumerate(graph.leaves)}
    operations = [node for node in graph.nodes if node.id not in places]
    for i, node in enumerate(operations):
        row, column = divmod(i, COLUMNS)
        across = column if row % 2 == 0 else COLUMNS - 1 - column
        places[node.id] = float(across), float(row + 1)
    return places


def _ends(source: tuple[float, float], target: tuple[float, float]) -> dict[str, float]:
    """Where a pointer begins, at the object it belongs to, and ends, at an older one."""
    (x, y), (x2, y2) = source, target
    if y == y2:
        side = 1 if x2 > x else -1
        across = {"x": x + side * (WIDE + 0.02), "x2": x2 - side * WIDE}
        return {**across, "y": y, "y2": y2, "angle": -90.0 * side}
    return {"x": x, "x2": x2, "y": y + HIGH + 0.03, "y2": y2 - HIGH, "angle": 0.0}


def _x(field: str) -> alt.X:
    return alt.X(
        f"{field}:Q", axis=None, scale=between(f"-{WIDE} - 0.01", f"right + {WIDE} + 0.01")
    )


def _y(field: str) -> alt.Y:
    return alt.Y(
        f"{field}:Q", axis=None, scale=between(f"bottom + {HIGH} + 0.02", f"-{HIGH} - 0.02")
    )


def _edges() -> list[Any]:
    """PyTorch's pointers, from each object to those it was made from; backward() follows them."""
    made = alt.Chart(alt.NamedData("edges")).transform_filter(f"{NOW} >= datum.made")
    gone_back = made.transform_filter(f"{NOW} >= datum.ran")
    line = {"x": _x("x"), "x2": "x2:Q", "y": _y("y"), "y2": "y2:Q"}

    def head(some: alt.Chart, color: str, size: float) -> Any:
        points = some.mark_point(
            tooltip=None, shape="triangle", filled=True, opacity=1, color=color, size=mark(size)
        )
        turned = alt.Angle("angle:Q", scale=None)
        return points.encode(x=_x("x"), y=_y("y"), angle=turned)

    return [
        made.mark_rule(tooltip=None, color=QUIET, strokeWidth=sized(1.5, 2.5)).encode(**line),
        head(made, QUIET, 70),
        gone_back.mark_rule(tooltip=None, color=GRADIENT, strokeWidth=sized(3, 5)).encode(**line),
        head(gone_back, GRADIENT, 110),
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
    fields = {"kind": "object", "made_by": "made by", "value": "value", "gradient": "gradient"}
    told = [alt.Tooltip(field=name, type="nominal", title=t) for name, t in fields.items()]
    outline = {"x": _x("left"), "x2": "right:Q", "y": _y("top"), "y2": "bottom:Q"}
    rectangles = (
        alt.Chart()
        .mark_rect(
            cornerRadius=alt.ExprRef("datum.leaf ? 18 : 5"),
            fill=alt.ExprRef(color),
            fillOpacity=alt.ExprRef(f"{runs} || {changes} ? 0.22 : 0.07"),
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
        .mark_rect(
            tooltip=None,
            filled=False,
            stroke=alt.ExprRef("ink"),
            strokeWidth=2.5,
            strokeDash=[5, 4],
            cornerRadius=5,
        )
        .encode(**outline)
    )
    code = (
        alt.Chart()
        .mark_text(
            align="left",
            baseline="middle",
            fontSize=alt.ExprRef(SMALL),
            color=alt.ExprRef("ink"),
            font="monospace",
            limit=alt.ExprRef("0.46 * width"),
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
        "kept_label": 3,
        "kept": 3,
        "gradient_label": 4,
        "gradient": 4,
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
            dx=by_role(**dict.fromkeys(("value", "kept", "gradient"), f"5 * {SMALL}"), other=0),
            fontWeight=by_role(kind=600, gradient=600, other=400),
            color=by_role(gradient=f"(datum.gone ? ink : {ORANGE})", other="ink"),
            opacity=by_role(
                **dict.fromkeys(("shape", "value_label", "kept_label", "gradient_label"), 0.8),
                gradient="(datum.gone ? 0.8 : 1)",
                kept="(datum.emptied_now ? 0.8 : 1)",
                other=1,
            ),
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
            # A gradient that is no leaf's is handed on, and kept nowhere.
            gone=f"!datum.leaf && {NOW} > datum.ran",
            emptied_now=f"{NOW} > datum.ran",
            kept=f"datum.kept_label === '' ? '' : {NOW} > datum.ran ? 'let go' : {reach('kept')}",
            held=f"datum.leaf && {STEP} > 0 ? {_number(at('emptied'))} : 'none'",
            gradient=f"{NOW} >= datum.emptied ? {_number(at('emptied'))} : {NOW} >= datum.ran ? "
            f"datum.leaf ? {_number(at('grad'))} : {NOW} > datum.ran ? 'handed on' : "
            f"{reach('arrived')} : {NOW} < datum.handed ? datum.held : "
            f"datum.leaf ? datum.held + ' ← ' + {_number(at('arrived_low'))} : {reach('arrived')}",
            left=f"datum.x - {WIDE}",
            right=f"datum.x + {WIDE}",
            top=f"datum.y - {HIGH}",
            bottom=f"datum.y + {HIGH}",
            start=f"datum.x - {WIDE - 0.03}",
            end=f"datum.x + {WIDE - 0.03}",
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
        .transform_filter(f"{NOW} >= datum.{known} && ('{name}' === 'value' || {NOW} == datum.ran)")
        .transform_filter(f"width > 45 * {TEXT}")  # where there is room for them
        .transform_calculate(
            y1=f"datum.y + {row}",
            y2=f"datum.y + {row} - 0.07 * {height}",
        )
        .mark_rect(tooltip=None, color=color, opacity=0.9)
        .encode(x=_x("x"), x2="x2:Q", y=_y("y1"), y2="y2:Q")
    )


def _number(value: str) -> str:
    """The Vega expression that writes a number with three digits, or with two where it is tiny."""
    digits = f"abs({value}) < 0.001 && {value} != 0 ? '.1e' : '.3~g'"
    size = f"isNaN({value}) ? 'not a number' : {value} > 0 ? '∞' : '−∞'"
    return f"(isFinite({value}) ? format({value}, {digits}) : {size})"
