"""How long a graph lives: two of them at each moment, and the count of all objects alive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from engines.graphs.autograd import StepGraph
from views.dynamic_graph.graph_series import moments, role
from views.graphs.small_graph import short
from views.player import (
    MOMENT,
    PHASE,
    TEXT,
    Drawing,
    Figure,
    Filling,
    Timeline,
    between,
    drawing,
    mark,
    picture,
    sized,
)
from views.ui.palette import DATA, MODEL, QUIET

HALF = {"old": (0.15, 0.34), "both": (0.15, 0.38), "new": (0.15, 0.34), "name": (0.07, 0.26)}
ABOVE = alt.ExprRef(f"-0.8 * {TEXT}")  # of a text over a line
ACROSS = {"old": 0.16, "both": 0.5, "new": 0.84}


class Life(NamedTuple):
    """A moment of the life of graphs. at: its place among all events. alive: objects, at it."""

    at: int
    alive: int


def lives_of(steps: Sequence[StepGraph]) -> list[Life]:
    """From the end of the first forward pass to the end of the second backward pass.

    In between: the first backward pass, each object that the second step makes, and the moment in
    which its loss takes the name.
    """
    first, second = (
        [
            (m, event)
            for m, event in enumerate(moments(step))
            if event.kind in ("forward", "backward")
        ]
        for step in steps[:2]
    )
    built = [m for m, event in second if event.kind == "forward"]
    length = len(moments(steps[0]))
    forward = [m for m, event in first if event.kind == "forward"]
    places = [forward[-1], first[-1][0]]
    places += [length + m for m in (*built, built[-1] + 1, second[-1][0])]
    counts = [event.live for step in steps[:2] for event in moments(step)]
    return [Life(at, counts[at]) for at in places]


# ---- Two graphs


def two_graphs(steps: Sequence[StepGraph], timeline: Timeline) -> Figure:
    """The graphs of two steps at each moment of `lives_of`; the accumulators are in both."""
    structure = str([[(node.id, *role(node)) for node in step.graph.nodes] for step in steps])
    return _two_graphs(steps, structure, timeline)


@picture
def _two_graphs(_steps: Sequence[StepGraph], structure: str, timeline: Timeline) -> Filling:
    one, other = (step.graph for step in _steps)
    built, last = timeline.parts[1], sum(timeline.parts) - 1
    moves = 2 + built  # the moment in which the name is given to the new loss
    boxes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    for side, graph in (("old", one), ("new", other)):
        leaves = {leaf.id: i for i, leaf in enumerate(graph.leaves)}
        operations = [node for node in graph.nodes if node.id not in leaves]
        old = side == "old"
        rows = {**leaves, **{node.id: k + 1 for k, node in enumerate(operations)}}
        for k, node in enumerate(operations):
            box: dict[str, Any] = {
                "side": side,
                "x": ACROSS[side],
                "y": k + 1,
                "text": f"{short(node.kind)} #{node.id}",
                "made": 0 if old else 2 + k,
                "gone": moves if old else last + 1,
                "ghost": 2 if old else last + 1,
                "keeps": bool(node.saved),
                "emptied": 1 if old else last,
            }
            boxes.append(box)
            for edge in graph.inputs(node.id):
                leaf, toward = edge.source in leaves, 1 if old else -1
                up = {
                    "x": ACROSS[side] + toward * HALF[side][0] * leaf,
                    "y": k + 1 - HALF[side][1] * (not leaf),
                    "x2": ACROSS["both"] - toward * HALF["both"][0] if leaf else ACROSS[side],
                    "y2": rows[edge.source] + HALF[side][1] * (not leaf),
                }
                edges.append({**up, **{name: box[name] for name in ("made", "gone", "ghost")}})
        if old:
            boxes += [
                {
                    "side": "both",
                    "x": ACROSS["both"],
                    "y": i,
                    "text": f"{graph[number].name}: #{number}",
                    **{
                        "made": 0,
                        "gone": last + 1,
                        "ghost": last + 1,
                        "keeps": False,
                        "emptied": 0,
                    },
                }
                for number, i in leaves.items()
            ]
        name: dict[str, Any] = {
            "side": "name",
            "x": ACROSS[side],
            "y": len(operations) + 0.85,
            "text": "loss",
        }
        times = {"made": 0 if old else moves, "gone": moves if old else last + 1, "ghost": last + 1}
        boxes.append({**name, **times, "keeps": False, "emptied": 0})
        pointer = {"x": ACROSS[side], "y": name["y"] - HALF["name"][1], "x2": ACROSS[side]}
        edges.append({**pointer, "y2": len(operations) + HALF[side][1], **times})
    for box in boxes:
        box["half_x"], box["half_y"] = HALF[box["side"]]
    values = {"bottom": max(box["y"] for box in boxes), "known": last}
    return {"boxes": pd.DataFrame(boxes), "edges": pd.DataFrame(edges)}, values


@_two_graphs.drawing
def _draw_graphs() -> Drawing:
    now = f"({PHASE} == 4 ? known : {MOMENT})"
    there = f"{now} >= datum.made && {now} < datum.gone"
    ghost = f"({now} >= datum.ghost)"

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", axis=None, scale=between("0", "1"))

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", axis=None, scale=between("bottom + 0.3", "-0.42"))

    edges = alt.Chart(alt.NamedData("edges")).transform_filter(there)
    turn = "atan2((datum.x2 - datum.x) * width, (datum.y - datum.y2) * height / (bottom + 0.72))"
    heads = edges.transform_calculate(angle=f"{turn} * 180 / PI")
    boxes = (
        alt.Chart(alt.NamedData("boxes"))
        .transform_filter(there)
        .transform_calculate(
            left="datum.x - datum.half_x",
            right="datum.x + datum.half_x",
            top="datum.y - datum.half_y",
            low="datum.y + datum.half_y",
            chip="datum.x + datum.half_x - 0.03",
        )
    )
    dash = alt.ExprRef(f"{ghost} ? [4, 4] : [1, 0]")
    new = f"({MOMENT} == datum.made && {PHASE} < 4 && datum.made > 0)"
    color = alt.ExprRef(f"datum.side === 'both' ? '{DATA}' : '{MODEL}'")
    rectangles = boxes.mark_rect(
        tooltip=None,
        cornerRadius=alt.ExprRef("datum.side === 'both' || datum.side === 'name' ? 14 : 4"),
        fill=color,
        stroke=color,
        strokeDash=dash,
        fillOpacity=alt.ExprRef(f"datum.side === 'name' ? 0 : {ghost} ? 0.02 : {new} ? 0.3 : 0.1"),
        strokeOpacity=alt.ExprRef(f"{ghost} ? 0.7 : 1"),
        strokeWidth=alt.ExprRef(f"{new} ? 3.5 : 1.5"),
    ).encode(x=x("left"), x2="right:Q", y=y("top"), y2="low:Q")
    names = boxes.mark_text(
        tooltip=None,
        color=alt.ExprRef("ink"),
        opacity=alt.ExprRef(f"{ghost} ? 0.8 : 1"),
        font=alt.ExprRef("datum.side === 'name' ? 'monospace' : 'sans-serif'"),
    ).encode(x=x("x"), y=y("y"), text="text:N")
    chips = (
        boxes.transform_filter("datum.keeps")
        .mark_square(
            tooltip=None,
            size=mark(90),
            fill=MODEL,
            stroke=MODEL,
            opacity=1,
            fillOpacity=alt.ExprRef(f"{now} < datum.emptied ? 1 : 0"),
            strokeWidth=sized(1.5, 2.5),
        )
        .encode(x=x("chip"), y=y("y"))
    )
    return drawing(
        alt.layer(
            edges.mark_rule(
                tooltip=None,
                color=QUIET,
                strokeDash=dash,
                opacity=alt.ExprRef(f"{ghost} ? 0.6 : 1"),
            ).encode(x=x("x"), y=y("y"), x2="x2:Q", y2="y2:Q"),
            heads.mark_point(
                tooltip=None, shape="triangle", filled=True, opacity=1, color=QUIET, size=mark(60)
            ).encode(x=x("x2"), y=y("y2"), angle=alt.Angle("angle:Q", scale=None)),
            rectangles,
            names,
            chips,
        ),
        title=alt.TitleParams(
            "Step 0, the accumulators, step 1",
            subtitle="■ keeps numbers for backward()   □ has let them go",
            subtitleFontSize=alt.ExprRef(TEXT),
            subtitleColor=alt.ExprRef("ink"),
        ),
        description=(
            "The objects of step 0 at the left and of step 1 at the right, the two accumulators "
            "between them, and the name loss below the graph that it holds. Pointers lead from "
            "each object to those it was made from."
        ),
    )


# ---- How many


def living_objects(steps: Sequence[StepGraph], lives: Sequence[Life], timeline: Timeline) -> Figure:
    """Objects alive, and objects made so far, through these steps; a dot at each of the moments."""
    counts, made = [], 0
    for step in steps:
        for m, event in enumerate(moments(step)):
            made = max(made, *event.nodes, 0)
            counts.append((step.step, m, event.live, made))
    return _counts(counts, tuple(lives), timeline)


@picture
def _counts(
    counts: Sequence[tuple[int, int, int, int]], lives: tuple[Life, ...], timeline: Timeline
) -> Filling:
    rows = pd.DataFrame(counts, columns=["step", "moment", "alive", "made"])
    rows["at"] = range(len(rows))
    starts = rows[rows["moment"] == 0].assign(
        label=lambda start: "step " + start["step"].astype(str)
    )
    peaks = rows.loc[rows.groupby("step")["alive"].idxmax()]
    shown = pd.DataFrame(lives).assign(moment=range(len(lives)))
    data = {"counts": rows, "starts": starts, "peaks": peaks, "lives": shown}
    return data, {"last": len(rows) - 1, "most": int(rows["made"].max()) + 2}


@_counts.drawing
def _draw() -> Drawing:
    x = alt.X(
        "at:Q",
        title="moment",
        axis=alt.Axis(labels=False, grid=False),
        scale=between("-0.5", "last + 0.5"),
    )
    count = between("0", "most")
    rows = alt.Chart(alt.NamedData("counts"))

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title="objects", scale=count)

    alive = rows.mark_area(
        interpolate="step-after",
        color=MODEL,
        opacity=0.25,
        line={"color": MODEL, "strokeWidth": 2.5},
    ).encode(x=x, y=y("alive"), tooltip=["step:Q", "alive:Q", "made:Q"])
    made = rows.mark_line(interpolate="step-after", color=QUIET, strokeDash=[5, 4]).encode(
        x=x, y=y("made")
    )
    starts = alt.Chart(alt.NamedData("starts"))
    rules = starts.mark_rule(color=QUIET, opacity=0.5).encode(x=x)
    names = starts.mark_text(
        color=alt.ExprRef("ink"), align="left", dx=5, baseline="top", dy=4
    ).encode(x=x, y=alt.value(0), text="label:N")
    peaks = (
        alt.Chart(alt.NamedData("peaks"))
        .mark_text(dy=ABOVE, color=alt.ExprRef("ink"), fontWeight=600)
        .encode(x=x, y=y("alive"), text="alive:Q")
    )
    ends = alt.Chart(alt.NamedData("counts")).transform_filter("datum.at === last")
    label: dict[str, Any] = {"align": "right", "dx": -6, "dy": ABOVE}
    named = [
        ends.transform_calculate(text=f"'{text}'")
        .mark_text(**label, color=alt.ExprRef("ink"))
        .encode(x=x, y=y(field), text="text:N")
        for field, text in (("made", "made so far"), ("alive", "alive"))
    ]
    here = (
        alt.Chart(alt.NamedData("lives"))
        .transform_filter(f"{MOMENT} == datum.moment")
        .mark_circle(color=MODEL, size=mark(140), opacity=1)
        .encode(x=x, y=y("alive"), tooltip="alive:Q")
    )
    return drawing(
        alt.layer(rules, names, alive, made, peaks, *named, here),
        title="Objects of the graph, alive and made",
        description=(
            "How many objects of the graph exist at each moment of the first steps, beside how "
            "many have been made so far."
        ),
    )
