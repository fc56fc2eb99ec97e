"""How many times as fast one is as another, against size: who wins, from where on, by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from engines.benchmark.recording import Measurement
from views.gpu_speedup.contenders import SHAPES, Line, number
from views.gpu_speedup.size_chart import gaps, size_axis
from views.player import (
    TEXT,
    Drawing,
    Figure,
    Filling,
    drawing,
    mark,
    picture,
    readable,
    sized,
)
from views.ui.palette import BEST, GRADIENT, QUIET

POWERS = [2.0**power for power in range(-20, 21)]
PLAIN = (
    "datum.value >= 1 ? format(datum.value, ',~g') + ' ×' "
    ": '1/' + format(1 / datum.value, ',~g') + ' ×'"
)


class Pair(NamedTuple):
    """Two that are compared. line: how the faster one is drawn, under a label for both."""

    line: Line
    slower: tuple[Measurement, ...]
    faster: tuple[Measurement, ...]


def speedup(
    pairs: Sequence[Pair],
    *,
    sizes: Sequence[int],
    size_name: str,
    guess: float | None,
    crossings: Sequence[tuple[float, str]],
) -> Figure:
    """By the medians, in a band between the quartiles that favour the one and the other.

    sizes: the ticks, and how far the picture reaches. guess: where the visitor's mark stands.
    crossings: sizes at which something begins to win, and what to write there. Only the looks of
    the lines and the sizes enter the drawing; all else is data, and a picture in the page grows
    without a flicker.
    """
    marks = [(float(size), label, "crossing") for size, label in crossings]
    if guess is not None:
        marks.append((float(guess), "your guess", "guess"))
    looks = tuple(pair.line._replace(measurements=()) for pair in pairs)
    content = repr(([pair[1:] for pair in pairs], marks))
    return _filled(content, pairs, looks, marks, tuple(sizes), size_name)


@picture
def _filled(
    content: str,
    _pairs: Sequence[Pair],
    looks: tuple[Line, ...],
    _marks: Sequence[tuple[float, str, str]],
    sizes: tuple[int, ...],
    size_name: str,
) -> Filling:
    low, high = min(sizes) / 1.4, max(sizes) * 1.4
    rows = [row for pair in _pairs for row in _rows(pair) if low <= row["size"] <= high]
    numbers = dict.fromkeys(("size", "low", "middle", "high"), "float64")
    words = dict.fromkeys(("label", "n", "times", "quartiles"), "str")
    lines = pd.DataFrame(rows, columns=[*numbers, *words]).astype(numbers | words)
    inside = sorted(one for one in _marks if low <= one[0] <= high)
    marks = pd.DataFrame(inside, columns=["size", "label", "kind"])
    marks = marks.astype({"size": "float64", "label": "str", "kind": "str"})
    marks["right"] = marks["size"] > math.sqrt(low * high)
    marks["row"] = (marks["kind"] == "crossing").cumsum().astype("int64")
    values = {"size_low": low, "size_high": high, "size_ticks": sorted(sizes)}
    return {"lines": lines, "marks": marks}, values


def _rows(pair: Pair) -> list[dict[str, Any]]:
    """At each size that both have: how many times as fast, at least, by the medians, at most."""
    slower = {one.size: one for one in pair.slower}
    both = sorted((one.size, one, slower[one.size]) for one in pair.faster if one.size in slower)
    rows: list[dict[str, Any]] = [
        {"size": gap, "label": pair.line.label} for gap in gaps([size for size, *_ in both])
    ]
    for size, one, other in both:
        low, middle, high = other.low / one.high, other.median / one.median, other.high / one.low
        told = {"n": f"{size:,}", "times": f"{number(middle)} times as fast"}
        told["quartiles"] = f"{number(low)} to {number(high)} times"
        height = {"low": low, "middle": middle, "high": high}
        rows.append({"size": float(size), "label": pair.line.label, **height, **told})
    return rows


@_filled.drawing
def _(looks: tuple[Line, ...], size_name: str) -> Drawing:
    x = size_axis(size_name)
    y: dict[str, Any] = {
        "title": "times as fast",
        "scale": alt.Scale(type="log", base=2),
        "axis": alt.Axis(values=POWERS, labelExpr=PLAIN, labelOverlap=True),
    }

    def by_line(channel: Any, values: Sequence[Any], **more: Any) -> Any:
        labels = [look.label for look in looks]
        scale = alt.Scale(type="ordinal", domain=labels, range=list(values))
        return channel("label:N", scale=scale, title=None, **more)

    columns = alt.ExprRef("max(1, floor(width / (lecture ? 528 : 286)))")
    key = alt.Legend(labelLimit=0, columns=columns, symbolSize=300, symbolOpacity=1)
    legend = {"legend": key if looks else None}
    colors = by_line(alt.Color, [look.color for look in looks], **legend)
    lines = alt.Chart(alt.NamedData("lines")).encode(x=x)
    middle = alt.Y("middle:Q", **y)
    level: list[dict[str, Any]] = [{"even": 1, "label": "equally fast"}]
    even = alt.Chart(alt.InlineData(level)).encode(y=alt.Y("even:Q", **y))
    # Two marks that nobody sees give the axis something to follow before anything is measured.
    ends: list[dict[str, Any]] = [{"extent": 0.5}, {"extent": 2}]
    extent = alt.Chart(alt.InlineData(ends))
    layers = (
        extent.mark_point(opacity=0).encode(y=alt.Y("extent:Q", **y))
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
            shape=by_line(alt.Shape, [SHAPES[look.shape] for look in looks], **legend),
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
            dy=sized(-8, -14),
            color=alt.ExprRef("ink"),
        )
        + _upright(x)
    )
    return drawing(
        layers,
        title="How many times as fast",
        description=(
            f"How many times as fast one is as another, against {size_name}, both axes "
            "logarithmic. A level line stands where both are equally fast; upright lines mark a "
            "guess, and sizes from which on somebody is ahead."
        ),
    )


def _upright(x: alt.X) -> Any:
    """The guess, dashed and told above; crossings, told below, each on a row of its own."""
    is_guess = "datum.kind == 'guess'"
    marks = alt.Chart(alt.NamedData("marks")).encode(x=x)
    rules = marks.mark_rule().encode(
        color=alt.condition(is_guess, alt.value(GRADIENT), alt.value(BEST)),
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
