"""The pictures of a regression in training. Each follows the player.

run: the prefix of the series to draw, on a page that plays two runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.problem import Problem
from engines.trace import Trace, thin
from views.player import (
    DECADES,
    LABEL,
    NEXT,
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
from views.ui.palette import BEST, DATA, GRADIENT, MODEL, QUIET, RESIDUAL, Look

Floats = NDArray[np.float64]
HIGHEST = 1e4  # a loss is shown up to so many times the first: a run may run away
CURVE_STEPS = 300  # a static curve shows at most this many of a run's steps


class Drawn(NamedTuple):
    """A run in the picture. prefix: of its series. problem: what it learns."""

    prefix: str
    look: Look
    trace: Trace
    problem: Problem


def by_field(runs: Sequence[Drawn]) -> Any:
    """The prefixes of the runs, their looks, traces and problems: what a drawing depends on."""
    return zip(*runs, strict=True)


def told_apart(looks: Sequence[Look], legend: alt.Legend | None) -> dict[str, Any]:
    """Encodings that tell runs apart by colour and dashes, from the labels in the column `run`."""
    labels = [look.label for look in looks]
    colors = alt.Scale(domain=labels, range=[look.color for look in looks])
    dashes = alt.Scale(domain=labels, range=[look.dash for look in looks])
    return {
        "color": alt.Color("run:N", legend=legend, scale=colors),
        "strokeDash": alt.StrokeDash("run:N", legend=legend, scale=dashes),
    }


# ---- The data and the model


@picture
def fit(
    problem: Problem,
    timeline: Timeline,
    *,
    run: str = "",
    color: str = MODEL,
    chosen: int | None = None,
    clickable: bool = False,
) -> Filling:
    """The data, the model's curve at this step, and from each point its residual.

    chosen: the index of a point to put a ring around. clickable: whether a click is a selection,
    `picked`, of the x that is nearest.
    """
    # The start is part of the story, unless it is so far off that the data would shrink to a line.
    height = max(float(np.ptp(problem.y)), 0.2 * float(np.abs(problem.y).max()), 0.1)
    first = float(problem.w) * problem.x**problem.power + float(problem.b)
    bounded = np.clip(first, problem.y.min() - height, problem.y.max() + height)
    x_low, x_high = _span(problem.x, margin=0.03)
    middle = (problem.y.min() + problem.y.max()) / 2
    shown = [problem.y, bounded, [middle - height / 2, middle + height / 2]]
    y_low, y_high = _span(np.concatenate(shown), margin=0.08)
    data = {
        "points": _points(problem, chosen),
        "grid": pd.DataFrame({"x": np.linspace(problem.x.min(), problem.x.max(), 61)}),
    }
    values = {"x_low": x_low, "x_high": x_high, "y_low": y_low, "y_high": y_high}
    return data, {**values, "power": problem.power}


@fit.drawing
def _(timeline: Timeline, *, run: str, color: str, clickable: bool) -> Drawing:
    # A diverged model is drawn as leaving the picture, not as a number no canvas can hold.
    updated = f"{PHASE} == {Phase.UPDATE:d}"
    w, b = (
        f"({updated} ? {timeline.now(run + name + NEXT)} : {timeline.now(run + name)})"
        for name in ("w", "b")
    )
    model = f"clamp({w} * pow(datum.x, power) + {b}, 2 * y_low - y_high, 2 * y_high - y_low)"

    x = alt.X("x:Q", title="x", scale=between("x_low", "x_high"))
    y = alt.Y("y:Q", title="y", scale=between("y_low", "y_high"))
    points = alt.Chart(alt.NamedData("points"))
    residuals = (
        points.transform_calculate(y_pred=model)
        .transform_filter(f"{PHASE} >= {Phase.LOSS:d}")
        .mark_rule(color=RESIDUAL, opacity=0.8, clip=True)
        .encode(x=x, y=y, y2="y_pred:Q")
    )
    dots = points.mark_circle(color=DATA, clip=True).encode(x=x, y=y, tooltip=["x:Q", "y:Q"])
    dots = dots.add_params(_picked()) if clickable else dots
    chosen = points.transform_filter("datum.chosen")
    ring = chosen.mark_point(
        color=alt.ExprRef("ink"), size=mark(150), strokeWidth=sized(2, 4), opacity=1
    ).encode(x=x, y=y)
    curve = (
        alt.Chart(alt.NamedData("grid"))
        .transform_calculate(y=model)
        .mark_line(color=color, clip=True)
        .encode(x=x, y=y)
    )
    return drawing(
        residuals + dots + curve + ring,
        title="The fit",
        description=(
            "The data points, the model's curve, and from each point to the curve a line, its "
            "residual."
        ),
    )


# ---- The loss against the step


@picture
def loss(
    problem: Problem,
    trace: Trace,
    timeline: Timeline,
    *,
    run: str = "",
    color: str = MODEL,
) -> Filling:
    """Loss against step, on a logarithmic axis, with the smallest loss that any (w, b) has."""
    walked = thinned(trace)[["step", "loss"]]
    walked = walked[(walked["loss"] > 0) & np.isfinite(walked["loss"])]
    floor = float(problem.loss_at(*problem.least_squares()))
    best = pd.DataFrame({"loss": [floor], "label": ["least squares"]}).query("loss > 0")
    shown = pd.concat([walked["loss"], best["loss"]])
    low, high = (shown.min() / 1.3, shown.max() * 1.3) if len(shown) else (0.1, 10.0)
    values = {
        "low": float(low),
        "high": float(high),
        "last": max(1, timeline.last_step),
        "ticks": decades(float(low), float(high)),
    }
    return {"walked": walked, "floor": best}, values


@loss.drawing
def _(timeline: Timeline, *, run: str, color: str) -> Drawing:
    x = alt.X("step:Q", title="step", scale=between("0", "last"))
    axis = alt.Axis(labelExpr=DECADES, values=alt.ExprRef("ticks"))
    y = alt.Y("loss:Q", title="loss", scale=between("low", "high", type="log"), axis=axis)

    line = alt.Chart(alt.NamedData("walked"))
    whole = line.mark_line(color=QUIET, opacity=0.35).encode(x=x, y=y)
    known = f"datum.step < {STEP} || datum.step == {STEP} && {PHASE} >= {Phase.LOSS:d}"
    so_far = line.transform_filter(known).mark_line(color=color).encode(x=x, y=y)
    dot = (
        frame(timeline, run, "loss")
        .transform_filter(f"datum.loss > 0 && isFinite(datum.loss) && {PHASE} >= {Phase.LOSS:d}")
        .mark_circle(color=color, size=mark(140), opacity=1)
        .encode(x=x, y=y)
    )
    best = alt.Chart(alt.NamedData("floor"))
    rule = best.mark_rule(color=BEST, strokeDash=[6, 4]).encode(y=y)
    label = best.mark_text(color=alt.ExprRef("ink"), align="right", baseline="bottom", dy=-3).encode(
        x=alt.value("width"), y=y, text="label:N"
    )
    return drawing(
        whole + rule + label + so_far + dot,
        title="The loss",
        description=(
            "Loss against step on a logarithmic axis; a dashed line marks the smallest possible "
            "loss."
        ),
    )


def losses(runs: Sequence[Drawn], timeline: Timeline) -> Figure:
    """The loss of each run against the step, on one logarithmic axis."""
    prefixes, looks, traces, _ = by_field(runs)
    return _losses(timeline, prefixes, looks, traces)


@picture
def _losses(
    timeline: Timeline,
    prefixes: tuple[str, ...],
    looks: tuple[Look, ...],
    traces: tuple[Trace, ...],
) -> Filling:
    rows = pd.concat(
        thinned(trace)[["step", "loss"]].assign(run=look.label)
        for trace, look in zip(traces, looks, strict=True)
    )
    highest = HIGHEST * max(float(trace.losses[0]) for trace in traces)
    rows = rows[np.isfinite(rows["loss"]) & (rows["loss"] > 0)]
    low, high = (rows["loss"].min() / 1.5, min(rows["loss"].max() * 1.5, highest))
    values = {"low": float(low), "high": float(high), "last": max(1, timeline.last_step)}
    return {"losses": rows}, {**values, "ticks": decades(float(low), float(high))}


@_losses.drawing
def _(timeline: Timeline, prefixes: tuple[str, ...], looks: tuple[Look, ...]) -> Drawing:
    # A number that depends on the width comes too late for the layout, and pushes the title out.
    columns = alt.ExprRef("lecture ? 1 : 2")
    legend = alt.Legend(columns=columns, labelLimit=0, symbolOpacity=1, symbolSize=400)
    axis = alt.Axis(values=alt.ExprRef("ticks"), labelExpr=DECADES)
    x = alt.X("step:Q", title="step", scale=between("0", "last"))
    y = alt.Y("loss:Q", title="loss", scale=between("low", "high", type="log"), axis=axis)
    line = alt.Chart(alt.NamedData("losses")).encode(x=x, y=y, **told_apart(looks, legend))
    whole = line.mark_line(opacity=0.35, clip=True)
    known = f"datum.step < {STEP} || datum.step == {STEP} && {PHASE} >= {Phase.LOSS:d}"
    so_far = line.transform_filter(known).mark_line(clip=True)
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
        + ", ".join(look.label for look in looks)
        + ".",
    )


# ---- The terms of the gradient


@picture
def contributions(
    problem: Problem, timeline: Timeline, *, to: Literal["w", "b"], chosen: int | None = None
) -> Filling:
    """Each point's term in the sum that is ∂L/∂`to`: who pulls, and which way.

    chosen: the index of a point whose term is told in numbers. A click is a selection, `picked`, of
    the x that is nearest.
    """
    x_low, x_high = _span(problem.x, margin=0.02)
    values = {"twice_factor": 2 * problem.factor, "power": problem.power}
    points = {"points": _points(problem, chosen)}
    return points, {**values, "x_low": x_low, "x_high": x_high}


@contributions.drawing
def _(timeline: Timeline, *, to: Literal["w", "b"]) -> Drawing:
    y_pred = f"{timeline.now('w')} * pow(datum.x, power) + {timeline.now('b')}"
    by = "pow(datum.x, power)" if to == "w" else "1"
    terms = (
        alt.Chart(alt.NamedData("points"))
        .transform_filter(f"{PHASE} >= {Phase.GRADIENT:d}")
        .transform_calculate(term=f"twice_factor * ({y_pred} - datum.y) * {by}")
        .transform_filter("isFinite(datum.term)")
    )
    x = alt.X("x:Q", title="x", scale=between("x_low", "x_high"))
    y = alt.Y("term:Q", title=f"term of grad_{to}", axis=alt.Axis(labelExpr=LABEL))
    tooltip = ["x:Q", "y:Q", alt.Tooltip("term:Q", format=".4g")]
    bars = (
        terms.mark_rule(color=GRADIENT, opacity=0.6, strokeWidth=sized(3, 5))
        .encode(x=x, y=y, tooltip=tooltip)
        .add_params(_picked())
    )
    told = terms.transform_filter("datum.chosen")
    bar = told.mark_rule(color=alt.ExprRef("ink"), strokeWidth=sized(4, 7)).encode(
        x=x, y=y, tooltip=tooltip
    )
    text = told.transform_calculate(text="format(datum.term, '.3~g')")
    numbers = [
        readable(
            text.transform_filter(f"datum.term {side} 0").encode(x=x, y=y, text="text:N"),
            baseline=baseline,
            dy=alt.ExprRef(f"{away} * {TEXT}"),
            color=alt.ExprRef("ink"),
            fontWeight="bold",
        )
        for side, baseline, away in (("<", "top", 0.3), (">=", "bottom", -0.3))
    ]
    zero = alt.Chart(alt.InlineData([{}])).mark_rule(color=QUIET).encode(y=alt.datum(0))
    return drawing(
        alt.layer(bars, zero, bar, *numbers),
        title=f"Terms of grad_{to}: below zero pulls {to} up",
        description=(
            f"One bar for each data point: its term in the sum that is the slope of the loss along "
            f"{to}."
        ),
    )


# ---- What they share


def thinned(trace: Trace) -> pd.DataFrame:
    """The steps that a static curve shows, as columns step, loss, w, b, grad_w, grad_b."""
    rows = trace.to_frame()
    return rows.iloc[thin(len(rows), CURVE_STEPS)].reset_index()


def _picked() -> alt.Parameter:
    return alt.selection_point("picked", encodings=["x"], on="click", nearest=True, toggle=False)


def _points(problem: Problem, chosen: int | None) -> pd.DataFrame:
    marked = np.arange(len(problem.x)) == (-1 if chosen is None else chosen)
    return pd.DataFrame({"x": problem.x, "y": problem.y, "chosen": marked})


def _span(values: NDArray[Any], margin: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    extra = margin * max(high - low, 1e-3)
    return low - extra, high + extra
