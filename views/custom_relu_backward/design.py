"""Design a backward: pull its slopes, and see what gradcheck and training make of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.custom_relu_backward import design as engine
from engines.custom_relu_backward.design import (
    POINTS,
    SCALE,
    STEEPEST,
    Checks,
    Design,
    Tried,
)
from engines.custom_relu_backward.gradcheck import Check, Kink
from engines.trace import Drawn, Trace, made_by
from views.custom_relu_backward import runs, slope_editor
from views.custom_relu_backward.angle_dial import dial
from views.custom_relu_backward.slope_editor import Curves
from views.player import Figure, cached, listing, say, show
from views.ui import errors
from views.ui.controls import Controls
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import MISTAKE, MODEL, OTHER, Look
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import markdown_table

Floats = NDArray[np.float64]

LABELS = {
    "slopes": "Your own slopes",
    "true": "The right one",
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
NUMBERS = {"below": ("below 0", 0.3), "at": ("at 0", 1.0), "above": ("above 0", 1.0)}
# What a handle of the picture stands at where there is no field for it.
FIXED = {"true": {"below": 0.0, "at": 1.0, "above": 1.0}}
FIXED["straight_through"] = {**FIXED["true"], "below": 1.0}
STEPS, RATE = 200, 1e-4  # of the small network that answers at once
REACH, FINE = 3.0, 1e-5  # the curves go from -3 to 3, and as near as this to 0

_tried = cached(engine.try_out)


def show_stage(here: Here) -> Design:
    """The curves, whose slopes can be pulled; the listing they amount to; and how it trains."""
    _take_pull()
    with stage(here) as play:
        variant = choose_kind(here.controls)
        story = st.container()
        curves, code, training = beside([5, 5, 4])
        if variant in USED:
            with here.settings, st.popover("Slopes as numbers"):
                chosen = choose_slopes(here.controls, variant)
        else:
            chosen = Design(variant)
        with code:
            listing(engine.source_of(chosen), {}, title="The Function that ran", key="code")
        tried, right, checks = _try(chosen), _try(Design("true")), runs.check(chosen)
        play(ran={LABELS[chosen.variant]: _program(chosen, tried)})
        with story:
            say(f"{_checked(checks)} {_pointed(tried)} {_trained(tried, right)}")
        with curves:
            slope_editor.edit(_curves(chosen), _handles(chosen))
        with training:
            color = OTHER if checks.passed else MISTAKE
            show(_losses(right, tried, Look("yours", color, (8, 6))), key="losses")
            show(dial(tried.angle, color=color), key="angle")
    return chosen


def choose_kind(controls: Controls, name: str = "variant", default: str = "slopes") -> str:
    """The kind of backward. name, default: in the address."""
    return controls.pills("The backward", name, LABELS, default, label_visibility="collapsed")


def choose_slopes(controls: Controls, variant: str) -> Design:
    """Fields for those of its slopes that are free."""
    slopes = {}
    for name in USED.get(variant, ()):
        label, default = NUMBERS[name]
        how = {"step": 0.1, "width": "stretch"}
        slopes[name] = controls.number(label, name, default, -STEEPEST, STEEPEST, **how)
    return Design(variant, **slopes)


def _take_pull() -> None:
    """Take what was done in the picture, before the controls are made."""
    if slopes := slope_editor.pulled():
        variant = st.session_state.get("variant")
        if set(slopes) == set(NUMBERS) and variant in FIXED:
            Controls.put("variant", "slopes")
        for name, slope in slopes.items():
            Controls.put(name, slope)


def _handles(chosen: Design) -> Mapping[str, float]:
    """The slopes that can be pulled, and where they are."""
    return FIXED.get(chosen.variant) or {
        name: getattr(chosen, name) for name in USED.get(chosen.variant, ())
    }


def _try(chosen: Design) -> Tried:
    return _tried(chosen, steps=STEPS, learning_rate=RATE)


def _program(chosen: Design, tried: Tried) -> Trace:
    """The small network trained with this design, to be taken home."""
    names = ("x_value", "y_value", "w1_value", "w2_value")
    drawn: dict[str, Any] = {n: Drawn(engine.arrays, (), i) for i, n in enumerate(names)}
    train = engine.listing_of(chosen).names["train"]
    made = made_by(train, **drawn, steps=STEPS, learning_rate=RATE)
    return Trace(tried.losses, {}, {}, made)


# ---- On the stage


@cached
def _curves(chosen: Design) -> Curves:
    right = np.append(FINE, np.linspace(0, REACH, 31)[1:])
    sides = -right[::-1], right
    x = np.concatenate([sides[0], [0.0], sides[1]])
    more: dict[str, Any] = {}
    if chosen.variant == "clipped":
        scaled = engine.curves(chosen, right, grad_output=SCALE).backward / SCALE
        more = {"extra": _points(right, scaled), "extra_name": f"the same, where {SCALE:g} arrives"}
    return Curves(
        REACH,
        _points(x, engine.curves(chosen, x).forward),
        [_points(side, engine.slopes_of_forward(chosen, side)) for side in sides],
        [_points(side, engine.curves(chosen, side).backward) for side in sides],
        float(engine.curves(chosen, [0.0]).backward[0]),
        **more,
    )


def _points(x: Floats, y: Floats) -> list[tuple[float, float]]:
    return [(round(float(one), 9), round(float(other), 6)) for one, other in zip(x, y, strict=True)]


def _checked(checks: Checks) -> str:
    """HTML: what gradcheck says, and where it does not look."""
    if checks.passed:
        told = "<b>gradcheck passes:</b> away from zero the backward has the slope of the forward."
    elif checks.ones.passed:
        told = (
            f"<b>gradcheck passes, and it should not.</b> It only sends ones; where {SCALE:g} "
            f"arrives, {number(_leaves(checks.scaled), 3)} leaves instead of {SCALE:g}."
        )
    else:
        i, j = checks.ones.wrong[0]
        has, says = _entry(checks.ones, i, j)
        told = (
            f"<b>gradcheck objects:</b> at x = {number(POINTS[i])} the forward has the slope "
            f"{has}, and the backward says {says}."
        )
    if not checks.at_zero.between:
        told += (
            f" At zero it says {number(checks.at_zero.slope, 3)}, which belongs to neither side; "
            "gradcheck is not asked there."
        )
    return told


def _leaves(check: Check) -> float:
    assert check.analytical is not None, "no design raises an error"
    return float(check.analytical[tuple(check.wrong[0])])


def _entry(check: Check, i: Any, j: Any) -> tuple[str, str]:
    """What a derivative is by differences, and by the backward."""
    assert check.analytical is not None, "no design raises an error"
    return number(round(check.numerical[i, j], 6), 3), number(check.analytical[i, j], 3)


def _pointed(tried: Tried) -> str:
    """HTML: how far the first gradient of w1 is from the one that belongs to the forward."""
    if math.isnan(tried.angle):
        return "No gradient reaches w1 at all."
    if tried.angle < 1e-3:
        return "In a small network the gradient of w1 points where it should: <b>0°</b> apart."
    downhill = "still downhill" if tried.angle < 90 else "uphill"
    return (
        "In a small network the gradient of w1 points <b>"
        f"{tried.angle:.1f}°</b> away from the true one: {downhill}."
    )


def _trained(tried: Tried, right: Tried) -> str:
    """HTML: where the losses go."""
    if not np.isfinite(tried.losses[-1]):
        return f"The loss <b>overflows at step {len(tried.losses) - 1}</b>."
    first, own, other = (
        number(float(loss), 3) for loss in (tried.losses[0], tried.losses[-1], right.losses[-1])
    )
    falls = "falls" if tried.losses[-1] < tried.losses[0] else "does not fall: it goes"
    told = f"The loss {falls} from {first} to <b>{own}</b>"
    if np.array_equal(tried.losses, right.losses):
        return f"{told} in {STEPS} steps."
    return f"{told}; with the right ReLU it ends at {other}."


def _losses(right: Tried, tried: Tried, own: Look) -> Figure:
    return lines(
        [Line(Look("the right one", MODEL), right.losses), Line(own, tried.losses)],
        title="The loss",
        y="loss",
        description="The loss with both backwards against step, on a logarithmic axis.",
    )


# ---- For those who read


def tell(chosen: Design) -> None:
    """Below the stage: what kind of backward it is, PyTorch's words, and how its training went."""
    checks, tried, right = runs.check(chosen), _try(chosen), _try(Design("true"))
    points = ", ".join(map(number, POINTS))
    head = f"{ABOUT[chosen.variant]}\n### What gradcheck says"
    went = _how_it_went(right.losses, tried.losses, chosen.variant, is_right=checks.passed)
    rest = f"{_at_zero(checks.at_zero)}\n### Does it train?\n{went}"
    if checks.passed:
        st.markdown(  # all in one: each element costs a rerun of the page a part of a millisecond
            f"{head}\n**It passes.** At x = {points}, what leaves the backward is what arrives "
            "times the measured derivative of the forward. `gradcheck` measures it with 64-bit "
            "numbers, because 32 bits have too few digits for a difference of two nearly equal "
            f"numbers.\n\n{rest}"
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
    st.markdown(f"{_differences(failed, arrives)}\n{rest}")


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
            f"{np.argmin(np.isfinite(own))}**: no 64-bit number is that large."
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
