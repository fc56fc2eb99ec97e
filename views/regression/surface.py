"""The loss over (w, b) as a map: level curves, the paths walked on it, and the step from here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from engines.problem import Problem
from engines.trace import Trace
from views.player import (
    FAINT,
    PHASE,
    STEP,
    TEXT,
    Drawing,
    Figure,
    Filling,
    Phase,
    Timeline,
    between,
    drawing,
    frame,
    mark,
    picture,
    readable,
    sized,
)
from views.regression.charts import Drawn, Floats, by_field, thinned, told_apart
from views.regression.levels import axes_of, level_curves, level_labels, until_far, window
from views.ui.palette import BEST, GRADIENT, MODEL, QUIET, Look

MAP = "The loss over w and b"
FARTHEST = 3.0  # of a run that runs away, as many times the first distance from the best is shown
STAR = (  # an SVG path: Vega has no star of its own
    "M0,-1L0.24,-0.32L0.95,-0.31L0.38,0.12L0.59,0.81L0,0.4"
    "L-0.59,0.81L-0.38,0.12L-0.95,-0.31L-0.24,-0.32Z"
)
# Half of the map's height and of its width. Both axes have the same scale, so that the gradient
# stands at a right angle on the curves.
HALF = "max(half_b, half_w * height / width)"
WIDE = f"{HALF} * width / height"
X = alt.X("w:Q", title="w", scale=between(f"center_w - {WIDE}", f"center_w + {WIDE}"))
Y = alt.Y("b:Q", title="b", scale=between(f"center_b - {HALF}", f"center_b + {HALF}"))
# What is far outside is not drawn at all: a canvas cannot hold its coordinates.
NEAR = "abs(datum.w - center_w) < 9 * half_w && abs(datum.b - center_b) < 9 * half_b"
Layers = list[alt.Chart | alt.LayerChart]


def landscape(
    problem: Problem,
    trace: Trace,
    timeline: Timeline,
    *,
    run: str = "",
    color: str = MODEL,
    axes: bool = False,
) -> Figure:
    """The map of one run. Behind the arrow of its step is, faint, the direction of the step.

    axes: whether the steep and the shallow axis of the bowl are drawn through its lowest point.
    """
    look = Look("this run", color)
    return _map(timeline, (run,), (look,), (trace,), (problem,), axes=axes)


def paths(runs: Sequence[Drawn], timeline: Timeline) -> Figure:
    """The map of the first run's loss, with the path of each run and the best of each problem."""
    first = runs[0]
    others = any(run.problem.key != first.problem.key for run in runs)
    title = f"The loss for {first.look.label}" if others else MAP
    return _map(timeline, *by_field(runs), title=title)


@picture
def _map(
    timeline: Timeline,
    prefixes: tuple[str, ...],
    looks: tuple[Look, ...],
    traces: tuple[Trace, ...],
    problems: tuple[Problem, ...],
    *,
    title: str = MAP,
    axes: bool = False,
) -> Filling:
    bests = np.array([problem.least_squares() for problem in problems])
    walks = [thinned(trace)[["step", "w", "b"]] for trace in traces]
    points = [walk[["w", "b"]].to_numpy(np.float64) for walk in walks]
    center, half_w, half_b = window(bests, points, farthest=FARTHEST)
    rows = [
        until_far(walk, center, half_w, half_b).assign(run=look.label)
        for walk, look in zip(walks, looks, strict=True)
    ]
    stars = pd.DataFrame({"w": bests[:, 0], "b": bests[:, 1]}).assign(
        loss=[float(problem.loss_at(*best)) for problem, best in zip(problems, bests, strict=True)],
        label=[f"best for {look.label}" for look in looks],
    )
    if len({problem.y.tobytes() for problem in problems}) == 1:  # they learn the same data
        stars = stars.head(1).assign(label="least squares")
    first_loss = float(problems[0].loss_at(problems[0].w, problems[0].b))
    bowl = problems[0], bests[0], first_loss
    data = {"curves": level_curves(*bowl), "paths": pd.concat(rows), "stars": stars}
    lines = [row[["w", "b"]].to_numpy(np.float64) for row in rows]
    if axes:
        data["axes"] = axes_of(problems[0], bests[0])
        far = 10 * (half_w + half_b) * data["axes"][["to_w", "to_b"]].to_numpy()
        # The name of the shallow one is above it, that of the steep one to its right.
        for to, named in zip(far, ((0, 0.15 * half_b), (0.25 * half_w, 0)), strict=True):
            lines += [bests[0] + np.outer((-1, 1), to), bests[0] + np.outer((0, 1), to) + named]
    if not axes:  # whose names need the room
        lines += _names(bests, center, half_w, half_b)
    data["labels"] = level_labels(*bowl, (center, half_w, half_b), lines)
    middle = {"center_w": float(center[0]), "center_b": float(center[1])}
    return data, {**middle, "half_w": half_w, "half_b": half_b}


@_map.drawing
def _(
    timeline: Timeline,
    prefixes: tuple[str, ...],
    looks: tuple[Look, ...],
    *,
    title: str,
    axes: bool,
) -> Drawing:
    alone = len(prefixes) == 1
    levels = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(color=QUIET, opacity=0.55, strokeWidth=sized(1.2, 2), clip=True)
        .encode(
            x=X,
            y=Y,
            detail="level:N",
            order="turn:Q",
            tooltip=[alt.Tooltip("loss:Q", format=".4g")],
        )
    )
    rules, names = _drawn_axes() if axes else ([], [])
    layers: Layers = [levels, *rules, *_walks(looks), *names]
    layers += [_level_labels(), *_stars(named=not axes)]
    here = [frame(timeline, prefix, "w", "b", "w_next", "b_next") for prefix in prefixes]
    arrows, dots = [], []
    for one, look in zip(here, looks, strict=True):
        color = GRADIENT if alone else look.color
        arrows.append(_arrow(_step(one), color, pointing=alone))
        dots += _dot(one, look.color)
    layers += [layer for arrow in reversed(arrows) for layer in arrow]  # the first run's on top
    shown = "the path of training" if alone else "the path of each run"
    told = "" if alone else ", of " + ", ".join(look.label for look in looks)
    return drawing(
        alt.layer(*layers, *dots),
        title=title,
        description="Curves of equal loss, with its value on them; a star where the loss is least; "
        f"{shown}, with an arrow from (w, b) to where the update goes{told}.",
    )


def _names(bests: Floats, center: Floats, half_w: float, half_b: float) -> list[Floats]:
    """Lines where the names of the stars are: below them, towards the middle."""
    side = np.where(bests[:, 0] >= center[0], -0.7, 0.7)
    below = bests - (0, 0.1 * half_b)
    ends = np.stack([below[:, 0] + side * half_w, below[:, 1]], axis=-1)
    return list(np.stack([bests, below, ends], axis=1))


def _level_labels() -> alt.LayerChart:
    """The loss of each level curve on it, where there is room for it."""
    shown = alt.Chart(alt.NamedData("labels")).transform_calculate(
        pixels=f"height / (2 * {HALF})",  # for one of w or b
        wide=f"0.55 * {TEXT} * length(datum.text)",
    )
    apart = (
        f"abs(datum.to_w) * datum.gap * datum.pixels > datum.wide + 0.5 * {TEXT}"
        f" || abs(datum.to_b) * datum.gap * datum.pixels > 1.1 * {TEXT}"
    )
    inside = (
        "abs(datum.w - center_w) * datum.pixels < (width - datum.wide) / 2"
        f" && abs(datum.b - center_b) * datum.pixels < height / 2 - {TEXT}"
    )
    placed = shown.transform_filter(f"({apart}) && {inside}").encode(x=X, y=Y, text="text:N")
    return readable(placed, color=alt.ExprRef(FAINT))


def _walks(looks: tuple[Look, ...]) -> Layers:
    """The whole path of each run, faint, and what has been walked of it."""
    walk = alt.Chart(alt.NamedData("paths")).encode(
        x=X, y=Y, order="step:Q", **told_apart(looks, None)
    )
    whole = walk.mark_line(opacity=0.5, clip=True)
    so_far = walk.transform_filter(f"datum.step <= {STEP}").mark_line(
        clip=True, point=alt.OverlayMarkDef(size=16)
    )
    return [whole, so_far]


def _stars(*, named: bool) -> Layers:
    """Where the loss is least. named: whether that is written there, and for which run."""
    best = alt.Chart(alt.NamedData("stars")).encode(x=X, y=Y)
    star = best.mark_point(
        shape=STAR, color=BEST, filled=True, size=mark(260), opacity=1, clip=True
    ).encode(tooltip=["w:Q", "b:Q", "loss:Q"])
    names = [
        readable(
            best.transform_filter(f"datum.w {side} center_w").encode(text="label:N"),
            align=align,
            dy=alt.ExprRef(f"1.2 * {TEXT}"),  # below: paths come from above, along the valley
            color=alt.ExprRef("ink"),
        )
        for side, align in ((">=", "right"), ("<", "left"))
    ]
    return [star, *(names if named else ())]


def _step(here: alt.Chart) -> alt.Chart:
    """The step from here, once the gradient is known: where it leads, and how it points."""
    known = f"{PHASE} >= {Phase.GRADIENT:d} && isFinite(datum.w_next) && isFinite(datum.b_next)"
    return (
        here.transform_filter(f"{known} && {NEAR}")
        .transform_calculate(
            size="sqrt(pow(datum.w_next - datum.w, 2) + pow(datum.b_next - datum.b, 2))"
        )
        .transform_filter("datum.size > 0")
        .transform_calculate(
            w_far=f"datum.w + 3 * {HALF} * (datum.w_next - datum.w) / datum.size",
            b_far=f"datum.b + 3 * {HALF} * (datum.b_next - datum.b) / datum.size",
            w_tip="clamp(datum.w_next, center_w - 9 * half_w, center_w + 9 * half_w)",
            b_tip="clamp(datum.b_next, center_b - 9 * half_b, center_b + 9 * half_b)",
            angle="atan2(datum.w_next - datum.w, datum.b_next - datum.b) * 180 / PI",
        )
    )


def _arrow(step: alt.Chart, color: str, *, pointing: bool) -> Layers:
    """The arrow that is the step. pointing: whether behind it is, faint, how it points."""
    ray = step.mark_rule(
        color=color, opacity=0.45, strokeDash=[3, 4], strokeWidth=sized(1.5, 3), clip=True
    ).encode(x=X, y=Y, x2="w_far:Q", y2="b_far:Q")
    shaft = step.mark_rule(color=color, strokeWidth=sized(4, 7), clip=True).encode(
        x=X, y=Y, x2="w_tip:Q", y2="b_tip:Q"
    )
    head = step.mark_point(
        shape="triangle", filled=True, color=color, size=mark(110), opacity=1, clip=True
    ).encode(
        x=alt.X("w_tip:Q", title="w"),
        y=alt.Y("b_tip:Q", title="b"),
        angle=alt.Angle("angle:Q", scale=None),
    )
    return [*([ray] if pointing else ()), shaft, head]


def _dot(here: alt.Chart, color: str) -> Layers:
    """Where the run is, after the update already at the tip of its arrow."""
    updated = f"{PHASE} == {Phase.UPDATE:d}"
    moved = here.transform_calculate(
        w=f"{updated} ? datum.w_next : datum.w", b=f"{updated} ? datum.b_next : datum.b"
    )
    dot = (
        moved.transform_filter(NEAR)
        .mark_circle(color=color, size=mark(170), opacity=1, clip=True)
        .encode(x=X, y=Y)
    )
    return [dot, *_off_the_map(moved, color)]


def _off_the_map(here: alt.Chart, color: str) -> Layers:
    """Where a run has left the map, an empty dot at its edge, and the words for it."""
    gone = (
        here.transform_calculate(
            across=f"(datum.w - center_w) / ({WIDE})", up=f"(datum.b - center_b) / ({HALF})"
        )
        .transform_calculate(out="max(abs(datum.across), abs(datum.up))")
        .transform_calculate(  # not w and b: a resized picture computes this again, from those
            edge_w=f"center_w + 0.95 * ({WIDE}) * datum.across / datum.out",
            edge_b=f"center_b + 0.95 * ({HALF}) * datum.up / datum.out",
        )
        .transform_filter("datum.out > 1 && isFinite(datum.out)")
        .encode(x=alt.X("edge_w:Q", title="w"), y=alt.Y("edge_b:Q", title="b"))
    )
    sides: Any = [("<", "left", 0.8), (">=", "right", -0.8)]  # the words stay on the map
    return [
        gone.mark_point(color=color, size=mark(170), strokeWidth=sized(2, 4)),
        *(
            readable(
                gone.transform_filter(f"datum.across {side} 0"),
                text="off the map",
                align=align,
                dx=alt.ExprRef(f"{dx} * {TEXT}"),
                color=alt.ExprRef("ink"),
            )
            for side, align, dx in sides
        ),
    ]


def _drawn_axes() -> tuple[Layers, Layers]:
    """The axes of `axes_of`, through the whole map; and the name of each, where it points to."""
    far = f"10 * ({HALF} + {WIDE})"
    rows = alt.Chart(alt.NamedData("axes"))
    rules = (
        rows.transform_calculate(
            w=f"datum.best_w - {far} * datum.to_w",
            b=f"datum.best_b - {far} * datum.to_b",
            w2=f"datum.best_w + {far} * datum.to_w",
            b2=f"datum.best_b + {far} * datum.to_b",
        )
        .mark_rule(color=QUIET, strokeDash=[6, 4], strokeWidth=sized(1.2, 2), clip=True)
        .encode(x=X, y=Y, x2="w2:Q", y2="b2:Q")
    )
    # How far it is along the axis to where a name still has room beside the edge.
    named = rows.transform_calculate(
        across=f"(center_w + (datum.to_w < 0 ? -0.5 : 0.5) * {WIDE} - datum.best_w) / datum.to_w",
        up=f"(center_b + (datum.to_b < 0 ? -0.9 : 0.9) * {HALF} - datum.best_b) / datum.to_b",
    ).transform_calculate(
        w="datum.best_w + min(datum.across, datum.up) * datum.to_w",
        b="datum.best_b + min(datum.across, datum.up) * datum.to_b",
    )
    # Beside its line: the steep one to the right of it, where no path is, the shallow one above.
    places: Any = [("steep axis", "left", 0.5, 0), ("shallow axis", "left", 0, -0.8)]
    names = [
        readable(
            named.transform_filter(f"datum.name == '{name}'").encode(x=X, y=Y, text="name:N"),
            color=alt.ExprRef("ink"),
            align=align,
            dx=alt.ExprRef(f"{dx} * {TEXT}"),
            dy=alt.ExprRef(f"{dy} * {TEXT}"),
        )
        for name, align, dx, dy in places
    ]
    return [rules], [*names]
