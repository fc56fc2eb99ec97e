"""The angle between two gradients, as two arrows over half a circle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from views.player import TEXT, Drawing, Filling, drawing, picture, sized
from views.ui.palette import MODEL, QUIET

# The middle of the circle, and its radius, in pixels: as large as its place allows.
ACROSS, DOWN = "width / 2", "(height - 4)"
LONG = f"min(height - {TEXT}, width / 2 - {TEXT})"


@picture
def dial(angle: float, *, color: str) -> Filling:
    """angle: in degrees, NaN where there is no gradient. color: of the gradient that is turned."""
    known = math.isfinite(angle)
    turned = [0.0, *([math.radians(angle)] if known else [])]
    rows = pd.DataFrame({"turned": turned, "color": [MODEL, color][: len(turned)]})
    words = f"{angle:.1f}°" if known else "none"
    return {"arrows": rows}, {"words": words}


@dial.drawing
def _() -> Drawing:
    # Right is the true gradient, left the opposite.
    circle = [
        {"u": math.cos(turn), "v": math.sin(turn), "i": i}
        for i, turn in enumerate(np.linspace(0, math.pi, 61))
    ]
    half = _placed(circle).mark_line(fill=QUIET, fillOpacity=0.12, strokeWidth=0)
    upright = _placed([{"u": 0, "v": 0, "i": 0}, {"u": 0, "v": 1, "i": 1}]).mark_line(
        color=QUIET, strokeDash=[4, 4], strokeWidth=sized(1.5, 3)
    )
    sides = [{"u": -0.78, "v": 0.82, "told": "uphill"}, {"u": 0.78, "v": 0.82, "told": "downhill"}]
    names = (
        _placed(sides).mark_text(color=alt.ExprRef("ink"), baseline="bottom").encode(text="told:N")
    )
    arrows = alt.Chart(alt.NamedData("arrows")).transform_calculate(
        u="cos(datum.turned)", v="sin(datum.turned)", angle="90 - 180 * datum.turned / PI"
    )
    color = alt.Color("color:N", scale=None)
    ends = _in_pixels(arrows).encode(color=color)
    rules = ends.mark_rule(strokeWidth=sized(3, 5)).encode(x2="x2:Q", y2="y2:Q")
    heads = ends.mark_point(
        shape="triangle-up", filled=True, opacity=1, size=sized(120, 240),
        angle=alt.ExprRef("datum.angle"),
    )  # fmt: skip
    return drawing(
        alt.layer(half, upright, rules, heads, names),
        title=alt.Title(text=alt.ExprRef("'Angle: ' + words")),
        description="Two arrows: to the right the true gradient of w1, and the one that this "
        "backward gives, turned by the angle between them.",
    )


def _placed(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    chart = _in_pixels(alt.Chart(alt.InlineData(list(rows))))
    return chart.encode(order="i:Q") if "i" in rows[0] else chart


def _in_pixels(chart: alt.Chart) -> alt.Chart:
    """u and v, in units of the radius, as places in the picture."""
    scale = alt.Scale(domain=[0, 1], range=[0, 1])
    placed = chart.transform_calculate(
        x=f"{ACROSS} + {LONG} * datum.u", y=f"{DOWN} - {LONG} * datum.v", x2=ACROSS, y2=DOWN
    )
    return placed.encode(
        x=alt.X("x:Q", axis=None, scale=scale), y=alt.Y("y:Q", axis=None, scale=scale)
    )
