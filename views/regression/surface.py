"""The loss over (w, b) as a landscape: level curves, the path of training, the gradient."""

from __future__ import annotations

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
    Drawing,
    Filling,
    Phase,
    Timeline,
    between,
    drawing,
    frame,
    mark,
    picture,
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
) -> Filling:
    """The loss over (w, b) as level curves, the path walked on it, and this step's gradient."""
    best = np.array(problem.least_squares())
    path = thinned(trace)
    center, half_w, half_b = _window(best, path[["w", "b"]].to_numpy(np.float64))
    outside = np.abs(path[["w", "b"]].to_numpy() - center) > [half_w, half_b]
    near = path[~outside.any(axis=1)]
    values = {
        "center_w": float(center[0]),
        "center_b": float(center[1]),
        "half_w": half_w,
        "half_b": half_b,
        "longest": _finite_max(np.hypot(near["grad_w"], near["grad_b"])),
    }
    data = {
        "curves": _level_curves(problem, best, float(trace.losses[0])),
        "path": _until_far(path[["step", "w", "b"]], center, half_w, half_b),
        "best": pd.DataFrame({"w": best[:1], "b": best[1:], "loss": problem.loss_at(*best)}),
    }
    return data, values


@landscape.drawing
def _(timeline: Timeline, *, run: str, color: str) -> Drawing:
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
    here = frame(timeline, run, "w", "b", "w_next", "b_next", "grad_w", "grad_b")
    # What is far outside is not drawn at all: a canvas cannot hold its coordinates.
    near = "abs(datum.w - center_w) < 9 * half_w && abs(datum.b - center_b) < 9 * half_b"
    updated = f"{PHASE} == {Phase.UPDATE:d}"
    dot = (
        here.transform_calculate(
            w=f"{updated} ? datum.w_next : datum.w", b=f"{updated} ? datum.b_next : datum.b"
        )
        .transform_filter(near)
        .mark_circle(color=color, size=mark(170), opacity=1, clip=True)
        .encode(x=x, y=y)
    )
    arrow = (
        here.transform_filter(f"{PHASE} >= {Phase.GRADIENT:d}")
        .transform_calculate(size="sqrt(pow(datum.grad_w, 2) + pow(datum.grad_b, 2))")
        .transform_filter(f"datum.size > 0 && {near}")
        # The square root keeps a small gradient visible and still lets it shrink.
        .transform_calculate(
            reach=f"0.6 * {half} * min(1, sqrt(datum.size / longest)) / datum.size"
        )
        .transform_calculate(
            w2="datum.w - datum.reach * datum.grad_w",
            b2="datum.b - datum.reach * datum.grad_b",
            angle="atan2(-datum.grad_w, -datum.grad_b) * 180 / PI",
        )
    )
    shaft = arrow.mark_rule(color=GRADIENT, strokeWidth=sized(4, 8), clip=True).encode(
        x=x, y=y, x2="w2:Q", y2="b2:Q"
    )
    head = arrow.mark_point(
        shape="triangle",
        filled=True,
        color=GRADIENT,
        size=mark(170),
        opacity=1,
        clip=True,
    ).encode(
        x=alt.X("w2:Q", title="w"),
        y=alt.Y("b2:Q", title="b"),
        angle=alt.Angle("angle:Q", scale=None),
    )
    return drawing(
        levels + whole + so_far + star + shaft + head + dot,
        title="The loss over w and b",
        description=(
            "Curves of equal loss around the least-squares answer, a star; the path of training; "
            "an arrow against the gradient."
        ),
    )


def _window(best: Floats, path: Floats) -> tuple[Floats, float, float]:
    """Center and half widths of the part of the (w, b) plane that holds the path and the best.

    Of a path that runs away it holds the beginning, as far as ten times the first distance.
    """
    distance = np.hypot(*(path - best).T)
    near = path[distance <= 10 * max(distance[0], 1e-6)]
    corners = np.vstack([near, best])
    low, high = corners.min(axis=0), corners.max(axis=0)
    half = np.maximum((high - low) / 2 * 1.25, 0.05 + 0.02 * np.abs(best))
    return (low + high) / 2, float(half[0]), float(half[1])


def _until_far(path: pd.DataFrame, center: Floats, half_w: float, half_b: float) -> pd.DataFrame:
    """The path up to where it is well outside the window: a picture cannot hold what follows."""
    outside = (np.abs(path[["w", "b"]] - center) > 5 * np.array([half_w, half_b])).any(axis=1)
    end = int(outside.argmax()) + 1 if outside.any() else len(path)
    return path.head(end)


def _level_curves(problem: Problem, best: Floats, first_loss: float) -> pd.DataFrame:
    """Ellipses on which the loss is constant; one goes through the start, each is twice the next.

    Exact: around its smallest value the loss is  L + d·H·d / 2  with the Hessian H.
    """
    smallest = float(problem.loss_at(*best))
    curvature, axes = np.linalg.eigh(problem.hessian)
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


def _finite_max(values: Any) -> float:
    values = np.asarray(values)
    finite = values[np.isfinite(values) & (values > 0)]
    return float(finite.max()) if finite.size else 1.0
