"""One network in five ways, by hand and by two frameworks, and how far apart their weights are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.trace import thin
from views.player import Figure, cached, show, source_of
from views.regression.charts import CURVE_STEPS
from views.ui.controls import Controls
from views.ui.lines import curves
from views.ui.palette import BEST, ENGINES, GRADIENT, MODEL, Look
from views.ui.slow_run import watched


class Run(Protocol):
    """What is told of a run: engines.network.compare.Run, which says what these are."""

    losses: NDArray[np.float64]
    loss_apart: NDArray[np.float64]
    at: NDArray[np.intp]
    weights_apart: NDArray[np.float64]


STEPS, RATE = 500, 1e-6  # E10's
SHOWN = thin(STEPS + 1, CURVE_STEPS)  # the steps that a curve has,
AT = SHOWN[thin(len(SHOWN), 50)]  # and those of them at which weights are compared
DTYPES = {"float32": "32 bits", "float64": "64 bits"}
ALLOWED = {"float32": 1e-4, "float64": 1e-12}  # how far apart the tests let weights be

# By engine; the first is the one that the others are compared with.
LOOKS = {
    "torch_function": Look("PyTorch, MyReLU", ENGINES["torch_autograd"].color),
    "torch_two_layers": Look("PyTorch, clamp(min=0)", GRADIENT, (2, 4)),
    "numpy_two_layers": Look("NumPy, by hand", MODEL),
    "tf_custom_gradient": Look("TensorFlow, custom_gradient", ENGINES["tf_tape"].color),
    "tf_two_layers": Look("TensorFlow, static graph", BEST, (8, 8)),
}


def elsewhere(controls: Controls, engines: Any) -> None:
    """The listings; and if it is asked for, all five trained and compared.

    engines: those of LOOKS are shown and run, two_layers compares them. That takes some seconds
    for each type of numbers.
    """
    with st.expander("By hand in NumPy, with a tape, and as a static graph: the listings"):
        tabs = st.tabs(["NumPy, by hand", "tf.custom_gradient", "TensorFlow, static graph"])
        for tab, source in zip(tabs, _sources(engines), strict=True):
            tab.code(source, language="python", wrap_lines=True)
    if not controls.flag("Train all five", "five"):
        if stopped := st.session_state.pop("five stopped", None):
            st.markdown(f"Stopped at step {stopped} of one of the five. Nothing was kept.")
        return
    label = "The numbers have"
    chosen = controls.choice(st.pills, label, "five_dtype", DTYPES, "float32", required=True)
    dtype = chosen or "float32"
    known = _finished(dtype)
    if not known:
        known.append(_train(engines, dtype))
    runs = known[0]
    st.markdown(_verdict(runs, dtype))
    st.markdown(_table(runs))
    if any(run.weights_apart.any() for run in runs.values()):
        drawing = _weights_apart(runs, dtype)
        show(drawing, key="weights apart of five", height=380, in_hall=640)


def _sources(engines: Any) -> list[str]:
    with_tape = engines.tf_custom_gradient
    return [
        source_of(engines.numpy_two_layers.train),
        f"{source_of(with_tape.my_relu)}\n\n{source_of(with_tape.train)}",
        source_of(engines.tf_two_layers.train),
    ]


@cached
def _finished(dtype: str) -> list[dict[str, Run]]:
    """Where the runs are kept for all visitors, once all have come to their end."""
    return []


def _train(engines: Any, dtype: str) -> dict[str, Run]:
    """All five, one after the other, each with a progress bar."""
    arrays = engines.two_layers.draw(0, dtype)
    runs = {}
    for name, look in LOOKS.items():
        steps = getattr(engines, name).train(*arrays, steps=STEPS, learning_rate=RATE)
        said = look.label + ": step {:,} of {:,}. To stop, switch it off."
        runs[name] = watched(steps, STEPS, said, key="five stopped")
    compared: dict[str, Run] = engines.two_layers.compare(runs, arrays[0], at=AT)
    return compared


# ---- In words and in a picture


def _verdict(runs: Mapping[str, Run], dtype: str) -> str:
    _, *others = runs
    apart = max(runs[name].weights_apart.max() for name in others)
    loss_apart = max(runs[name].loss_apart.max() for name in others)
    holds = "less" if apart < ALLOWED[dtype] else "**more**"
    losses = next(iter(runs.values())).losses
    told = (
        f"At the {len(AT)} steps that were looked at, no weight is farther than **{apart:.1e}** "
        f"from that of the network with `MyReLU`: {holds} than the {ALLOWED[dtype]:.0e} that the "
        f"tests of this project allow with {DTYPES[dtype]}. No loss is farther from its loss than "
        f"**{loss_apart:.1e}** of the first one; meanwhile the loss falls by a factor of "
        f"{losses[0] / losses[-1]:.0e}. What is left is rounding: libraries add the numbers of a "
        "product in different orders."
    )
    if same := [LOOKS[name].label for name in others if not runs[name].weights_apart.any()]:
        told += f" Equal to it in every bit, and so without a line of its own: *{', '.join(same)}*."
    return told


def _table(runs: Mapping[str, Run]) -> str:
    rows = "".join(
        f"| {LOOKS[name].label} | {run.losses[0]:.8g} | {run.losses[-1]:.4g} | "
        f"{run.weights_apart.max():.2g} | {run.loss_apart.max():.2g} |\n"
        for name, run in runs.items()
    )
    heads = "| | first loss | last loss | weights apart, at most | loss apart, of the first loss |"
    return f"{heads}\n|---|---|---|---|---|\n{rows}"


@cached
def _weights_apart(_runs: Mapping[str, Run], dtype: str) -> Figure:
    lines = {}
    for name, run in list(_runs.items())[1:]:
        if run.weights_apart.any():
            everywhere = np.full(STEPS + 1, np.nan)  # a line has a value for each step
            everywhere[run.at[: len(run.weights_apart)]] = run.weights_apart
            lines[LOOKS[name]] = everywhere
    return curves(
        lines,
        title="Weights apart from MyReLU's",
        of="largest difference",
        description=(
            "How far the weights of each implementation are from those of the network with "
            "MyReLU, against step, on a logarithmic axis."
        ),
    )
