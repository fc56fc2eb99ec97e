"""What the clock sees: each call of a run with what may stand for all; two timers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from views.gpu_speedup.contenders import SHAPES, tick_labels, written
from views.player import (
    TEXT,
    Drawing,
    Filling,
    between,
    decades,
    drawing,
    mark,
    picture,
    readable,
    sized,
)
from views.ui.palette import DATA, MODEL, OTHER, QUIET

KINDS = {"shortest": QUIET, "median": MODEL, "mean": OTHER}
TIMERS = {"this page": MODEL, "PyTorch’s timer": DATA}


@picture
def three_numbers(samples: Sequence[float]) -> Filling:
    """The seconds of each call, in order, with their shortest, median and mean as level lines."""
    seconds = np.array(samples)
    table = pd.DataFrame({"call": np.arange(1, len(seconds) + 1), "seconds": seconds})
    table["time"] = [written(value, "time") for value in samples]
    levels = {"shortest": min(samples), "median": median(samples), "mean": fmean(samples)}
    rules = pd.DataFrame({"kind": list(levels), "seconds": list(levels.values())})
    rules["text"] = [f"{kind} {written(value, 'time')}" for kind, value in levels.items()]
    low, high = float(seconds.min()) / 1.3, float(seconds.max()) * 1.2
    values: dict[str, Any] = {"low": low, "high": high, "last": len(seconds) + 1}
    return {"calls": table, "rules": rules}, values | {"ticks": decades(low, high)}


@three_numbers.drawing
def _() -> Drawing:
    axis = alt.Axis(values=alt.ExprRef("ticks"), labelExpr=tick_labels("time"), labelOverlap=True)
    y = alt.Y(
        "seconds:Q",
        title="time for this call",
        scale=between("low", "high", type="log"),
        axis=axis,
    )
    x = alt.X(
        "call:Q",
        title="number of the call",
        scale=between("0", "last"),
        axis=alt.Axis(format="d", tickMinStep=1),
    )
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())),
        legend=alt.Legend(symbolType="stroke", symbolStrokeWidth=sized(3, 5)),
    )
    points = (
        alt.Chart(alt.NamedData("calls"))
        .mark_point(filled=True, opacity=0.7, size=mark(26), color=DATA)
        .encode(x=x, y=y, tooltip=["call:Q", "time:N"])
    )
    rules = (
        alt.Chart(alt.NamedData("rules"))
        .mark_rule(strokeWidth=sized(2.5, 4.5))
        .encode(y=y, color=color, tooltip="text:N")
    )
    return drawing(
        points + rules,
        title="Call by call",
        description="The time of each call in the order of the calls, on a logarithmic axis, with "
        "level lines at the shortest, at the median and at the mean.",
    )


@picture
def both_timers(rows: Sequence[tuple[str, float, float]]) -> Filling:
    """A row for each operation: the seconds of a call by this page's clock and by PyTorch's."""
    table = pd.DataFrame(
        [
            (k, name, timer, seconds, written(seconds, "time"))
            for k, (name, *times) in enumerate(rows)
            for timer, seconds in zip(TIMERS, times, strict=True)
        ],
        columns=["row", "name", "timer", "seconds", "time"],
    )
    low, high = float(table["seconds"].min()) / 2, float(table["seconds"].max()) * 2
    return {"timers": table}, {"low": low, "high": high, "ticks": decades(low, high)}


@both_timers.drawing
def _() -> Drawing:
    axis = alt.Axis(values=alt.ExprRef("ticks"), labelExpr=tick_labels("time"), labelOverlap=True)
    x = alt.X(
        "seconds:Q",
        title="time for one call",
        scale=between("low", "high", type="log"),
        axis=axis,
    )
    y = alt.Y(
        "row:O",
        title=None,
        scale=alt.Scale(type="point", padding=0.7),
        axis=alt.Axis(labels=False, ticks=False, domain=False, minExtent=6),
    )

    def by_timer(channel: Any, values: Sequence[Any]) -> Any:
        return channel("timer:N", title=None, scale=alt.Scale(domain=list(TIMERS), range=values))

    rows = alt.Chart(alt.NamedData("timers")).encode(y=y)
    points = rows.mark_point(filled=True, opacity=0.9, size=mark(130)).encode(
        x=x,
        color=by_timer(alt.Color, list(TIMERS.values())),
        shape=by_timer(alt.Shape, [SHAPES["circle"], SHAPES["diamond"]]),
        tooltip=["name:N", "timer:N", "time:N"],
    )
    names = readable(
        rows.transform_filter(f"datum.timer === '{next(iter(TIMERS))}'").encode(
            x=alt.value(0), text="name:N"
        ),
        align="left",
        baseline="bottom",
        dx=4,
        dy=alt.ExprRef(f"-0.5 * {TEXT}"),
        color=alt.ExprRef("ink"),
    )
    return drawing(
        points + names,
        title="The same calls, timed twice",
        description="A row for each operation, with the median time of a call by this page's clock "
        "and by PyTorch's own timer.",
    )
