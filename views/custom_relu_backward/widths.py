"""The slope of a designed backward against differences of every width: the V over h."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.custom_relu_backward import gradcheck
from engines.custom_relu_backward.design import Design, function_of
from engines.custom_relu_backward.gradcheck import Widths
from views.player import (
    Drawing,
    Filling,
    between,
    cached,
    decades,
    drawing,
    mark,
    picture,
    show,
)
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.palette import GRADIENT, MODEL, QUIET
from views.ui.shell import side_by_side

POINTS = {"above": "x = 0.3", "below": "x = −0.3", "near": "x = 0.0001, close to 0"}
AT = {"above": 0.3, "below": -0.3, "near": 1e-4}
KINDS = ("central", "forward")
WRONG = 1e-5  # an error that no width of a difference excuses: gradcheck lets no more pass


def compare(controls: Controls, design: Design) -> None:
    """Compare a design's slope with differences of every width, at a point that is chosen."""
    point = str(controls.choice(st.pills, "At", "point", POINTS, "above", required=True))
    words, picture = side_by_side([2, 3])
    with picture:
        show(_errors(design, point), key="errors over the width", height=340, in_hall=560)
    with words:
        st.markdown(
            "A central difference is (f(x + h) − f(x − h)) / 2h, a forward difference "
            "(f(x + h) − f(x)) / h. Both are compared with what leaves the backward where 1 "
            f"arrives.\n\n{_told(_widths(design, AT[point]), AT[point])}"
        )


@cached
def _widths(design: Design, point: float) -> Widths:
    return gradcheck.widths(function_of(design), point)


def _told(widths: Widths, point: float) -> str:
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
            "both arms of the V choose **Smooth** above."
        )
    return "\n\n".join(told)


@picture
def _errors(design: Design, point: str) -> Filling:
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
def _() -> Drawing:
    x = alt.X(
        "h:Q",
        title="width h",
        scale=alt.Scale(type="log", domain=[1e-14, 1], nice=False),
        axis=alt.Axis(format="~e", values=[1e-12, 1e-9, 1e-6, 1e-3, 1], labelFlush=True),
    )
    axis = alt.Axis(format="~e", values=alt.ExprRef("ticks"))
    y = alt.Y("error:Q", title="error", scale=between("low", "high", type="log"), axis=axis)
    kind: dict[str, Any] = {
        "color": alt.Color("kind:N").scale(domain=KINDS, range=[MODEL, GRADIENT]),
        "shape": alt.Shape("kind:N").scale(domain=KINDS, range=["circle", "square"]),
    }
    # Where both are the same, the small squares stand in the large circles.
    kind["size"] = alt.Size("kind:N").scale(domain=KINDS, range=[mark(110), mark(35)])
    dash = alt.StrokeDash("kind:N").scale(domain=KINDS, range=[[1, 0], [7, 4]])
    rows = alt.Chart(alt.NamedData("rows")).encode(x=x, y=y)
    usual = alt.Chart(alt.NamedData("usual")).encode(x=x)
    return drawing(
        usual.mark_rule(color=QUIET, strokeDash=[2, 3])
        + usual.mark_text(color=alt.ExprRef("ink"), align="left", dx=5, baseline="top").encode(
            y=alt.value(3), text="label:N"
        )
        + rows.mark_line().encode(color=kind["color"], strokeDash=dash)
        + rows.mark_point(filled=True, opacity=1).encode(**kind),
        title="Error against the width h",
        description=(
            "The absolute errors of central and forward differences against their width, both "
            "axes logarithmic. A dotted line marks the width that gradcheck uses."
        ),
    )
