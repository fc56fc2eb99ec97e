"""One network in five implementations, and how far apart their weights are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from engines.listing import source_of
from engines.network import numpy_by_hand, tf_own_relu, tf_session, torch_own_relu
from engines.network.compare import TOLERANCE
from views.network.training import DTYPES, INSPECTED, Runs, gap, train_all
from views.player import Figure, show
from views.ui.controls import Controls
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import BEST, ENGINES, GRADIENT, MODEL, Look
from views.ui.shell import side_by_side
from views.ui.slow_run import Follow, slow
from views.ui.table import markdown_table

# By engine; the first is the one that the others are compared with.
FIVE = {
    "MyReLU": Look("PyTorch, MyReLU", ENGINES["torch_autograd"].color),
    "clamp": Look("PyTorch, clamp(min=0)", GRADIENT, (2, 4)),
    "numpy": Look("NumPy, by hand", MODEL),
    "custom_gradient": Look("TensorFlow, custom_gradient", ENGINES["tf_tape"].color),
    "static graph": Look("TensorFlow, static graph", BEST, (8, 8)),
}
FRAMEWORKS = {
    "static graph": Look("TensorFlow, as a static graph", ENGINES["tf_session"].color),
    # The other is seen between its dashes.
    "clamp": Look("PyTorch", ENGINES["torch_autograd"].color, (8, 8)),
}
GAPS = (Look("weights", BEST), Look("loss, over its first value", GRADIENT, (6, 4)))


@slow
def _five(follow: Follow, dtype: str) -> Runs:
    return train_all(follow, FIVE, dtype)


@slow
def _both(follow: Follow, dtype: str) -> Runs:
    return train_all(follow, FRAMEWORKS, dtype)


def _precision(controls: Controls, key: str) -> str:
    """The chosen type of the arrays; float32 where all pills are off."""
    chosen = controls.choice(st.pills, "Precision", key, DTYPES, "float32", required=True)
    return chosen or "float32"


# ---- Five implementations


def five_engines(controls: Controls) -> None:
    """The listings; and if it is asked for, all five trained and compared: some seconds."""
    with st.expander("By hand in NumPy, with a tape, and as a static graph: the listings"):
        tabs = st.tabs(["NumPy, by hand", "tf.custom_gradient", "TensorFlow, static graph"])
        by_hand, with_tape, static = tabs
        _code(by_hand, numpy_by_hand.train)
        _code(with_tape, tf_own_relu.my_relu, tf_own_relu.train)
        _code(static, tf_session.train)
    if not controls.flag("Train all five", "train_five_engines"):
        if (stopped := _five.stopped()) is not None:
            st.markdown(f"Stopped at step {stopped} of one of the five. Nothing was kept.")
        return
    dtype = _precision(controls, "five_engines_dtype")
    runs = _five(dtype)
    st.markdown(verdict(runs, dtype))
    st.markdown(_table(runs))
    if any(run.weights_apart.any() for run in runs.values()):
        show(weights_apart(runs), key="weights apart of five", height=380, in_hall=640)


def _code(place: Any, *functions: Callable[..., Any]) -> None:
    source = "\n\n".join(source_of(function) for function in functions)
    place.code(source, language="python", wrap_lines=True)


def verdict(runs: Runs, dtype: str) -> str:
    """How far the five are apart, in Markdown."""
    _, *others = runs
    apart = max(runs[name].weights_apart.max() for name in others)
    loss_apart = max(runs[name].loss_apart.max() for name in others)
    holds = "less" if apart < TOLERANCE[dtype] else "**more**"
    losses = next(iter(runs.values())).losses
    told = (
        f"At the {len(INSPECTED)} steps inspected, no weight is farther than **{gap(apart)}** "
        f"from that of the network with `MyReLU`: {holds} than the {number(TOLERANCE[dtype], 1)} "
        f"that the tests of this project allow with {DTYPES[dtype]}. No loss is farther from its "
        f"loss than **{gap(loss_apart)}** of the first one; meanwhile the loss falls by a factor "
        f"of {number(losses[0] / losses[-1], 1)}. What is left is rounding: libraries add the "
        "numbers of a product in different orders."
    )
    if same := [FIVE[name].label for name in others if not runs[name].weights_apart.any()]:
        told += f" Equal to it in every bit, and so without a line of its own: *{', '.join(same)}*."
    return told


def _table(runs: Runs) -> str:
    heads = ["", "first loss", "last loss", "weights apart, at most", "loss apart, of the first"]
    rows = [
        [
            FIVE[name].label,
            number(run.losses[0], 8),
            number(run.losses[-1], 4),
            number(run.weights_apart.max(), 2),
            number(run.loss_apart.max(), 2),
        ]
        for name, run in runs.items()
    ]
    return markdown_table(heads, rows)


def weights_apart(runs: Runs) -> Figure:
    """A line for each run that differs from the first."""
    _, *others = runs.items()
    return lines(
        [
            Line(FIVE[name], run.weights_apart, run.at[: len(run.weights_apart)])
            for name, run in others
            if run.weights_apart.any()
        ],
        title="Weights apart from MyReLU's",
        y="largest difference",
        description=(
            "How far the weights of each implementation are from those of the network with "
            "MyReLU, against step, on a logarithmic axis."
        ),
    )


# ---- Two frameworks


def in_both_frameworks(controls: Controls) -> None:
    """TensorFlow's static graph and PyTorch from the same arrays, for the page on static graphs.

    Trained only if that is asked for.
    """
    with st.expander("The two listings"):
        static, dynamic = side_by_side(2)
        static.caption("network/tf_session.py")
        _code(static, tf_session.train)
        dynamic.caption("network/torch_own_relu.py, here with relu=lambda h: h.clamp(min=0)")
        _code(dynamic, torch_own_relu.train)
    if not controls.flag("Train it in both", "train_both_frameworks"):
        return
    dtype = _precision(controls, "dtype")
    runs = _both(dtype)
    for paragraph in both_told(runs, dtype):
        st.markdown(paragraph)
    left, right = side_by_side(2)
    with left:
        show(_losses(runs), key="losses of two layers", height=300, in_hall=520)
    with right:
        show(gaps(runs), key="gaps of two layers", height=300, in_hall=520)


def both_told(runs: Runs, dtype: str) -> list[str]:
    """What there is to say of the two runs, in Markdown."""
    ours, theirs = runs["static graph"], runs["clamp"]
    losses, apart = ours.losses, theirs.weights_apart
    end = abs(losses[-1] - theirs.losses[-1])
    told = [
        f"After {len(losses) - 1} steps with {DTYPES[dtype]}, the largest difference of a weight "
        f"is **{gap(apart[-1])}**; at the {len(apart)} steps inspected it is never more than "
        f"{gap(apart.max())}. The losses are never farther apart than "
        f"**{gap(theirs.loss_apart.max())}** of the first loss. Both frameworks round every sum to "
        "the bits they have, but they do not add in the same order, and this is what is left.",
        f"The loss falls from {number(losses[0], 2)} to {number(losses[-1], 2)}: y_pred comes so "
        "near to y that their difference is made of the last digits, where the rounding is. "
        "Divided by the loss of its own step, the difference of the losses would be "
        f"{number(end / losses[-1], 2)} at the end, and would look like a disagreement between "
        "the frameworks.",
    ]
    if apart.max() > 2 * apart[-1]:
        told.append(
            "Where the weights are farther apart for a step, a hidden value has changed its sign "
            "one step sooner in one framework than in the other, and ReLU lets its gradient "
            "through in only one of them. A step later the other has followed."
        )
    return told


def _losses(runs: Runs) -> Figure:
    return lines(
        [Line(look, runs[name].losses) for name, look in FRAMEWORKS.items()],
        title="The loss in both",
        y="loss",
        description="The loss of both frameworks against step, on a logarithmic axis.",
    )


def gaps(runs: Runs) -> Figure:
    """The difference of the weights, and of the losses over the first one."""
    theirs = runs["clamp"]
    weights, loss = GAPS
    return lines(
        [Line(weights, theirs.weights_apart, theirs.at), Line(loss, theirs.loss_apart)],
        title="How far apart they are",
        y="difference",
        description=(
            "The largest difference of a weight, and the difference of the losses over the first "
            "one, against step, on a logarithmic axis."
        ),
    )
