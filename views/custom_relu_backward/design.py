"""A derivative for the ReLU of one's own choice: as a listing, as a curve, judged, and in training.

What is chosen is a Design of engines/custom_relu_backward/design.py. Its listing says all of it,
and so is the key under which results are kept.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.custom_relu_backward import design as designed
from engines.custom_relu_backward.design import Design
from engines.network.compare import RATE, STEPS, draw
from views.player import (
    Drawing,
    Figure,
    Filling,
    between,
    cached,
    drawing,
    mark,
    picture,
    show,
)
from views.ui.controls import Controls
from views.ui.errors import explain_phrases
from views.ui.line_chart import Line, lines
from views.ui.palette import GRADIENT, MISTAKE, MODEL, QUIET, Look
from views.ui.shell import side_by_side
from views.ui.slow_run import Follow, slow

Floats = NDArray[np.float64]

VARIANTS = {
    "true": "The right one",
    "slopes": "Slopes of your own",
    "straight_through": "Straight-through",
    "clipped": "Clipped",
    "leaky": "Leaky",
    "smooth": "Smooth",
}
ABOUT = {
    "true": "The backward of the article. Where x was negative, the gradient ends.",
    "slopes": "The forward stays a ReLU. The backward multiplies by whatever you say.",
    "straight_through": "The backward acts as if forward had done nothing. This is used on purpose "
    "where a forward rounds to whole numbers: its real derivative is zero almost everywhere, and "
    "nothing would learn.",
    "clipped": "No gradient that leaves is above 1 or below −1. Clipping is usual against "
    "gradients that explode, but it is done to the gradients of the weights, not in a backward.",
    "leaky": "A leaky ReLU: below zero it has a small slope of its own, in the forward and in the "
    "backward, so that no unit dies.",
    "smooth": "Softplus, log(1 + eˣ): a ReLU with its corner rounded off. Its derivative is the "
    "sigmoid.",
}
USED = {"slopes": ("below", "at", "above"), "leaky": ("below",)}
NUMBERS = {"below": ("Slope below 0", 0.1), "at": ("at 0", 1.0), "above": ("above 0", 1.0)}
PHRASES = {
    "Jacobian mismatch for output 0 with respect to input 0": "A Jacobian holds how every entry of "
    "an output answers to every entry of an input. Function and backward have one each, and they "
    "are not alike. Counted from 0, output 0 is the only output, and input 0 is x.",
    "numerical": "Row i: one entry of x was moved by a millionth up and down, and this is how all "
    "entries of the output moved, divided by the width. It needs the forward only.",
    "analytical": "Column j: what left the backward when 1 arrived at entry j and 0 at the others.",
}
POINTS = (-2.0, -0.5, 0.5, 2.0)  # where a design is judged
REACH, FINE = 3.0, 1e-9  # the curves go from -3 to 3, and as near as this to 0


def choose_and_check(controls: Controls) -> Design:
    """Choose a backward; see it as a listing and as a curve, judged, and in training.

    Returns the Design, for `widths.check`.
    """
    chosen = _choose(controls)
    source = designed.source_of(chosen)
    st.markdown(ABOUT[chosen.variant])
    code, picture = side_by_side(2)
    with code:
        st.code(source, language="python", wrap_lines=True)
    with picture:
        drawing = _curves(chosen)
        show(drawing, key="designed curves", height=340, in_hall=560)
    verdict = _checked(chosen, POINTS)
    _tell(verdict, designed.LOUDER)
    if controls.flag("Train the network of two layers with it", "train_design"):
        right, own = _trained(Design("true")), _trained(chosen)
        drawing = _losses(right, own)
        show(drawing, key="losses of a design", height=320, in_hall=520)
        st.markdown(_how_it_went(right, own, chosen.variant, is_right=_right(verdict)))
    return chosen


def _choose(controls: Controls) -> Design:
    variant: Any = controls.choice(
        st.pills, "The backward", "variant", VARIANTS, "true", required=True
    )
    slopes, steepest = {}, designed.STEEPEST
    if used := USED.get(str(variant)):
        with st.container(horizontal=True):
            for name in used:
                label, default = NUMBERS[name]
                how = {"step": 0.1, "format": "%g", "width": 160}
                slopes[name] = controls.number(label, name, default, -steepest, steepest, **how)
    return Design(variant, **slopes)


# ---- gradcheck


_checked = cached(designed.judge)


def _right(verdict: Any) -> bool:
    """Whether the backward is the derivative of the forward, for small and large gradients."""
    return bool(verdict.away.passed and verdict.louder.passed)


def _tell(verdict: Any, louder: float) -> None:
    """The verdict away from zero, PyTorch's words, the entries that are not alike, and zero."""
    points = ", ".join(map(_plain, verdict.away.x))
    head, at_zero = "#### What gradcheck says", f"{_at_zero(verdict.at_zero)}\n#### Does it train?"
    if _right(verdict):
        st.markdown(  # all in one: each element costs a rerun of the page a part of a millisecond
            f"{head}\n**It passes.** At x = {points}, what leaves the backward is what arrives "
            "times the measured derivative of the forward. `gradcheck` measures it with numbers "
            "of 64 bits, because those of 32 have too few digits for a difference of two nearly "
            f"equal ones.\n\n{at_zero}"
        )
        return
    if not verdict.away.passed:
        failed, arrived = verdict.away, 1.0
        st.markdown(f"{head}\n**It is refused** at x = {points}. PyTorch's own words:")
    else:
        failed, arrived = verdict.louder, louder
        st.markdown(
            f"{head}\n**It passes, and it should not.** `gradcheck` sends gradients of 1 and 0 "
            f"only, and with these the backward is right at x = {points}. The same backward with "
            f"**{louder:g}** arriving is refused:"
        )
    st.code(failed.message, language=None, wrap_lines=True)
    st.markdown(_table(failed, arrived))
    explain_phrases(PHRASES)
    st.markdown(at_zero)


def _table(failed: Any, arrived: float) -> str:
    """Markdown: the entries of the two Jacobians that are not alike."""
    rows = "".join(
        f"| {_plain(failed.x[i])} | {_plain(failed.numerical[i, j])} "
        f"| **{_plain(failed.analytical[i, j])}** |\n"
        for i, j in np.argwhere(~failed.agrees)
    )
    heads = f"at x = | with {arrived:g} arriving, should leave (numerical) | leaves (analytical)"
    return f"| {heads} |\n|---|---|---|\n{rows}"


def _at_zero(at_zero: Any) -> str:
    """What is to be said of the slope at zero, where gradcheck is no judge."""
    left, right, middle = at_zero.left, at_zero.right, _plain(at_zero.central)
    slope = _plain(at_zero.slope)
    says = "pass" if at_zero.passed else "be refused"
    if not at_zero.has_kink:
        return (
            f"**At 0** there is no kink. On both sides the function has the slope {middle}, "
            f"and the backward says {slope}. There, too, it would {says}."
        )
    if at_zero.between and left < right:
        fits = "lies between the two: it is a subgradient, and no less right than any other."
    elif at_zero.between:
        fits = (
            "lies between the two, and as there is no derivative, it is no less right than any "
            "other."
        )
    else:
        fits = "is not between the two: it belongs to neither side, nor to anything in the middle."
    return (
        f"**At 0** there is a kink: the function has the slope {_plain(left)} on the left and "
        f"{_plain(right)} on the right, and no derivative. `gradcheck` does not know that. Its "
        f"central difference reaches over the kink and finds the mean of both, {middle}; any other "
        f"answer it takes for a mistake. Asked at 0, your design would {says}, and `torch.relu` "
        "with its 0 would be refused. This is why inputs near 0 are left out above. "
        f"Your slope at 0, **{slope}**, {fits}"
    )


def _plain(number: float) -> str:
    return f"{number + 0.0:.3g}".replace("-", "−")  # + 0.0 makes 0 of -0


# ---- In training


@slow
def _trained(follow: Follow, chosen: Design) -> Floats:
    """The loss at every step."""
    steps: Any = designed.train(chosen, *draw(0), steps=STEPS, learning_rate=RATE)
    followed = follow(steps, STEPS, "Step {:,} of {:,}.")
    return np.array([step.loss for step in followed], np.float64)


def _how_it_went(right: Floats, own: Floats, variant: str, *, is_right: bool) -> str:
    last, first = len(own) - 1, own[0]
    told = f"With the right backward the loss falls from {right[0]:.3g} to {right[-1]:.3g}."
    if np.array_equal(own, right):
        return (
            f"{told} With yours it does so **to the last bit**: in {last} steps the two backwards "
            "have never given a different gradient."
        )
    if not np.isfinite(own).all():
        return (
            f"{told} With yours it begins at {first:.3g} and **overflows at step "
            f"{np.argmin(np.isfinite(own))}**: no number of 32 bits is that large."
        )
    if own[-1] >= first:
        return f"{told} With yours it **does not fall**: from {first:.3g} it goes to {own[-1]:.3g}."
    if is_right:
        what = (
            "This is another function with its own right derivative, and so another network."
            if variant in ("leaky", "smooth")
            else "Yours is off by less than gradcheck can see, and that is enough for another end."
        )
        return f"{told} With yours it falls from {first:.3g} to **{own[-1]:.3g}**. {what}"
    quicker = " It even ends lower than with the right one. " if own[-1] < right[-1] else " "
    return (
        f"{told} With yours, which is wrong, it falls all the same: from {first:.3g} to "
        f"**{own[-1]:.3g}**.{quicker}A gradient that is wrong may still point downhill; and w2 "
        "gets the right one in any case, because that does not come through the ReLU. A loss that "
        "falls proves nothing about a backward. The check does."
    )


def _losses(right: Floats, own: Floats) -> Figure:
    return lines(
        [
            Line(Look("the right backward", MODEL), right),
            Line(Look("yours", MISTAKE, (8, 6)), own),
        ],
        title="The loss with both",
        y="loss",
        description="The loss with both backwards against step, on a logarithmic axis.",
    )


# ---- Forward and backward


@picture
def _curves(chosen: Design) -> Filling:
    below = np.append(np.linspace(-REACH, 0, 31)[:-1], -FINE)
    x = np.concatenate([below, [0.0], -below[::-1]])
    forward, backward = designed.curves(chosen, x)
    # The backward may jump at 0: it has a line on each side, and a dot between them.
    sides = pd.DataFrame({"x": x, "value": backward, "curve": "backward", "side": np.sign(x)})
    whole = pd.DataFrame({"x": x, "value": forward, "curve": "forward", "side": 0.0})
    lines, dot = pd.concat([whole, sides[x != 0]]), sides[x == 0]
    low, high = (float(end) for end in (min(*forward, *backward), max(*forward, *backward)))
    margin = 0.08 * (high - low)
    ends = {"low": low - margin, "high": high + margin}
    return {"lines": lines, "dot": dot}, ends


@_curves.drawing
def _() -> Drawing:
    x = alt.X("x:Q", title="x", scale=alt.Scale(domain=[-REACH, REACH]), axis=alt.Axis(tickCount=7))
    y = alt.Y("value:Q", title="value", scale=between("low", "high"), axis=alt.Axis(format="~g"))
    names = ["forward", "backward"]
    words = "'forward: the output' : 'backward: what leaves where 1 arrives'"
    legend = alt.Legend(
        columns=1,
        labelLimit=0,
        symbolSize=400,
        symbolType="stroke",
        labelExpr=f"datum.value == 'forward' ? {words}",
    )
    color = alt.Color("curve:N", legend=legend).scale(domain=names, range=[MODEL, GRADIENT])
    dash = alt.StrokeDash("curve:N", legend=legend).scale(domain=names, range=[[1, 0], [7, 4]])
    curve = alt.Chart(alt.NamedData("lines")).mark_line()
    one = alt.Chart(alt.NamedData("dot"))
    zero = one.mark_rule(color=QUIET, opacity=0.6)
    dot = one.mark_circle(
        color=GRADIENT,
        opacity=1,
        size=mark(110),
        stroke=alt.ExprRef("ink"),
        strokeWidth=1.5,
    )
    return drawing(
        zero.encode(y=alt.datum(0))
        + zero.encode(x=alt.datum(0))
        + curve.encode(x=x, y=y, color=color, strokeDash=dash, detail="side:N")
        + dot.encode(x=x, y=y),
        title="Forward and backward",
        description=(
            "The output of the forward and the gradient that leaves the backward where 1 arrives, "
            "against x. A dot marks the slope that the backward gives at 0."
        ),
    )
