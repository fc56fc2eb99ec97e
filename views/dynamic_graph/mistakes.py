"""Mistakes with autograd, told to a visitor: choose one, predict how it ends, and read what it did.

The names and stories of the mistakes are in mistakes.toml.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from engines.dynamic_graph.mistakes import Outcome
from engines.problem import Problem
from engines.trace import Trace
from views.dynamic_graph.graph_series import end_of_backward
from views.player import Timeline, live, now, show
from views.regression import sections
from views.ui.errors import explain
from views.ui.line_chart import Line, lines
from views.ui.mistakes import listing_that_ran, predict, told_in
from views.ui.numbers import extent, number
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.table import html_table

MISTAKES = told_in(__file__)
PLACES = {
    "before": "before the first step",
    "first_step": "in the first step",
    "second_step": "in the second step",
}
ENDS = {end: f"it stops with an error {place}" for end, place in PLACES.items()} | {
    "wrong": "it runs, with wrong numbers",
    "right": "it runs, with the right numbers",
    "grows": "the numbers are right, but memory grows",
}


def tell(
    mistake: str, outcome: Outcome, problem: Problem, timeline: Timeline, learning_rate: float
) -> None:
    """Show the lines that differ and ask how the run ends; once answered, show how it did.

    timeline: follows, for a run that has a trace, the run and its check, prefixed with wrong_.
    """
    right, wrong, source, _ = outcome.listing
    if not predict(MISTAKES[mistake], right, wrong, ENDS, outcome.end, key=mistake):
        return
    if outcome.trace is None:
        _message(outcome)
    elif outcome.end == "grows":
        _count(outcome)
    else:
        if outcome.end == "right":
            st.markdown("Here it does no harm: what was changed was as it should be.")
        _drift(problem, outcome.trace)
        if mistake == "not_zeroed":
            _swing(problem, learning_rate)
        sections.overview(problem, outcome.trace, timeline, run="wrong_")
        _gradient_in_numbers(timeline)
    listing_that_ran(source, right, wrong, key="wrong_listing")


def _message(outcome: Outcome) -> None:
    """The framework's own words, the line they came from, and the gradients left behind."""
    error = outcome.step.error
    assert error, "a run without a trace has ended in one"
    assert error.line
    st.markdown(f"It stops {PLACES[outcome.end]}, at this line, with these words:")
    st.code(outcome.listing.source.splitlines()[error.line - 1].strip(), language="python")
    explain(*error.message.split(": ", 1))
    if leaves := outcome.step.graph.leaves:
        arrived = {leaf.name: extent(leaf.gradient) for leaf in leaves}
        w, b = (arrived.get(name, "none") for name in ("w", "b"))
        st.markdown(f"At that line w.grad holds **{w}**, and b.grad holds **{b}**.")


def _count(outcome: Outcome) -> None:
    """How many nodes exist at the end of each step: where the losses are kept, and where not."""
    first, last, steps = outcome.alive[0], outcome.alive[-1], len(outcome.alive) - 1
    st.markdown(
        f"In the {steps} steps that were inspected, the number of nodes alive went from {first:.0f}"
        f" to **{last:.0f}**: {(last - first) / steps:g} more with each step. The right run ends "
        f"them with {outcome.alive_right[-1]:.0f}."
    )
    kept = Line(Look("losses.append(loss)", MISTAKE), outcome.alive)
    right = Line(Look("the right listing", MODEL, dash=(6, 4)), outcome.alive_right)
    chart = lines(
        [kept, right],
        title="Nodes alive at the end of each step",
        y="nodes alive",
        description=(
            "Number of graph nodes alive against step: it stays the same in the right listing, and "
            "grows along a straight line where every loss is kept."
        ),
        log=False,
    )
    show(chart, key="nodes_alive", height=300, in_hall=480)


def _drift(problem: Problem, trace: Trace) -> None:
    """Say between which numbers the loss of a run moves."""
    finite = trace.losses[np.isfinite(trace.losses)]
    best = float(problem.loss_at(*problem.least_squares()))
    last = len(trace) - 1
    st.markdown(
        f"From step 0 to step {last} its loss moves between **{number(finite.min(), 3)}** and "
        f"**{number(finite.max(), 3)}**. The smallest there is, by least squares, is "
        f"{number(best, 3)}. Outside slow motion the player plays it, step for step."
    )
    if trace.final.non_finite:
        bits = 8 * problem.x.itemsize
        st.markdown(f"At step {last} it overflows: no number of {bits} bits is that large.")


def _swing(problem: Problem, learning_rate: float) -> None:
    """Say how often the pendulum of a gradient that is never zeroed swings, or that it cannot."""
    # Along an eigenvector of the Hessian the errors obey e[k+1] - 2 e[k] + e[k-1] = -rate λ e[k],
    # which is solved by cos(θ k) with cos θ = 1 - rate λ / 2 as long as there is such an angle.
    cosines = 1 - learning_rate * np.linalg.eigvalsh(problem.hessian) / 2
    if cosines.min() <= -1:
        st.markdown(
            f"This learning rate is beyond 4/λ_max = {number(4 / problem.lambda_max, 3)}. There "
            f"even a pendulum breaks: each swing is longer than the last."
        )
        return
    flat, steep = 2 * np.pi / np.arccos(cosines)
    st.markdown(
        f"Along the steepest direction of the valley one swing, there and back, takes "
        f"**{number(steep, 3)}** steps, along the flattest **{number(flat, 3)}**. Both follow from "
        f"the learning rate and the two curvatures of the loss."
    )


def _gradient_in_numbers(timeline: Timeline) -> None:
    """What .grad holds at the step shown, and what the loss says."""
    known = end_of_backward(timeline)
    rows = [
        (
            f"{name}.grad",
            now(f"wrong_hand_{name}", known=known),
            now(f"wrong_numeric_{name}", known=known),
        )
        for name in ("w", "b")
    ]
    rows.append(("relative error", f"<b>{now('wrong_error', known=known, digits=2)}</b>", ""))
    step = f"step {now('wrong_checked', digits=0)}"
    heads = (step, "it holds, in 64 bits", "central difference")
    live(html_table(heads, rows), key="wrong_gradients")
