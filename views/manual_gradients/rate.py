"""How long a step may be: along each axis of the bowl, the error is multiplied at every step."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.manual_gradients.bowl import errors, factors
from engines.problem import preset
from engines.trace import Trace
from views.manual_gradients import runs
from views.player import (
    STEP,
    TEXT,
    Drawing,
    Filling,
    Timeline,
    between,
    cached,
    drawing,
    every_step,
    mark,
    picture,
    say,
    show,
    sized,
)
from views.regression import sections
from views.regression.settings import choose_part_of_limit
from views.regression.surface import landscape
from views.ui.numbers import number
from views.ui.palette import MISTAKE, MODEL, QUIET
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("numpy_article")
STEPS = 60
BOUND = 2.8  # of the picture of the error: a run may run away
PARTS = ("0.05", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.95")
BEYOND = ("1", "1.02", "1.05", "1.1", "1.2")
AXES = ("steep axis", "shallow axis")
COLORS, SHAPES = [MODEL, QUIET], ["circle", "square"]
Floats = NDArray[np.float64]
# On which side of its mark a number stands: that on which there is room.
SIDES: Any = (("<", "left", 0.8), (">=", "right", -0.8))


def show_stage(here: Here) -> None:
    """The rate on a slider, the map, and what a step makes of the error along each axis."""
    limit = number(PROBLEM.largest_stable_learning_rate, 3)
    label = f"Learning rate η, below and above the limit 2/λ = {limit}"
    with stage(here) as play:
        rate = choose_part_of_limit(
            here.controls, label, "of_limit", PROBLEM, parts=PARTS + BEYOND, start="0.9"
        )
        trace = runs.run(PROBLEM, STEPS, rate).trace
        timeline = _timeline(trace)
        table = {name: name for name in ("loss", "w", "b")}
        table |= {f"part of the error left, {axis}": axis for axis in AXES}
        play(timeline, ran={"": trace}, begin=(4, None), stops=_stops(trace), table=table)
        say(_told(rate, trace))
        left, right = beside([1, 1])
        with left:
            show(landscape(PROBLEM, trace, timeline, axes=True), key="landscape")
        with right:
            show(_gauge(factors(PROBLEM, rate)), key="gauge")
            show(errors_left(timeline, errors(PROBLEM, trace)), key="errors")


@cached
def _timeline(trace: Trace) -> Timeline:
    left = dict(zip(AXES, errors(PROBLEM, trace), strict=True))
    return Timeline(sections.followed(trace) | every_step(left), len(trace) - 1)


@cached
def _stops(trace: Trace) -> list[int]:
    """The first jump, and where the loss is first half of what it was, or four times as much."""
    half, more = trace.losses < trace.losses[0] / 2, trace.losses > 4 * trace.losses[0]
    firsts = [int(np.argmax(there)) for there in (half, more) if there.any()]
    return sorted({1, *firsts})


def _told(rate: float, trace: Trace) -> str:
    """HTML: what this rate does along the axes of the bowl, and what became of the run."""
    steep, shallow = factors(PROBLEM, rate)
    by = f"1\u00a0−\u00a0η·λ = {number(steep, 3)}"
    each = f"Along the steep axis each step multiplies the error by {by}"
    first, last = (number(float(trace.losses[k]), 3) for k in (0, -1))
    least = number(float(PROBLEM.loss_at(*PROBLEM.least_squares())), 3)
    end = f"In {len(trace) - 1} steps the loss goes from {first} to {last}; the least is {least}."
    if math.isclose(steep, -1):
        return (
            f"<b>It bounces.</b> {each}: every step lands on the other side, exactly as far out "
            f"as before. {end}"
        )
    if steep < -1:
        return (
            f"<b>It explodes.</b> {each}: every step lands on the other side, and farther out. "
            f"{end}"
        )
    if steep < 0:
        return f"<b>It zig-zags.</b> {each}: every step lands on the other side, but nearer. {end}"
    return (
        f"<b>It glides.</b> {each}, along the shallow one by {number(shallow, 3)}: every step "
        f"lands nearer, on the same side. {end}"
    )


@picture
def _gauge(multiplied_by: tuple[float, float]) -> Filling:
    rows = pd.DataFrame({"axis": AXES, "factor": np.clip(multiplied_by, -1.5, 1)})
    return {"factors": rows.assign(text=[number(one, 3) for one in multiplied_by])}, {}


@_gauge.drawing
def _() -> Drawing:
    regimes = [
        {"low": -1.5, "high": -1, "what": "explodes", "color": MISTAKE},
        {"low": -1, "high": 0, "what": "zig-zags", "color": QUIET},
        {"low": 0, "high": 1.15, "what": "glides", "color": "transparent"},
    ]
    title = "error multiplied by 1 − η·λ"
    x = alt.X(
        "low:Q",
        title=title,
        scale=alt.Scale(domain=[-1.5, 1.15], nice=False),
        axis=alt.Axis(values=[-1.5, -1, -0.5, 0, 0.5, 1], grid=False),
    )
    bands = alt.Chart(alt.InlineData(regimes))
    shades = bands.mark_rect(opacity=0.16).encode(
        x=x, x2="high:Q", color=alt.Color("color:N", scale=None)
    )
    names = (
        bands.transform_calculate(middle="(datum.low + datum.high) / 2")
        .mark_text(baseline="top", color=alt.ExprRef("ink"), dy=4)
        .encode(x=alt.X("middle:Q", title=title), y=alt.value(0), text="what:N")
    )
    y = alt.Y(
        "axis:N",
        title=None,
        sort=list(AXES),
        scale=alt.Scale(  # below the names of the regimes
            range=[alt.ExprRef(f"1.6 * {TEXT}"), alt.ExprRef("height")], padding=0.5
        ),
        axis=alt.Axis(grid=False, labelLimit=300),
    )
    row = alt.Chart(alt.NamedData("factors"))
    at = alt.X("factor:Q", title=title)
    dots = row.mark_point(filled=True, size=mark(160), opacity=1).encode(
        x=at, y=y, color=_by_axis(alt.Color, COLORS), shape=_by_axis(alt.Shape, SHAPES)
    )
    numbers = [
        row.transform_filter(f"datum.factor {side} 0")
        .mark_text(
            color=alt.ExprRef("ink"),
            fontWeight="bold",
            align=align,
            dx=alt.ExprRef(f"{dx} * {TEXT}"),
        )
        .encode(x=at, y=y, text="text:N")
        for side, align, dx in SIDES
    ]
    return drawing(
        alt.layer(shades, names, dots, *numbers),
        title="One step, along each axis of the bowl",
        description="What a step multiplies the error by, along the steep and the shallow axis, on "
        "a line from −1.5 to 1 with the three regimes.",
    )


@picture
def errors_left(timeline: Timeline, left: tuple[Floats, Floats]) -> Filling:
    """What is left of the error along both axes of the bowl, step by step. left: see `errors`."""
    rows = [
        pd.DataFrame({"step": np.arange(len(part)), "axis": axis, "error": part})
        for axis, part in zip(AXES, left, strict=True)
    ]
    both = np.concatenate(left)
    high, low = np.clip([both.max(), 1.1 * both.min()], [1.1, -BOUND], [BOUND, -0.1])
    ticks = [-2, 0, 2] if max(high, -low) > 2 else [-1, 0, 1]
    values = {"high": float(high), "low": float(low), "last": timeline.last_step, "ticks": ticks}
    return {"errors": pd.concat(rows)}, values


@errors_left.drawing
def _(timeline: Timeline) -> Drawing:
    x = alt.X("step:Q", title="step", scale=between("0", "last"))
    y = alt.Y(
        "error:Q",
        title="× the first",
        scale=between("low", "high"),
        axis=alt.Axis(values=alt.ExprRef("ticks")),
    )
    line = alt.Chart(alt.NamedData("errors"))
    by_axis = {"color": _by_axis(alt.Color, COLORS), "shape": _by_axis(alt.Shape, SHAPES)}
    whole = line.mark_line(opacity=0.25, clip=True).encode(x=x, y=y, color=by_axis["color"])
    walked = line.transform_filter(f"datum.step <= {STEP}")
    so_far = walked.mark_line(clip=True, strokeWidth=sized(2, 4)).encode(
        x=x, y=y, color=by_axis["color"]
    )
    points = walked.mark_point(filled=True, size=mark(30), opacity=1, clip=True).encode(
        x=x, y=y, **by_axis
    )
    return drawing(
        whole + so_far + points,
        title="The error left: ● steep, ■ shallow axis",
        description="The error along each axis of the bowl, step by step, as a part of what it was "
        "at the start; its sign is the side.",
    )


def _by_axis(channel: Any, values: list[str]) -> Any:
    """Both pictures tell the axes apart alike; the upper one names them."""
    return channel("axis:N", legend=None, scale=alt.Scale(domain=list(AXES), range=values))
