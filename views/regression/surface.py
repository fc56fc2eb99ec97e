"""The loss over (w, b) as a landscape: level curves, the path of training, the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.problem import Problem
from engines.trace import Trace
from views.player import (
    PHASE,
    STEP,
    TEXT,
    Drawing,
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
from views.regression.charts import thinned
from views.ui.palette import BEST, GRADIENT, MODEL, QUIET

Floats = NDArray[np.float64]
STAR = (  # an SVG path: Vega has no star of its own
    "M0,-1L0.24,-0.32L0.95,-0.31L0.38,0.12L0.59,0.81L0,0.4"
    "L-0.59,0.81L-0.38,0.12L-0.95,-0.31L-0.24,-0.32Z"
)


@picture
def landscape(
    problem: Problem,
    trace: Trace,
    timeline: Timeline,
    *,
    run: str = "",
    color: str = MODEL,
    axes: bool = False,
) -> Filling:
    """The loss over (w, b) as level curves, the path walked on it, and the step from here.

    axes: whether the steep and the shallow axis of the bowl are drawn through its lowest point.
    """
    best = np.array(problem.least_squares())
    path = thinned(trace)
    center, half_w, half_b = window(
        best[None], [path[["w", "b"]].to_numpy(np.float64)], farthest=3.0
    )
    values = {
        "center_w": float(center[0]),
        "center_b": float(center[1]),
        "half_w": half_w,
        "half_b": half_b,
    }
    data = {
        "curves": level_curves(problem, best, float(trace.losses[0])),
        "path": until_far(path[["step", "w", "b"]], center, half_w, half_b),
        "best": pd.DataFrame({"w": best[:1], "b": best[1:], "loss": problem.loss_at(*best)}),
    }
    if axes:
        data["axes"] = _axes(problem, best)
    return data, values


@landscape.drawing
def _(timeline: Timeline, *, run: str, color: str, axes: bool) -> Drawing:
    # Both axes have the same scale, so that the gradient stands at a right angle on the curves.
    half = "max(half_b, half_w * height / width)"
    wide = f"{half} * width / height"
    x = alt.X("w:Q", title="w", scale=between(f"center_w - {wide}", f"center_w + {wide}"))
    y = alt.Y("b:Q", title="b", scale=between(f"center_b - {half}", f"center_b + {half}"))

    levels = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(color=QUIET, opacity=0.55, strokeWidth=sized(1.2, 2), clip=True)
        .encode(
            x=x,
            y=y,
            detail="level:N",
            order="turn:Q",
            tooltip=[alt.Tooltip("loss:Q", format=".4g")],
        )
    )
    walk = alt.Chart(alt.NamedData("path"))
    whole = walk.mark_line(color=color, opacity=0.45, clip=True).encode(x=x, y=y, order="step:Q")
    so_far = (
        walk.transform_filter(f"datum.step <= {STEP}")
        .mark_line(color=color, clip=True, point=alt.OverlayMarkDef(size=14, color=color))
        .encode(x=x, y=y, order="step:Q")
    )
    star = (
        alt.Chart(alt.NamedData("best"))
        .mark_point(shape=STAR, color=BEST, filled=True, size=mark(260), opacity=1)
        .encode(x=x, y=y, tooltip=["w:Q", "b:Q", "loss:Q"])
    )
    here = frame(timeline, run, "w", "b", "w_next", "b_next")
    # What is far outside is not drawn at all: a canvas cannot hold its coordinates.
    near = "abs(datum.w - center_w) < 9 * half_w && abs(datum.b - center_b) < 9 * half_b"
    updated = f"{PHASE} == {Phase.UPDATE:d}"
    moved = here.transform_calculate(
        w=f"{updated} ? datum.w_next : datum.w", b=f"{updated} ? datum.b_next : datum.b"
    )
    dot = (
        moved.transform_filter(near)
        .mark_circle(color=color, size=mark(170), opacity=1, clip=True)
        .encode(x=x, y=y)
    )
    # The arrow is the step: from (w, b) to where the update goes. Behind it, faint, how it points.
    known = f"{PHASE} >= {Phase.GRADIENT:d} && isFinite(datum.w_next) && isFinite(datum.b_next)"
    step = (
        here.transform_filter(f"{known} && {near}")
        .transform_calculate(
            size="sqrt(pow(datum.w_next - datum.w, 2) + pow(datum.b_next - datum.b, 2))"
        )
        .transform_filter("datum.size > 0")
        .transform_calculate(
            w_far=f"datum.w + 3 * {half} * (datum.w_next - datum.w) / datum.size",
            b_far=f"datum.b + 3 * {half} * (datum.b_next - datum.b) / datum.size",
            w_tip="clamp(datum.w_next, center_w - 9 * half_w, center_w + 9 * half_w)",
            b_tip="clamp(datum.b_next, center_b - 9 * half_b, center_b + 9 * half_b)",
            angle="atan2(datum.w_next - datum.w, datum.b_next - datum.b) * 180 / PI",
        )
    )
    ray = step.mark_rule(
        color=GRADIENT, opacity=0.45, strokeDash=[3, 4], strokeWidth=sized(1.5, 3), clip=True
    ).encode(x=x, y=y, x2="w_far:Q", y2="b_far:Q")
    shaft = step.mark_rule(color=GRADIENT, strokeWidth=sized(4, 7), clip=True).encode(
        x=x, y=y, x2="w_tip:Q", y2="b_tip:Q"
    )
    head = step.mark_point(
        shape="triangle", filled=True, color=GRADIENT, size=mark(110), opacity=1, clip=True
    ).encode(
        x=alt.X("w_tip:Q", title="w"),
        y=alt.Y("b_tip:Q", title="b"),
        angle=alt.Angle("angle:Q", scale=None),
    )
    off = off_the_map(moved, color, half, wide)
    rules = _drawn_axes(x, y, half, wide) if axes else []
    return drawing(
        alt.layer(levels, *rules, whole, so_far, star, ray, shaft, head, dot, *off),
        title="The loss over w and b",
        description=(
            "Curves of equal loss around the least-squares answer, a star; the path of training; "
            "an arrow from (w, b) to where the update goes, and faint behind it its direction."
        ),
    )


def off_the_map(
    here: alt.Chart, color: str, half: str, wide: str
) -> list[alt.Chart | alt.LayerChart]:
    """Where a run has left the map, an empty dot at its edge, and the words for it.

    here: the w and b of the step shown. half, wide: half of the height and of the width of the map,
    as expressions.
    """
    gone = (
        here.transform_calculate(
            across=f"(datum.w - center_w) / ({wide})", up=f"(datum.b - center_b) / ({half})"
        )
        .transform_calculate(out="max(abs(datum.across), abs(datum.up))")
        .transform_calculate(  # not w and b: a resized picture computes this again, from those
            edge_w=f"center_w + 0.95 * ({wide}) * datum.across / datum.out",
            edge_b=f"center_b + 0.95 * ({half}) * datum.up / datum.out",
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


def _drawn_axes(x: alt.X, y: alt.Y, half: str, wide: str) -> list[alt.LayerChart | alt.Chart]:
    """The axes of `_axes`, through the whole map, each with its name at the end it points to."""
    far = f"10 * ({half} + {wide})"
    rows = alt.Chart(alt.NamedData("axes"))
    rules = (
        rows.transform_calculate(
            w=f"datum.best_w - {far} * datum.to_w",
            b=f"datum.best_b - {far} * datum.to_b",
            w2=f"datum.best_w + {far} * datum.to_w",
            b2=f"datum.best_b + {far} * datum.to_b",
        )
        .mark_rule(color=QUIET, strokeDash=[6, 4], strokeWidth=sized(1.2, 2), clip=True)
        .encode(x=x, y=y, x2="w2:Q", y2="b2:Q")
    )
    # How far it is along the axis to where a name still has room beside the edge.
    named = rows.transform_calculate(
        across=f"(center_w + (datum.to_w < 0 ? -0.6 : 0.6) * {wide} - datum.best_w) / datum.to_w",
        up=f"(center_b + (datum.to_b < 0 ? -0.9 : 0.9) * {half} - datum.best_b) / datum.to_b",
    ).transform_calculate(
        w="datum.best_w + min(datum.across, datum.up) * datum.to_w",
        b="datum.best_b + min(datum.across, datum.up) * datum.to_b",
    )
    # Beside its line: the steep one to the right of it, where no path is, the shallow one above.
    places: Any = [("steep axis", "left", 0.5, 0), ("shallow axis", "left", 0, -0.8)]
    names = [
        readable(
            named.transform_filter(f"datum.name == '{name}'").encode(x=x, y=y, text="name:N"),
            color=alt.ExprRef("ink"),
            align=align,
            dx=alt.ExprRef(f"{dx} * {TEXT}"),
            dy=alt.ExprRef(f"{dy} * {TEXT}"),
        )
        for name, align, dx, dy in places
    ]
    return [rules, *names]


def _axes(problem: Problem, best: Floats) -> pd.DataFrame:
    """One row for each axis of the bowl: where it passes, and a direction away from the start."""
    _, directions = np.linalg.eigh(problem.hessian)
    start = np.array([problem.w, problem.b], dtype=np.float64) - best
    rows = []
    for name, axis, side in zip(("shallow axis", "steep axis"), directions.T, (1, -1), strict=True):
        # The steep one runs on beyond the path, the shallow one back to where the path begins.
        to = axis * (1 if side * (axis @ start) >= 0 else -1)
        rows.append((name, *best, *to))
    return pd.DataFrame(rows, columns=["name", "best_w", "best_b", "to_w", "to_b"])


def window(
    bests: Floats, paths: Sequence[Floats], *, farthest: float = 10.0
) -> tuple[Floats, float, float]:
    """Center and half widths of the part of the (w, b) plane that holds paths and best answers.

    bests: shape (k, 2), by run; paths: of each run, shape (n, 2). Of a run that runs away it holds
    the beginning, as far as `farthest` times the first distance.
    """
    shown = [bests]
    for best, path in zip(bests, paths, strict=True):
        distance = np.hypot(*(path - best).T)
        shown.append(path[distance <= farthest * max(distance[0], 1e-6)])
    corners = np.vstack(shown)
    low, high = corners.min(axis=0), corners.max(axis=0)
    half = np.maximum((high - low) / 2 * 1.25, 0.05 + 0.02 * np.abs(bests[0]))
    return (low + high) / 2, float(half[0]), float(half[1])


def until_far(path: pd.DataFrame, center: Floats, half_w: float, half_b: float) -> pd.DataFrame:
    """The path up to where it is well outside the window: a picture cannot hold what follows."""
    outside = (np.abs(path[["w", "b"]] - center) > 5 * np.array([half_w, half_b])).any(axis=1)
    end = int(outside.argmax()) + 1 if outside.any() else len(path)
    return path.head(end)


def level_curves(problem: Problem, best: Floats, first_loss: float) -> pd.DataFrame:
    """Ellipses on which the loss is constant; one goes through the start, each is twice the next.

    Exact: around its smallest value the loss is  L + d·H·d / 2  with the Hessian H.
    """
    smallest = float(problem.loss_at(*best))
    curvature, axes = np.linalg.eigh(problem.hessian)
    # Of a long bowl the flat side is lost in the steep one's rounding; of a trough it has no end.
    long = problem.condition if np.isfinite(problem.condition) else 1e8
    curvature[0] = curvature[-1] / long
    above = first_loss - smallest if first_loss > smallest else curvature[-1]
    turn = np.arange(73, dtype=np.int8)
    circle = np.stack([np.cos(turn * np.pi / 36), np.sin(turn * np.pi / 36)])
    curves = []
    for level in np.arange(-4, 3, dtype=np.int8):
        excess = above * 4.0 ** float(level)
        w, b = best[:, None] + axes @ (np.sqrt(2 * excess / curvature)[:, None] * circle)
        columns = {"w": w.astype(np.float32), "b": b.astype(np.float32), "turn": turn}
        curves.append(
            pd.DataFrame({**columns, "level": level, "loss": np.float32(smallest + excess)})
        )
    return pd.concat(curves)
