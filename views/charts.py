"""The pictures of a regression in training. Each follows the player, see views/timeline.py.

Each picture is a drawing, the same for all runs, and a function that fills a run into it; see
views/figure.py for why. `run` is the prefix of the series to draw, for a page that plays two runs.
"""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.problem import Problem
from engines.trace import Trace, thin
from views.figure import Figure, cached, drawn, figure, template
from views.palette import BEST, DATA, GRADIENT, MODEL, QUIET, RESIDUAL
from views.timeline import PHASE, STEP, Timeline

Floats = NDArray[np.float64]
CURVE_STEPS = 300  # a static curve shows at most this many of a run's steps
STAR = (  # an SVG path: Vega has no star of its own
    "M0,-1L0.24,-0.32L0.95,-0.31L0.38,0.12L0.59,0.81L0,0.4"
    "L-0.59,0.81L-0.38,0.12L-0.95,-0.31L-0.24,-0.32Z"
)


# ---- The data and the model


@cached
def fit(
    problem: Problem, timeline: Timeline, *, lecture: bool, run: str = "", color: str = MODEL
) -> Figure:
    """The data, the model's curve at this step, and from each point its residual."""
    # The start is part of the story, unless it is so far off that the data would shrink to a line.
    height = max(float(np.ptp(problem.y)), 1e-3)
    first = float(problem.w) * problem.x**problem.power + float(problem.b)
    bounded = np.clip(first, problem.y.min() - height, problem.y.max() + height)
    x_low, x_high = _span(problem.x, margin=0.03)
    y_low, y_high = _span(np.concatenate([problem.y, bounded]), margin=0.08)
    data = {
        "points": pd.DataFrame({"x": problem.x, "y": problem.y}),
        "grid": pd.DataFrame({"x": np.linspace(problem.x.min(), problem.x.max(), 61)}),
    }
    values = {"x_low": x_low, "x_high": x_high, "y_low": y_low, "y_high": y_high}
    drawing = _draw_fit(timeline, lecture=lecture, run=run, color=color)
    return figure(drawing, data, {**values, "power": problem.power})


@drawn
def _draw_fit(timeline: Timeline, *, lecture: bool, run: str, color: str) -> Figure:
    # A diverged model is drawn as leaving the picture, not as a number no canvas can hold.
    w, b = timeline.now(run + "w"), timeline.now(run + "b")
    model = f"clamp({w} * pow(datum.x, power) + {b}, 2 * y_low - y_high, 2 * y_high - y_low)"

    x = alt.X("x:Q", title="x", scale=_between("x_low", "x_high"))
    y = alt.Y("y:Q", title="y", scale=_between("y_low", "y_high"))
    points = alt.Chart(alt.NamedData("points"))
    residuals = (
        points.transform_calculate(y_pred=model)
        .transform_filter(f"{PHASE} >= 1")
        .mark_rule(color=RESIDUAL, opacity=0.8, clip=True)
        .encode(x=x, y=y, y2="y_pred:Q")
    )
    dots = points.mark_circle(color=DATA, clip=True).encode(x=x, y=y, tooltip=["x:Q", "y:Q"])
    curve = (
        alt.Chart(alt.NamedData("grid"))
        .transform_calculate(y=model)
        .mark_line(color=color, clip=True)
        .encode(x=x, y=y)
    )
    return template(
        residuals + dots + curve,
        ("x_low", "x_high", "y_low", "y_high", "power"),
        title="The fit",
        description=(
            "The data points, the model's curve, and from each point to the curve a line, its "
            "residual."
        ),
        lecture=lecture,
    )


# ---- The loss against the step


@cached
def loss(
    problem: Problem,
    trace: Trace,
    timeline: Timeline,
    *,
    lecture: bool,
    run: str = "",
    color: str = MODEL,
) -> Figure:
    """Loss against step, on a logarithmic axis, with the smallest loss that any (w, b) has."""
    walked = _thinned(trace)[["step", "loss"]]
    walked = walked[(walked["loss"] > 0) & np.isfinite(walked["loss"])]
    floor = float(problem.loss_at(*problem.least_squares()))
    best = pd.DataFrame({"loss": [floor], "label": ["least squares"]}).query("loss > 0")
    shown = pd.concat([walked["loss"], best["loss"]])
    low, high = (shown.min() / 1.3, shown.max() * 1.3) if len(shown) else (0.1, 10.0)
    values = {
        "low": float(low),
        "high": float(high),
        "last": max(1, timeline.last_step),
        "ticks": _decades(float(low), float(high)),
    }
    drawing = _draw_loss(timeline, lecture=lecture, run=run, color=color)
    return figure(drawing, {"walked": walked, "floor": best}, values)


@drawn
def _draw_loss(timeline: Timeline, *, lecture: bool, run: str, color: str) -> Figure:
    x = alt.X("step:Q", title="step", scale=_between("0", "last"))
    axis = alt.Axis(format="~g", values=alt.ExprRef("ticks"))
    y = alt.Y("loss:Q", title="loss", scale=_between("low", "high", type="log"), axis=axis)

    line = alt.Chart(alt.NamedData("walked"))
    whole = line.mark_line(color=QUIET, opacity=0.35).encode(x=x, y=y)
    so_far = line.transform_filter(f"datum.step <= {STEP}").mark_line(color=color).encode(x=x, y=y)
    dot = (
        _frame(timeline, run, "loss")
        .transform_filter(f"datum.loss > 0 && isFinite(datum.loss) && {PHASE} >= 1")
        .mark_circle(color=color, size=_mark(140, lecture), opacity=1)
        .encode(x=x, y=y)
    )
    best = alt.Chart(alt.NamedData("floor"))
    rule = best.mark_rule(color=BEST, strokeDash=[6, 4]).encode(y=y)
    label = best.mark_text(color=BEST, align="right", baseline="bottom", dy=-3).encode(
        x=alt.value("width"), y=y, text="label:N"
    )
    return template(
        whole + rule + label + so_far + dot,
        ("low", "high", "last", "ticks"),
        title="The loss",
        description=(
            "Loss against step on a logarithmic axis; a dashed line marks the smallest possible "
            "loss."
        ),
        lecture=lecture,
    )


# ---- The loss over w and b


@cached
def surface(
    problem: Problem,
    trace: Trace,
    timeline: Timeline,
    *,
    lecture: bool,
    run: str = "",
    color: str = MODEL,
) -> Figure:
    """The loss over (w, b) as level curves, the path walked on it, and this step's gradient."""
    best = np.array(problem.least_squares())
    path = _thinned(trace)[["step", "w", "b"]]
    center, half_w, half_b = _window(best, path[["w", "b"]].to_numpy(np.float64))
    sizes = np.hypot(trace.grads["w"][:50], trace.grads["b"][:50])
    values = {
        "center_w": float(center[0]),
        "center_b": float(center[1]),
        "half_w": half_w,
        "half_b": half_b,
        "longest": _finite_max(sizes),
    }
    data = {
        "curves": _level_curves(problem, best, float(trace.losses[0])),
        "path": _until_far(path, center, half_w, half_b),
        "best": pd.DataFrame({"w": best[:1], "b": best[1:], "loss": problem.loss_at(*best)}),
    }
    return figure(_draw_surface(timeline, lecture=lecture, run=run, color=color), data, values)


@drawn
def _draw_surface(timeline: Timeline, *, lecture: bool, run: str, color: str) -> Figure:
    # Both axes have the same scale, so that the gradient stands at a right angle on the curves.
    half = "max(half_b, half_w * height / width)"
    wide = f"{half} * width / height"
    x = alt.X("w:Q", title="w", scale=_between(f"center_w - {wide}", f"center_w + {wide}"))
    y = alt.Y("b:Q", title="b", scale=_between(f"center_b - {half}", f"center_b + {half}"))

    levels = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(color=QUIET, opacity=0.55, strokeWidth=2 if lecture else 1.2, clip=True)
        .encode(
            x=x,
            y=y,
            detail="level:N",
            order="turn:Q",
            tooltip=[alt.Tooltip("loss:Q", format=".4g")],
        )
    )
    walk = alt.Chart(alt.NamedData("path"))
    whole = walk.mark_line(color=color, opacity=0.3, clip=True).encode(x=x, y=y, order="step:Q")
    so_far = (
        walk.transform_filter(f"datum.step <= {STEP}")
        .mark_line(color=color, clip=True, point=alt.OverlayMarkDef(size=14, color=color))
        .encode(x=x, y=y, order="step:Q")
    )
    star = (
        alt.Chart(alt.NamedData("best"))
        .mark_point(shape=STAR, color=BEST, filled=True, size=_mark(260, lecture), opacity=1)
        .encode(x=x, y=y, tooltip=["w:Q", "b:Q", "loss:Q"])
    )
    here = _frame(timeline, run, "w", "b", "w_next", "b_next", "grad_w", "grad_b")
    # What is far outside is not drawn at all: a canvas cannot hold its coordinates.
    near = "abs(datum.w - center_w) < 9 * half_w && abs(datum.b - center_b) < 9 * half_b"
    dot = (
        here.transform_calculate(
            w=f"{PHASE} == 3 ? datum.w_next : datum.w", b=f"{PHASE} == 3 ? datum.b_next : datum.b"
        )
        .transform_filter(near)
        .mark_circle(color=color, size=_mark(170, lecture), opacity=1, clip=True)
        .encode(x=x, y=y)
    )
    arrow = (
        here.transform_filter(f"{PHASE} >= 2")
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
    shaft = arrow.mark_rule(color=GRADIENT, strokeWidth=8 if lecture else 4, clip=True).encode(
        x=x, y=y, x2="w2:Q", y2="b2:Q"
    )
    head = arrow.mark_point(
        shape="triangle",
        filled=True,
        color=GRADIENT,
        size=_mark(170, lecture),
        opacity=1,
        clip=True,
    ).encode(
        x=alt.X("w2:Q", title="w"),
        y=alt.Y("b2:Q", title="b"),
        angle=alt.Angle("angle:Q", scale=None),
    )
    return template(
        levels + whole + so_far + star + shaft + head + dot,
        ("center_w", "center_b", "half_w", "half_b", "longest"),
        title="The loss over w and b",
        description=(
            "Curves of equal loss around the least-squares answer, a star; the path of training; "
            "an arrow against the gradient."
        ),
        lecture=lecture,
    )


# ---- The terms of the gradient


@cached
def contributions(
    problem: Problem, timeline: Timeline, *, to: Literal["w", "b"], lecture: bool
) -> Figure:
    """Each point's term in the sum that is the gradient by `to`: who pulls, and which way."""
    x_low, x_high = _span(problem.x, margin=0.02)
    data = {"points": pd.DataFrame({"x": problem.x, "y": problem.y})}
    values = {"twice_factor": 2 * problem.factor, "power": problem.power}
    drawing = _draw_contributions(timeline, to=to, lecture=lecture)
    return figure(drawing, data, {**values, "x_low": x_low, "x_high": x_high})


@drawn
def _draw_contributions(timeline: Timeline, *, to: Literal["w", "b"], lecture: bool) -> Figure:
    y_pred = f"{timeline.now('w')} * pow(datum.x, power) + {timeline.now('b')}"
    by = "pow(datum.x, power)" if to == "w" else "1"
    pulls = [f"pulls {to} up", f"pulls {to} down"]
    bars = (
        alt.Chart(alt.NamedData("points"))
        .transform_filter(f"{PHASE} >= 2")
        .transform_calculate(term=f"twice_factor * ({y_pred} - datum.y) * {by}")
        .transform_filter("isFinite(datum.term)")
        .transform_calculate(pulls=f"datum.term < 0 ? '{pulls[0]}' : '{pulls[1]}'")
        .mark_rule(strokeWidth=6 if lecture else 3)
        .encode(
            x=alt.X("x:Q", title="x", scale=_between("x_low", "x_high")),
            y=alt.Y("term:Q", title=f"term of grad_{to}", axis=alt.Axis(format="~g")),
            color=alt.Color(
                "pulls:N", title=None, scale=alt.Scale(domain=pulls, range=[MODEL, GRADIENT])
            ),
            tooltip=["x:Q", "y:Q", alt.Tooltip("term:Q", format=".4g")],
        )
    )
    zero = alt.Chart(alt.InlineData([{}])).mark_rule(color=QUIET).encode(y=alt.datum(0))
    return template(
        bars + zero,
        ("twice_factor", "power", "x_low", "x_high"),
        title=f"Each point's term of grad_{to}",
        description=(
            f"One bar for each data point: its term in the sum that is the gradient by {to}."
        ),
        lecture=lecture,
    )


# ---- What they share


def _between(low: str, high: str, **more: Any) -> alt.Scale:
    """A scale whose domain is two expressions."""
    return alt.Scale(domain=[alt.ExprRef(low), alt.ExprRef(high)], nice=False, **more)


def _mark(size: float, lecture: bool) -> float:
    """The area of a mark, larger where it is to be seen from the last row."""
    return 2.5 * size if lecture else size


def _frame(timeline: Timeline, run: str, *names: str) -> alt.Chart:
    """One row: the step shown and these series' values at it, without the prefix of their run."""
    values = {name: timeline.now(run + name) for name in names}
    return alt.Chart(alt.InlineData(values=[{}])).transform_calculate(step=STEP, **values)


def _thinned(trace: Trace) -> pd.DataFrame:
    """The steps that a static curve shows, as columns step, loss, w, b, grad_w, grad_b."""
    frame = trace.to_frame()
    return frame.iloc[thin(len(frame), CURVE_STEPS)].reset_index()


def _span(values: NDArray[Any], margin: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    extra = margin * max(high - low, 1e-3)
    return low - extra, high + extra


def _decades(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: some powers of ten, or on a short one 1, 2 and 5 times each."""
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    ticks = powers[:: 1 + len(powers) // 7]
    if len(powers) <= 3:
        ticks = np.outer(powers, [1, 2, 5]).ravel()
    inside: list[float] = ticks[(ticks >= low) & (ticks <= high)].tolist()
    return inside


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


def _finite_max(values: NDArray[Any]) -> float:
    finite = values[np.isfinite(values) & (values > 0)]
    return float(finite.max()) if finite.size else 1.0
