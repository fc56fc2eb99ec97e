"""The slope of a ReLU at zero: what each framework returns, and where training notices it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from engines.custom_relu_backward import slope_at_zero as engine
from engines.custom_relu_backward.design import Design, function_of
from engines.custom_relu_backward.slope_at_zero import Slopes, Start, Training
from views.player import Figure, cached, show
from views.ui.controls import Controls
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import BEST, GRADIENT, MODEL, QUIET, Look
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.table import markdown_table

FIRST, SECOND = "tf.maximum(x, 0.0)", "tf.maximum(0.0, x)"
OFFERED = ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0))
USUAL = {0.0: (QUIET, (1, 0)), 0.5: (MODEL, (10, 6)), 1.0: (GRADIENT, (4, 6))}
STEPS, RATE, SEED = 200, 1e-4, 0  # a rate at which none of the three starts diverges
ENTRIES = engine.BATCH * engine.HIDDEN  # of h, the input to the ReLU
STARTS: dict[Start, tuple[str, str]] = {
    "random": ("Random numbers", "x and w1 come from a normal distribution."),
    "integers": ("Whole numbers", "Every entry of x and of w1 is −1, 0 or 1."),
    "zeros": ("w1 starts at zero", "x is random, and every entry of w1 is 0."),
}

_slopes = cached(engine.slopes)


def compare_slopes(controls: Controls) -> None:
    """Ask for two slopes, show those of all ReLUs, and train with some if that is asked for."""
    slopes = _slopes()
    right = _each(slopes[FIRST].at_zero, slopes[SECOND].at_zero)
    answers = {one: one for one in (*(_each(*pair) for pair in OFFERED), right)}
    question = (
        f"In TensorFlow, `{FIRST}` and `{SECOND}` are the same function. Which slope does each "
        "have at x = 0?"
    )
    if predicted(question, answers, right, key="slope at zero"):
        st.markdown(_table(slopes))
        st.markdown(
            "A maximum of two has to decide which of them gets the gradient when both are equal. "
            "TensorFlow gives all of it to the first argument; PyTorch gives half to each. The two "
            "functions called relu let it pass where their output is positive, and a clamp lets it "
            "pass where x is within its bounds, edges included. In x · (x > 0) the comparison "
            "counts as a constant, which is 0 at 0. And |x| is given the slope 0 in the middle of "
            "its own kink, so (x + |x|) / 2 has the slope ½.\n\n"
            "None of them is wrong. A straight line through the kink with any slope from 0 to 1 "
            "lies nowhere above the function. Such a slope is called a **subgradient**."
        )
    st.markdown("#### Does it matter in training?")
    slope = controls.number(
        "Your own slope at zero", "slope", 0.3, 0.0, 1.0, step=0.1, format="%g", width=240
    )
    if controls.flag("Train with 0, with ½, with 1 and with yours", "train_slopes"):
        _train_each(slope)


def _each(first: float, second: float) -> str:
    if first == second:
        return f"{first:g} for both"
    return f"{first:g} for the first, {second:g} for the second"


def _table(slopes: Mapping[str, Slopes]) -> str:
    """Markdown: every expression with its slopes, sorted by the one at zero."""
    rows = [
        (f"`{expression}`", f"**{number(at_zero)}**", framework, *map(number, (value, left, right)))
        for expression, (framework, value, left, at_zero, right) in sorted(
            slopes.items(), key=lambda item: item[1].at_zero
        )
    ]
    heads = ("written as", "slope at 0", "in", "value at 0", "slope at −1", "slope at 1")
    return markdown_table(heads, rows)


# ---- In training


def _train_each(slope: float) -> None:
    """The same small network from three starts, with each slope: its losses, and why."""
    bar, slopes = st.empty(), tuple(dict.fromkeys((*USUAL, slope)))
    places = side_by_side(len(STARTS))
    for i, (place, (kind, (label, about))) in enumerate(zip(places, STARTS.items(), strict=True)):
        runs = {}
        for j, one in enumerate(slopes):
            # The bar is moved between any two runs, so that a control that is moved stops the rest.
            done, said = i * len(slopes) + j, f"Training: {label}, slope {one:g}."
            bar.progress(done / (len(STARTS) * len(slopes)), said)
            runs[one] = _train(kind, one)
        with place:
            show(_losses(runs, kind, slope), key=f"slopes from {kind}", height=400, in_hall=600)
            st.markdown(f"{about} {_how_they_went(runs)}")
    bar.empty()
    st.markdown(
        "So the slope at zero matters where a ReLU is given many exact zeros: from whole numbers, "
        "or from weights that all start at zero. With numbers drawn from a continuous "
        "distribution, a sum of products is hardly ever exactly 0."
    )


@cached
def _train(kind: Start, slope: float) -> Training:
    relu = function_of(Design("slopes", below=0, at=slope, above=1))
    return engine.train(relu, kind, SEED, steps=STEPS, learning_rate=RATE)


def _how_they_went(runs: Mapping[float, Training]) -> str:
    """How many entries of h were exactly zero, and how that changed the runs."""
    losses = np.array([run.losses for run in runs.values()])  # (runs, steps + 1)
    zeros = np.array([run.zeros for run in runs.values()])
    last, ends = losses.shape[1] - 1, losses[:, -1]
    if not zeros.any():
        why = f"At no step is any of the {ENTRIES:,} entries of h exactly 0."
    elif zeros[0, 0] == ENTRIES:
        why = f"At the start, all **{ENTRIES:,}** entries of h are exactly 0."
    else:
        why = f"At the start, **{zeros[0, 0]:,}** of the {ENTRIES:,} entries of h are exactly 0."
    stuck = [slope for slope, run in runs.items() if not np.ptp(run.losses)]
    if (losses == losses[0]).all():
        return f"{why} All {len(runs)} runs are **equal to the last bit**, from step 0 to {last}."
    if stuck:
        others = [run.losses[-1] for slope, run in runs.items() if slope not in stuck]
        with_slope = " and with ".join(number(slope, 1) for slope in stuck)
        return (
            f"{why} With the slope {with_slope} **it never learns**: the loss stays at "
            f"{number(losses[0, 0], 4)}. No gradient reaches w1, because it is multiplied by the "
            "slope at 0; and none reaches w2, because all of h_relu is 0. The others end between "
            f"{number(min(others), 4)} and {number(max(others), 4)}."
        )
    apart = np.ptp(losses, axis=0).max() / losses[0, 0]
    return (
        f"{why} The losses differ by up to **{apart:.1%}** of the first loss. After {last} steps "
        f"they are between {number(ends.min(), 4)} and {number(ends.max(), 4)}."
    )


def _losses(runs: Mapping[float, Training], kind: Start, slope: float) -> Figure:
    return lines(
        [
            Line(Look(_label(one, slope), *USUAL.get(one, (BEST, (2, 3)))), run.losses)
            for one, run in runs.items()
        ],
        title=STARTS[kind][0],
        y="loss",
        description="The loss with each slope at zero, against step, on a logarithmic axis.",
    )


def _label(one: float, own: float) -> str:
    return f"slope {one:g}, yours" if one == own else f"slope {one:g}"
