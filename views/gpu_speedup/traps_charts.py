"""The traps, drawn: naive results beside honest ones, and a sample call by call."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from engines.benchmark.recording import Measurement
from views.gpu_speedup.contenders import SHAPES, UNITS, Unit, tick_labels, written
from views.player import (
    TEXT,
    Drawing,
    Figure,
    Filling,
    between,
    decades,
    drawing,
    mark,
    picture,
    sized,
)
from views.ui.palette import DATA, MISTAKE, MODEL

ROLES = ["naive", "honest"]
SALTIRE = "M-.8,-.8L.8,.8M-.8,.8L.8,-.8"  # two strokes: nothing in it to fill
FAR = 10  # times as large: from there on an axis is logarithmic
CALLS = 300  # shown of a sample
SPREAD = 3  # times the median: a call further off makes the axis logarithmic


class Result(NamedTuple):
    """One row: seconds for a call, or GFLOP/s, and the quartiles, which may be the value itself."""

    label: str
    role: Literal["naive", "honest"]
    value: float
    low: float
    high: float


def result(label: str, role: Literal["naive", "honest"], one: Measurement, unit: Unit) -> Result:
    """The row of a measurement, at its median."""
    if unit == "time":
        return Result(label, role, one.median, one.low, one.high)
    flops = one.gflops * one.median  # in billions
    return Result(label, role, one.gflops, flops / one.high, flops / one.low)


# ---- Naive beside honest


def naive_and_honest(rows: Sequence[Result], *, unit: Unit) -> Figure:
    """A mark for each result, with its quartiles and its value, below each other as given.

    The axis begins at zero, or where the largest is FAR times the smallest it is logarithmic.
    A height of 55 pixels a row and 110 more is enough; in a lecture twice as much.
    """
    least, most = min(row.low for row in rows), max(row.high for row in rows)
    return _results(tuple(rows), unit=unit, log=most > FAR * least > 0)


@picture
def _results(rows: tuple[Result, ...], *, unit: Unit, log: bool) -> Filling:
    table = pd.DataFrame(rows, columns=list(Result._fields))
    least, most = float(table["low"].min()), float(table["high"].max())
    low = 10.0 ** np.floor(np.log10(least)) if log else 0.0
    high = 10.0 ** np.ceil(np.log10(most)) if log else 1.15 * most
    place = np.log(table["value"] / low) / np.log(high / low) if log else table["value"] / high
    table["row"] = np.arange(len(table))
    table["text"] = [written(value, unit) for value in table["value"]]
    table["before"] = place > 0.55  # the value stands where there is more room
    table["at"] = np.where(table["before"], table["low"], table["high"])
    values: dict[str, Any] = {"value_low": low, "value_high": high}
    if log:
        values["value_ticks"] = decades(low, high)
    return {"results": table}, values


@_results.drawing
def _draw_results(*, unit: Unit, log: bool) -> Drawing:
    ticks = {"values": alt.ExprRef("value_ticks")} if log else {"tickCount": 5}
    axis = alt.Axis(labelExpr=tick_labels(unit), labelOverlap=True, labelFlush=True, **ticks)
    scale = between("value_low", "value_high", type="log" if log else "linear")
    x: dict[str, Any] = {"title": UNITS[unit], "scale": scale, "axis": axis}
    y = alt.Y(
        "row:O",
        title=None,
        scale=alt.Scale(type="point", padding=0.6),
        axis=alt.Axis(labels=False, ticks=False, domain=False, minExtent=6),
    )
    legend = alt.Legend(symbolSize=mark(110), symbolStrokeWidth=sized(2, 4))

    def by_role(channel: Any, values: Sequence[str]) -> Any:
        return channel("role:N", scale=alt.Scale(domain=ROLES, range=values), legend=legend)

    stroke = by_role(alt.Stroke, [MISTAKE, MODEL])
    results = alt.Chart(alt.NamedData("results")).encode(y=y)
    whiskers = results.mark_rule(strokeWidth=sized(3, 5)).encode(
        x=alt.X("low:Q", **x),
        x2="high:Q",
        stroke=stroke,
    )
    marks = results.mark_point(size=mark(150), opacity=1, strokeWidth=sized(3, 5)).encode(
        x=alt.X("value:Q", **x),
        stroke=stroke,
        fill=by_role(alt.Fill, ["transparent", MODEL]),
        shape=by_role(alt.Shape, [SALTIRE, SHAPES["circle"]]),
        tooltip=["label:N", "role:N", alt.Tooltip("text:N", title="value")],
    )
    ink = alt.ExprRef("ink")
    values = results.mark_text(
        align=alt.ExprRef("datum.before ? 'right' : 'left'"),
        dx=alt.ExprRef(f"1.2 * {TEXT} * (datum.before ? -1 : 1)"),
        baseline="middle",
        fontWeight="bold",
        color=ink,
    ).encode(x=alt.X("at:Q", **x), text="text:N")
    labels = results.mark_text(
        align="left", baseline="bottom", dx=4, dy=alt.ExprRef(f"-0.75 * {TEXT}"), color=ink
    ).encode(x=alt.value(0), text="label:N")
    return drawing(
        whiskers + marks + values + labels,
        title="",
        description=(
            f"A row for each result, its {UNITS[unit]} as a mark: a cross where it was measured "
            "naively, a filled circle where it was measured honestly."
        ),
    )


# ---- Call by call


def one_by_one(samples: Sequence[float], *, shown: int | None) -> Figure:
    """The seconds of each call, in order, around their median and quartiles; one is pointed at.

    shown: its place in the samples, from 0. Of the samples at most CALLS are drawn, the first.
    Raises ValueError if there is none.
    """
    if not len(samples):
        raise ValueError("there is no call to draw")
    drawn = tuple(map(float, samples[:CALLS]))
    log = max(drawn) > SPREAD * median(drawn) and min(drawn) > 0
    return _calls(drawn, shown, log=log)


@picture
def _calls(samples: tuple[float, ...], shown: int | None, *, log: bool) -> Filling:
    seconds = np.array(samples)
    low, middle, high = np.quantile(seconds, [0.25, 0.5, 0.75])
    table = pd.DataFrame({"call": np.arange(1, len(seconds) + 1), "seconds": seconds})
    table["time"] = [written(value, "time") for value in samples]
    table["text"] = [
        f"call {call}: {time}" for call, time in zip(table["call"], table["time"], strict=True)
    ]
    table["shown"] = np.arange(len(seconds)) == (-1 if shown is None else shown)
    table["right"] = table["call"] > len(seconds) / 2
    rest = pd.DataFrame({"low": [low], "middle": [middle], "high": [high]})
    bottom, top = float(seconds.min()), float(seconds.max())
    margin = 0.1 * (top - bottom) or 0.1 * top or 1e-9
    bottom, top = (bottom / 1.3, top * 1.5) if log else (max(0.0, bottom - margin), top + margin)
    told = f"Call by call: median {written(float(middle), 'time')}"
    values: dict[str, Any] = {"low": bottom, "high": top, "last": len(seconds) + 1, "told": told}
    if log:
        values["ticks"] = decades(bottom, top)
    return {"calls": table, "rest": rest}, values


@_calls.drawing
def _draw_calls(*, log: bool) -> Drawing:
    ticks = {"values": alt.ExprRef("ticks")} if log else {"tickCount": 5}
    y: dict[str, Any] = {
        "title": "time for this call",
        "scale": between("low", "high", type="log" if log else "linear"),
        "axis": alt.Axis(labelExpr=tick_labels("time"), labelOverlap=True, **ticks),
    }
    x = alt.X(
        "call:Q",
        title="number of the call",
        scale=between("0", "last"),
        axis=alt.Axis(format="d", tickMinStep=1, tickCount=8),
    )
    rest, calls = alt.Chart(alt.NamedData("rest")), alt.Chart(alt.NamedData("calls"))
    band = rest.mark_rect(color=MODEL, opacity=0.25).encode(y=alt.Y("low:Q", **y), y2="high:Q")
    middle = rest.mark_rule(color=MODEL).encode(y=alt.Y("middle:Q", **y))
    highlit = "datum.shown"
    points = calls.mark_point(filled=True, opacity=1).encode(
        x=x,
        y=alt.Y("seconds:Q", **y),
        color=alt.condition(highlit, alt.value(alt.ExprRef("ink")), alt.value(DATA)),
        shape=alt.condition(highlit, alt.value("diamond"), alt.value("circle")),
        size=alt.condition(highlit, alt.value(mark(220)), alt.value(mark(30))),
        tooltip=["call:Q", "time:N"],
    )
    words = (
        calls.transform_filter(highlit)
        .mark_text(
            align=alt.ExprRef("datum.right ? 'right' : 'left'"),
            dy=sized(-10, -18),
            baseline="bottom",
            fontWeight="bold",
            color=alt.ExprRef("ink"),
        )
        .encode(x=x, y=alt.Y("seconds:Q", **y), text="text:N")
    )
    return drawing(
        band + middle + points + words,
        title=alt.Title(alt.ExprRef("told")),
        description=(
            "The time of each call in the order of the calls, with a line at their median, a band "
            "between their quartiles, and one call pointed at."
        ),
    )
