"""A graph that grows while it trains: what that costs, and what would have caught it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.problem import Problem
from views.player import (
    Drawing,
    Filling,
    cached,
    drawing,
    listing,
    picture,
    show,
)
from views.ui.controls import Controls
from views.ui.errors import explain_phrases
from views.ui.palette import MISTAKE, MODEL
from views.ui.prediction import predicted
from views.ui.shell import side_by_side

STEPS = 200
AROUND = 15  # steps: of so many neighbours the median is drawn
LABELS = {"growing": "made in the loop", "healthy": "made before it"}
AGAIN = {
    "slow": "about as long as its last step",
    "fast": "about as long as a step of the right loop",
}
PHRASES = {
    "Graph is finalized": "Somebody has called `graph.finalize()`: from then on the graph can be "
    "run, and read, and nothing else.",
    "and cannot be modified": "A line wanted to add an operation. It is the line to move out of "
    "the loop.",
}


class Started(Protocol):
    """A listing about to run, and what differs in it: the engine's Started."""

    source: str
    changed: str
    runs: Iterable[Any]


Start = Callable[..., Started]


class Grown(NamedTuple):
    """What became of both loops: a row for each step of each, and the medians of what came after.

    rows: columns step, operations, milliseconds (a running median), made. again: milliseconds of
    a run in which the graph has nothing new, by version. source, changed: the listing that grew,
    and its lines.
    """

    rows: pd.DataFrame
    again: dict[str, float]
    source: str
    changed: str


def watch(controls: Controls, start: Start, problem: Problem) -> None:
    """Run the loop as it should be, with the mistake, and finalized; show what each step costs.

    start: gets a version of the listing ready to run, as the engine's `start` does.
    """
    st.markdown(
        "In a loop of TensorFlow 1 a line that looks like arithmetic adds operations to the graph. "
        "Here `tf.reduce_mean(tf.abs(y_pred - y))`, meant for a log, stands inside the training "
        "loop. Every number it prints is right."
    )
    if not controls.flag("Let it grow", "growth", help="Takes a few seconds."):
        return
    kept = _kept(problem)
    if "grown" not in kept:
        kept.setdefault("grown", _run(start, problem))  # of two visitors' runs the first counts
    grown: Grown = kept["grown"]
    listing(
        grown.source, {}, title="The loop that grows", key="growing_loop", changed=grown.changed
    )
    _pictures(grown)
    if _explained(grown):
        _finalize(start, problem)


@cached
def _kept(problem: Problem) -> dict[str, Any]:
    """Where the runs of this problem are kept, for all visitors, once somebody has waited."""
    return {}


def _run(start: Start, problem: Problem) -> Grown:
    """Run both loops. Each progress shown is where a visitor who has moved on stops them."""
    progress = st.progress(0.0, "Both loops are running: a few seconds.")
    tables, again, started = [], {}, None
    for version, made in LABELS.items():
        started = start(version, problem, steps=STEPS)
        runs = []
        for run in started.runs:
            runs.append(run)
            if version == "growing" and len(runs) % 10 == 0:
                progress.progress(min(1.0, len(runs) / STEPS))
        table = pd.DataFrame(runs)
        again[version] = float(table["milliseconds"][STEPS:].median())
        table = table[:STEPS].assign(step=np.arange(STEPS), made=made)
        smooth = table["milliseconds"].rolling(AROUND, center=True, min_periods=1).median()
        tables.append(table.assign(milliseconds=smooth))
        if started.changed:
            source, changed = started.source, started.changed
    progress.empty()
    return Grown(pd.concat(tables), again, source, changed)


def _pictures(grown: Grown) -> None:
    places = side_by_side(2)
    for place, field in zip(places, ("operations", "milliseconds"), strict=True):
        with place:
            picture = _against_step(str(grown.again), grown.rows, field)
            show(picture, key=f"growth of {field}", height=280, in_hall=460)


def _explained(grown: Grown) -> bool:
    """Say what the pictures show, ask what the grown graph costs, and once answered, explain."""
    of = dict(iter(grown.rows.groupby("made")))
    wrong, right = of[LABELS["growing"]], of[LABELS["healthy"]]
    each = (wrong["operations"].iloc[-1] - wrong["operations"].iloc[0]) / (STEPS - 1)
    first, last = wrong["milliseconds"].iloc[[AROUND, -1]]
    usual = right["milliseconds"].median()
    st.markdown(
        f"Each step adds {each:g} operations, and after {STEPS} steps the graph has "
        f"**{wrong['operations'].iloc[-1]}**. The right loop has {right['operations'].iloc[-1]} "
        f"from the beginning to the end. A step took **{first:.1f} ms** at the beginning and "
        f"**{last:.1f} ms** at the end; a step of the right loop takes {usual:.2f} ms."
    )
    again = grown.again["growing"]
    right_answer = "fast" if again**2 < last * usual else "slow"
    question = (
        f"Now the loop is over, and the session runs this graph of "
        f"{wrong['operations'].iloc[-1]} operations once more, with nothing new in it. How long "
        "does that take?"
    )
    if not predicted(question, AGAIN, right_answer, key="grown graph"):
        return False
    if right_answer == "slow":
        st.markdown(
            f"It takes **{again:.2f} ms**, nearer to a step of the loop that grows. On a machine "
            "that is less busy it is nearer to a step of the right one."
        )
        return True
    st.markdown(
        f"It takes **{again:.2f} ms**. So it is not the size of the graph that costs time while it "
        "is run: a session runs only what its fetches need, and prepares that once. Two things "
        "are paid at every step of the loop that grows. The operation that is fetched is a new "
        "one, and for a fetch it has not seen the session prunes, optimises and places its part "
        "of the graph anew, as in a first run. And because the graph has changed, the "
        "session takes over and places all of it once more; that part grows with the graph."
    )
    return True


def _finalize(start: Start, problem: Problem) -> None:
    """Run the same mistake in a finalized graph, and explain what TensorFlow says."""
    st.markdown(
        "No result is wrong, so no test of results finds this. One line does: `graph.finalize()` "
        "before the loop. With it the same mistake ends in its first step:"
    )
    kept = _kept(problem)
    if "refusal" not in kept:
        try:
            next(iter(start("finalized", problem, steps=1).runs))
        except RuntimeError as error:
            kept["refusal"] = f"RuntimeError: {error}"
    st.code(kept["refusal"], language=None, wrap_lines=True)
    explain_phrases(PHRASES)


@picture
def _against_step(run: str, _rows: pd.DataFrame, field: str) -> Filling:
    """One column of the rows against step, for both loops. run: equal for the same rows."""
    rows = _rows[["step", "made", field]].rename(columns={field: "value"})
    return {"steps": rows}, {}


@_against_step.drawing
def _(field: str) -> Drawing:
    made = list(LABELS.values())
    legend = alt.Legend(labelLimit=0, symbolType="stroke", columns=2)
    titles = {
        "operations": "Operations in the graph",
        "milliseconds": "Milliseconds a step takes",
    }
    descriptions = {
        "operations": "Operations in the graph against step: a straight line upwards where "
        "operations are made in the loop, a level one where they are made before it.",
        "milliseconds": f"Milliseconds of a step against step, medians of {AROUND} neighbours: "
        "rising where operations are made in the loop, low and level where not.",
    }
    lines = (
        alt.Chart(alt.NamedData("steps"))
        .mark_line()
        .encode(
            x=alt.X("step:Q", title="step", axis=alt.Axis(tickCount=5)),
            y=alt.Y(
                "value:Q",
                title="operations" if field == "operations" else "ms",
                scale=alt.Scale(domainMin=0),
                axis=alt.Axis(tickCount=5),
            ),
            color=alt.Color(
                "made:N", legend=legend, scale=alt.Scale(domain=made, range=[MISTAKE, MODEL])
            ),
            strokeDash=alt.StrokeDash(
                "made:N", legend=legend, scale=alt.Scale(domain=made, range=[[1, 0], [7, 4]])
            ),
            tooltip=["made:N", "step:Q", alt.Tooltip("value:Q", format=".4g")],
        )
    )
    return drawing(
        lines,
        title=titles[field],
        description=descriptions[field],
    )
