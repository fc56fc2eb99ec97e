"""A graph that grows while it trains: what that costs, and what would have caught it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from itertools import islice
from textwrap import indent
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.benchmark.contender import scheduled
from engines.listing import edited
from engines.problem import Problem, preset
from engines.standalone import calling
from engines.static_graph_and_sessions.growing_graph import AGAIN, VERSIONS, Run, start, train
from views.player import (
    WHOLE_STEPS,
    Figure,
    Timeline,
    cached,
    every_step,
    listing,
    now,
    part,
    say,
    show,
)
from views.ui.errors import explain
from views.ui.line_chart import Line, lines
from views.ui.measuring import starved
from views.ui.numbers import number
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.prediction import predicted
from views.ui.shell import Here
from views.ui.slow_run import Follow, slow
from views.ui.staging import beside, stage

PROBLEM = preset("session_article").astype("float32")
STEPS = 100
TIMES = 3  # that each loop is run: a busy moment of the machine is in one of them, not in all
AROUND = 25  # steps: of so many neighbours the median is drawn
OPENS = 80
GROWING, HEALTHY = "growing", "healthy"
LOOKS = {
    GROWING: Look("made in the loop", MISTAKE),
    HEALTHY: Look("made before it", MODEL, (7, 4)),
}
TABLE = {
    "operations, made in the loop": "operations",
    "milliseconds, made in the loop": "ms",
    "operations, made before it": "right_operations",
    "milliseconds, made before it": "right_ms",
}
ANSWERS = {
    "slow": "about as long as its last step",
    "fast": "about as long as a step of the right loop",
}


class Loop(NamedTuple):
    """What became of a loop.

    operations, milliseconds: of each step, shape (steps,); the latter medians of all runs and of
    neighbours. again: the milliseconds of a run after the last step, in which the graph has nothing
    new. on_core: see `Warm`.
    """

    operations: NDArray[Any]
    milliseconds: NDArray[Any]
    again: float
    on_core: float | None


def show_stage(here: Here) -> bool:
    """Both loops, step by step; and a question about the graph that one of them leaves behind.

    Returns whether it is answered.
    """
    with stage(here) as play:
        story = st.container()
        time, size, code = beside([6, 6, 7])
        with code:  # there while both loops still run
            listed = start(GROWING, PROBLEM, steps=STEPS)
            listing(_loop(listed.source), {}, title="The loop", key="loop", changed=listed.changed)
        with story:
            loops = both_loops(PROBLEM, STEPS)
        wrong, right = loops[GROWING], loops[HEALTHY]
        opens = (min(OPENS, STEPS - 1), None)
        ran = {
            LOOKS[name].label: calling(
                edited(train, VERSIONS[name]).names["train"],
                varies=("milliseconds",),
                problem=PROBLEM,
                steps=STEPS,
            )
            for name in loops
        }
        play(_timeline(wrong, right), ran=ran, begin=opens, stops=[1], readout={}, table=TABLE)
        each = (wrong.operations[-1] - wrong.operations[0]) / (STEPS - 1)
        with story:
            say(
                f"Each step of the loop that makes operations adds {each:g} of them: the graph has "
                f"<b>{now('operations', digits=0)}</b> now, and a step takes "
                f"<b>{now('ms', digits=3)} ms</b>. Made before the loop, there are "
                f"{now('right_operations', digits=0)}, and a step takes "
                f"{now('right_ms', digits=2)} ms. "
                f"{told_of_the_machine(loops.values()) or 'Every number that both print is right.'}"
            )
        with time:
            show(_milliseconds(loops), key="milliseconds of both loops")
        with size:
            show(_operations(loops), key="operations of both loops")
        with code:
            question = (
                "Now the loop is over, and the session runs this graph of "
                f"{wrong.operations[-1]} operations once more, with nothing new in it. How long "
                "does that take?"
            )
            answered = predicted(question, ANSWERS, again(wrong, right), key="grown graph")
    return answered


def told_of_the_machine(loops: Iterable[Loop]) -> str:
    """What is said where others had the cores while the loops ran; "" where nobody did."""
    if not starved([{"on_core": loop.on_core} for loop in loops]):
        return ""
    return "<b>The server was busy meanwhile</b>, so how a line bends says nothing about the graph."


def again(wrong: Loop, right: Loop) -> str:
    """Which answer is right: the geometric mean of both times is the line between them."""
    usual = float(np.median(right.milliseconds))
    return "fast" if wrong.again**2 < wrong.milliseconds[-1] * usual else "slow"


def _loop(source: str) -> str:
    """The loop with what a step does, without the clock around it."""
    step = part(source, "session.run(update", "error = ")
    made = part(source, "for _ in range(steps)", "yield step()").rpartition("    yield")[0]
    return made + indent(step, "    ")


def tell() -> None:
    """For those who read, once the question is answered: why, and what would have caught it."""
    loops = both_loops(PROBLEM, STEPS)
    wrong, right = loops[GROWING], loops[HEALTHY]
    if again(wrong, right) == "slow":
        st.markdown(
            f"It takes **{number(wrong.again, 2)} ms**, nearer to a step of the loop that grows. "
            "On a machine that is less busy it is nearer to a step of the right one."
        )
    else:
        st.markdown(
            f"It takes **{number(wrong.again, 2)} ms**. So it is not the size of the graph that "
            "costs time while it is run: a session runs only what its fetches need, and prepares "
            "that once. Two things are paid for at every step of the loop that grows. The "
            "operation that is fetched is a new one, and for a fetch it has not seen the session "
            "prunes, optimises and places its part of the graph anew, as in a first run. And "
            "because the graph has changed, the session takes over and places all of it once more; "
            "that part grows with the graph."
        )
    st.markdown(
        "No result is wrong, so no test of results finds this. One line does: `graph.finalize()` "
        "before the loop. With it the same mistake ends in its first step:"
    )
    explain("RuntimeError", refusal(PROBLEM))


@slow
def both_loops(follow: Follow, problem: Problem, steps: int) -> dict[str, Loop]:
    """Run the loop that grows, and the one that does not, each some times."""
    said = "Step {:,} of {:,}. Both loops are really running: some seconds."
    length = steps + AGAIN
    last = len(LOOKS) * TIMES * length - 1
    every = iter([*follow(_every_run(problem, steps), last, said)])
    loops = {}
    for version in LOOKS:
        before = scheduled("self")
        runs = [list(islice(every, length)) for _ in range(TIMES)]
        taken = [[run.milliseconds for run in one] for one in runs]
        times = pd.Series(np.median(taken, axis=0))
        smooth = times[:steps].rolling(AROUND, center=True, min_periods=1).median()
        loops[version] = Loop(
            np.array([run.operations for run in runs[0][:steps]]),
            smooth.to_numpy(),
            float(times[steps:].median()),
            scheduled("self").on_core(before),
        )
    return loops


def _every_run(problem: Problem, steps: int) -> Generator[Run]:
    """What all loops take, one after the other."""
    for version in LOOKS:
        for _ in range(TIMES):
            with closing(start(version, problem, steps=steps).runs) as runs:
                yield from runs


@cached
def refusal(problem: Problem) -> str:
    """What TensorFlow says of the same mistake in a finalized graph."""
    try:
        next(start("finalized", problem, steps=1).runs)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("TensorFlow has added an operation to a finalized graph")


def _timeline(wrong: Loop, right: Loop) -> Timeline:
    columns = {
        "operations": wrong.operations,
        "ms": wrong.milliseconds,
        "right_operations": right.operations,
        "right_ms": right.milliseconds,
    }
    return Timeline(every_step(columns), len(wrong.operations) - 1, parts=WHOLE_STEPS)


def _operations(loops: dict[str, Loop]) -> Figure:
    return lines(
        [Line(LOOKS[name], loop.operations) for name, loop in loops.items()],
        title="Operations in the graph",
        y="operations",
        description="Operations in the graph against step: a straight line upwards where "
        "operations are made in the loop, a level one where they are made before it.",
        log=False,
        follows=True,
    )


def _milliseconds(loops: dict[str, Loop]) -> Figure:
    return lines(
        [Line(LOOKS[name], loop.milliseconds) for name, loop in loops.items()],
        title="Time of a step",
        y="ms, median",
        description=f"Milliseconds of a step against step, medians of {TIMES} runs and {AROUND} "
        "neighbours: rising where operations are made in the loop, low and level where not.",
        log=False,
        follows=True,
    )
