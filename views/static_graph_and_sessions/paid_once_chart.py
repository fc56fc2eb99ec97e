"""What engines cost: a first call and later ones, added up; and which is cheaper from when on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from views.player import TEXT, Drawing, Filling, between, decades, drawing, mark, picture, sized
from views.ui.palette import ENGINES, Look

# A result as engines.benchmark.first_calls.measure returns it.
Row = Mapping[str, Any]

LOOKS = {
    "tf_session": ENGINES["tf_session"],
    "tf_function": Look("tf.function", "#59702b", (8, 4), "square"),
    "tf_tape": ENGINES["tf_tape"]._replace(label="TensorFlow, eager", dash=(2, 3)),
    "torch_autograd": ENGINES["torch_autograd"]._replace(label="PyTorch, eager", dash=(14, 3)),
}
IN_WORDS = {
    "tf_session": "the session",
    "tf_function": "`tf.function`",
    "tf_tape": "eager TensorFlow",
    "torch_autograd": "eager PyTorch",
}
STATIC, EAGER = ("tf_session", "tf_function"), ("tf_tape", "torch_autograd")
TASKS = {"parabola": "The parabola, 2 parameters", "two_layers": "Two layers, 101,000 parameters"}
POINTS = 40  # of a line
UNMEASURED = (1.0, 1e4)  # milliseconds, the ends of an axis on which nothing is drawn yet
FURTHEST = 1e6  # steps that a picture can have


class Cost(NamedTuple):
    """Milliseconds: of the first call, and of each later one."""

    first: float
    later: float

    def total(self, steps: Any) -> Any:
        """Milliseconds that so many steps take, 1 or more of them."""
        return self.first + (steps - 1) * self.later


def cheaper_steps(one: Cost, other: Cost) -> tuple[float, float]:
    """The first and the last number of steps that take less time with `one` than with `other`.

    The last is infinity where it stays cheaper. Both are infinity where it never is.
    """
    gap, saved = one.first - other.first, other.later - one.later
    if gap < 0:
        return 1, math.inf if saved >= 0 else math.ceil(gap / saved)
    if saved <= 0:
        return math.inf, math.inf
    return math.floor(gap / saved) + 2, math.inf


def cost(row: Row, start: str, quartile: int = 1) -> Cost:
    """What an engine costs. start: whether its first call is "cold" or "warm". quartile: of later
    calls, 0, 1 or 2.
    """
    return Cost(row["cold"] if start == "cold" else row["warm"][1], row["later"][quartile])


def overtaking(one: Row, other: Row, start: str) -> list[tuple[float, float]]:
    """The `cheaper_steps`: at the quartiles that favour `one`, at the medians, at the others."""
    return [
        cheaper_steps(cost(one, start, quartile), cost(other, start, 2 - quartile))
        for quartile in range(3)
    ]


@picture
def added_up(task: str, rows: list[Row], start: str, *, settled: bool) -> Filling:
    """Time since the start against number of steps, for the engines measured so far of one task.

    settled: whether to mark where a graph overtakes an eager mode.
    """
    by = {row["engine"]: row for row in rows}
    crossings = []
    pairs = [(one, other) for one in STATIC for other in EAGER if {one, other} <= by.keys()]
    for one, other in pairs if settled else []:
        _, (at, _), (at_worst, _) = overtaking(by[one], by[other], start)
        if 1 < at < FURTHEST and math.isfinite(at_worst):
            crossings.append({"steps": at, "ms": cost(by[one], start).total(at), "one": one})
    furthest = max((crossing["steps"] for crossing in crossings), default=1)
    last = 10.0 ** max(3, math.ceil(math.log10(2 * furthest)))
    steps = np.unique(np.geomspace(1, last, POINTS).round())
    tables = [pd.DataFrame(columns=["steps", "ms", "low", "high", "engine"], dtype=float)]
    for engine, row in by.items():
        low, median, high = (cost(row, start, quartile).total(steps) for quartile in range(3))
        columns = {"steps": steps, "ms": median, "low": low, "high": high}
        tables.append(pd.DataFrame({**columns, "engine": LOOKS[engine].label}))
    lines = pd.concat(tables[1:] or tables)
    marks = pd.DataFrame(crossings, columns=["steps", "ms", "one"])
    marks["text"] = [f"{at:.0f}" for at in marks["steps"]]
    low, high = (lines["low"].min() / 1.5, lines["high"].max() * 1.5) if by else UNMEASURED
    ticks = {"steps_ticks": decades(1, last), "ms_ticks": decades(float(low), float(high))}
    span = {"last": last, "low": float(low), "high": float(high)}
    return {"lines": lines, "crossings": marks}, {
        **span,
        "measured": bool(by),
        "task": TASKS[task],
        **ticks,
    }


@added_up.drawing
def _() -> Drawing:
    labels = [look.label for look in LOOKS.values()]
    legend = alt.Legend(
        labelLimit=0,
        symbolType="stroke",
        symbolOpacity=1,
        columns=alt.ExprRef("lecture ? 1 : 2"),
        columnPadding=6,
        symbolSize=sized(250, 400),
    )
    engines = {
        "color": alt.Color(
            "engine:N",
            legend=legend,
            scale=alt.Scale(domain=labels, range=[look.color for look in LOOKS.values()]),
        ),
        "strokeDash": alt.StrokeDash(
            "engine:N",
            legend=legend,
            scale=alt.Scale(domain=labels, range=[look.dash for look in LOOKS.values()]),
        ),
    }
    x = alt.X(
        "steps:Q",
        title="number of steps",
        scale=alt.Scale(type="log", domain=[1, alt.ExprRef("last")], nice=False),
        axis=alt.Axis(format="~s", values=alt.ExprRef("steps_ticks")),
    )
    seconds = "datum.value >= 1000 ? format(datum.value / 1000, '~g') + ' s' : "
    axis = alt.Axis(
        labelExpr=seconds + "format(datum.value, '~g') + ' ms'", values=alt.ExprRef("ms_ticks")
    )
    y = alt.Y(
        "ms:Q",
        title="time since the start",
        scale=between("low", "high", type="log"),
        axis=axis,
    )
    lines = alt.Chart(alt.NamedData("lines"))
    band = lines.mark_area(opacity=0.25, clip=True).encode(
        x=x, y=alt.Y("low:Q", title="time since the start"), y2="high:Q", color=engines["color"]
    )
    line = lines.mark_line(clip=True).encode(
        x=x,
        y=y,
        **engines,
        tooltip=["engine:N", "steps:Q", alt.Tooltip("ms:Q", format=".3g", title="milliseconds")],
    )
    crossings = alt.Chart(alt.NamedData("crossings"))
    ink = alt.ExprRef("ink")
    circle = crossings.mark_point(size=mark(90), filled=False, stroke=ink).encode(x=x, y=y)
    # Two graphs can overtake at nearly the same step: one number above its circle, one below.
    above = f"datum.one == '{STATIC[0]}'"
    number = crossings.mark_text(
        align=alt.ExprRef(f"{above} ? 'right' : 'left'"),
        baseline=alt.ExprRef(f"{above} ? 'bottom' : 'top'"),
        dx=alt.ExprRef(f"{above} ? -6 : 6"),
        dy=alt.ExprRef(f"{above} ? -4 : 4"),
        color=ink,
    ).encode(x=x, y=y, text="text:N")
    nothing = (
        alt.Chart(alt.InlineData(values=[{}]))
        .transform_filter("!measured")
        .mark_text(text="not measured yet", color=ink, fontSize=alt.ExprRef(f"1.3 * {TEXT}"))
        .encode(x=alt.value(alt.expr("width / 2")), y=alt.value(alt.expr("height / 2")))
    )
    return drawing(
        alt.layer(band, line, circle, number, nothing),
        title=alt.Title(text=alt.ExprRef("task")),
        description=(
            "Time since the start against number of steps, both on logarithmic axes, a line for "
            "each engine. Circles mark where a graph overtakes an eager mode."
        ),
    )
