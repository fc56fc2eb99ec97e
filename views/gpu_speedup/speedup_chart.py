"""How many times as fast one is as another, against size: who wins, from where on, by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import altair as alt
import pandas as pd

from engines.benchmark.recording import Measurement
from views.gpu_speedup.contenders import SHAPES, digits
from views.gpu_speedup.size_chart import gaps, size_axis, up_to
from views.player import (
    TEXT,
    Drawing,
    Figure,
    Filling,
    Timeline,
    between,
    drawing,
    mark,
    picture,
    readable,
    sized,
)
from views.ui.palette import QUIET, Look

POWERS = [2.0**power for power in range(-20, 21)]
PLAIN = (
    "datum.value >= 1 ? format(datum.value, ',~g') + ' ×' "
    ": '1/' + format(1 / datum.value, ',~g') + ' ×'"
)


class Pair(NamedTuple):
    """Two that are compared. look: of the line, under a label for both."""

    look: Look
    slower: tuple[Measurement, ...]
    faster: tuple[Measurement, ...]


class Mark(NamedTuple):
    """An upright line in the picture, and what to write at it."""

    size: float
    label: str
    kind: Literal["crossing", "guess"]


def speedup(
    pairs: Sequence[Pair],
    marks: Sequence[Mark],
    *,
    sizes: Sequence[int],
    size_name: str,
    asks: str = "",
    timeline: Timeline | None = None,
) -> Figure:
    """By the medians, in a band between the quartiles that favour the one and the other.

    A click selects as `guessed` the size of the column that it is in. asks: written where the
    curves will be, while there are none. timeline: whose `n` says how far the curves are drawn.

    sizes: the ticks, and how far the picture reaches. Only the looks of the lines enter the
    drawing; all else is data, and a picture in the page grows without a flicker.
    """
    looks = tuple(pair.look for pair in pairs)
    measured = tuple((pair.slower, pair.faster) for pair in pairs)
    return _speedup(
        looks,
        measured,
        tuple(marks),
        timeline,
        sizes=tuple(sizes),
        size_name=size_name,
        asks=asks,
    )


@picture
def _speedup(
    looks: tuple[Look, ...],
    measured: tuple[tuple[tuple[Measurement, ...], tuple[Measurement, ...]], ...],
    marks: tuple[Mark, ...],
    timeline: Timeline | None,
    *,
    sizes: tuple[int, ...],
    size_name: str,
    asks: str,
) -> Filling:
    low, high = min(sizes) / 1.4, max(sizes) * 1.4
    rows = [
        row
        for look, sides in zip(looks, measured, strict=True)
        for row in _rows(look.label, *sides)
        if low <= row["size"] <= high
    ]
    numbers = dict.fromkeys(("size", "low", "middle", "high"), "float64")
    words = dict.fromkeys(("label", "n", "times", "quartiles"), "str")
    lines = pd.DataFrame(rows, columns=[*numbers, *words]).astype(numbers | words)
    shown = sorted(one for one in marks if low <= one.size <= high)
    upright = pd.DataFrame(shown, columns=list(Mark._fields))
    upright = upright.astype({"size": "float64", "label": "str", "kind": "str"})
    upright["right"] = upright["size"] > math.sqrt(low * high)
    upright["row"] = (upright["kind"] == "crossing").cumsum().astype("int64")
    values: dict[str, Any] = {"size_low": low, "size_high": high, "size_ticks": sorted(sizes)}
    values["asks"] = asks
    if timeline:
        # As far as all of it reaches, so that nothing moves while the curves are drawn.
        heights = [row[end] for row in rows for end in ("low", "high") if end in row]
        values["low_end"] = min([0.5, *heights]) / 1.1
        values["high_end"] = 1.1 * max([2.0, *heights])
    ends = [low, *(math.sqrt(a * b) for a, b in pairwise(sorted(sizes))), high]
    columns = pd.DataFrame({"size": sorted(sizes), "left": ends[:-1], "right": ends[1:]})
    return {"lines": lines, "marks": upright, "columns": columns}, values


def _rows(
    label: str, first: Sequence[Measurement], second: Sequence[Measurement]
) -> list[dict[str, Any]]:
    """At each size that both have: how many times as fast, at least, by the medians, at most."""
    slower = {one.size: one for one in first}
    both = sorted((one.size, one, slower[one.size]) for one in second if one.size in slower)
    rows: list[dict[str, Any]] = [
        {"size": gap, "label": label} for gap in gaps([size for size, *_ in both])
    ]
    for size, one, other in both:
        low, middle, high = other.low / one.high, other.median / one.median, other.high / one.low
        told = {"n": f"{size:,}", "times": f"{digits(middle)} times as fast"}
        told["quartiles"] = f"{digits(low)} to {digits(high)} times"
        height = {"low": low, "middle": middle, "high": high}
        rows.append({"size": float(size), "label": label, **height, **told})
    return rows


@_speedup.drawing
def _draw(looks: tuple[Look, ...], timeline: Timeline | None, *, size_name: str) -> Drawing:
    x = size_axis(size_name)
    y: dict[str, Any] = {
        "title": "times as fast",
        "scale": between("low_end", "high_end", type="log", base=2)
        if timeline
        else alt.Scale(type="log", base=2),
        "axis": alt.Axis(values=POWERS, labelExpr=PLAIN, labelOverlap=True),
    }

    def by_line(channel: Any, values: Sequence[Any], **more: Any) -> Any:
        labels = [look.label for look in looks]
        scale = alt.Scale(type="ordinal", domain=labels, range=list(values))
        return channel("label:N", scale=scale, title=None, **more)

    key = alt.Legend(
        labelLimit=0,
        columns=1,
        symbolSize=sized(110, 300),
        symbolOpacity=1,
    )
    legend = {"legend": key if looks else None}
    colors = by_line(alt.Color, [look.color for look in looks], **legend)
    lines = up_to(alt.Chart(alt.NamedData("lines")), timeline).encode(x=x)
    middle = alt.Y("middle:Q", **y)
    level: list[dict[str, Any]] = [{"even": 1, "label": "equally fast"}]
    even = alt.Chart(alt.InlineData(level)).encode(y=alt.Y("even:Q", **y))
    # Two marks that nobody sees give the axis something to follow before anything is measured.
    ends: list[dict[str, Any]] = [{"extent": 0.5}, {"extent": 2}]
    extent = alt.Chart(alt.InlineData(ends))
    columns = (
        alt.Chart(alt.NamedData("columns"))
        .mark_rect(opacity=0.001, cursor="pointer")
        .encode(
            x=size_axis(size_name, "left:Q"),
            x2="right:Q",
            tooltip=[alt.Tooltip("size:Q", title=f"your guess, {size_name}")],
        )
        .add_params(alt.selection_point("guessed", fields=["size"], toggle=False))
    )
    asks = (
        alt.Chart(alt.InlineData([{}]))
        .mark_text(align="center", fontWeight="bold", color=alt.ExprRef("ink"))
        .encode(
            x=alt.value(alt.ExprRef("width / 2")),
            y=alt.value(alt.ExprRef("height / 4")),
            text=alt.value(alt.ExprRef("asks")),
        )
    )
    layers = (
        columns
        + asks
        + extent.mark_point(opacity=0).encode(y=alt.Y("extent:Q", **y))
        + even.mark_rule(color=QUIET, strokeWidth=2)
        + lines.mark_area(opacity=0.25).encode(y=alt.Y("low:Q", **y), y2="high:Q", color=colors)
        + lines.mark_line().encode(
            y=middle,
            color=colors,
            strokeDash=by_line(alt.StrokeDash, [look.dash for look in looks], **legend),
        )
        + lines.mark_point(opacity=1, size=mark(70)).encode(
            y=middle,
            color=colors,
            shape=by_line(alt.Shape, [SHAPES[look.shape] for look in looks], legend=None),
            tooltip=[
                alt.Tooltip("label:N", title="compared"),
                alt.Tooltip("n:N", title=size_name),
                "times:N",
                "quartiles:N",
            ],
        )
        + readable(
            even.encode(x=alt.value("width"), text="label:N"),
            align="right",
            dx=-6,
            dy=alt.ExprRef(f"-0.6 * {TEXT}"),
            color=alt.ExprRef("ink"),
        )
        + _upright(x, timeline)
    )
    return drawing(
        layers,
        title="How many times as fast",
        description=(
            f"How many times as fast one is as another, against {size_name}, both axes "
            "logarithmic. A level line stands where both are equally fast; upright lines mark a "
            "guess, and sizes from which on one of them wins."
        ),
    )


def _upright(x: alt.X, timeline: Timeline | None) -> Any:
    """The guess, dashed and told above; crossings, told below, each on a row of its own."""
    is_guess = "datum.kind == 'guess'"
    marks = up_to(alt.Chart(alt.NamedData("marks")), timeline, always=is_guess).encode(x=x)
    rules = marks.mark_rule().encode(
        color=alt.condition(is_guess, alt.value(alt.ExprRef("ink")), alt.value(QUIET)),
        strokeDash=alt.condition(is_guess, alt.value([6, 4]), alt.value([1, 0])),
    )
    words = readable(
        marks.encode(y=alt.value(0), text="label:N"),
        align=alt.ExprRef("datum.right ? 'right' : 'left'"),
        baseline="middle",
        dx=alt.ExprRef("datum.right ? -6 : 6"),
        dy=alt.ExprRef(
            f"{TEXT} * ({is_guess} ? 0.8 : 0.4 - 1.3 * datum.row) + ({is_guess} ? 0 : height)"
        ),
        color=alt.ExprRef("ink"),
    )
    return rules + words
