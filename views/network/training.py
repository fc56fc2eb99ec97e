"""The network of two layers with a custom ReLU, with PyTorch's, and as a static graph.

What follows the player on the page. All engines of the network are named here, with how they look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from engines.network import numpy_by_hand, tf_own_relu, tf_session, torch_own_relu
from engines.network.compare import RATE, STEPS, TOLERANCE, Run, draw, run_and_compare
from engines.trace import thin
from views.player import Figure, Readout, Series, every_step, live, now, show, some_steps
from views.ui.controls import Controls
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import BEST, ENGINES, GRADIENT, MODEL, Look
from views.ui.shell import side_by_side
from views.ui.slow_run import Follow, slow

Runs = Mapping[str, Run]

TRAIN: Mapping[str, Callable[..., Any]] = {
    "MyReLU": torch_own_relu.train,
    "torch.relu": lambda *arrays, **how: torch_own_relu.train(
        *arrays, **how, relu=lambda h: h.relu()
    ),
    "clamp": lambda *arrays, **how: torch_own_relu.train(
        *arrays, **how, relu=lambda h: h.clamp(min=0)
    ),
    "numpy": numpy_by_hand.train,
    "custom_gradient": tf_own_relu.train,
    "static graph": tf_session.train,
}
UNITS_IN_ALL = 100
INSPECTED = thin(STEPS + 1, 60)  # the steps whose weights and gradients are inspected
DTYPES = {"float32": "32 bits", "float64": "64 bits"}
LOOKS = {
    "MyReLU": Look("PyTorch with MyReLU", GRADIENT),
    "torch.relu": Look("PyTorch with torch.relu", ENGINES["numpy_loops"].color, (8, 8)),
    "static graph": Look("TensorFlow, as a static graph", ENGINES["tf_session"].color, (2, 6)),
}
OURS, *OTHERS = LOOKS
LAYERS = {"grad_w1": Look("w1", MODEL), "grad_w2": Look("w2", BEST, (6, 4))}
UNITS = {
    "active": Look("active, for an input on average", MODEL),
    "dead": Look("dead, for the whole batch", GRADIENT, (6, 4)),
}


# ---- The runs


def train_all(follow: Follow, looks: Mapping[str, Look], dtype: str) -> Runs:
    """Engines of TRAIN from the same arrays, each with a progress bar; compared with the first.

    One after the other: a second where nothing else runs, and far more where the processors are
    busy, because each product waits for the slowest of its threads.
    """
    arrays = draw(0, dtype)
    runs = {}
    for name, look in looks.items():
        steps = TRAIN[name](*arrays, steps=STEPS, learning_rate=RATE)
        said = f"{look.label}: step {{:,}} of {{:,}}. To stop, switch it off."
        runs[name] = follow(steps, STEPS, said)
    return run_and_compare(runs, arrays[0], at=INSPECTED)


@slow
def _trained(follow: Follow, dtype: str) -> Runs:
    return train_all(follow, LOOKS, dtype)


def chosen(controls: Controls) -> str | None:
    """The type of the arrays if training is asked for, which is chosen in `tell`, further down."""
    dtype = str(controls.chosen("dtype", DTYPES, "float32"))
    on: Any = ("true", True)  # in the address, and as the switch itself has it
    return dtype if controls.chosen("train_network", on, "false") in on else None


def trained(dtype: str | None) -> Runs:
    """The three runs, from the same arrays, with progress if they are new; none without a dtype."""
    return {} if dtype is None else _trained(dtype)


def series(runs: Runs) -> dict[str, Series]:
    """What the player has of the run with MyReLU: its loss, and what is inspected at some steps."""
    if not runs:
        return {}
    ours = runs[OURS]
    columns = {name: np.asarray(getattr(ours, name)) for name in (*UNITS, *LAYERS)}
    columns["counted"] = ours.at.astype(np.float64)
    return every_step({"loss": ours.losses}) | some_steps(columns, ours.at)


def readout(runs: Runs, moments: int) -> Readout:
    """For the player: the loss, which a slow motion of so many moments does not know."""
    return {"loss": (moments, None)} if runs else {}


# ---- What is shown


def tell(controls: Controls, runs: Runs) -> None:
    """The switch, and of the runs four pictures that follow the player, and the verdict."""
    on = controls.flag("Train it, in three ways", "train_network")
    dtype = controls.choice(st.pills, "Precision", "dtype", DTYPES, "float32", required=True)
    if not runs:
        stopped = _trained.stopped()
        if stopped is not None and not on:
            st.markdown(f"Stopped at step {stopped:,}, and nothing was kept.")
        return
    live(_units_now(), key="relu_network now")
    for pair in (("losses", "apart"), ("units", "layers")):
        for place, name in zip(side_by_side(2), pair, strict=True):
            with place:
                show(chart(name, runs), key=f"relu_network {name}", height=330, in_hall=560)
    st.markdown(verdict(runs, str(dtype)))


def _units_now() -> str:
    """HTML: what there is to say of the hidden layer and the gradients at the step shown."""
    return (
        f"<p>At step <b>{now('counted', digits=0)}</b>, the last one inspected, "
        f"<b>{now('active', digits=4)}</b> of the {UNITS_IN_ALL} hidden units are active for an "
        f"input, on average; <b>{now('dead', digits=0)}</b> are dead, which is to say active for "
        "no input of the batch. The length of the gradient is "
        f"<b>{now('grad_w1', digits=3)}</b> for w1 and <b>{now('grad_w2', digits=3)}</b> for w2."
        "</p>"
    )


def verdict(runs: Runs, dtype: str) -> str:
    """How far the runs are apart, in Markdown."""
    ours = runs[OURS]
    told = [
        f"With **{LOOKS[name].label}**, the largest difference of any weight from the run with "
        f"MyReLU, at the {len(ours.at)} steps inspected, is "
        f"**{gap(runs[name].weights_apart.max())}**, and the largest difference of the losses, "
        f"over the first loss, **{gap(runs[name].loss_apart.max())}**."
        for name in OTHERS
    ]
    farthest = max(float(runs[name].weights_apart.max()) for name in OTHERS)
    allowed = number(TOLERANCE[dtype], 1)
    told.append(
        f"Less than {allowed} is what rounding with {DTYPES[dtype]} leaves between runs "
        "that do the same: they are one derivative, written in three ways, but at 0, where h "
        "hardly ever is."
        if farthest < TOLERANCE[dtype]
        else f"That is more than the {allowed} that rounding with {DTYPES[dtype]} leaves "
        "between runs that do the same."
    )
    told.append(
        f"The loss falls from {number(ours.losses[0], 2)} to {number(ours.losses[-1], 2)}, so its "
        "differences are given over its first value: over the last, the smallest of them would "
        "look large."
    )
    return " ".join(told)


def gap(value: float) -> str:
    """A largest difference, in words where there is none."""
    return number(value, 2) if value else "0, to the last bit"


# ---- Pictures


def chart(name: str, runs: Runs) -> Figure:
    """losses, apart, units or layers, with a dot on each line at the step shown."""
    ours = runs[OURS]
    if name == "losses":
        shown = [Line(LOOKS[one], run.losses) for one, run in runs.items()]
        return _following(shown, "The loss of all three", "loss")
    if name == "apart":
        # A run that is equal to the last bit has no line on a logarithmic axis.
        seen = [one for one in OTHERS if runs[one].weights_apart.any()] or OTHERS
        shown = [Line(LOOKS[one], runs[one].weights_apart, runs[one].at) for one in seen]
        return _following(
            shown, "How far the weights are from those with MyReLU", "largest difference"
        )
    looks = UNITS if name == "units" else LAYERS
    shown = [Line(look, getattr(ours, one), ours.at) for one, look in looks.items()]
    if name == "units":
        return _following(shown, f"Hidden units, of {UNITS_IN_ALL}", "units", highest=UNITS_IN_ALL)
    return _following(shown, "The length of each layer's gradient", "length")


def _following(
    shown: Sequence[Line], title: str, y: str, *, highest: float | None = None
) -> Figure:
    return lines(
        shown,
        title=title,
        y=y,
        description=f"{title}, against step; a dot on each line at the step shown.",
        log=highest is None,
        highest=highest,
        follows=True,
    )
