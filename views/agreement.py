"""Pictures of how well numbers agree: a gradient with the loss, and engines with each other."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.trace import thin
from views.charts import CURVE_STEPS
from views.figure import Figure, cached, drawn, figure, template
from views.live import live, now
from views.palette import BEST, ENGINES, GRADIENT, MODEL, QUIET
from views.timeline import PHASE, STEP, Timeline

Floats = NDArray[np.float64]
IDENTICAL = 1e-17  # below what float64 can tell apart: where no difference is drawn


@cached
def gradient_error(timeline: Timeline, widths: Floats, *, lecture: bool) -> Figure:
    """Relative error of this step's gradient against difference quotients of many widths h."""
    data = {"widths": pd.DataFrame({"h": widths, "i": np.arange(len(widths))})}
    return figure(_draw_gradient_error(timeline, lecture=lecture), data)


@drawn
def _draw_gradient_error(timeline: Timeline, *, lecture: bool) -> Figure:
    x = alt.X(
        "h:Q", title="width h (relative)", scale=alt.Scale(type="log"), axis=alt.Axis(format="~e")
    )
    scale = alt.Scale(type="log", domain=[1e-16, 2], clamp=True)
    axis = alt.Axis(format="~e", values=[1e-16, 1e-12, 1e-8, 1e-4, 1])

    def y(field: str) -> alt.Y:
        return alt.Y(field, title="relative error", scale=scale, axis=axis)

    def at_width(name: str) -> str:
        return f"max(1e-16, {timeline.now(name + '_0', further='datum.i')})"

    rows = alt.Chart(alt.NamedData("widths"))
    band = (
        rows.transform_calculate(allowed=at_width("allowed"), bottom="1e-16")
        .mark_area(color=BEST, opacity=0.18, line={"color": BEST, "strokeDash": [5, 4]})
        .encode(x=x, y=y("bottom:Q"), y2="allowed:Q")
    )
    kinds = ["central", "forward"]
    kind = {
        "color": alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[MODEL, GRADIENT])),
        "shape": alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "square"])),
    }
    lines = [
        rows.transform_filter(f"{PHASE} >= 2")
        .transform_calculate(error=at_width(name), kind=f"'{name}'")
        .mark_line(point=True, strokeDash=[1, 0] if name == "central" else [7, 4])
        .encode(x=x, y=y("error:Q"), **kind, tooltip=["h:Q", "kind:N", "error:Q"])
        for name in kinds
    ]
    return template(
        band + lines[0] + lines[1],
        (),
        title="Relative error against the width h",
        description=(
            "Relative error of the gradient against central and forward differences of many "
            "widths, with the band that rounding excuses."
        ),
        lecture=lecture,
    )


def digits(engines: Sequence[str], params: Sequence[str]) -> None:
    """Each engine's parameters at the step shown, with the digits marked that are not the first's.

    The series are named engine_parameter.
    """
    names = "".join(f"<th>{name}</th>" for name in params)
    rows = ""
    for engine in engines:
        look = ENGINES[engine]
        cells = "".join(
            f"<td>{now(f'{engine}_{name}', digits=17, like=f'{engines[0]}_{name}')}</td>"
            for name in params
        )
        swatch = f'<span style="color: {look.color}">●</span>'
        rows += f"<tr><th>{swatch} {look.label}</th>{cells}</tr>"
    live(f'<table class="digits"><tr><th></th>{names}</tr>{rows}</table>', key="digits")


@cached
def differences(
    apart: dict[str, Floats], timeline: Timeline, *, lecture: bool, allowed: float
) -> Figure:
    """How far each engine's run is from the reference, step by step, on a logarithmic axis.

    apart: by engine, its relative differences, shape (steps + 1,). allowed: what the tests allow.
    """
    rows = []
    for engine, gaps in apart.items():
        at = thin(len(gaps), CURVE_STEPS)
        columns = {"step": at, "apart": np.maximum(gaps[at], IDENTICAL)}
        rows.append(pd.DataFrame({**columns, "engine": ENGINES[engine].label}))
    limit = pd.DataFrame({"apart": [allowed], "label": ["the most our tests allow"]})
    drawing = _draw_differences(timeline, tuple(apart), lecture=lecture)
    data = {"apart": pd.concat(rows), "limit": limit}
    return figure(drawing, data, {"last": timeline.last_step, "high": 10 * allowed})


@drawn
def _draw_differences(timeline: Timeline, engines: tuple[str, ...], *, lecture: bool) -> Figure:
    looks = [ENGINES[engine] for engine in engines]
    labels = [look.label for look in looks]
    axis = alt.Axis(
        values=[IDENTICAL, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12],
        labelExpr=f"datum.value <= {IDENTICAL} ? 'none' : format(datum.value, '~e')",
    )
    scale = alt.Scale(type="log", domain=[IDENTICAL, alt.ExprRef("high")], clamp=True)
    x = alt.X("step:Q", title="step", scale=alt.Scale(domain=[0, alt.ExprRef("last")], nice=False))
    y = alt.Y("apart:Q", title="relative difference", scale=scale, axis=axis)
    legend = alt.Legend(columns=2, labelLimit=0)
    color = alt.Color(
        "engine:N",
        legend=legend,
        scale=alt.Scale(domain=labels, range=[look.color for look in looks]),
    )
    shape = alt.Shape(
        "engine:N",
        legend=legend,
        scale=alt.Scale(domain=labels, range=[look.shape for look in looks]),
    )
    lines = (
        alt.Chart(alt.NamedData("apart"))
        .mark_line(strokeWidth=1.5, opacity=0.8)
        .encode(x=x, y=y, color=color)
    )
    here = [
        alt.Chart(alt.InlineData(values=[{}]))
        .transform_calculate(
            step=STEP,
            apart=f"max({IDENTICAL}, {timeline.now(engine + '_apart')})",
            engine=f"'{look.label}'",
        )
        .mark_point(filled=True, size=250 if lecture else 110, opacity=1)
        .encode(x=x, y=y, color=color, shape=shape)
        for engine, look in zip(engines, looks, strict=True)
    ]
    limit = alt.Chart(alt.NamedData("limit"))
    rule = limit.mark_rule(color=QUIET, strokeDash=[6, 4]).encode(y=y)
    text = limit.mark_text(color=QUIET, align="right", baseline="bottom", dy=-4).encode(
        x=alt.value("width"), y=y, text="label:N"
    )
    return template(
        alt.layer(lines, rule, text, *here),
        ("last", "high"),
        title="How far apart the engines are",
        description=(
            "Relative difference of each engine's run from NumPy's, against step, on a logarithmic "
            "axis that ends where the tests of this project would fail."
        ),
        lecture=lecture,
    )
