"""The gradient of a gradient: which backwards can themselves be differentiated."""

from __future__ import annotations

from textwrap import dedent
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.custom_relu_backward import double_backward as engine
from engines.custom_relu_backward.double_backward import Derivatives
from engines.standalone import calling
from views.custom_relu_backward import runs
from views.player import (
    WHOLE_STEPS,
    Drawing,
    Filling,
    Timeline,
    cached,
    drawing,
    every_step,
    listing,
    mark,
    now,
    picture,
    say,
    show,
    sized,
)
from views.ui import errors
from views.ui.numbers import number
from views.ui.palette import DATA, GRADIENT, MISTAKE, MODEL
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import markdown_table

Floats = NDArray[np.float64]

X = 3.0
FIRST, SECOND = 2 * X, 2.0  # the derivatives of y = x · relu(x), for a positive x
PLACES = np.round(np.linspace(-3, 3, 61), 1)  # the player goes through them
OPENS = 50  # x = 2
TRUE, OWN = "true", "own"
FUNCTIONS = {
    "in_place": "Set in place",
    "multiplied": "Multiplied",
    "in_numpy": "In NumPy",
    "once_differentiable": "once_differentiable",
}
CALLS = {"backward": "first.backward()", "grad": "torch.autograd.grad(first, x)"}
STORIES = {
    "in_place": "This is the backward from the top of the page. `clone()`, and setting entries to "
    "0, are PyTorch operations, and autograd records them like those of a forward pass.",
    "multiplied": "A product with the mask, which is how most people would write it. The mask "
    "itself is a constant: it changes only where x crosses 0.",
    "in_numpy": "What NumPy computes is not recorded. The tensor that leaves has the right numbers "
    "and no graph behind it, so for autograd it is a constant.",
    "once_differentiable": "The same NumPy, and a decorator that says so. Inside nothing is "
    "recorded, and what leaves carries a node in its graph whose only job is to raise an error.",
}


class Found(NamedTuple):
    """What autograd finds at PLACES, shape (61,): NaN where it raises an error."""

    first: Floats
    second: Floats


def show_stage(here: Here) -> None:
    """dy/dx with a tangent as autograd has it, the second derivative, and the code."""
    with stage(here) as play:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            name = here.controls.pills("The backward", "double_backward", FUNCTIONS, "in_numpy")
            by: Any = here.controls.pills(
                "The second derivative by", "second_derivative", CALLS, "backward"
            )
        found, curves = _at_x(name, by), _everywhere(name, by)
        timeline = _timeline(name, by)
        asked: dict[str, Any] = {"function": engine.FUNCTIONS[name], "x_value": X, "by": by}
        play(
            timeline,
            ran={"": calling(engine.twice, fails=bool(found.message), **asked)},
            begin=(OPENS, None),
            stops=[0, 30, 31, 60],
            counted="point {step} of {last}",
            readout={"x": (0, None)},
            table={
                "x": "x",
                "dy/dx, by autograd": "first",
                "d²y/dx², by autograd": "second",
                "d²y/dx², in truth": "truth",
            },
        )
        say(_told(found))
        tangent, second, code = beside([4, 4, 5])
        with tangent:
            show(_tangent(curves, timeline), key="tangent")
        with second:
            if found.message:
                errors.explain("RuntimeError", found.message)
            else:
                show(_second(curves, timeline), key="second")
        with code:
            source = runs.code_of(dedent(found.source))
            listing(source, {}, title="The backward", key="code")


def tell(here: Here) -> None:
    """Below the stage: both derivatives at one x, what this backward does, and what it is worth."""
    name = str(here.controls.chosen("double_backward", FUNCTIONS, "in_numpy"))
    by: Any = here.controls.chosen("second_derivative", CALLS, "backward")
    found = _at_x(name, by)
    passed_by = name == "once_differentiable" and by == "grad"
    verdict = _verdict(found.second, passed_by=passed_by)
    st.markdown(f"{STORIES[name]}\n\n{_table(found)}\n{verdict}")


@cached
def _at_x(name: str, by: Any) -> Derivatives:
    return engine.differentiate_twice(name, X, by=by)


@cached
def _everywhere(name: str, by: Any) -> Found:
    found = [engine.differentiate_twice(name, float(x), by=by) for x in PLACES]
    seconds = [np.nan if one.second is None else one.second for one in found]
    return Found(np.array([one.first for one in found]), np.array(seconds))


@cached
def _timeline(name: str, by: Any) -> Timeline:
    found = _everywhere(name, by)
    columns = {"x": PLACES, **found._asdict(), "truth": _truth(PLACES)}
    return Timeline(every_step(columns), len(PLACES) - 1, parts=WHOLE_STEPS)


def _truth(x: Floats) -> Floats:
    """The second derivative of x · relu(x). At 0, a matter of choice, that of MyReLU."""
    return np.where(x >= 0, SECOND, 0.0)


def _told(found: Derivatives) -> str:
    """HTML: both derivatives at the x shown."""
    x, first, second, truth = (now(one, digits=2) for one in ("x", "first", "second", "truth"))
    start = f"y = x · relu(x). At x = {x} its slope dy/dx is {first}. "
    if found.second is None:
        return f"{start}Asked how that slope changes, autograd raises <b>an error</b>, on purpose."
    if found.second == SECOND:
        return (
            f"{start}Autograd says that this slope changes by <b>{second}</b> for each 1 of x. "
            "The line with that slope is the tangent of the curve: this backward can "
            "be differentiated again."
        )
    return (
        f"{start}Autograd says that this slope changes by <b>{second}</b> for each 1 of x; in "
        f"truth it changes by <b>{truth}</b>. Right of zero these differ, and the red line is not "
        "the curve’s tangent. There is no error, and no warning."
    )


@picture
def _tangent(found: Found, timeline: Timeline) -> Filling:
    return {"curve": pd.DataFrame({"x": PLACES, "first": found.first})}, {}


@_tangent.drawing
def _(timeline: Timeline) -> Drawing:
    x = alt.X("x:Q", title="x", scale=alt.Scale(domain=[-3, 3], nice=False))
    y = alt.Y("first:Q", title="dy/dx", scale=alt.Scale(domain=[-1.5, 6.5], nice=False))
    curve = (
        alt.Chart(alt.NamedData("curve"))
        .mark_line(color=MODEL, strokeWidth=sized(4, 8))
        .encode(x=x, y=y)
    )
    here, first, second, truth = map(timeline.now, ("x", "first", "second", "truth"))
    color = alt.ExprRef(f"abs({second} - {truth}) < 1e-6 ? '{GRADIENT}' : '{MISTAKE}'")
    tangent = (
        alt.Chart(alt.InlineData([{"side": -1.4}, {"side": 1.4}]))
        .transform_calculate(x=f"{here} + datum.side", first=f"{first} + datum.side * ({second})")
        .transform_filter("isFinite(datum.first)")
        .mark_line(color=color, strokeWidth=sized(3, 6), clip=True)
        .encode(x=x, y=y)
    )
    dot = (
        alt.Chart(alt.InlineData([{}]))
        .transform_calculate(x=here, first=first)
        .mark_point(filled=True, opacity=1, size=mark(130), color=alt.ExprRef("ink"))
        .encode(x=x, y=y)
    )
    return drawing(
        curve + tangent + dot,
        title="dy/dx and its tangent",
        description="The first derivative against x, and through its point at the x shown a line "
        "with the slope that autograd gives as the second derivative.",
    )


@picture
def _second(found: Found, timeline: Timeline) -> Filling:
    truth = pd.DataFrame({"x": PLACES, "second": _truth(PLACES), "whose": TRUE})
    own = pd.DataFrame({"x": PLACES, "second": found.second, "whose": OWN})
    right = bool(np.array_equal(found.second, _truth(PLACES)))
    return {"rows": pd.concat([truth, own])}, {"right": right}


@_second.drawing
def _(timeline: Timeline) -> Drawing:
    x = alt.X("x:Q", title="x", scale=alt.Scale(domain=[-3, 3], nice=False))
    y = alt.Y(
        "second:Q",
        title="d²y/dx²",
        scale=alt.Scale(domain=[-0.5, 2.5], nice=False),
        axis=alt.Axis(values=[0, 1, 2], format="~g"),
    )
    rows = alt.Chart(alt.NamedData("rows"))
    color = alt.ExprRef(f"right ? '{GRADIENT}' : '{MISTAKE}'")
    truth = (
        rows.transform_filter(f"datum.whose === '{TRUE}'")
        .mark_line(interpolate="step-after", color=DATA, strokeWidth=sized(6, 12), opacity=0.6)
        .encode(x=x, y=y)
    )
    own = rows.transform_filter(f"datum.whose === '{OWN}'").encode(x=x, y=y)
    line = own.mark_line(interpolate="step-after", color=color, strokeWidth=sized(3, 6))
    dot = own.transform_filter(f"datum.x === {timeline.now('x')}").mark_point(
        filled=True, opacity=1, size=mark(130), color=alt.ExprRef("ink")
    )
    names = (
        alt.Chart(
            alt.InlineData(
                [
                    {"x": -2.9, "second": -0.17, "told": "thick: in truth"},
                    {"x": -2.9, "second": -0.37, "told": "thin: by autograd"},
                ]
            )
        )
        .mark_text(align="left", baseline="middle", color=alt.ExprRef("ink"))
        .encode(x=x, y=y, text="told:N")
    )
    return drawing(
        alt.layer(truth, line, dot, names),
        title="d²y/dx²",
        description="The second derivative against x, as it is and as autograd finds it.",
    )


def _table(found: Derivatives) -> str:
    second = "an error" if found.second is None else number(found.second)
    rows = [
        ("dy/dx = 2x", number(FIRST), f"**{number(found.first)}**"),
        ("d²y/dx² = 2", number(SECOND), f"**{second}**"),
    ]
    return markdown_table((f"y = x · relu(x) at x = {number(X)}", "the truth", "autograd"), rows)


def _verdict(second: float | None, *, passed_by: bool) -> str:
    """What the second derivative is worth. passed_by: whether the error was never reached."""
    if second is None:
        return (
            "The error is the better answer: without it you would have got a wrong number. This is "
            "what `once_differentiable` is for. Now compute the same by `torch.autograd.grad`."
        )
    if second == SECOND:
        return "**Right.** This backward can be differentiated again."
    told = (
        f"**Wrong, without any error.** dy/dx = relu(x) + x · relu′(x) has two parts that grow "
        f"with x, and {number(SECOND - second)} of {number(SECOND)} is missing: the part that went "
        "through this backward is a constant to autograd. "
    )
    if passed_by:
        told += (
            "`first.backward()` visits every node behind `first`, and so meets the error. "
            "`grad(first, x)` visits only nodes that lead to x, and the one with the error leads "
            "nowhere. The decorator does not protect against this call. "
        )
    return told + (
        "`torch.autograd.gradgradcheck` compares second derivatives with differences of first "
        "ones, and objects to both backwards with NumPy in them."
    )
