"""How long a graph lives: the count of its objects through the first steps of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from engines.graphs.autograd import StepGraph
from views.dynamic_graph.graph_series import end_of_backward, moments
from views.graphs.small_graph import draw_graph
from views.player import (
    MOMENT,
    PHASE,
    STEP,
    Drawing,
    Figure,
    Filling,
    Timeline,
    between,
    drawing,
    mark,
    picture,
    show,
)
from views.ui.palette import BEST, MODEL, QUIET


def two_graphs(steps: Sequence[StepGraph], places: Sequence[Any]) -> None:
    """Two steps' graphs in two places, each object with its number; shared ones stand out."""
    one, other = steps
    shared = {node.id for node in one.graph.nodes} & {node.id for node in other.graph.nodes}
    for place, step in zip(places, steps, strict=True):
        numbers = {node.id: f"#{node.id}" for node in step.graph.nodes}
        figure = draw_graph(
            step.graph,
            key=_content(step),
            title=f"Step {step.step}",
            description=(
                "The graph of one step, with the number of each object; those that the other step "
                "has too are marked."
            ),
            labels=numbers,
            emphasised=tuple(shared),
        )
        with place:
            show(figure, key=f"graph_of_{step.step}")


def _content(step: StepGraph) -> bytes:
    """Equal for graphs that are drawn alike."""
    arrays = [array for node in step.graph.nodes for array in (node.value, node.gradient)]
    return b"".join(array.tobytes() for array in arrays if array is not None)


def living_objects(steps: Sequence[StepGraph], timeline: Timeline) -> Figure:
    """Objects alive, and objects made so far, at each moment of these steps, the first of a run."""
    counts, made = [], 0
    for step in steps:
        for m, event in enumerate(moments(step)):
            made = max(made, *event.nodes, 0)
            counts.append((step.step, m, event.live, made))
    return _counts(counts, timeline)


@picture
def _counts(counts: Sequence[tuple[int, int, int, int]], timeline: Timeline) -> Filling:
    rows = pd.DataFrame(counts, columns=["step", "moment", "alive", "made"])
    rows["at"] = range(len(rows))
    starts = rows[rows["moment"] == 0].assign(
        label=lambda start: "step " + start["step"].astype(str)
    )
    peaks = rows.loc[rows.groupby("step")["alive"].idxmax()]
    data = {"counts": rows, "starts": starts, "peaks": peaks}
    values = {"last": len(rows) - 1, "most": int(rows["made"].max()) + 2}
    return data, {**values, "known": end_of_backward(timeline)}


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
        interpolate="step", color=MODEL, opacity=0.25, line={"color": MODEL, "strokeWidth": 2.5}
    ).encode(x=x, y=y("alive"), tooltip=["step:Q", "alive:Q", "made:Q"])
    made = rows.mark_line(interpolate="step", color=QUIET, strokeDash=[5, 4]).encode(
        x=x, y=y("made")
    )
    starts = alt.Chart(alt.NamedData("starts"))
    rules = starts.mark_rule(color=QUIET, opacity=0.5).encode(x=x)
    names = starts.mark_text(color=QUIET, align="left", dx=5, baseline="top", dy=4).encode(
        x=x, y=alt.value(0), text="label:N"
    )
    peaks = (
        alt.Chart(alt.NamedData("peaks"))
        .mark_text(dy=-10, color=alt.ExprRef("ink"), fontWeight=600)
        .encode(x=x, y=y("alive"), text="alive:Q")
    )
    ends = alt.Chart(alt.NamedData("counts")).transform_filter("datum.at === last")
    label: dict[str, Any] = {"align": "right", "dx": -6, "dy": -10}
    named = [
        ends.transform_calculate(text=f"'{text}'")
        .mark_text(**label, color=color)
        .encode(x=x, y=y(field), text="text:N")
        for field, text, color in (
            ("made", "made so far", QUIET),
            ("alive", "alive", MODEL),
        )
    ]
    moment = f"({PHASE} == 4 ? known : {MOMENT})"
    here = (
        rows.transform_filter(f"datum.step == {STEP} && datum.moment == {moment}")
        .mark_circle(color=BEST, size=mark(140), opacity=1)
        .encode(x=x, y=y("alive"))
    )
    return drawing(
        alt.layer(rules, names, alive, made, peaks, *named, here),
        title="Objects of the graph, alive and made",
        description=(
            "How many objects of the graph exist at each moment of the first steps, beside how "
            "many have been made so far."
        ),
    )
