"""Mistakes in a hand-written gradient, as told to a visitor: choose, predict, then look."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from views.ui.controls import Controls
from views.ui.prediction import predicted


class Told(NamedTuple):
    """What a visitor reads of a mistake: its name, and once it has run, what it did."""

    label: str
    story: str


MISTAKES = {
    "wrong_sign": Told(
        "Wrong sign",
        "The difference is taken the other way round, so each step climbs. The check sees a "
        "gradient of the right size that points the wrong way: a relative error of 2.",
    ),
    "input_forgotten": Told(
        "x forgotten",
        "Without its factor (x, or x² for the parabola) the gradient by w is only the gradient "
        "by b again. Training rests where this wrong gradient is zero, and that is not where "
        "the loss is smallest. A falling loss proves nothing; the check does.",
    ),
    "factor_forgotten": Told(
        "Factor forgotten",
        "The direction is right, the length is not: twice too long with the half sum, and with a "
        "mean at least as many times too long as there are points. That acts like a learning rate "
        "so many times larger, and may well cross the limit. The check sees the length.",
    ),
    "updated_w": Told(
        "b updated with the new w",
        "The gradient by b is taken again after w has moved. Each recorded gradient is right, so "
        "the check finds nothing: it looks at gradients, and this mistake is in the update.",
    ),
    "beyond_limit": Told(
        "Learning rate too large",
        "The learning rate is 2% above 2/λ_max. Along the steepest direction each step jumps "
        "across the valley and lands a little higher on the other side. The gradient is right, so "
        "the check is content.",
    ),
    "outlier": Told(
        "One absurd point",
        "One y was typed a hundred times too large. Its error enters squared, so this one point "
        "outpulls all the others. The gradient is right, for the wrong data: no check of the "
        "gradient can know.",
    ),
}
ENDS = {
    "arrives": "it arrives at the best answer",
    "elsewhere": "it ends somewhere else",
    "explodes": "the loss climbs",
}


def choose(controls: Controls) -> None:
    """The row of mistakes to switch on; `Controls.chosen` says above it which one is on."""
    labels = {name: told.label for name, told in MISTAKES.items()}
    controls.choice(
        st.pills, "A mistake to switch on", "mistake", labels, None, label_visibility="collapsed"
    )


def tell(mistake: str, right: str, wrong: str, *, end: str, overflow: int | None = None) -> bool:
    """Show the line that differs and ask how the run ends; once answered, tell. Returns whether.

    right, wrong: the line as it should be and as it is. end: one of ENDS, how the run did end.
    overflow: the step at which it did, if it did.
    """
    st.code(f"{right}  # right\n{wrong}  # wrong", language="python")
    if not predicted("Before you look: how does this run end?", ENDS, end, key=mistake):
        return False
    st.markdown(MISTAKES[mistake].story)
    if overflow is not None:
        st.markdown(f"At step {overflow} it overflows: no number of 64 bits is that large.")
    return True
