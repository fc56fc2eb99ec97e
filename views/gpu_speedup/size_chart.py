"""Time and speed against size: a line for each contender."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import altair as alt
import pandas as pd

from engines.benchmark.recording import Measurement
from views.gpu_speedup.contenders import SHAPES, STROKES, UNITS, Line, Unit, tick_labels, written
from views.player import (
    STEP,
    TEXT,
    Drawing,
    Figure,
    Filling,
    Timeline,
    between,
    drawing,
    mark,
    picture,
    sized,
)

TITLES = {"time": "Time for one call", "gflops": "Speed"}
EMPTY: dict[Unit, tuple[float, float]] = {"time": (1e-6, 1e-3), "gflops": (0.1, 10)}
DECADES = [10.0**power for power in range(-10, 8)]
# Sizes are powers of two, and 1k is 1024 of something.
PLAIN_SIZE = (
    "datum.value >= 1048576 ? format(datum.value / 1048576, '.3~r') + 'M' : "
    "datum.value >= 1024 ? format(datum.value / 1024, '.3~r') + 'k' : format(datum.value, '~g')"
)


def against_size(
    lines: Sequence[Line],
    *,
    what: Unit,
    sizes: Sequence[int],
    size_name: str = "n",
    timeline: Timeline | None = None,
) -> Figure:
    """Time or speed against size, both logarithmic: medians, and bands between the quartiles.

    sizes: the ticks, and how far the picture reaches, whether or not anything has been measured;
    what lies further out is not drawn. Only the looks of the lines enter the drawing. All else is
    data, so a picture in the page grows without a flicker. timeline: whose `n` says how far the
    lines are drawn.
    """
    looks = tuple(line._replace(measurements=()) for line in lines)
    measured = tuple(line.measurements for line in lines)
    ticks = tuple(sizes)
    return _against_size(looks, measured, timeline, what=what, sizes=ticks, size_name=size_name)


@picture
def _against_size(
    looks: tuple[Line, ...],
    measured: tuple[tuple[Measurement, ...], ...],
    timeline: Timeline | None,
    *,
    what: Unit,
    sizes: tuple[int, ...],
    size_name: str,
) -> Filling:
    low, high = min(sizes) / 1.4, max(sizes) * 1.4
    rows = [
        row
        for look, found in zip(looks, measured, strict=True)
        for row in _rows(look.label, found, what)
        if low <= row["size"] <= high
    ]
    numbers = dict.fromkeys(("size", "low", "middle", "high"), "float64")
    words = dict.fromkeys(("label", "n", "median", "quartiles", "samples"), "str")
    lines = pd.DataFrame(rows, columns=[*numbers, *words]).astype(numbers | words)
    extent = pd.DataFrame({"extent": [] if rows else EMPTY[what]}, dtype="float64")
    values: dict[str, Any] = {"size_low": low, "size_high": high, "size_ticks": sorted(sizes)}
    if timeline:
        # As far as all of it reaches, so that nothing moves while the lines are drawn.
        ends = [row[end] for row in rows for end in ("low", "high") if end in row]
        values |= {"low_end": min(ends) / 1.5, "high_end": 1.5 * max(ends)}
    return {"lines": lines, "extent": extent}, values


def size_axis(title: str, field: str = "size:Q") -> alt.X:
    """Size, logarithmic, from size_low to size_high with its ticks at size_ticks."""
    return alt.X(
        field,
        title=title,
        scale=between("size_low", "size_high", type="log"),
        axis=alt.Axis(values=alt.ExprRef("size_ticks"), labelExpr=PLAIN_SIZE, labelOverlap=True),
    )


def up_to(chart: alt.Chart, timeline: Timeline | None, *, always: str = "false") -> alt.Chart:
    """Only what has a size that the player has come to; at its end all of it.

    always: an expression for what is shown all the same.
    """
    if not timeline:
        return chart
    shown = f"datum.size <= {timeline.now('n')} || {STEP} >= {timeline.last_step}"
    return chart.transform_filter(f"{shown} || {always}")


def gaps(sizes: Sequence[int]) -> list[float]:
    """Where sizes are missing among these, as their usual distance tells: a point in each gap."""
    steps = [(math.log(b / a), math.sqrt(a * b)) for a, b in pairwise(sorted(set(sizes)))]
    usual = median(length for length, _ in steps) if steps else 0.0
    return [middle for length, middle in steps if length > 1.5 * usual]


def _rows(label: str, found: Sequence[Measurement], what: Unit) -> list[dict[str, Any]]:
    """The points of a line, and where a size is missing one without a height, to break it."""
    rows: list[dict[str, Any]] = [
        {"size": gap, "label": label} for gap in gaps([one.size for one in found])
    ]
    for one in found:
        flops = one.gflops * one.median  # in billions
        low, middle, high = one.low, one.median, one.high
        if what == "gflops":
            low, middle, high = flops / high, flops / middle, flops / low
        quartiles = f"{written(low, what)} to {written(high, what)}"
        told = {"n": f"{one.size:,}", "median": written(middle, what), "quartiles": quartiles}
        told["samples"] = f"{one.samples:,} of {one.calls:,} calls each"
        height = {"low": low, "middle": middle, "high": high}
        rows.append({"size": float(one.size), "label": label, **height, **told})
    return rows


@_against_size.drawing
def _draw(
    looks: tuple[Line, ...], timeline: Timeline | None, *, what: Unit, size_name: str
) -> Drawing:
    x = size_axis(size_name)
    y: dict[str, Any] = {
        "title": UNITS[what] if what == "gflops" else None,  # a time says what it is
        "scale": between("low_end", "high_end", type="log") if timeline else alt.Scale(type="log"),
        "axis": alt.Axis(values=DECADES, labelExpr=tick_labels(what), labelOverlap=True),
    }

    def by_line(channel: Any, values: Sequence[Any], legend: Any = None) -> Any:
        labels = [look.label for look in looks]
        scale = alt.Scale(type="ordinal", domain=labels, range=list(values))
        return channel("label:N", scale=scale, legend=legend, title=None)

    colors = [line.look.color for line in looks]
    fills = ["transparent" if line.hollow else line.look.color for line in looks]
    lines = up_to(alt.Chart(alt.NamedData("lines")), timeline).encode(x=x)
    middle = alt.Y("middle:Q", **y)
    band = lines.mark_area(opacity=0.25).encode(
        y=alt.Y("low:Q", **y), y2="high:Q", color=by_line(alt.Color, colors)
    )
    line = lines.mark_line().encode(
        y=middle,
        color=by_line(alt.Color, colors),
        strokeDash=by_line(alt.StrokeDash, [line.look.dash for line in looks]),
        size=by_line(alt.Size, [sized(line.width, 1.8 * line.width) for line in looks]),
    )
    points = lines.mark_point(opacity=1, size=mark(70)).encode(
        y=middle,
        stroke=by_line(alt.Stroke, colors),
        fill=by_line(alt.Fill, fills),
        shape=by_line(alt.Shape, [SHAPES[line.look.shape] for line in looks]),
        tooltip=[
            alt.Tooltip("label:N", title="measured"),
            alt.Tooltip("n:N", title=size_name),
            "median:N",
            "quartiles:N",
            "samples:N",
        ],
    )
    layers = band + line + points + _key(looks, by_line, what, y)
    return drawing(
        layers.resolve_scale(shape="independent", stroke="independent", fill="independent"),
        title=TITLES[what],
        description=(
            f"{TITLES[what]} against {size_name}, both axes logarithmic. Each line joins the "
            "medians, in a band between the quartiles."
        ),
    )


def _key(looks: tuple[Line, ...], by_line: Any, what: Unit, y: dict[str, Any]) -> Any:
    """Marks that nobody sees: for their legend, in which each mark has its line through it.

    And before anything has been measured, for the axis, that it has something to follow.
    """
    small, large = 12, 20  # pixels of a symbol, the latter in a hall
    legend = alt.Legend(
        labelLimit=alt.ExprRef("max(100, width - (lecture ? 80 : 48))"),
        rowPadding=sized(-0.2 * small, -0.2 * large),
        symbolSize=sized(small**2, large**2),
        symbolOpacity=1,
        symbolStrokeWidth=sized(1.5, 2.7),
        symbolOffset=sized(0.7 * small, 0.7 * large),
        labelOffset=sized(1.6 * small, 1.6 * large),
        columnPadding=sized(1.6 * small, 1.6 * large),
        columns=alt.ExprRef(f"max(1, floor(width / (28 * {TEXT})))"),
    )
    paths = [STROKES[line.look.dash] + SHAPES[line.look.shape] for line in looks]
    fills = ["transparent" if line.hollow else line.look.color for line in looks]
    legends = legend if looks else None
    return (
        alt.Chart(alt.NamedData("extent"))
        .mark_point(opacity=0)
        .encode(
            y=alt.Y("extent:Q", **y),
            shape=by_line(alt.Shape, paths, legends),
            stroke=by_line(alt.Stroke, [line.look.color for line in looks], legends),
            fill=by_line(alt.Fill, fills, legends),
        )
    )
