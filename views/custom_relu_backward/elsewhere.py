"""The same elsewhere: one network in five implementations, and how far apart their weights are."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from engines.listing import source_of
from engines.network import numpy_by_hand, tf_own_relu, tf_session, torch_own_relu
from engines.network.compare import RATE, STEPS, TOLERANCE, Run, draw, run_and_compare
from views.custom_relu_backward.runs import code_of, network
from views.custom_relu_backward.training import DTYPES, INSPECTED
from views.player import (
    WHOLE_STEPS,
    Figure,
    Timeline,
    cached,
    every_step,
    listing,
    live,
    now,
    say,
    show,
    some_steps,
)
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import DATA, ENGINES, Look
from views.ui.shell import Here
from views.ui.slow_run import Follow, slow
from views.ui.staging import beside, stage
from views.ui.table import markdown_table

Runs = Mapping[str, Run]

# By engine; the first is the one that the others are compared with.
FIVE = {
    "MyReLU": Look("MyReLU", ENGINES["torch_autograd"].color),
    "torch.relu": Look("torch.relu", DATA, (2, 4)),
    "numpy": Look("NumPy", ENGINES["numpy_vectorized"].color),
    "custom_gradient": Look("TF, tape", ENGINES["tf_tape"].color),
    "static graph": Look("TF, graph", ENGINES["tf_session"].color, (8, 8)),
}
OURS = "MyReLU"
TRAIN: Mapping[str, Callable[..., Any]] = {
    "MyReLU": torch_own_relu.train,
    "torch.relu": lambda *arrays, **how: torch_own_relu.train(
        *arrays, **how, relu=lambda h: h.relu()
    ),
    "numpy": numpy_by_hand.train,
    "custom_gradient": tf_own_relu.train,
    "static graph": tf_session.train,
}
WHOLE = {name: train for name, train in TRAIN.items() if name != "torch.relu"}
LISTINGS: Mapping[str, tuple[Callable[..., Any], ...]] = {
    "numpy": (numpy_by_hand.train,),
    "custom_gradient": (tf_own_relu.my_relu, tf_own_relu.train),
    "static graph": (tf_session.train,),
    "MyReLU": (torch_own_relu.MyReLU, torch_own_relu.train),
}
LABELS = {
    "numpy": "NumPy, by hand",
    "custom_gradient": "TensorFlow, custom_gradient",
    "static graph": "TensorFlow, static graph",
    "MyReLU": "PyTorch, MyReLU",
}
OPENS = 200
MEANWHILE = (
    "One network, written five times: in PyTorch twice, in NumPy by hand, and in TensorFlow with a "
    "tape and as a graph. <b>All five are trained now</b>, from the same numbers. One listing is "
    "there to read meanwhile."
)


def show_stage(here: Here) -> tuple[Runs, str]:
    """A listing, the loss of all five and how far their weights are apart.

    Returns the runs, and the type of their arrays.
    """
    with here.settings, st.popover("Settings"):
        dtype = here.controls.pills("Precision", "dtype", DTYPES, "float64")
    with stage(here) as play:
        name = here.controls.pills(
            "Listing", "listing", LABELS, "numpy", label_visibility="collapsed"
        )
        story = st.empty()
        with story:
            live(f'<div class="story"><p class="on">{MEANWHILE}</p></div>', key="meanwhile")
        losses, apart, code = beside([4, 4, 5])
        with code:
            listing(_listing(name), {}, title=LABELS[name], key="code")
        with losses:
            runs = five(dtype)
            timeline = _timeline(runs, dtype)
            show(_losses(runs), key="losses")
        with apart:
            show(weights_apart(runs), key="apart")
        play(
            timeline,
            ran={
                FIVE[one].label: network(
                    train, runs[one].losses, dtype=dtype, steps=STEPS, rate=RATE
                )
                for one, train in WHOLE.items()
            },
            begin=(OPENS, None),
            stops=[1, 100],
            readout={"loss": (0, None)},
            whose=FIVE[OURS].label,
            table={"loss": "loss"}
            | {
                f"weights apart, {FIVE[name].label}": f"apart_{name}"
                for name in FIVE
                if name != OURS
            },
        )
        with story:
            say(_told(runs, dtype))
    return runs, dtype


def tell(runs: Runs, dtype: str) -> None:
    """Below the stage: how far the five are apart, in words and in a table."""
    st.markdown(verdict(runs, dtype))
    st.markdown(_table(runs))


@slow
def five(follow: Follow, dtype: str) -> Runs:
    """All five from the same arrays, one after the other, with a bar; compared with the first."""
    arrays = draw(0, dtype)
    runs = {}
    for i, (name, look) in enumerate(FIVE.items(), start=1):
        steps = TRAIN[name](*arrays, steps=STEPS, learning_rate=RATE)
        runs[name] = follow(
            steps, STEPS, f"{i} of {len(FIVE)}, {look.label}: step {{:,}} of {{:,}}."
        )
    return run_and_compare(runs, arrays[0], at=INSPECTED)


@cached
def _timeline(_runs: Runs, dtype: str) -> Timeline:
    """What the player plays. dtype: what tells the runs apart."""
    ours = _runs[OURS]
    apart = {f"apart_{name}": run.weights_apart for name, run in _runs.items() if name != OURS}
    apart["farthest"] = np.max(list(apart.values()), axis=0)
    return Timeline(
        every_step({"loss": ours.losses}) | some_steps(apart, ours.at), STEPS, parts=WHOLE_STEPS
    )


def _listing(name: str) -> str:
    """The listing, without the first lines of `train`, which only name and tell its arguments."""
    *others, train = (code_of(source_of(function)) for function in LISTINGS[name])
    body = train.partition("Iterator[Step]:\n")[2]
    return "\n\n".join([*others, textwrap.dedent(body)])


def _told(runs: Runs, dtype: str) -> str:
    """HTML: what the step shown has of the five."""
    return (
        "The chain rule is the same in all five: by hand, in a tape, in a graph. At this step "
        f"no weight is farther than <b>{now('farthest', digits=2)}</b> from that of MyReLU's "
        f"network, with {DTYPES[dtype]}: the libraries add in different orders, and what is left "
        "is rounding."
    )


def verdict(runs: Runs, dtype: str) -> str:
    """How far the five are apart, in Markdown."""
    _, *others = runs
    apart = max(runs[name].weights_apart.max() for name in others)
    loss_apart = max(runs[name].loss_apart.max() for name in others)
    holds = "less" if apart < TOLERANCE[dtype] else "**more**"
    losses = runs[OURS].losses
    end = max(abs(runs[name].losses[-1] - losses[-1]) for name in others) / losses[-1]
    told = (
        f"At the {len(INSPECTED)} steps inspected, no weight is farther than **{gap(apart)}** "
        f"from that of the network with `MyReLU`: {holds} than the {number(TOLERANCE[dtype], 1)} "
        f"that the tests of this project allow with {DTYPES[dtype]}. What is left is rounding: "
        "libraries add the numbers of a product in different orders.\n\n"
        f"No loss is farther from that of MyReLU than **{gap(loss_apart)}** of the first one. Over "
        f"the loss of the last step it would be {number(end, 2)}: the loss falls by a factor of "
        f"{number(losses[0] / losses[-1], 1)}, y_pred comes so near to y that their difference is "
        "made of the last digits, and rounding looks like a disagreement."
    )
    if any(run.weights_apart.max() > 2 * run.weights_apart[-1] for run in runs.values()):
        told += (
            " Where weights are farther apart for a step, a hidden value has changed its sign one "
            "step sooner in one of the networks, and ReLU lets its gradient through in only one."
        )
    if same := [FIVE[name].label for name in others if not runs[name].weights_apart.any()]:
        told += f" Equal to it in every bit, and so without a line of its own: *{', '.join(same)}*."
    return told


def gap(value: float) -> str:
    """A largest difference, in words where there is none."""
    return number(value, 2) if value else "0, to the last bit"


def _table(runs: Runs) -> str:
    heads = ["program", "last loss", "weights apart", "loss apart"]
    rows = [
        [
            FIVE[name].label,
            number(run.losses[-1], 4),
            number(run.weights_apart.max(), 2),
            number(run.loss_apart.max(), 2),
        ]
        for name, run in runs.items()
    ]
    return markdown_table(heads, rows)


def _losses(runs: Runs) -> Figure:
    return lines(
        [Line(FIVE[name], run.losses) for name, run in runs.items()],
        title="The loss of all five",
        y="loss",
        description="The loss of each implementation against step, on a logarithmic axis.",
        follows=True,
    )


def weights_apart(runs: Runs) -> Figure:
    """A line for each run that differs from the first."""
    _, *others = runs.items()
    return lines(
        [
            Line(FIVE[name], run.weights_apart, run.at[: len(run.weights_apart)])
            for name, run in others
            if run.weights_apart.any()
        ],
        title="Weights apart",
        y="largest difference",
        description=(
            "How far the weights of each implementation are from those of the network with "
            "MyReLU, against step, on a logarithmic axis."
        ),
        follows=True,
    )
