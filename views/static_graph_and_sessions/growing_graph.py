"""A graph that grows while it trains: what that costs, and what would have caught it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.problem import Problem
from engines.static_graph_and_sessions.growing_graph import AGAIN, start
from views.player import cached, listing, show
from views.ui.controls import Controls
from views.ui.errors import explain
from views.ui.line_chart import Line, lines
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.slow_run import Follow, slow

STEPS = 200
AROUND = 15  # steps: of so many neighbours the median is drawn
LOOKS = {
    "growing": Look("made in the loop", MISTAKE),
    "healthy": Look("made before it", MODEL, (7, 4)),
}
ANSWERS = {
    "slow": "about as long as its last step",
    "fast": "about as long as a step of the right loop",
}


class Loop(NamedTuple):
    """What became of a loop. source, changed: its listing, and the lines in it that are wrong.

    operations, milliseconds: of each step, shape (steps,); the latter a running median. again: the
    milliseconds of a run after the last step, in which the graph has nothing new.
    """

    source: str
    changed: str
    operations: NDArray[Any]
    milliseconds: NDArray[Any]
    again: float


def section(controls: Controls, problem: Problem) -> None:
    """Run the loop as it should be, with the mistake, and finalized; show what each step costs."""
    if not controls.flag("Let it grow", "growing_graph", help="Takes a few seconds."):
        return
    loops = both_loops(problem, STEPS)
    source, changed = loops["growing"][:2]
    listing(source, {}, title="The loop that grows", key="growing_loop", changed=changed)
    _pictures(loops)
    if _explained(loops["growing"], loops["healthy"]):
        st.markdown(
            "No result is wrong, so no test of results finds this. One line does: "
            "`graph.finalize()` before the loop. With it the same mistake ends in its first step:"
        )
        explain("RuntimeError", refusal(problem))


@slow
def both_loops(follow: Follow, problem: Problem, steps: int) -> dict[str, Loop]:
    """Run the loop that grows, and the one that does not."""
    loops = {}
    for version in LOOKS:
        source, changed, steps_taken = start(version, problem, steps=steps)
        said = "Step {:,} of {:,}. Both loops are running: a few seconds."
        runs = list(follow(steps_taken, steps + AGAIN - 1, said))
        times = pd.Series([run.milliseconds for run in runs])
        smooth = times[:steps].rolling(AROUND, center=True, min_periods=1).median()
        loops[version] = Loop(
            source,
            changed,
            np.array([run.operations for run in runs[:steps]]),
            smooth.to_numpy(),
            float(times[steps:].median()),
        )
    return loops


@cached
def refusal(problem: Problem) -> str:
    """What TensorFlow says of the same mistake in a finalized graph."""
    try:
        next(start("finalized", problem, steps=1).runs)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("TensorFlow has added an operation to a finalized graph")


def _pictures(loops: dict[str, Loop]) -> None:
    operations, milliseconds = (
        [Line(LOOKS[name], getattr(loop, field)) for name, loop in loops.items()]
        for field in ("operations", "milliseconds")
    )
    left, right = side_by_side(2)
    with left:
        figure = lines(
            operations,
            title="Operations in the graph",
            y="operations",
            description="Operations in the graph against step: a straight line upwards where "
            "operations are made in the loop, a level one where they are made before it.",
            log=False,
        )
        show(figure, key="operations of both loops", height=280, in_hall=460)
    with right:
        figure = lines(
            milliseconds,
            title="Milliseconds a step takes",
            y="ms",
            description=f"Milliseconds of a step against step, medians of {AROUND} neighbours: "
            "rising where operations are made in the loop, low and level where not.",
            log=False,
        )
        show(figure, key="milliseconds of both loops", height=280, in_hall=460)


def _explained(wrong: Loop, right: Loop) -> bool:
    """Say what the pictures show, ask what the grown graph costs, and once answered, explain."""
    size = wrong.operations[-1]
    each = (size - wrong.operations[0]) / (len(wrong.operations) - 1)
    first, last = wrong.milliseconds[[AROUND, -1]]
    usual = np.median(right.milliseconds)
    st.markdown(
        f"Each step adds {each:g} operations, and after {len(wrong.operations)} steps the graph "
        f"has **{size}**. The right loop has {right.operations[-1]} from the beginning to the end. "
        f"A step took **{first:.1f} ms** at the beginning and **{last:.1f} ms** at the end; a step "
        f"of the right loop takes {usual:.2f} ms."
    )
    answer = "fast" if wrong.again**2 < last * usual else "slow"
    question = (
        f"Now the loop is over, and the session runs this graph of {size} operations once more, "
        "with nothing new in it. How long does that take?"
    )
    if not predicted(question, ANSWERS, answer, key="grown graph"):
        return False
    if answer == "slow":
        st.markdown(
            f"It takes **{wrong.again:.2f} ms**, nearer to a step of the loop that grows. On a "
            "machine that is less busy it is nearer to a step of the right one."
        )
        return True
    st.markdown(
        f"It takes **{wrong.again:.2f} ms**. So it is not the size of the graph that costs time "
        "while it is run: a session runs only what its fetches need, and prepares that once. Two "
        "things are paid for at every step of the loop that grows. The operation that is fetched "
        "is a new one, and for a fetch it has not seen the session prunes, optimises and places "
        "its part of the graph anew, as in a first run. And because the graph has changed, the "
        "session takes over and places all of it once more; that part grows with the graph."
    )
    return True
