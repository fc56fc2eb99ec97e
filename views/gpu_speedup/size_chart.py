"""Time and speed against size: a line for each contender."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import altair as alt
import pandas as pd

from views.gpu_speedup.contenders import SHAPES, STROKES, UNITS, Line, Unit, plain, written
from views.player import Figure, between, cached, drawn, figure, mark, sized, template

TITLES = {"time": "Time for one call", "gflops": "Speed"}
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
) -> Figure:
    """Time or speed against size, both logarithmic: medians, and bands between the quartiles.

    sizes: the ticks, and how far the picture reaches, whether or not anything has been measured;
    what lies further out is not drawn. Only the looks of the lines and the sizes enter the drawing.
    All else is data, so a picture in the page grows without a flicker.
    """
    looks = tuple(line._replace(measurements=()) for line in lines)
    return _filled_sizes(
        repr([line.measurements for line in lines]),
        lines,
        looks,
        what=what,
        sizes=tuple(sizes),
        name=size_name,
    )


@cached
def _filled_sizes(
    content: str,
    _lines: Sequence[Line],
    looks: tuple[Line, ...],
    *,
    what: Unit,
    sizes: tuple[int, ...],
    name: str,
) -> Figure:
    low, high = min(sizes) / 1.4, max(sizes) * 1.4
    rows = [row for line in _lines for row in _rows(line, what) if low <= row["size"] <= high]
    numbers = dict.fromkeys(("size", "low", "middle", "high"), "float64")
    words = dict.fromkeys(("label", "n", "median", "quartiles", "samples"), "str")
    lines = pd.DataFrame(rows, columns=[*numbers, *words]).astype(numbers | words)
    values = {"size_low": low, "size_high": high, "size_ticks": sorted(sizes)}
    drawing = _draw_sizes(looks, what, name)
    return figure(drawing, {"lines": lines}, values)


def size_axis(title: str) -> alt.X:
    """Size, logarithmic, from size_low to size_high with its ticks at size_ticks."""
    return alt.X(
        "size:Q",
        title=title,
        scale=between("size_low", "size_high", type="log"),
        axis=alt.Axis(values=alt.ExprRef("size_ticks"), labelExpr=PLAIN_SIZE, labelOverlap=True),
    )


def gaps(sizes: Sequence[int]) -> list[float]:
    """Where sizes are missing among these, as their usual distance tells: a point in each gap."""
    steps = [(math.log(b / a), math.sqrt(a * b)) for a, b in pairwise(sorted(set(sizes)))]
    usual = median(length for length, _ in steps) if steps else 0.0
    return [middle for length, middle in steps if length > 1.5 * usual]


def _rows(line: Line, what: Unit) -> list[dict[str, Any]]:
    """The points of a line, and where a size is missing one without a height, to break it."""
    rows: list[dict[str, Any]] = [
        {"size": gap, "label": line.label} for gap in gaps([one.size for one in line.measurements])
    ]
    for one in line.measurements:
        flops = one.gflops * one.median  # in billions
        low, middle, high = one.low, one.median, one.high
        if what == "gflops":
            low, middle, high = flops / high, flops / middle, flops / low
        quartiles = f"{written(low, what)} to {written(high, what)}"
        told = {"n": f"{one.size:,}", "median": written(middle, what), "quartiles": quartiles}
        told["samples"] = f"{one.samples:,} of {one.calls:,} calls each"
        height = {"low": low, "middle": middle, "high": high}
        rows.append({"size": float(one.size), "label": line.label, **height, **told})
    return rows


@drawn
def _draw_sizes(looks: tuple[Line, ...], what: Unit, size_name: str) -> Figure:
    x = size_axis(size_name)
    y: dict[str, Any] = {
        "title": UNITS[what],
        "scale": alt.Scale(type="log"),
        "axis": alt.Axis(values=DECADES, labelExpr=plain(what), labelOverlap=True),
    }

    def by_line(channel: Any, values: Sequence[Any], legend: Any = None) -> Any:
        labels = [look.label for look in looks]
        scale = alt.Scale(type="ordinal", domain=labels, range=list(values))
        return channel("label:N", scale=scale, legend=legend, title=None)

    colors = [look.color for look in looks]
    fills = ["transparent" if look.hollow else look.color for look in looks]
    lines = alt.Chart(alt.NamedData("lines")).encode(x=x)
    middle = alt.Y("middle:Q", **y)
    band = lines.mark_area(opacity=0.25).encode(
        y=alt.Y("low:Q", **y), y2="high:Q", color=by_line(alt.Color, colors)
    )
    line = lines.mark_line().encode(
        y=middle,
        color=by_line(alt.Color, colors),
        strokeDash=by_line(alt.StrokeDash, [look.dash for look in looks]),
        size=by_line(alt.Size, [sized(look.width, 1.8 * look.width) for look in looks]),
    )
    points = lines.mark_point(opacity=1, size=mark(70)).encode(
        y=middle,
        stroke=by_line(alt.Stroke, colors),
        fill=by_line(alt.Fill, fills),
        shape=by_line(alt.Shape, [SHAPES[look.shape] for look in looks]),
        tooltip=[
            alt.Tooltip("label:N", title="measured"),
            alt.Tooltip("n:N", title=size_name),
            "median:N",
            "quartiles:N",
            "samples:N",
        ],
    )
    layers = band + line + points + _key(looks, by_line, what, y)
    return template(
        layers.resolve_scale(shape="independent", stroke="independent", fill="independent"),
        ("size_low", "size_high", "size_ticks"),
        title=TITLES[what],
        description=(
            f"{TITLES[what]} against {size_name}, both axes logarithmic. Each line joins the "
            "medians, in a band between the quartiles."
        ),
    )


def _key(looks: tuple[Line, ...], by_line: Any, what: Unit, y: dict[str, Any]) -> Any:
    """Two marks that nobody sees: for their legend, in which each mark has its line through it.

    And for the axis, that it has something to follow before anything has been measured.
    """
    legend = alt.Legend(
        labelLimit=alt.ExprRef("max(100, width - (lecture ? 80 : 48))"),
        rowPadding=sized(-2.4, -4),
        symbolSize=sized(144, 400),
        symbolOpacity=1,
        symbolStrokeWidth=sized(1.5, 2.7),
        symbolOffset=sized(8.4, 14),
        labelOffset=sized(19, 32),
        columnPadding=sized(19, 32),
        columns=alt.ExprRef("max(1, floor(width / (lecture ? 400 : 230)))"),
    )
    paths = [STROKES[look.dash] + SHAPES[look.shape] for look in looks]
    fills = ["transparent" if look.hollow else look.color for look in looks]
    extent = [1e-6, 1e-3] if what == "time" else [0.1, 10]
    legends = legend if looks else None
    return (
        alt.Chart(alt.InlineData([{"extent": value} for value in extent]))
        .mark_point(opacity=0)
        .encode(
            y=alt.Y("extent:Q", **y),
            shape=by_line(alt.Shape, paths, legends),
            stroke=by_line(alt.Stroke, [look.color for look in looks], legends),
            fill=by_line(alt.Fill, fills, legends),
        )
    )
