"""Ask the output: the slope of a backward against differences of every width, in 64 bits."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.custom_relu_backward import design as designs
from engines.custom_relu_backward import gradcheck
from engines.custom_relu_backward.design import Design, function_of
from engines.custom_relu_backward.gradcheck import Widths
from engines.listing import EDITED_SOURCE
from engines.standalone import Called
from engines.trace import Made, Named
from views.custom_relu_backward import design as designing
from views.player import (
    POWER,
    WHOLE_STEPS,
    Drawing,
    Filling,
    Series,
    Timeline,
    between,
    cached,
    decades,
    drawing,
    mark,
    now,
    picture,
    say,
    show,
    sized,
)
from views.ui.numbers import number
from views.ui.palette import DATA, GRADIENT, OTHER, QUIET
from views.ui.shell import Here
from views.ui.staging import beside, stage

POINTS = {"above": "x = 0.3", "below": "x = −0.3", "near": "x = 0.0001"}
AT = {"above": 0.3, "below": -0.3, "near": 1e-4}
KINDS = ("central", "forward")
WRONG = 1e-5  # an error that no width of a difference excuses: gradcheck lets no more pass
OPENS = 1  # a width at which the two lines are seen to differ
PLACES = np.linspace(-1.5, 1.5, 61)  # in units of h, around the point


def show_stage(here: Here) -> tuple[Design, str]:
    """The function enlarged until h fills the picture, and the errors of all widths.

    Returns the design and the point that are chosen.
    """
    with stage(here) as play:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            variant = designing.choose_kind(here.controls, "checked", "smooth")
            chosen = designing.choose_slopes(here.controls, variant)
            point = here.controls.pills(
                "At", "point", POINTS, "above", label_visibility="collapsed"
            )
        timeline = _timeline(chosen, AT[point])
        table = {"h": "h", "central difference": "central", "forward difference": "forward"}
        table |= {f"error, {kind}": f"{kind}_error" for kind in KINDS}
        play(
            timeline,
            ran={"": _program(chosen, AT[point])},
            begin=(OPENS, None),
            stops=[6, 12, 20, 28, 32],
            counted="width {step} of {last}",
            readout={"h": (0, None)},
            table=table,
        )
        slope = number(_slope(chosen, AT[point]), 6)
        say(
            f"Move x by h = {now('h', digits=2)} to both sides, and the output says: a slope of "
            f"<b>{now('central')}</b>. The backward says {slope}, which is "
            f"<b>{now('central_error', digits=2)}</b> away. With one side only it is "
            f"{now('forward')}, and {now('forward_error', digits=2)} away."
        )
        function, errors = beside([1, 1])
        with function:
            show(_enlarged(chosen, point, timeline), key="enlarged")
        with errors:
            show(_errors(chosen, point, timeline), key="errors")
    return chosen, point


def _program(chosen: Design, point: float) -> Called:
    """The listing that compares this design with differences, to be taken home."""
    source, function = designs.source_of(chosen), function_of(chosen)
    names = {**vars(gradcheck), EDITED_SOURCE: source, "Designed": function.__self__}
    return Called(Made("widths", names, {"function": Named("Designed.apply"), "point": point}))


def tell(chosen: Design, point: str) -> None:
    """Below the stage: what the errors show."""
    st.markdown(told_of(_widths(chosen, AT[point]), AT[point]))


@cached
def _widths(design: Design, point: float) -> Widths:
    return gradcheck.widths(function_of(design), point)


@cached
def _slope(design: Design, point: float) -> float:
    return gradcheck.slope(function_of(design), point)


@cached
def _timeline(design: Design, point: float) -> Timeline:
    """A step for each width: both differences, their errors, and how the function looks."""
    widths = _widths(design, point)
    near = gradcheck.near(function_of(design), point, PLACES)
    at = {place: near[:, np.argmin(np.abs(PLACES - place))] for place in (-1, 1)}
    columns = {
        "h": widths.h,
        "central": (at[1] - at[-1]) / 2,
        "forward": at[1],
        "central_error": widths.central,
        "forward_error": widths.forward,
    }
    columns |= {f"near{i}": values for i, values in enumerate(near.T)}
    return Timeline(
        {name: Series(values) for name, values in columns.items()},
        len(near) - 1,
        parts=WHOLE_STEPS,
    )


def told_of(widths: Widths, point: float) -> str:
    """What the errors show, from the widest difference to the narrowest."""
    h, central, forward = widths
    inside = (h < abs(point)) & (h > 1e-9)  # no kink within reach, and the rounding still small
    least = np.minimum(central, forward)[inside].min()
    if least > WRONG:
        return (
            f"**No width makes it right.** From h = {number(h[inside][0], 1)} to "
            f"{number(h[inside][-1], 1)}, where nothing disturbs a difference, no error is below "
            f"{number(least, 2)}: the backward returns a slope that the function does not have. No "
            "choice of h excuses that."
        )
    told = []
    wide = h > abs(point)
    over, to_the_right = central[wide].max(), forward[wide].max()
    if central[4] > 0 and central[2] / central[4] > 50:
        told.append(
            "**From the right** the errors fall with h. A tenth of the width, from "
            f"{number(h[2])} to {number(h[4])}, divides that of the central difference by "
            f"{central[2] / central[4]:.0f} and that of the forward difference by "
            f"{forward[2] / forward[4]:.0f}. What remains comes from the bend of the curve."
        )
    elif over > WRONG and to_the_right < over / 10:
        told.append(
            f"**Wider than {number(point)}** the central difference reaches across the kink and "
            f"mixes the slopes of both sides: its error grows to {number(over, 2)}. The forward "
            "difference reaches only to the right and misses the kink."
        )
    elif over > WRONG:
        told.append(
            f"**Wider than {number(abs(point))}** both differences reach across the kink and mix "
            f"the slopes of both sides: the errors grow to {number(over, 2)} and "
            f"{number(to_the_right, 2)}."
        )
    if not central[inside].any():
        told.append(
            "**Narrower ones are exact.** Here the function does not change at all, and between "
            "equal numbers nothing is rounded."
        )
    else:
        best = int(np.where(inside & (central > 0), central, np.inf).argmin())
        if central[-1] > 10 * central[best]:
            told.append(
                f"**Narrower is not better.** Near h = {number(h[best], 1)} the central difference "
                f"is off by no more than {number(central[best], 1)}, at {number(h[-1], 1)} by "
                f"{number(central[-1], 1)}: two nearly equal numbers are subtracted, their last "
                "digits are rounded, and the rest is divided by h."
            )
    if exact := int((central == 0).sum() + (forward == 0).sum()):
        told.append(
            f"{exact} of the {2 * len(h)} differences have no error at all, and a logarithmic axis "
            "has no place for them. A straight line has no bend that a difference could miss: for "
            "both arms of the V choose **Smooth**."
        )
    return "\n\n".join(told)


@picture
def _errors(design: Design, point: str, timeline: Timeline) -> Filling:
    widths = _widths(design, AT[point])
    rows = pd.concat(
        pd.DataFrame({"h": widths.h, "error": getattr(widths, kind), "kind": kind})
        for kind in KINDS
    )
    rows = rows[rows["error"] > 0]
    low, high = float(rows["error"].min()) / 3, float(rows["error"].max()) * 3
    usual_width = pd.DataFrame({"h": [gradcheck.WIDTH], "label": ["the h of gradcheck"]})
    ends = {"low": low, "high": high, "ticks": decades(low, high)}
    return {"rows": rows, "usual": usual_width}, ends


@_errors.drawing
def _(timeline: Timeline) -> Drawing:
    x = alt.X(
        "h:Q",
        title="width h",
        scale=alt.Scale(type="log", domain=[1e-16, 1], nice=False),
        axis=alt.Axis(labelExpr=POWER, values=[1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1], labelFlush=True),
    )
    axis = alt.Axis(labelExpr=POWER, values=alt.ExprRef("ticks"))
    y = alt.Y("error:Q", title="error", scale=between("low", "high", type="log"), axis=axis)
    kind: dict[str, Any] = {
        "color": alt.Color("kind:N").scale(domain=KINDS, range=[OTHER, DATA]),
        "shape": alt.Shape("kind:N").scale(domain=KINDS, range=["circle", "square"]),
    }
    # Where both are the same, the small squares stand in the large circles.
    kind["size"] = alt.Size("kind:N").scale(domain=KINDS, range=[mark(110), mark(35)])
    dash = alt.StrokeDash("kind:N").scale(domain=KINDS, range=[[1, 0], [7, 4]])
    rows = alt.Chart(alt.NamedData("rows")).encode(x=x, y=y)
    usual = alt.Chart(alt.NamedData("usual")).encode(x=x)
    shown = (
        alt.Chart(alt.InlineData([{}]))
        .transform_calculate(h=timeline.now("h"))
        .mark_rule(color=alt.ExprRef("ink"), strokeWidth=sized(2, 4))
        .encode(x=x)
    )
    return drawing(
        shown
        + usual.mark_rule(color=QUIET, strokeDash=[2, 3])
        + usual.mark_text(color=alt.ExprRef("ink"), align="right", dx=-5, baseline="top").encode(
            y=alt.value(3), text="label:N"
        )
        + rows.mark_line().encode(color=kind["color"], strokeDash=dash)
        + rows.mark_point(filled=True, opacity=1).encode(**kind),
        title="Error against the width h",
        description=(
            "The absolute errors of central and forward differences against their width, both "
            "axes logarithmic. A dotted line marks the width that gradcheck uses, a solid one that "
            "of the step shown."
        ),
    )


@picture
def _enlarged(design: Design, point: str, timeline: Timeline) -> Filling:
    return {}, {"slope": _slope(design, AT[point])}


@_enlarged.drawing
def _(timeline: Timeline) -> Drawing:
    ends = [float(PLACES[0]), float(PLACES[-1])]
    x = alt.X("u:Q", title="from x, in widths h", scale=alt.Scale(domain=ends, nice=False))
    y = alt.Y(
        "v:Q",
        title="from f(x), in widths h",
        scale=alt.Scale(domain=ends, nice=False),
    )
    values = [{"i": i, "u": float(u)} for i, u in enumerate(PLACES)]
    function = (
        alt.Chart(alt.InlineData(values))
        .transform_calculate(v=timeline.now("near0", further="datum.i"))
        .mark_line(color=DATA, clip=True, strokeWidth=sized(4, 8), interpolate="linear")
        .encode(x=x, y=y)
    )
    left, right = (
        timeline.now(f"near{int(np.argmin(np.abs(PLACES - place)))}") for place in (-1, 1)
    )
    middle = f"(({right}) + ({left})) / 2"
    half = f"(({right}) - ({left})) / 2"
    kinds = {"backward": GRADIENT, "central": OTHER, "forward": DATA}
    lines = [{"kind": kind, "u": u} for kind in kinds for u in ends]
    straight = (
        alt.Chart(alt.InlineData(lines))
        .transform_calculate(
            v=f"datum.kind === 'central' ? {middle} + {half} * datum.u : "
            f"datum.kind === 'forward' ? ({right}) * datum.u : slope * datum.u"
        )
        .mark_line(clip=True)
        .encode(
            x=x,
            y=y,
            color=alt.Color("kind:N").scale(domain=list(kinds), range=list(kinds.values())),
            strokeDash=alt.StrokeDash("kind:N").scale(
                domain=list(kinds), range=[[2, 4], [1, 0], [7, 4]]
            ),
        )
    )
    dots = (
        alt.Chart(alt.InlineData([{"u": -1, "side": 0}, {"u": 0, "side": 1}, {"u": 1, "side": 2}]))
        .transform_calculate(v=f"[{left}, 0, {right}][datum.side]")
        .mark_point(filled=True, opacity=1, color=alt.ExprRef("ink"), size=mark(60), clip=True)
        .encode(x=x, y=y)
    )
    return drawing(
        function + straight + dots,
        title="The function, enlarged until h fills the picture",
        description="The function around x, and three straight lines: through the points that the "
        "central and the forward difference take, and with the slope that the backward says.",
    )
