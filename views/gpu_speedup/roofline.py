"""The roofline: how fast an operation can be, by how much it computes for each byte it moves.

Source: S. Williams, A. Waterman and D. Patterson, "Roofline: An Insightful Visual Performance
Model for Multicore Architectures", Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from engines.benchmark.recording import Measurement
from views.gpu_speedup.contenders import SHAPES, digits, tick_labels, written
from views.player import TEXT, Drawing, Filling, between, drawing, mark, picture, readable, sized
from views.ui.palette import DATA, MODEL, QUIET


class Chain(NamedTuple):
    """How an operation is drawn, and where its name stands: align, dx, dy and upright of Words.

    named: the place among its points of the one that has the name, the first or the last.
    """

    label: str
    color: str
    shape: str
    name_at: tuple[str, float, float, bool]
    named: int = 0


class Words(NamedTuple):
    """Words in the picture, and what is left of them where it is narrow.

    dx, dy: how far off the point (x, y), in sizes of a letter. upright: whether they stand along
    their operation where it is narrow. slanted: whether they lie along the roof.
    """

    x: float
    y: float
    text: str
    narrow: str
    align: str = "center"
    dx: float = 0
    dy: float = -1
    upright: bool = False
    slanted: bool = False


OPERATIONS = {
    "row_by_column": Chain("row by column", MODEL, "triangle", ("left", 0.8, 0, False)),
    "elementwise": Chain("elementwise", DATA, "square", ("right", -0.8, 0, True)),
    "training_step": Chain("training step", DATA, "diamond", ("left", 0.8, 0.7, False), named=-1),
    "square": Chain("square product", DATA, "circle", ("left", 0.8, 0, False)),
}
LARGEST_AT = {"row_by_column": ("left", 0.8, 0.2), "square": ("right", 0.4, 1.2)}
SIZES = (("M", 2**20), ("k", 2**10))
POWERS = [10.0**power for power in range(-9, 10)]


@picture
def under_the_roof(
    measurements: tuple[Measurement, ...], peak_gflops: float, bytes_per_second: float
) -> Filling:
    """GFLOP/s against flops for each byte moved, both logarithmic, under the roof of a device.

    measurements: of one contender; those of operations that compute nothing are left out.
    peak_gflops, bytes_per_second: the flat and the slanted part of the roof, 0 where it is not
    known. Points may stand
    above the slanted one: what fits into a cache need not wait for memory.
    """
    found = [one for one in measurements if one.operation in OPERATIONS]
    memory = bytes_per_second / 1e9  # GFLOP/s at one flop for each byte
    both = memory > 0 and peak_gflops > 0
    ridge = [peak_gflops / memory] if both else []
    x = [*ridge, *(one.intensity for one in found)] or [1.0]
    low, high = 2.0 ** math.floor(math.log2(min(x) / 4)), 2.0 ** math.ceil(math.log2(max(x) * 2))
    # A limit that is not known is not drawn, and the other one goes from end to end.
    known = [peak_gflops] if peak_gflops else []
    corners = [(low, low * memory)] if memory else [(low, peak) for peak in known]
    corners += [(at, peak_gflops) for at in ridge]
    corners += [(high, peak) for peak in known] or ([(high, high * memory)] if memory else [])
    y = [*(height for _, height in corners), *(one.gflops for one in found)] or [0.1, 10.0]
    ends = {"x_low": low, "x_high": high}
    ends["y_low"] = 10.0 ** math.floor(math.log10(min(y) / 3))
    ends["y_high"] = 10.0 ** math.ceil(math.log10(max(y) * 3))
    words = []
    if memory:
        slope = math.cbrt(low * (ridge[0] if both else high) ** 2)
        words.append(Words(slope, slope * memory, "memory decides", "memory decides", slanted=True))
    if known:
        level = math.sqrt((ridge[0] if both else low) * high)  # clear of the points
        words.append(Words(level, peak_gflops, "arithmetic decides", "arithmetic decides"))
    for at in ridge:
        told = f"ridge: {digits(at)}"
        words.append(Words(at, ends["y_low"], f"{told} flops a byte", told, "left", dx=0.6))
    data = {
        "roof": pd.DataFrame(corners, columns=["x", "y"], dtype="float64"),
        "ridge": pd.DataFrame(
            [(at, peak_gflops) for at in ridge], columns=["x", "y"], dtype="float64"
        ),
        "points": _points(found),
        "words": pd.DataFrame(words + _words(found), columns=list(Words._fields)),
    }
    return data, ends


def short(size: int) -> str:
    """A size as axes write it: 1k is 1024."""
    name, unit = next((pair for pair in SIZES if size >= pair[1]), ("", 1))
    return f"{size / unit:.3g}{name}"


def _points(found: Sequence[Measurement]) -> pd.DataFrame:
    columns = ["x", "y", "operation", "n", "speed", "flops a byte", "samples"]
    rows = [
        (
            one.intensity,
            one.gflops,
            OPERATIONS[one.operation].label,
            one.size,
            written(one.gflops, "gflops"),
            digits(one.intensity),
            one.samples,
        )
        for one in found
    ]
    kinds = dict.fromkeys(columns, "str") | {"x": "float64", "y": "float64", "n": "int64"}
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def _words(found: Sequence[Measurement]) -> list[Words]:
    """The name of each operation at one of its points, and n at the largest of some."""
    words = []
    for operation, look in OPERATIONS.items():
        of_it = sorted((one.size, one) for one in found if one.operation == operation)
        if not of_it:
            continue
        n, one = of_it[look.named]
        text = f"{look.label}, n = {short(n)}"
        words.append(Words(one.intensity, one.gflops, text, look.label, *look.name_at))
        largest, last = of_it[-1]
        if largest > n and operation in LARGEST_AT:
            text = f"n = {short(largest)}"
            words.append(Words(last.intensity, last.gflops, text, "", *LARGEST_AT[operation]))
    return words


@under_the_roof.drawing
def _draw() -> Drawing:
    ink = alt.ExprRef("ink")
    labels = [one.label for one in OPERATIONS.values()]

    def by_operation(channel: Any, values: Sequence[str], legend: Any = None) -> Any:
        return channel("operation:N", scale=alt.Scale(domain=labels, range=values), legend=legend)

    colors = by_operation(alt.Color, [one.color for one in OPERATIONS.values()])
    shapes = by_operation(alt.Shape, [SHAPES[one.shape] for one in OPERATIONS.values()])
    x = alt.X(
        "x:Q",
        title="flops for each byte moved",
        scale=between("x_low", "x_high", type="log"),
        axis=alt.Axis(values=POWERS, format=",~g", labelOverlap=True),
    )
    y = alt.Y(
        "y:Q",
        title="GFLOP/s",
        scale=between("y_low", "y_high", type="log"),
        axis=alt.Axis(values=POWERS, labelExpr=tick_labels("gflops"), labelOverlap=True),
    )
    roof = alt.Chart(alt.NamedData("roof"))
    ridge = alt.Chart(alt.NamedData("ridge"))
    points = alt.Chart(alt.NamedData("points")).encode(x=x, y=y)
    # Both axes being logarithmic, the roof rises by a factor for each same factor to the right.
    slope = "atan2(height * log(x_high / x_low), width * log(y_high / y_low)) * 180 / PI"
    narrow = f"(width < 45 * {TEXT})"
    upright = f"({narrow} && datum.upright)"
    words = readable(
        alt.Chart(alt.NamedData("words"))
        .transform_calculate(said=f"{narrow} ? datum.narrow : datum.text")
        .encode(x=x, y=y, text="said:N"),
        color=ink,
        baseline="middle",
        align=alt.ExprRef(f"{upright} ? 'left' : datum.align"),
        dx=alt.ExprRef(f"{TEXT} * ({upright} ? 1 : datum.dx)"),
        dy=alt.ExprRef(f"{TEXT} * ({upright} ? -1 : datum.dy)"),
        angle=alt.ExprRef(f"{upright} ? -90 : datum.slanted ? -{slope} : 0"),
    )
    return drawing(
        roof.mark_line(color=ink, strokeWidth=sized(4.5, 8), opacity=0.75).encode(x=x, y=y)
        + ridge.mark_rule(color=QUIET, strokeDash=[2, 4]).encode(x=x, y=y)
        + points.mark_line(strokeWidth=sized(1.5, 3), opacity=0.6).encode(color=colors, order="n:Q")
        + points.mark_point(filled=True, opacity=1, size=mark(75)).encode(
            color=colors,
            shape=shapes,
            tooltip=["operation:N", "n:Q", "speed:N", "flops a byte:N", "samples:N"],
        )
        + words,
        title="The roofline",
        description=(
            "Speed against additions and multiplications for each byte moved, both axes "
            "logarithmic. The roof rises with what memory can hand over, and is flat from the "
            "ridge on, at what arithmetic can do. Each operation has a chain of points, one for "
            "each size."
        ),
    )
