"""Mistakes with autograd, told to a visitor: choose one, predict how it ends, and read what it did.

The names and stories of the mistakes are in mistakes.toml.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.dynamic_graph.mistakes import Outcome
from engines.problem import Problem, preset
from engines.trace import Trace
from views.dynamic_graph import runs
from views.player import Figure, show
from views.regression import sections
from views.regression.charts import Drawn, losses
from views.regression.surface import paths
from views.ui.errors import explain
from views.ui.line_chart import Line, lines
from views.ui.mistakes import ask, choose, show_edit, told_in
from views.ui.numbers import extent, number
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.shell import Here
from views.ui.staging import Play, beside, stage

PROBLEM = preset("autograd_article").astype("float32")
STEPS = 160
RIGHT, WRONG = Look("the right run", MODEL), Look("with the mistake", MISTAKE, (6, 4))
MISTAKES = told_in(__file__)
PLACES = {
    "before": "before the first step",
    "first_step": "in the first step",
    "second_step": "in the second step",
}
ENDS = {end: f"an error {place}" for end, place in PLACES.items()} | {
    "wrong": "wrong numbers",
    "right": "the right numbers",
    "grows": "right numbers, but memory grows",
}


def show_stage(here: Here) -> None:
    """Choose a mistake and say how it ends; then see it beside the right run, or where it stops."""
    settings: Any = {"steps": STEPS, "learning_rate": PROBLEM.learning_rate}
    with stage(here) as play:
        mistake = choose(here.controls, MISTAKES)
        outcome, answered = None, False
        if mistake:
            outcome = runs.with_mistake(mistake, PROBLEM, **settings)
            answered = ask(ENDS, outcome.end, key=mistake)
        # Before the answer nothing on the stage depends on what becomes of the mistake.
        ended = outcome if answered else None
        stopped = ended is not None and ended.trace is None
        words, *places = beside([6, 8] if stopped else 3)
        with words:
            if mistake and outcome:
                show_edit(outcome.listing.right, outcome.listing.wrong)
            else:
                st.markdown(
                    "This is the right run, as in the article: it goes down the valley to the "
                    "star. Choose one of the mistakes above. Each is the listing with some lines "
                    "changed, and it is really run."
                )
            if mistake and ended:
                _tell(mistake, ended)
        if ended and stopped:
            with places[0]:
                _message(ended)
        else:
            _pictures(play, places, ended)


def _pictures(play: Play, places: Sequence[DeltaGenerator], outcome: Outcome | None) -> None:
    """The path and the loss of the right run, and of the one with the mistake if it trains.

    outcome: of the mistake, None before anybody has said how it ends.
    """
    right = runs.trained(PROBLEM, steps=STEPS, learning_rate=PROBLEM.learning_rate)
    wrong = outcome.trace if outcome else None
    both = {"": right} | ({"wrong_": wrong} if wrong else {})
    timeline = sections.played_together(both)
    play(timeline, begin=(4, None), stops=[1, 5, 20, 60], whose=RIGHT.label)
    grows = outcome and outcome.end == "grows"
    drawn = [Drawn("", RIGHT, right, PROBLEM)]
    if wrong and not grows:
        drawn.append(Drawn("wrong_", WRONG, wrong, PROBLEM))
    path, loss = places
    with path:
        show(paths(drawn, timeline), key="paths")
    with loss:
        if outcome and grows:
            show(_nodes_alive(outcome), key="nodes_alive")
        else:
            show(losses(drawn, timeline), key="losses")


def _tell(mistake: str, outcome: Outcome) -> None:
    """What became of the run, and why."""
    st.markdown(MISTAKES[mistake].story)
    if outcome.end == "grows":
        _count(outcome)
    elif outcome.end == "right":
        st.markdown("Here it does no harm: what was changed was as it should be.")
    elif outcome.trace:
        _drift(PROBLEM, outcome.trace)
        if mistake == "not_zeroed":
            _swing(PROBLEM, PROBLEM.learning_rate)


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
        f" to **{last:.0f}**: {(last - first) / steps:g} more with each step. At the end of the "
        f"right run {outcome.alive_right[-1]:.0f} are alive."
    )


def _nodes_alive(outcome: Outcome) -> Figure:
    kept, right = Line(WRONG, outcome.alive), Line(RIGHT, outcome.alive_right)
    return lines(
        [kept, right],
        title="Nodes alive at the end of each step",
        y="nodes alive",
        description=(
            "Number of graph nodes alive against step: it stays the same in the right listing, and "
            "grows along a straight line where every loss is kept."
        ),
        log=False,
    )


def _drift(problem: Problem, trace: Trace) -> None:
    """Say between which numbers the loss of a run moves."""
    finite = trace.losses[np.isfinite(trace.losses)]
    best = float(problem.loss_at(*problem.least_squares()))
    last = len(trace) - 1
    st.markdown(
        f"From step 0 to step {last} its loss moves between **{number(finite.min(), 3)}** and "
        f"**{number(finite.max(), 3)}**. The smallest there is, by least squares, is "
        f"{number(best, 3)}."
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
