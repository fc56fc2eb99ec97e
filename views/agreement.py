"""Pictures of how well numbers agree: a gradient with the loss, and engines with each other."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.trace import thin
from views.figure import Figure, cached, figure, following
from views.live import live, now
from views.palette import BEST, ENGINES, GRADIENT, MODEL, QUIET
from views.timeline import STEP, Timeline

Floats = NDArray[np.float64]
CURVE_STEPS = 300  # a static curve shows at most this many of a run's steps


@cached
def gradient_error(timeline: Timeline, widths: Floats, *, lecture: bool) -> Figure:
    """Relative error of this step's gradient against difference quotients of many widths h."""
    x = alt.X("h:Q", title="width h", scale=alt.Scale(type="log"), axis=alt.Axis(format="~e"))
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
        rows.transform_calculate(error=at_width(name), kind=f"'{name}'")
        .mark_line(point=True, strokeDash=[1, 0] if name == "central" else [7, 4])
        .encode(x=x, y=y("error:Q"), **kind, tooltip=["h:Q", "kind:N", "error:Q"])
        for name in kinds
    ]
    data = {"widths": pd.DataFrame({"h": widths, "i": np.arange(len(widths))})}
    chart = following(band + lines[0] + lines[1])
    return figure(
        chart,
        data,
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
        rows += f'<tr><th style="color: {look.color}">{look.label}</th>{cells}</tr>'
    live(f'<table class="digits"><tr><th></th>{names}</tr>{rows}</table>', key="digits")


@cached
def differences(
    apart: dict[str, Floats], timeline: Timeline, *, lecture: bool, allowed: float
) -> Figure:
    """How far each engine's run is from the reference, step by step, on a logarithmic axis.

    apart: by engine, its relative differences, shape (steps + 1,). allowed: what the tests allow.
    """
    smallest = 1e-17  # below what float64 can tell apart: here it means identical
    looks = [ENGINES[engine] for engine in apart]
    labels = [look.label for look in looks]
    axis = alt.Axis(
        values=[smallest, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12],
        labelExpr=f"datum.value <= {smallest} ? 'none' : format(datum.value, '~e')",
    )
    scale = alt.Scale(type="log", domain=[smallest, 10 * allowed], clamp=True)
    x = alt.X("step:Q", title="step", scale=alt.Scale(domain=[0, timeline.last_step]))
    y = alt.Y("apart:Q", title="relative difference", scale=scale, axis=axis)
    color = alt.Color(
        "engine:N", scale=alt.Scale(domain=labels, range=[look.color for look in looks])
    )
    shape = alt.Shape(
        "engine:N", scale=alt.Scale(domain=labels, range=[look.shape for look in looks])
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
            apart=f"max({smallest}, {timeline.now(engine + '_apart')})",
            engine=f"'{look.label}'",
        )
        .mark_point(filled=True, size=110, opacity=1)
        .encode(x=x, y=y, color=color, shape=shape)
        for engine, look in zip(apart, looks, strict=True)
    ]
    limit = alt.Chart(alt.NamedData("limit"))
    rule = limit.mark_rule(color=QUIET, strokeDash=[6, 4]).encode(y=y)
    text = limit.mark_text(color=QUIET, align="right", baseline="bottom", dy=-4).encode(
        x=alt.value("width"), y=y, text="label:N"
    )
    rows = [
        pd.DataFrame({"step": at, "apart": np.maximum(gaps[at], smallest), "engine": label})
        for (gaps, label) in zip(apart.values(), labels, strict=True)
        for at in [thin(len(gaps), CURVE_STEPS)]
    ]
    data = {
        "apart": pd.concat(rows),
        "limit": pd.DataFrame({"apart": [allowed], "label": ["the most our tests allow"]}),
    }
    chart = following(alt.layer(lines, rule, text, *here))
    return figure(
        chart,
        data,
        title="How far apart the engines are",
        description=(
            "Relative difference of each engine's run from NumPy's, against step, on a logarithmic "
            "axis that ends where the tests of this project would fail."
        ),
        lecture=lecture,
    )
