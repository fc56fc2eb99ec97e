"""Pictures of how well numbers agree: a gradient with the loss, and engines with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.trace import Trace, relative_difference, thin
from views.player import (
    LABEL,
    PHASE,
    POWER,
    STEP,
    TEXT,
    Drawing,
    Figure,
    Filling,
    Phase,
    Series,
    Timeline,
    between,
    drawing,
    every_step,
    live,
    now,
    picture,
    readable,
    sized,
)
from views.regression.charts import CURVE_STEPS
from views.ui.palette import DATA, ENGINES, OTHER, QUIET
from views.ui.table import html_table

Floats = NDArray[np.float64]
# Of both difference quotients: the mark, the dashes, and on which side of it its name stands.
KINDS: Any = (
    ("central", OTHER, "circle", [1, 0], 0.5),
    ("forward", DATA, "square", [7, 4], -0.5),
)


@picture
def gradient_error(timeline: Timeline, widths: NDArray[Any]) -> Filling:
    """Relative error of this step's gradient against difference quotients of many widths h."""
    return {"widths": pd.DataFrame({"h": widths, "i": np.arange(len(widths))})}, {}


@gradient_error.drawing
def _(timeline: Timeline) -> Drawing:
    x = alt.X(
        "h:Q",
        title="width h (relative)",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(labelExpr=POWER),
    )
    scale = alt.Scale(type="log", domain=[1e-16, 100], clamp=True)
    values = [1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1]
    axis = alt.Axis(labelExpr=f"datum.value === 1 ? '1' : {POWER}", values=values)

    def y(field: str) -> alt.Y:
        return alt.Y(field, title="relative error", scale=scale, axis=axis)

    def at_width(name: str) -> str:
        return f"max(1e-16, {timeline.now(name + '_0', further='datum.i')})"

    rows = alt.Chart(alt.NamedData("widths"))
    band = (
        rows.transform_calculate(allowed=at_width("allowed"), bottom="1e-16")
        .mark_area(color=QUIET, opacity=0.25, line={"color": QUIET, "strokeDash": [5, 4]})
        .encode(x=x, y=y("allowed:Q"), y2="bottom:Q")
    )
    known = rows.transform_filter(f"{PHASE} >= {Phase.GRADIENT:d}")
    layers = []
    for name, color, shape, dash, up in KINDS:
        line = known.transform_calculate(error=at_width(name), name=f"'{name} difference'").encode(
            x=x, y=y("error:Q"), tooltip=["h:Q", "name:N", "error:Q"]
        )
        named = line.transform_filter("datum.i === 2").encode(text="name:N")
        layers += [
            line.mark_line(color=color, strokeDash=dash),
            line.mark_point(color=color, shape=shape, filled=True, opacity=1),
            readable(
                named,
                align="right",
                dx=alt.ExprRef(f"-0.8 * {TEXT}"),
                dy=alt.ExprRef(f"{up} * {TEXT}"),
                color=alt.ExprRef("ink"),
            ),
        ]
    excused = readable(
        alt.Chart(alt.InlineData([{"h": 1e-8, "error": 1e-15}])).encode(x=x, y=y("error:Q")),
        text="explained by rounding",
        color=alt.ExprRef("ink"),
    )
    return drawing(
        alt.layer(band, *layers, excused),
        title="Relative error against the width h",
        description=(
            "Relative error of the gradient against central and forward differences of many "
            "widths, with the band that rounding explains."
        ),
    )


def followed(runs: Mapping[str, Trace], names: Sequence[str]) -> dict[str, Series]:
    """The series of `digits` and `differences`, for a Timeline.

    runs: by engine, the first of them the reference. names: as in `Trace.columns`.
    """
    reference, *others = runs
    columns = {
        f"{engine}_{name}": trace.columns()[name]
        for engine, trace in runs.items()
        for name in names
    }
    apart = {
        f"{other}_apart": relative_difference(runs[reference], runs[other]) for other in others
    }
    return {name: Series(_narrow(values)) for name, values in columns.items()} | every_step(apart)


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """As float32 where that loses nothing, because the run was one in float32."""
    with np.errstate(over="ignore"):
        short = values.astype(np.float32)
    return short if np.array_equal(short, values, equal_nan=True) else values


def digits(engines: Sequence[str], names: Sequence[str], *, shown: int = 17) -> None:
    """Each engine's numbers at the step shown, with the digits marked that are not the first's.

    The series are named engine_name. shown: how many digits there are.
    """
    rows = []
    for engine in engines:
        look = ENGINES[engine]
        cells = [
            now(f"{engine}_{name}", digits=shown, like=f"{engines[0]}_{name}") for name in names
        ]
        rows.append([f'<span style="color: {look.color}">●</span> {look.label}', *cells])
    live(html_table(["", *names], rows, kind="long"), key="digits")


def differences(engines: Sequence[str], timeline: Timeline, *, allowed: float) -> Figure:
    """How far each engine's run is from the reference, step by step, on a logarithmic axis.

    Their series are those of `followed`. allowed: what the tests allow.
    """
    apart = [timeline.series[f"{engine}_apart"].values for engine in engines]
    return _differences(timeline, tuple(engines), apart, allowed=allowed)


@picture
def _differences(
    timeline: Timeline, engines: tuple[str, ...], apart: Sequence[Floats], *, allowed: float
) -> Filling:
    rows, floor = [], allowed * 1e-5
    for engine, gaps in zip(engines, apart, strict=True):
        at = thin(len(gaps), CURVE_STEPS)
        columns = {"step": at, "apart": np.maximum(gaps[at], floor)}
        rows.append(pd.DataFrame({**columns, "engine": ENGINES[engine].label}))
    limit = pd.DataFrame({"apart": [allowed], "label": ["the most our tests allow"]})
    ticks = [float(f"{floor * 10**i:.0e}") for i in range(6)]
    values = {"last": timeline.last_step, "floor": floor, "high": 10 * allowed, "ticks": ticks}
    return {"apart": pd.concat(rows), "limit": limit}, values


@_differences.drawing
def _(timeline: Timeline, engines: tuple[str, ...]) -> Drawing:
    looks = [ENGINES[engine] for engine in engines]
    labels = [look.label for look in looks]
    axis = alt.Axis(
        values=alt.ExprRef("ticks"),
        labelExpr=f"datum.value <= 2 * floor ? 'none' : ({LABEL})",
    )
    scale = between("floor", "high", type="log", clamp=True)
    x = alt.X("step:Q", title="step", scale=alt.Scale(domain=[0, alt.ExprRef("last")], nice=False))
    y = alt.Y("apart:Q", title="relative difference", scale=scale, axis=axis)
    legend = alt.Legend(columns=1, labelLimit=0)
    colors = alt.Scale(domain=labels, range=[look.color for look in looks])
    shapes = alt.Scale(domain=labels, range=[look.shape for look in looks])
    color = alt.Color("engine:N", legend=legend, scale=colors)
    shape = alt.Shape("engine:N", legend=legend, scale=shapes)
    lines = (
        alt.Chart(alt.NamedData("apart"))
        .mark_line(strokeWidth=1.5, opacity=0.8)
        .encode(x=x, y=y, color=color)
    )
    here = [
        alt.Chart(alt.InlineData(values=[{}]))
        .transform_calculate(
            step=STEP,
            apart=f"max(floor, {timeline.now(engine + '_apart')})",
            engine=f"'{look.label}'",
        )
        .mark_point(filled=True, size=sized(110, 250), opacity=1)
        .encode(x=x, y=y, color=color, shape=shape)
        for engine, look in zip(engines, looks, strict=True)
    ]
    limit = alt.Chart(alt.NamedData("limit"))
    rule = limit.mark_rule(color=QUIET, strokeDash=[6, 4]).encode(y=y)
    text = limit.mark_text(
        color=alt.ExprRef("ink"), align="right", baseline="bottom", dy=-4
    ).encode(x=alt.value("width"), y=y, text="label:N")
    return drawing(
        alt.layer(lines, rule, text, *here),
        title="How far apart the engines are",
        description=(
            "Relative difference of each engine's run from NumPy's, against step, on a logarithmic "
            "axis that ends where the tests of this project would fail."
        ),
    )
