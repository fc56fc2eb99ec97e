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
from engines.standalone import calling
from engines.trace import Trace
from views.dynamic_graph import runs
from views.player import Figure, say, show, wording
from views.regression import sections
from views.regression.charts import Drawn, losses
from views.regression.surface import paths
from views.ui.controls import Controls
from views.ui.errors import explain_phrases, explanation, up_to_explained
from views.ui.line_chart import Line, lines
from views.ui.mistakes import answered, choose, show_edit, told_in
from views.ui.numbers import extent, number
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.prediction import asked, opening, read_out
from views.ui.shell import Here
from views.ui.staging import Play, beside, stage
from views.ui.texts import as_html

PROBLEM = preset("autograd_article").astype("float32")
STEPS = 160
RIGHT, WRONG = Look("the right run", MODEL), Look("with the mistake", MISTAKE, (6, 4))
MISTAKES = told_in(__file__)
ON_STAGE = 2  # phrases of a message that are explained there
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
NONE_YET = (
    "This is the right run: it goes down the valley to the star. <b>Choose one of the mistakes "
    "above.</b> Each is the listing of this page with some lines changed, and it is really run."
)
ASKED = "Some lines have been changed. <b>Before you look: how does this run end?</b>"


def show_stage(here: Here) -> None:
    """Choose a mistake and say how it ends; then see it beside the right run, or where it stops."""
    settings: Any = {"steps": STEPS, "learning_rate": PROBLEM.learning_rate}
    with stage(here) as play:
        mistake = choose(here.controls, MISTAKES)
        outcome = runs.with_mistake(mistake, PROBLEM, **settings) if mistake else None
        story = read_out("mistake")
        guess = None
        if mistake:
            guess = asked("How it ends", ENDS, key=mistake, label_visibility="collapsed")
        # Before the answer nothing on the stage depends on what becomes of the mistake.
        ended = outcome if guess else None
        if outcome:
            words, *places = beside([5, 9] if ended and not ended.trace else 3)
            with words:
                show_edit(outcome.listing.right, outcome.listing.wrong)
        else:
            places = beside(2)
        if ended and not ended.trace:
            with places[0]:
                _message(ended)
            names = ended.listing.names
            wrong = calling(names["train"], fails=True, problem=PROBLEM, **settings)
            play(ran={WRONG.label: wrong})
        else:
            _pictures(play, places, ended)
        with story:
            say(_told(mistake, ended, guess) if mistake and ended and guess else _opens(mistake))


def tell(controls: Controls) -> None:
    """Below the stage, once it is answered: the rest of what there is to say of the mistake."""
    mistake = controls.chosen("mistake", MISTAKES)
    if not mistake or not answered(mistake):
        return
    outcome = runs.with_mistake(mistake, PROBLEM, steps=STEPS, learning_rate=PROBLEM.learning_rate)
    st.markdown(MISTAKES[mistake].story.partition("\n\n")[2])
    if outcome.trace is None:
        _mend(outcome)
    elif outcome.end == "wrong":
        _drift(PROBLEM, outcome.trace)
        if mistake == "not_zeroed":
            _swing(PROBLEM, PROBLEM.learning_rate)


def _opens(mistake: str | None) -> str:
    return ASKED if mistake else NONE_YET


def _told(mistake: str, outcome: Outcome, guess: str) -> str:
    """HTML: how it ended and why, in short."""
    why = as_html(MISTAKES[mistake].story.partition("\n\n")[0])
    told = f"{opening(guess, outcome.end)} <b>{ENDS[outcome.end]}</b>. {why}"
    if outcome.end == "grows":
        return f"{told} {_count(outcome)}"
    if outcome.end == "right":
        return f"{told} Here it does no harm: what was changed was as it should be."
    leaves = outcome.step.graph.leaves if outcome.trace is None else ()
    if any(leaf.gradient is not None for leaf in leaves):
        arrived = {leaf.name: extent(leaf.gradient) for leaf in leaves}
        w, b = (arrived.get(name, "none") for name in ("w", "b"))
        return f"{told} At that line w.grad holds <b>{w}</b>, and b.grad holds <b>{b}</b>."
    return told


def _pictures(play: Play, places: Sequence[DeltaGenerator], outcome: Outcome | None) -> None:
    """The path and the loss of the right run, and of the one with the mistake if it trains.

    outcome: of the mistake, None before anybody has said how it ends.
    """
    right = runs.trained(PROBLEM, steps=STEPS, learning_rate=PROBLEM.learning_rate)
    wrong = outcome.trace if outcome else None
    both = {"": right} | ({"wrong_": wrong} if wrong else {})
    timeline = sections.played_together(both)
    ran = {RIGHT.label: right} | ({WRONG.label: wrong} if wrong else {})
    play(timeline, ran=ran, begin=(4, None), stops=[1, 5, 20, 60], whose=RIGHT.label)
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


def _message(outcome: Outcome) -> None:
    """The line that it stops at, and the framework's own words, taken apart."""
    error, said = outcome.step.error, _said(outcome)
    assert error
    assert error.line
    line = outcome.listing.source.splitlines()[error.line - 1].strip()
    wording.code(line, language="python")
    shown, phrases = up_to_explained(said, most=ON_STAGE)
    wording.code(shown)
    explain_phrases(phrases)


def _mend(outcome: Outcome) -> None:
    """How to mend what it stopped at; and what the stage had no room for of its words."""
    said = _said(outcome)
    phrases, mend = explanation(said)
    if mend:
        st.markdown(f"**To mend it.** {mend}")
    if len(phrases) > ON_STAGE:
        st.markdown("**All that PyTorch says:**")
        st.code(said, language=None, wrap_lines=True)
        explain_phrases(phrases)


def _said(outcome: Outcome) -> str:
    assert outcome.step.error, "a run without a trace has ended in one"
    return outcome.step.error.message


def _count(outcome: Outcome) -> str:
    """HTML: how many objects exist at the end of each step, where losses are kept and where not."""
    first, last, steps = outcome.alive[0], outcome.alive[-1], len(outcome.alive) - 1
    return (
        f"In {steps} steps the number of objects alive went from {first:.0f} to "
        f"<b>{last:.0f}</b>, {(last - first) / steps:g} more with each; in the right run "
        f"{outcome.alive_right[-1]:.0f} are alive at the end."
    )


def _nodes_alive(outcome: Outcome) -> Figure:
    kept, right = Line(WRONG, outcome.alive), Line(RIGHT, outcome.alive_right)
    return lines(
        [kept, right],
        title="Objects alive after each step",
        y="objects",
        description=(
            "Number of the graph's objects alive against step: it stays the same in the right "
            "listing, and grows along a straight line where every loss is kept."
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
            f"This learning rate is beyond 4/λ = {number(4 / problem.lambda_max, 3)}, where λ is "
            f"the loss's largest curvature. There even a pendulum breaks: each swing is longer "
            f"than the last."
        )
        return
    flat, steep = 2 * np.pi / np.arccos(cosines)
    st.markdown(
        f"Along the steepest direction of the valley one swing, there and back, takes "
        f"**{number(steep, 3)}** steps, along the flattest **{number(flat, 3)}**. Both follow from "
        f"the learning rate and the two curvatures of the loss."
    )
