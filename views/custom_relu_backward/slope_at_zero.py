"""The slope of a ReLU at zero: what each framework returns, and where training notices it."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.custom_relu_backward import slope_at_zero as engine
from engines.custom_relu_backward.design import Design, function_of
from engines.custom_relu_backward.slope_at_zero import Slopes, Start, Training
from engines.standalone import calling
from views.player import (
    Drawing,
    Figure,
    Filling,
    cached,
    drawing,
    live,
    picture,
    readable,
    say,
    show,
    sized,
)
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import DATA, GRADIENT, MODEL, OTHER, QUIET, Look
from views.ui.prediction import predicted
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import html_table

FIRST, SECOND = "tf.maximum(x, 0.0)", "tf.maximum(0.0, x)"
OFFERED = ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0))
USUAL = {0.0: (QUIET, (1, 0)), 0.5: (OTHER, (10, 6)), 1.0: (DATA, (4, 6))}
STEPS, RATE, SEED = 200, 1e-4, 0  # a rate at which none of the three starts diverges
ENTRIES = engine.BATCH * engine.HIDDEN  # of h, the input to the ReLU
STARTS: dict[Start, tuple[str, str]] = {
    "random": ("Random numbers", "x and w1 come from a normal distribution."),
    "integers": ("Whole numbers", "Every entry of x and of w1 is −1, 0 or 1."),
    "zeros": ("w1 starts at zero", "x is random."),
}

_slopes = cached(engine.slopes)


def show_stage(here: Here) -> bool:
    """The kink and the lines through it, the question and its answer, and where it matters.

    Returns whether somebody has answered.
    """
    with stage(here) as play:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            labels = {kind: label for kind, (label, _) in STARTS.items()}
            started = here.controls.pills("Train a small network from", "start", labels, "zeros")
            slope = here.controls.number(
                "Your own slope at zero", "slope", 0.3, 0.0, 1.0, step=0.1, width=200
            )
        kind: Start = started if started in STARTS else "zeros"
        runs = {one: _train(kind, one) for one in dict.fromkeys((*USUAL, slope))}
        say(
            "At its corner max(x, 0) has no slope, and a program picks one. "
            f"<b>{STARTS[kind][0]}:</b> {STARTS[kind][1]} {_how_they_went(runs)}"
        )
        kink, answer, losses = beside([3, 5, 4])
        with kink:
            show(_kink(slope), key="kink")
        with losses:
            show(_losses(runs, slope), key="losses")
        with answer:
            answered = _ask()
            live(_nine(_slopes(), answered), key="nine")
        if answered:
            play(ran={"": calling(engine.slopes)})
    return answered


def tell() -> None:
    """Below the stage, once the question is answered: what each of them returns."""
    live(_table(_slopes()), key="slopes")


def _ask() -> bool:
    slopes = _slopes()
    right = _each(slopes[FIRST].at_zero, slopes[SECOND].at_zero)
    answers = {one: one for one in (*(_each(*pair) for pair in OFFERED), right)}
    question = (
        f"In TensorFlow, `{FIRST}` and `{SECOND}` are the same function. Which slope does each "
        "have at x = 0?"
    )
    return predicted(question, answers, right, key="slope at zero")


def _nine(slopes: Mapping[str, Slopes], answered: bool) -> str:
    """HTML: the nine ways to write a ReLU; once it is answered, by their slope at zero."""
    written: dict[str, list[str]] = {}
    ways = slopes.items()
    # In the order of their slopes they would tell it.
    for expression, one in sorted(ways, key=lambda way: way[1].at_zero) if answered else ways:
        slope = number(one.at_zero) if answered else "?"
        written.setdefault(slope, []).append(f"<code>{expression}</code>")
    rows = [(f"<b>{slope}</b>", ", ".join(ways)) for slope, ways in written.items()]
    return html_table(("slope at 0", "written as"), rows)


@picture
def _kink(slope: float) -> Filling:
    ends = np.array([-1.0, 1.0])
    parts = [
        pd.DataFrame({"x": ends, "y": one * ends, "slope": one, "own": one == slope})
        for one in dict.fromkeys((*USUAL, slope))
    ]
    function = pd.DataFrame({"x": [-1.0, 0.0, 1.0], "y": [0.0, 0.0, 1.0]})
    return {"function": function, "through": pd.concat(parts)}, {}


@_kink.drawing
def _() -> Drawing:
    axis = alt.Axis(values=[-1, 0, 1], format="~g")
    x = alt.X("x:Q", scale=alt.Scale(domain=[-1, 1], nice=False), axis=axis)
    lower = alt.Scale(domain=[-1.2, 1], nice=False)  # room for the lowest label
    y = alt.Y("y:Q", title=None, scale=lower, axis=axis)
    through = alt.Chart(alt.NamedData("through")).encode(x=x, y=y, detail="slope:Q")
    usual = through.transform_filter("!datum.own").mark_line(
        color=QUIET, strokeDash=[4, 4], strokeWidth=sized(1.5, 3)
    )
    own = through.transform_filter("datum.own").mark_line(color=GRADIENT, strokeWidth=sized(2.5, 5))
    function = (
        alt.Chart(alt.NamedData("function"))
        .mark_line(color=MODEL, strokeWidth=sized(4, 8))
        .encode(x=x, y=y)
    )
    labels = readable(
        through.transform_filter("datum.x < 0").encode(text=alt.Text("slope:Q", format="~g")),
        align="left",
        baseline="top",
        dx=4,
        dy=3,
        color=alt.ExprRef("ink"),
    )
    return drawing(
        usual + function + own + labels,
        title="Lines by their slope",
        description="The function max(x, 0), and lines through 0 with the slopes 0, ½, 1 and one "
        "of the visitor's own, which lie nowhere above it.",
    )


def _each(first: float, second: float) -> str:
    if first == second:
        return f"{first:g} for both"
    return f"{first:g} for the first, {second:g} for the second"


def _table(slopes: Mapping[str, Slopes]) -> str:
    """HTML: every expression with its value at zero and its slopes."""
    rows = [
        (f"<code>{expression}</code>", *map(number, (one.value, one.left, one.at_zero, one.right)))
        for expression, one in slopes.items()
    ]
    return html_table(("written as", "value at 0", "slope at −1", "at 0", "at 1"), rows)


# ---- In training


@cached
def _train(kind: Start, slope: float) -> Training:
    relu = function_of(Design("slopes", below=0, at=slope, above=1))
    return engine.train(relu, kind, SEED, steps=STEPS, learning_rate=RATE)


def _how_they_went(runs: Mapping[float, Training]) -> str:
    """HTML: how many entries of h were exactly zero, and how that changed the runs."""
    losses = np.array([run.losses for run in runs.values()])  # (runs, steps + 1)
    zeros = np.array([run.zeros for run in runs.values()])
    last, ends = losses.shape[1] - 1, losses[:, -1]
    if not zeros.any():
        why = f"At no step is any of the {ENTRIES:,} entries of h exactly 0."
    elif zeros[0, 0] == ENTRIES:
        why = f"At the start, all <b>{ENTRIES:,}</b> entries of h are exactly 0."
    else:
        why = f"At the start, <b>{zeros[0, 0]:,}</b> of the {ENTRIES:,} entries of h are exactly 0."
    stuck = [slope for slope, run in runs.items() if not np.ptp(run.losses)]
    if (losses == losses[0]).all():
        return (
            f"{why} All {len(runs)} runs are <b>equal to the last bit</b>, from step 0 to {last}."
        )
    if stuck:
        others = [run.losses[-1] for slope, run in runs.items() if slope not in stuck]
        with_slope = " and with ".join(number(slope, 1) for slope in stuck)
        return (
            f"{why} With the slope {with_slope} <b>it never learns</b>: the loss stays at "
            f"{number(losses[0, 0], 4)}. No gradient reaches w1, because it is multiplied by the "
            "slope at 0; and none reaches w2, because all of h_relu is 0. The others end between "
            f"{number(min(others), 4)} and {number(max(others), 4)}."
        )
    apart = np.ptp(losses, axis=0).max() / losses[0, 0]
    return (
        f"{why} The losses differ by up to <b>{apart:.1%}</b> of the first loss. After {last} "
        f"steps they are between {number(ends.min(), 4)} and {number(ends.max(), 4)}."
    )


def _losses(runs: Mapping[float, Training], slope: float) -> Figure:
    return lines(
        [
            Line(Look(_label(one, slope), *USUAL.get(one, (GRADIENT, (2, 3)))), run.losses)
            for one, run in runs.items()
        ],
        title="Loss by slope at zero",
        y="loss",
        description="The loss with each slope at zero, against step, on a logarithmic axis.",
    )


def _label(one: float, own: float) -> str:
    return f"slope {one:g}, yours" if one == own else f"slope {one:g}"
