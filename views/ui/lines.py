"""Lines over the steps of a run, at rest, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.trace import thin
from views.player.figure import Figure, drawn, figure, template
from views.regression.charts import CURVE_STEPS, between, decades

Floats = NDArray[np.float64]


class Look(NamedTuple):
    """How a line looks: its name, its colour, the lengths that are drawn and left out by turns."""

    label: str
    color: str
    dash: tuple[int, int] = (1, 0)


def curves(
    lines: Mapping[Look, Floats], *, title: str, of: str, description: str, lecture: bool
) -> Figure:
    """Lines of values, one value for each step, the later lines above the earlier ones.

    A logarithmic axis has no place for zero and less: such values are left out.
    of: what the values are. description: what the picture shows, for a reader who cannot see it.
    """
    parts = []
    for look, values in lines.items():
        at = thin(len(values), CURVE_STEPS)
        parts.append(pd.DataFrame({"step": at, "value": values[at], "line": look.label}))
    rows = pd.concat(parts)
    last = int(rows["step"].max())
    rows = rows[(rows["value"] > 0) & np.isfinite(rows["value"])]
    low, high = (rows["value"].min() / 1.5, rows["value"].max() * 1.5) if len(rows) else (0.1, 10)
    ends = {"last": max(1, last), "low": float(low), "high": float(high)}
    drawing = _draw(tuple(lines), title=title, of=of, description=description, lecture=lecture)
    return figure(drawing, {"rows": rows}, {**ends, "ticks": decades(ends["low"], ends["high"])})


@drawn
def _draw(
    looks: tuple[Look, ...], *, title: str, of: str, description: str, lecture: bool
) -> Figure:
    labels, colors, dashes = zip(*looks, strict=True)
    legend = alt.Legend(labelLimit=0, columns=1, symbolSize=400)
    plain = "abs(log(datum.value)) < 9"  # from 1/8000 to 8000, else in powers of ten
    axis = alt.Axis(
        values=alt.ExprRef("ticks"), labelExpr=f"format(datum.value, {plain} ? '~g' : '~e')"
    )
    whole_labels = alt.Axis(tickCount=5, labelFlushOffset=-2)  # the picture's edge cuts no digit
    lines = (
        alt.Chart(alt.NamedData("rows"))
        .mark_line()
        .encode(
            x=alt.X("step:Q", title="step", scale=between("0", "last"), axis=whole_labels),
            y=alt.Y("value:Q", title=of, scale=between("low", "high", type="log"), axis=axis),
            color=alt.Color("line:N", legend=legend, scale=alt.Scale(domain=labels, range=colors)),
            strokeDash=alt.StrokeDash(
                "line:N", legend=legend, scale=alt.Scale(domain=labels, range=dashes)
            ),
        )
    )
    values = ("last", "low", "high", "ticks")
    return template(lines, values, title=title, description=description, lecture=lecture)
