"""Mistakes in a hand-written gradient: choose one, predict how its run ends, see what it did."""

from __future__ import annotations

import streamlit as st

from engines.manual_gradients.mistakes import how_it_ended
from engines.problem import Problem
from engines.trace import Trace
from views.manual_gradients.runs import Checked
from views.player import Timeline, listing
from views.regression import sections
from views.ui import mistakes
from views.ui.controls import Controls

MISTAKES = mistakes.told_in(__file__)
ENDS = {
    "arrives": "it arrives at the best answer",
    "elsewhere": "it ends somewhere else",
    "explodes": "the loss climbs",
}


def choose(controls: Controls) -> None:
    """The row of mistakes to make; `Controls.chosen` says above it which one is."""
    mistakes.choose(controls, MISTAKES)


def tell(mistake: str, wrong: Checked, right: Trace, problem: Problem, timeline: Timeline) -> None:
    """Ask how the run with this mistake ends, and once answered show it.

    wrong: that run. right, problem: the run without the mistake, and what it learnt.
    """
    variant, trace = wrong.variant, wrong.trace
    if how_it_ended(problem, right) != "arrives":
        st.caption("With these settings the right run, at the top, does not arrive either.")
    told, end = MISTAKES[mistake], how_it_ended(problem, trace)
    if not mistakes.predict(told, variant.right, variant.wrong, ENDS, end, key=mistake):
        return
    if trace.final.non_finite:
        st.markdown(f"At step {len(trace) - 1} it overflows: no number of 64 bits is that large.")
    sections.overview(variant.problem, trace, timeline, run="wrong_")
    sections.check_in_numbers(run="wrong_")
    listing(
        variant.source,
        sections.COMPUTED,
        title="The listing that ran",
        key="wrong_listing",
        run="wrong_",
        changed=variant.wrong,
    )
