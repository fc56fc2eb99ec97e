"""The network of two layers with a ReLU of our own, with PyTorch's, and as a static graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.trace import thin
from views.player import (
    STEP,
    Figure,
    Readout,
    Series,
    between,
    cached,
    decades,
    drawn,
    every_step,
    figure,
    live,
    mark,
    now,
    show,
    some_steps,
    template,
)
from views.ui.controls import Controls
from views.ui.palette import BEST, ENGINES, GRADIENT, MODEL, Look
from views.ui.shell import side_by_side
from views.ui.slow_run import watched

Floats = NDArray[np.float64]

RATE, LAST_STEP = 1e-6, 500  # E10's
UNITS_IN_ALL = 100
STOPPED = "relu_network stopped"
KEPT = 60  # steps whose weights and gradients are looked at
LOSSES = 150  # steps at which a loss is drawn
DTYPES = {"float32": "32 bits", "float64": "64 bits"}
EQUAL = {"float32": 1e-4, "float64": 1e-12}  # weights this near to each other count as the same
LOOKS = {
    "MyReLU": Look("PyTorch with MyReLU", GRADIENT),
    "torch.relu": Look("PyTorch with torch.relu", ENGINES["numpy_loops"].color, (8, 8)),
    "tf.maximum": Look("TensorFlow, as a static graph", ENGINES["tf_session"].color, (2, 6)),
}
OURS, *OTHERS = LOOKS
LAYERS = {"grad_w1": Look("w1", MODEL), "grad_w2": Look("w2", BEST, (6, 4))}
UNITS = {
    "active": Look("active, for an input on average", MODEL),
    "dead": Look("dead, for the whole batch", GRADIENT, (6, 4)),
}


class Run(Protocol):
    """What is kept of a run; see engines.network.compare.Run."""

    losses: Floats
    loss_apart: Floats
    at: NDArray[np.intp]
    active: Floats
    dead: NDArray[np.intp]
    grad_w1: Floats
    grad_w2: Floats
    weights_apart: Floats


Runs = Mapping[str, Run]


# ---- The runs


def chosen(controls: Controls) -> str | None:
    """The type of the arrays if training is asked for, which is chosen in `tell`, further down."""
    dtype = str(controls.chosen("dtype", DTYPES, "float32"))
    on: Any = ("true", True)  # in the address, and as the switch itself has it
    return dtype if controls.chosen("train", on, "false") in on else None


def trained(engines: Any, dtype: str | None) -> Runs:
    """The three runs, from the same arrays, with progress if they are new; none without a dtype.

    One after the other: a second where nothing else runs, and far more where the processors are
    busy, because each product waits for the slowest of its threads.
    """
    if dtype is None:
        return {}
    known = _finished(dtype)
    if not known:
        arrays = engines.two_layers.draw(0, dtype)
        how = {"steps": LAST_STEP, "learning_rate": RATE}
        relu = engines.torch_slopes.relu_of("torch.relu(x)")
        steps = (
            engines.torch_function.train(*arrays, **how),
            engines.torch_function.train(*arrays, **how, relu=relu),
            engines.tf_two_layers.train(*arrays, **how),
        )
        runs = {
            name: watched(
                run,
                LAST_STEP,
                f"{look.label}: step {{:,}} of {{:,}}. To stop, switch it off.",
                key=STOPPED,
            )
            for (name, look), run in zip(LOOKS.items(), steps, strict=True)
        }
        at = thin(LAST_STEP + 1, KEPT)
        known.append(engines.two_layers.compare(runs, arrays[0], at=at))
    return known[0]


@cached
def _finished(dtype: str) -> list[Runs]:
    """Where the runs are kept for all visitors, once they have come to their end."""
    return []


def series(runs: Runs) -> dict[str, Series]:
    """What the player has of the run with MyReLU: its loss, and at some steps what is looked at."""
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
    on = controls.flag("Train it, in three ways", "train")
    dtype = controls.choice(st.pills, "Numbers of", "dtype", DTYPES, "float32", required=True)
    if not runs:
        stopped = st.session_state.pop(STOPPED, None)
        if stopped is not None and not on:
            st.markdown(f"Stopped at step {stopped:,}, and nothing was kept.")
        return
    live(_units_now(), key="relu_network now")
    for pair in (("losses", "apart"), ("units", "layers")):
        places = side_by_side(2)
        for place, name in zip(places, pair, strict=True):
            with place:
                drawing = _filled(name, runs, dtype)
                show(drawing, key=f"relu_network {name}", height=330, in_hall=560)
    st.markdown(verdict(runs, str(dtype)))


def _units_now() -> str:
    """HTML: what there is to say of the hidden layer and the gradients at the step shown."""
    return (
        f"<p>At step <b>{now('counted', digits=0)}</b>, the last one looked at, "
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
        f"MyReLU, at the {len(ours.at)} steps that are looked at, is "
        f"**{_size(runs[name].weights_apart.max())}**, and the largest difference of the losses, "
        f"over the first loss, **{_size(runs[name].loss_apart.max())}**."
        for name in OTHERS
    ]
    farthest = max(float(runs[name].weights_apart.max()) for name in OTHERS)
    told.append(
        f"Less than {EQUAL[dtype]:.0e} is what rounding with {DTYPES[dtype]} leaves between runs "
        "that do the same: they are one derivative, written in three ways, but at 0, where h "
        "hardly ever is."
        if farthest < EQUAL[dtype]
        else f"That is more than the {EQUAL[dtype]:.0e} that rounding with {DTYPES[dtype]} leaves "
        "between runs that do the same."
    )
    told.append(
        f"The loss falls from {ours.losses[0]:.1e} to {ours.losses[-1]:.1e}, so its differences "
        "are told over its first value: over the last, the smallest of them would look large."
    )
    return " ".join(told)


def _size(value: float) -> str:
    return f"{value:.1e}" if value else "0, to the last bit"


# ---- Pictures


@cached
def _filled(name: str, _runs: Runs, dtype: str | None) -> Figure:
    ours = _runs[OURS]
    if name == "losses":
        at = thin(len(ours.losses), LOSSES)
        lines = {LOOKS[one]: (at, run.losses[at]) for one, run in _runs.items()}
        title, of = "The loss of all three", "loss"
    elif name == "apart":
        # A run that is equal to the last bit has no line on a logarithmic axis.
        apart = {one: _runs[one].weights_apart for one in OTHERS}
        seen = [one for one in OTHERS if apart[one].any()] or OTHERS
        lines = {LOOKS[one]: (_runs[one].at, apart[one]) for one in seen}
        title, of = "How far the weights are from those with MyReLU", "largest difference"
    elif name == "units":
        lines = {look: (ours.at, getattr(ours, one)) for one, look in UNITS.items()}
        title, of = f"Hidden units, of {UNITS_IN_ALL}", "units"
    else:
        lines = {look: (ours.at, getattr(ours, one)) for one, look in LAYERS.items()}
        title, of = "The length of each layer's gradient", "length"
    return _lines(lines, title=title, of=of, log=name != "units")


def _lines(
    lines: Mapping[Look, tuple[NDArray[np.intp], NDArray[Any]]],
    *,
    title: str,
    of: str,
    log: bool,
) -> Figure:
    """Values at some steps, each with a dot at the last of these steps that has been reached.

    A logarithmic axis has no place for zero: such values are left out.
    """
    parts = []
    for look, (at, values) in lines.items():
        until = np.append(at[1:], at[-1] + 1)  # where the next of these steps is
        parts.append(
            pd.DataFrame({"step": at, "until": until, "value": values, "line": look.label})
        )
    rows = pd.concat(parts).astype({"step": "int32", "until": "int32", "value": "float64"})
    rows = rows[np.isfinite(rows["value"]) & ((rows["value"] > 0) | (not log))]
    low, high = (rows["value"].min() / 1.5, rows["value"].max() * 1.5) if len(rows) else (0.1, 10)
    low, high = (float(low), float(high)) if log else (0.0, float(UNITS_IN_ALL))
    ticks = decades(low, high) if log else np.linspace(low, high, 6).tolist()
    ends = {"low": low, "high": high, "ticks": ticks, "last": LAST_STEP}
    drawing = _draw(tuple(lines), title=title, of=of, log=log)
    return figure(drawing, {"rows": rows}, ends)


@drawn
def _draw(looks: tuple[Look, ...], *, title: str, of: str, log: bool) -> Figure:
    labels, colors, dashes, _ = zip(*looks, strict=True)
    legend = alt.Legend(labelLimit=0, columns=1, symbolSize=400)
    color = alt.Color("line:N", legend=legend, scale=alt.Scale(domain=labels, range=colors))
    dash = alt.StrokeDash("line:N", legend=legend, scale=alt.Scale(domain=labels, range=dashes))
    plain = "abs(log(datum.value)) < 9 || datum.value === 0"  # else in powers of ten
    y_axis = alt.Axis(
        values=alt.ExprRef("ticks"), labelExpr=f"format(datum.value, {plain} ? '~g' : '~e')"
    )
    x_axis = alt.Axis(tickCount=5, labelFlushOffset=-2)  # the picture's edge cuts no digit
    kind: dict[str, Any] = {"type": "log"} if log else {}
    x = alt.X("step:Q", title="step", scale=between("0", "last"), axis=x_axis)
    y = alt.Y("value:Q", title=of, scale=between("low", "high", **kind), axis=y_axis)
    rows = alt.Chart(alt.NamedData("rows"))
    lines = rows.mark_line().encode(x=x, y=y, color=color, strokeDash=dash)
    dots = (
        rows.transform_filter(f"datum.step <= {STEP} && {STEP} < datum.until")
        .mark_circle(  # coloured without a scale, whose legend would then show dots
            size=mark(110),
            opacity=1,
            color=alt.ExprRef(f"({dict(zip(labels, colors, strict=True))})[datum.line]"),
        )
        .encode(x=x, y=y)
    )
    return template(
        lines + dots,
        ("low", "high", "ticks", "last"),
        title=title,
        description=f"{title}, against step; a dot on each line at the step shown.",
    )
