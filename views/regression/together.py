"""Two or more runs in one picture: their paths on one map, and their losses on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from engines.problem import Problem
from engines.trace import Trace
from views.player import (
    DECADES,
    PHASE,
    STEP,
    TEXT,
    Drawing,
    Figure,
    Filling,
    Phase,
    Timeline,
    between,
    decades,
    drawing,
    frame,
    mark,
    picture,
    readable,
    sized,
)
from views.regression.charts import thinned
from views.regression.surface import STAR, level_curves, off_the_map, until_far, window
from views.ui.palette import BEST, QUIET, Look

FARTHEST = 3.0  # of a run that runs away, as many times the first distance from the best is shown
HIGHEST = 1e4  # and as many times the first loss


class Drawn(NamedTuple):
    """A run in the picture. prefix: of its series. problem: what it learns."""

    prefix: str
    look: Look
    trace: Trace
    problem: Problem


def paths(runs: Sequence[Drawn], timeline: Timeline) -> Figure:
    """The map of the first run's loss, with the path of each run and the best of each problem."""
    return _paths(
        timeline,
        tuple(run.prefix for run in runs),
        tuple(run.look for run in runs),
        tuple(run.trace for run in runs),
        tuple(run.problem for run in runs),
    )


@picture
def _paths(
    timeline: Timeline,
    prefixes: tuple[str, ...],
    looks: tuple[Look, ...],
    traces: tuple[Trace, ...],
    problems: tuple[Problem, ...],
) -> Filling:
    bests = np.array([problem.least_squares() for problem in problems])
    walks = [thinned(trace) for trace in traces]
    points = [walk[["w", "b"]].to_numpy(np.float64) for walk in walks]
    center, half_w, half_b = window(bests, points, farthest=FARTHEST)
    rows = [
        until_far(walk[["step", "w", "b"]], center, half_w, half_b).assign(run=look.label)
        for walk, look in zip(walks, looks, strict=True)
    ]
    stars = pd.DataFrame({"w": bests[:, 0], "b": bests[:, 1]}).assign(
        label=[f"best for {look.label}" for look in looks]
    )
    if len({problem.y.tobytes() for problem in problems}) == 1:  # they learn the same data
        stars = stars.head(1).assign(label="least squares")
    values = {
        "center_w": float(center[0]),
        "center_b": float(center[1]),
        "half_w": half_w,
        "half_b": half_b,
    }
    first_loss = float(problems[0].loss_at(problems[0].w, problems[0].b))
    curves = level_curves(problems[0], bests[0], first_loss)
    return {"curves": curves, "paths": pd.concat(rows), "stars": stars}, values


@_paths.drawing
def _(timeline: Timeline, prefixes: tuple[str, ...], looks: tuple[Look, ...]) -> Drawing:
    half = "max(half_b, half_w * height / width)"
    wide = f"{half} * width / height"
    x = alt.X("w:Q", title="w", scale=between(f"center_w - {wide}", f"center_w + {wide}"))
    y = alt.Y("b:Q", title="b", scale=between(f"center_b - {half}", f"center_b + {half}"))
    labels, colors = [look.label for look in looks], [look.color for look in looks]
    color = alt.Color("run:N", legend=None, scale=alt.Scale(domain=labels, range=colors))
    dashes = alt.Scale(domain=labels, range=[look.dash for look in looks])

    levels = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(color=QUIET, opacity=0.55, strokeWidth=sized(1.2, 2), clip=True)
        .encode(x=x, y=y, detail="level:N", order="turn:Q")
    )
    walk = alt.Chart(alt.NamedData("paths"))
    dash = alt.StrokeDash("run:N", legend=None, scale=dashes)
    places = {"x": x, "y": y, "order": alt.Order("step:Q"), "color": color, "strokeDash": dash}
    whole = walk.mark_line(opacity=0.3, clip=True).encode(**places)
    so_far = (
        walk.transform_filter(f"datum.step <= {STEP}")
        .mark_line(clip=True, point=alt.OverlayMarkDef(size=16))
        .encode(**places)
    )
    best = alt.Chart(alt.NamedData("stars"))
    star = best.mark_point(
        shape=STAR, color=BEST, filled=True, size=mark(260), opacity=1, clip=True
    ).encode(x=x, y=y)
    names = [
        readable(
            best.transform_filter(f"datum.w {side} center_w").encode(x=x, y=y, text="label:N"),
            align=align,
            dy=alt.ExprRef(f"1.2 * {TEXT}"),  # below: paths come from above, along the valley
            color=alt.ExprRef("ink"),
        )
        for side, align in ((">=", "right"), ("<", "left"))
    ]
    near = "abs(datum.w - center_w) < 9 * half_w && abs(datum.b - center_b) < 9 * half_b"
    updated = f"{PHASE} == {Phase.UPDATE:d}"
    here = [
        frame(timeline, prefix, "w", "b", "w_next", "b_next").transform_calculate(
            w=f"{updated} ? datum.w_next : datum.w", b=f"{updated} ? datum.b_next : datum.b"
        )
        for prefix in prefixes
    ]
    dots = [
        one.transform_filter(near)
        .mark_circle(color=look.color, size=mark(170), opacity=1, clip=True)
        .encode(x=x, y=y)
        for one, look in zip(here, looks, strict=True)
    ]
    for one, look in zip(here, looks, strict=True):
        dots += off_the_map(one, look.color, half, wide)
    # Each arrow is a step: from (w, b) to where the update goes.
    known = f"{PHASE} >= {Phase.GRADIENT:d} && isFinite(datum.w_next) && isFinite(datum.b_next)"
    arrows = []
    for prefix, look in reversed(list(zip(prefixes, looks, strict=True))):  # the first on top
        step = (
            frame(timeline, prefix, "w", "b", "w_next", "b_next")
            .transform_filter(f"{known} && {near}")
            .transform_filter("datum.w_next != datum.w || datum.b_next != datum.b")
            .transform_calculate(
                w_tip="clamp(datum.w_next, center_w - 9 * half_w, center_w + 9 * half_w)",
                b_tip="clamp(datum.b_next, center_b - 9 * half_b, center_b + 9 * half_b)",
                angle="atan2(datum.w_next - datum.w, datum.b_next - datum.b) * 180 / PI",
            )
        )
        shaft = step.mark_rule(color=look.color, strokeWidth=sized(3, 5), clip=True)
        head = step.mark_point(
            shape="triangle", filled=True, color=look.color, size=mark(100), opacity=1, clip=True
        )
        arrows += [
            shaft.encode(x=x, y=y, x2="w_tip:Q", y2="b_tip:Q"),
            head.encode(
                x=alt.X("w_tip:Q", title="w"),
                y=alt.Y("b_tip:Q", title="b"),
                angle=alt.Angle("angle:Q", scale=None),
            ),
        ]
    return drawing(
        alt.layer(levels, whole, so_far, star, *names, *arrows, *dots),
        title="The loss over w and b",
        description="Curves of equal loss, the best answers as stars, and the path of each run "
        "with its next step: " + ", ".join(labels) + ".",
    )


def losses(runs: Sequence[Drawn], timeline: Timeline, *, first: int | None = None) -> Figure:
    """The loss of each run against the step, on one logarithmic axis.

    first: how many steps are shown, None for all of them.
    """
    return _losses(
        timeline,
        tuple(run.prefix for run in runs),
        tuple(run.look for run in runs),
        tuple(run.trace for run in runs),
        first=first,
    )


@picture
def _losses(
    timeline: Timeline,
    prefixes: tuple[str, ...],
    looks: tuple[Look, ...],
    traces: tuple[Trace, ...],
    *,
    first: int | None = None,
) -> Filling:
    rows = pd.concat(
        thinned(trace)[["step", "loss"]].assign(run=look.label)
        for trace, look in zip(traces, looks, strict=True)
    )
    last = first or timeline.last_step
    highest = HIGHEST * max(float(trace.losses[0]) for trace in traces)
    rows = rows[np.isfinite(rows["loss"]) & (rows["loss"] > 0) & (rows["step"] <= last)]
    low, high = (rows["loss"].min() / 1.5, min(rows["loss"].max() * 1.5, highest))
    values = {"low": float(low), "high": float(high), "last": max(1, last)}
    return {"losses": rows}, {**values, "ticks": decades(float(low), float(high))}


@_losses.drawing
def _(timeline: Timeline, prefixes: tuple[str, ...], looks: tuple[Look, ...]) -> Drawing:
    labels, colors = [look.label for look in looks], [look.color for look in looks]
    dashes = [look.dash for look in looks]
    # A number that depends on the width comes too late for the layout, and pushes the title out.
    legend = alt.Legend(columns=alt.ExprRef("lecture ? 1 : 2"), labelLimit=0)
    color = alt.Color("run:N", legend=legend, scale=alt.Scale(domain=labels, range=colors))
    dash = alt.StrokeDash("run:N", legend=legend, scale=alt.Scale(domain=labels, range=dashes))
    axis = alt.Axis(values=alt.ExprRef("ticks"), labelExpr=DECADES)
    x = alt.X("step:Q", title="step", scale=between("0", "last"))
    y = alt.Y("loss:Q", title="loss", scale=between("low", "high", type="log"), axis=axis)
    line = alt.Chart(alt.NamedData("losses"))
    whole = line.mark_line(opacity=0.35, clip=True).encode(x=x, y=y, color=color, strokeDash=dash)
    known = f"datum.step < {STEP} || datum.step == {STEP} && {PHASE} >= {Phase.LOSS:d}"
    so_far = (
        line.transform_filter(known)
        .mark_line(clip=True)
        .encode(x=x, y=y, color=color, strokeDash=dash)
    )
    dots = [
        frame(timeline, prefix, "loss")
        .transform_filter(f"datum.loss > 0 && datum.loss < 2 * high && {PHASE} >= {Phase.LOSS:d}")
        .mark_circle(color=look.color, size=mark(140), opacity=1, clip=True)
        .encode(x=x, y=y)
        for prefix, look in zip(prefixes, looks, strict=True)
    ]
    return drawing(
        alt.layer(whole, so_far, *dots),
        title="The loss",
        description="Loss against step, on a logarithmic axis, for each run: "
        + ", ".join(labels)
        + ".",
    )
