"""A network of two layers, trained by two frameworks from the same arrays: how alike they stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.trace import Step
from views.player import Figure, cached, show, source_of
from views.ui.controls import Controls
from views.ui.lines import curves
from views.ui.palette import BEST, ENGINES, GRADIENT, Look
from views.ui.shell import side_by_side
from views.ui.slow_run import Steps, watched

Floats = NDArray[np.float64]
# Losses of both, their difference over the first loss, and that of the weights over the largest:
# at each step, as `compare` in engines/network/tf_session.py returns them.
Compared = tuple[Floats, Floats, Floats, Floats]
# By the number of steps and the type of the arrays, a new run of each framework.
Start = Callable[[int, str], tuple[Steps, Steps]]

STEPS = 500  # E10's and E11's
DTYPES = {"float32": "32 bits", "float64": "64 bits"}
FRAMEWORKS = (
    Look("TensorFlow, as a static graph", ENGINES["tf_session"].color),
    Look(
        "PyTorch", ENGINES["torch_autograd"].color, (8, 8)
    ),  # the other is seen between its dashes
)
GAPS = (
    Look("weights, over the largest weight", BEST),
    Look("loss, over its first value", GRADIENT, (6, 4)),
)


def compare(
    controls: Controls,
    listings: Mapping[str, Callable[..., Any]],
    start: Start,
    compared: Callable[[Iterable[Step], Iterable[Step]], Compared],
) -> None:
    """Train in both frameworks if that is asked for, and show how far apart they are.

    listings: by what a visitor reads for it. compared: runs two engines side by side.
    """
    with st.expander("The two listings"):
        places = side_by_side(len(listings))
        for place, (name, listing) in zip(places, listings.items(), strict=True):
            with place:
                st.caption(name)
                st.code(source_of(listing), language="python", wrap_lines=True)
    if not controls.flag("Train it in both", "two_layers"):
        return
    label = "Numbers of"
    dtype = controls.choice(st.pills, label, "dtype", DTYPES, "float32", required=True) or "float32"
    known = _finished(dtype)
    if not known:
        ours, theirs = start(STEPS, dtype)
        said = "Step {:,} of {:,}, in both."
        known.append(compared(watched(ours, STEPS, said, key="two layers stopped"), theirs))
    _tell(known[0], dtype)
    left, right = side_by_side(2)
    with left:
        show(_losses(known[0], dtype), key="losses of two layers", height=300, in_hall=520)
    with right:
        show(_gaps(known[0], dtype), key="gaps of two layers", height=300, in_hall=520)


@cached
def _finished(dtype: str) -> list[Compared]:
    """Where a run is kept for all visitors, once it has come to its end."""
    return []


def _tell(compared: Compared, dtype: str) -> None:
    losses, others, loss_apart, weights_apart = compared
    end = abs(losses[-1] - others[-1])
    st.markdown(
        f"After {len(losses) - 1} steps with numbers of {DTYPES[dtype]}, the largest difference of "
        f"a weight is **{weights_apart[-1]:.1e}** of the largest weight of its layer; over the "
        f"whole run it is never more than {weights_apart.max():.1e}. The losses are never farther "
        f"apart than **{loss_apart.max():.1e}** of the first loss. Both frameworks round every sum "
        "to the bits they have, but they do not add in the same order, and this is what is left."
    )
    st.markdown(
        f"The loss falls from {losses[0]:.1e} to {losses[-1]:.1e}: y_pred comes so near to y that "
        "their difference is made of the last digits, where the rounding is. Divided by the loss "
        f"of its own step, the difference of the losses would be {end / losses[-1]:.1e} at the "
        "end, and would look like a disagreement between the frameworks."
    )
    if weights_apart.max() > 2 * weights_apart[-1]:
        st.markdown(
            "Where the weights are farther apart for a step, a hidden value has changed its sign "
            "one step sooner in one framework than in the other, and ReLU lets its gradient "
            "through in only one of them. A step later the other has followed."
        )


# ---- Pictures


@cached
def _losses(_compared: Compared, dtype: str) -> Figure:
    return curves(
        dict(zip(FRAMEWORKS, _compared[:2], strict=True)),
        title="The loss in both",
        of="loss",
        description="The loss of both frameworks against step, on a logarithmic axis.",
    )


@cached
def _gaps(_compared: Compared, dtype: str) -> Figure:
    _, _, loss_apart, weights_apart = _compared
    return curves(
        dict(zip(GAPS, (weights_apart, loss_apart), strict=True)),
        title="How far apart they are",
        of="relative difference",
        description=(
            "The difference of the weights, over the largest, and of the losses, over the first "
            "one, against step, on a logarithmic axis."
        ),
    )
