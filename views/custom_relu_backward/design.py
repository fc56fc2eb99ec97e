"""A derivative of one's own for the ReLU: as a listing, as curves, checked, and in training."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.custom_relu_backward import design as engine
from engines.custom_relu_backward.design import POINTS, SCALE, STEEPEST, Checks, Design
from engines.custom_relu_backward.gradcheck import Check, Kink
from engines.network import torch_own_relu
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
from views.ui import errors
from views.ui.controls import Controls
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import GRADIENT, MISTAKE, MODEL, QUIET, Look
from views.ui.shell import side_by_side
from views.ui.slow_run import Follow, slow
from views.ui.table import markdown_table

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
    "straight_through": "The backward acts as if forward had done nothing. This is done on purpose "
    "where a forward rounds to whole numbers: its real derivative is zero almost everywhere, and "
    "nothing would learn.",
    "clipped": "No gradient that leaves is above 1 or below −1. Clipping is the usual remedy for "
    "gradients that explode, but it is applied to the gradients of the weights, not in a backward.",
    "leaky": "A leaky ReLU: below zero it has a small slope, in the forward and in the backward, "
    "so that no unit dies.",
    "smooth": "Softplus, log(1 + eˣ): a ReLU with its corner rounded off. Its derivative is the "
    "sigmoid.",
}
USED = {"slopes": ("below", "at", "above"), "leaky": ("below",)}
NUMBERS = {"below": ("Slope below 0", 0.1), "at": ("at 0", 1.0), "above": ("above 0", 1.0)}
REACH, FINE = 3.0, 1e-9  # the curves go from -3 to 3, and as near as this to 0

check = cached(engine.check)


def choose_and_check(controls: Controls) -> Design:
    """Choose a backward; see it as a listing and as curves, checked, and in training.

    Returns the Design, for `widths.compare`.
    """
    chosen = _choose(controls)
    st.markdown(ABOUT[chosen.variant])
    code, picture = side_by_side(2)
    with code:
        st.code(engine.source_of(chosen), language="python", wrap_lines=True)
    with picture:
        show(_curves(chosen), key="designed curves", height=340, in_hall=560)
    checks = check(chosen)
    _show_checks(checks)
    if controls.flag("Train the network of two layers with it", "train_design"):
        right, own = _losses(Design("true")), _losses(chosen)
        show(_both_losses(right, own), key="losses of a design", height=320, in_hall=520)
        st.markdown(_how_it_went(right, own, chosen.variant, is_right=checks.passed))
    return chosen


def _choose(controls: Controls) -> Design:
    variant = str(
        controls.choice(st.pills, "The backward", "variant", VARIANTS, "true", required=True)
    )
    slopes = {}
    if used := USED.get(variant):
        with st.container(horizontal=True):
            for name in used:
                label, default = NUMBERS[name]
                how = {"step": 0.1, "format": "%g", "width": 160}
                slopes[name] = controls.number(label, name, default, -STEEPEST, STEEPEST, **how)
    return Design(variant, **slopes)


# ---- gradcheck


def _show_checks(checks: Checks) -> None:
    """The result away from zero, PyTorch's words, the entries that are not alike, and zero."""
    points = ", ".join(map(number, POINTS))
    head, at_zero = "#### What gradcheck says", f"{_at_zero(checks.at_zero)}\n#### Does it train?"
    if checks.passed:
        st.markdown(  # all in one: each element costs a rerun of the page a part of a millisecond
            f"{head}\n**It passes.** At x = {points}, what leaves the backward is what arrives "
            "times the measured derivative of the forward. `gradcheck` measures it with 64-bit "
            "numbers, because 32 bits have too few digits for a difference of two nearly equal "
            f"numbers.\n\n{at_zero}"
        )
        return
    if not checks.ones.passed:
        failed, arrives = checks.ones, 1.0
        st.markdown(f"{head}\n**It is refused** at x = {points}. PyTorch's own words:")
    else:
        failed, arrives = checks.scaled, SCALE
        st.markdown(
            f"{head}\n**It passes, and it should not.** `gradcheck` only sends gradients of 1 and "
            f"0, and with these the backward is right at x = {points}. The same backward with "
            f"**{number(SCALE)}** arriving is refused:"
        )
    errors.explain(failed.error, failed.message)
    st.markdown(f"{_differences(failed, arrives)}\n{at_zero}")


def _differences(failed: Check, arrives: float) -> str:
    """Markdown: the entries in which the two Jacobians differ."""
    assert failed.analytical is not None, "no design raises an error"
    rows = [
        (
            number(failed.x[i], 3),
            number(failed.numerical[i, j], 3),
            f"**{number(failed.analytical[i, j], 3)}**",
        )
        for i, j in failed.wrong
    ]
    should = f"with {number(arrives)} arriving, should leave (numerical)"
    return markdown_table(("at x =", should, "leaves (analytical)"), rows)


def _at_zero(kink: Kink) -> str:
    """The slope at zero, where gradcheck proves nothing."""
    left, right, middle, slope = (
        number(value, 3) for value in (kink.left, kink.right, kink.central, kink.slope)
    )
    would = "pass" if kink.passed else "be refused"
    if not kink.has_kink:
        return (
            f"**At 0** there is no kink. On both sides the function has the slope {middle}, "
            f"and the backward says {slope}. There, too, it would {would}."
        )
    if kink.between and kink.left < kink.right:
        fits = "lies between the two: it is a subgradient, as right as any other."
    elif kink.between:
        fits = "lies between the two, and as there is no derivative, it is as right as any other."
    else:
        fits = "is not between the two: it belongs to neither side, nor to anything in the middle."
    return (
        f"**At 0** there is a kink: the function has the slope {left} on the left and {right} on "
        "the right, and no derivative. `gradcheck` does not know that. Its central difference "
        f"reaches across the kink and finds the mean of both, {middle}; it takes any other answer "
        f"for a mistake. Tested at 0, your design would {would}, and `torch.relu` with its 0 would "
        "be refused. This is why inputs near 0 are left out above. "
        f"Your slope at 0, **{slope}**, {fits}"
    )


# ---- In training


@slow
def _losses(follow: Follow, design: Design) -> Floats:
    """The loss at every step."""
    relu = engine.function_of(design)
    steps: Any = torch_own_relu.train(*draw(0), steps=STEPS, learning_rate=RATE, relu=relu)
    followed = follow(steps, STEPS, "Step {:,} of {:,}.")
    return np.array([step.loss for step in followed], np.float64)


def _how_it_went(right: Floats, own: Floats, variant: str, *, is_right: bool) -> str:
    last, first, end = len(own) - 1, number(own[0], 3), number(own[-1], 3)
    told = (
        f"With the right backward the loss falls from {number(right[0], 3)} to "
        f"{number(right[-1], 3)}."
    )
    if np.array_equal(own, right):
        return (
            f"{told} With yours it does the same **to the last bit**: in {last} steps the two "
            "backwards have never given a different gradient."
        )
    if not np.isfinite(own).all():
        return (
            f"{told} With yours it begins at {first} and **overflows at step "
            f"{np.argmin(np.isfinite(own))}**: no 32-bit number is that large."
        )
    if own[-1] >= own[0]:
        return f"{told} With yours it **does not fall**: from {first} it goes to {end}."
    if is_right:
        what = (
            "This is another function with its own right derivative, and so another network."
            if variant in ("leaky", "smooth")
            else "Yours is off by less than gradcheck can see, and that is enough to end elsewhere."
        )
        return f"{told} With yours it falls from {first} to **{end}**. {what}"
    lower = " It even ends lower than with the right one. " if own[-1] < right[-1] else " "
    return (
        f"{told} With yours, which is wrong, it falls all the same: from {first} to **{end}**."
        f"{lower}A wrong gradient may still point downhill; and w2 gets the right one in any case, "
        "because that does not come through the ReLU. A loss that falls proves nothing about a "
        "backward. The check does."
    )


def _both_losses(right: Floats, own: Floats) -> Figure:
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
    forward, backward = engine.curves(chosen, x)
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
