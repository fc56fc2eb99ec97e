"""The line chart of the pages: values over the steps of a run, or over whatever they depend on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.trace import thin
from views.player import (
    DECADES,
    LABEL,
    STEP,
    Drawing,
    Figure,
    Filling,
    between,
    decades,
    drawing,
    mark,
    picture,
)
from views.ui.palette import Look

CURVE_STEPS = 300  # a line shows at most so many values


class Line(NamedTuple):
    """A line of the chart: how it looks, its values, shape (k,), and where on the x axis they are.

    at: None where there is a value for each step from 0 on.
    """

    look: Look
    values: NDArray[Any]
    at: NDArray[Any] | None = None


def lines(
    shown: Sequence[Line],
    *,
    title: str,
    y: str,
    description: str,
    x: str = "step",
    log: bool = True,
    highest: float | None = None,
    follows: bool = False,
    legend: bool = True,
) -> Figure:
    """Lines with a legend, the later ones above the earlier ones.

    x, y: what the axes show, "" where the title says it. description: what the picture shows, for a
    reader who cannot see it.
    log: whether the y axis is logarithmic; it has no place for zero and less, which are left out.
    highest: the end of a linear axis that begins at 0; else it is as high as the values need.
    follows: whether each line has a dot at the last of its values that the player has reached.
    legend: False where there is one line alone, which the title names.
    """
    return _lines(
        tuple(line.look for line in shown),
        [_places(line) for line in shown],
        title=title,
        y=y,
        description=description,
        x=x,
        log=log,
        highest=highest,
        follows=follows,
        legend=legend,
    )


def _places(line: Line) -> tuple[NDArray[Any], NDArray[Any]]:
    at = np.arange(len(line.values)) if line.at is None else line.at
    kept = thin(len(at), CURVE_STEPS)
    return at[kept], line.values[kept]


@picture
def _lines(
    looks: tuple[Look, ...],
    shown: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    *,
    title: str,
    y: str,
    description: str,
    x: str,
    log: bool,
    highest: float | None,
    follows: bool,
    legend: bool,
) -> Filling:
    parts = []
    for look, (at, values) in zip(looks, shown, strict=True):
        until = np.append(at[1:], at[-1] + 1)  # where the next value is
        parts.append(pd.DataFrame({"x": at, "until": until, "value": values, "line": look.label}))
    rows = pd.concat(parts).astype({"x": float, "until": float, "value": float})
    first, last = rows["x"].min(), rows["x"].max()
    rows = rows[np.isfinite(rows["value"]) & ((rows["value"] > 0) | (not log))]
    low, high = (rows["value"].min(), rows["value"].max()) if len(rows) else (0.1, 10.0)
    if log:
        low, high = low / 1.5, high * 1.5
    else:
        low, high = min(0.0, low), highest or (1.05 * high or 1.0)
    ticks = decades(low, high) if log else np.linspace(low, high, 5).tolist()
    span = {"first": float(first), "last": float(max(last, first + 1))}
    return {"rows": rows}, {**span, "low": float(low), "high": float(high), "ticks": ticks}


@_lines.drawing
def _draw(
    looks: tuple[Look, ...],
    *,
    title: str,
    y: str,
    description: str,
    x: str,
    log: bool,
    highest: float | None,
    follows: bool,
    legend: bool,
) -> Drawing:
    labels, colors, dashes, _ = zip(*looks, strict=True)
    named = alt.Legend(labelLimit=0, columns=1, symbolSize=400) if legend else None
    color = alt.Color("line:N", legend=named, scale=alt.Scale(domain=labels, range=colors))
    dash = alt.StrokeDash("line:N", legend=named, scale=alt.Scale(domain=labels, range=dashes))
    # Of ticks that stand too close every other one goes: of these five, both ends are the last.
    ticks: Any = alt.ExprRef("ticks") if log or highest else alt.Undefined
    y_axis = alt.Axis(
        labelExpr=DECADES if log else LABEL,
        values=ticks,
        labelBound=False if highest else alt.Undefined,  # then both ends have one
    )
    x_axis = alt.Axis(tickCount=5, labelFlushOffset=-2)  # the picture's edge cuts no digit
    kind: dict[str, Any] = {"type": "log"} if log else {}
    places = {
        "x": alt.X("x:Q", title=x or None, scale=between("first", "last"), axis=x_axis),
        "y": alt.Y("value:Q", title=y or None, scale=between("low", "high", **kind), axis=y_axis),
    }
    rows = alt.Chart(alt.NamedData("rows"))
    chart: Any = rows.mark_line(clip=True).encode(**places, color=color, strokeDash=dash)
    if follows:
        chart += (
            rows.transform_filter(f"datum.x <= {STEP} && {STEP} < datum.until")
            .mark_circle(  # coloured without a scale, whose legend would then show dots
                size=mark(110),
                opacity=1,
                color=alt.ExprRef(f"({dict(zip(labels, colors, strict=True))})[datum.line]"),
            )
            .encode(**places)
        )
    return drawing(
        chart,
        title=title,
        description=description,
    )
