"""What a first call costs, and what every later one: four engines, measured when asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import streamlit as st

from engines.benchmark.child import in_child
from views.player import show
from views.static_graph_and_sessions.first_calls_chart import (
    EAGER,
    IN_WORDS,
    LOOKS,
    STATIC,
    TASKS,
    Row,
    added_up,
    cost,
    overtaking,
)
from views.ui.controls import Controls
from views.ui.measuring import Found, Measuring
from views.ui.numbers import number
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.table import markdown_table

COMMAND = ("paid_once",)  # of engines.benchmark
SECONDS = 150  # that all of them may take on a slow machine
STARTS = {"cold": "in a fresh process", "warm": "again, in a running one"}
STEPS_ASKED = 100  # in the question


def section(controls: Controls) -> Measuring:
    """Offer to measure; ask what will be fastest; show what each engine costs, and when.

    Returns the measurements, which the page is to run when all of it is there.
    """
    measuring = Measuring(in_child)
    found = measuring.offer("first calls", "Measure on this machine", COMMAND, seconds=SECONDS)
    if not found or not found.whole:
        return measuring
    rows: list[Row] = [event for event in found.events if "engine" in event]
    tiny = {row["engine"]: cost(row, "cold") for row in rows if row["task"] == "parabola"}
    fastest = min(tiny, key=lambda engine: tiny[engine].total(STEPS_ASKED))
    question = (
        f"Before you look: in a fresh process, which of them is the first to have done "
        f"{STEPS_ASKED} steps of the parabola, with its 2 parameters and 100 points?"
    )
    answers = {engine: look.label for engine, look in LOOKS.items()}
    if predicted(question, answers, fastest, key="first calls"):
        _results(controls, rows, found)
    return measuring


# ---- What came of it


def _results(controls: Controls, measured: Sequence[Row], found: Found) -> None:
    start = controls.choice(
        st.segmented_control, "The first call", "first_call", STARTS, "cold", required=True
    )
    assert start
    st.caption(
        "A line begins with the first call and goes on with later calls at their median; the "
        "shaded band has them at their quartiles. A circle marks where a graph overtakes an eager "
        "mode, and after how many steps. It is left out where the quartiles do not settle it."
    )
    places = side_by_side(len(TASKS))
    for place, task in zip(places, TASKS, strict=True):
        rows = [row for row in measured if row["task"] == task]
        with place:
            show(added_up(rows, start), key=f"first calls, {task}", height=360, in_hall=560)
            by = {row["engine"]: row for row in rows}
            st.markdown("\n\n".join((_table(rows), _crossings(by, start), _verdict(by))))
    versions = {row["framework"]: row["version"] for row in measured}
    *_, machine = found.events
    st.caption(
        f"Measured {found.age()} on this machine, with TensorFlow {versions['tensorflow']} and "
        f"PyTorch {versions['torch']}, on the CPU, which has {machine['cores']} cores; each engine "
        "had one thread. Each row of numbers comes from a process of its own, which had imported "
        "its framework and run nothing. The import is not counted. A process has one cold first "
        "call, so that is a single sample. The session is fed its data at each step, as in its "
        "listing; the others hold theirs."
    )


def _table(rows: Sequence[Row]) -> str:
    """A table of what was measured of a task, and the losses, by which the engines agree."""
    heads = ["", "first call, cold", "warm", "a later call (quartiles)"]
    cells = []
    for row in rows:
        low, median, high = row["later"]
        later = f"**{ms(median)}** ({number(low, 3)} to {number(high, 3)})"
        cells.append((LOOKS[row["engine"]].label, ms(row["cold"]), ms(row["warm"][1]), later))
    losses = [row["loss"] for row in rows]
    return markdown_table(heads, cells) + (
        f"\nAfter {rows[0]['steps']} steps their losses lie between {min(losses):.7g} and "
        f"{max(losses):.7g}: they have done the same work."
    )


def _crossings(by: Mapping[str, Row], start: str) -> str:
    """A table: from how many steps on each graph is ahead of each eager mode."""
    heads = ["", *(f"ahead of {IN_WORDS[other]}" for other in EAGER)]
    rows = [
        (LOOKS[one].label, *(_when(by[one], by[other], start) for other in EAGER)) for one in STATIC
    ]
    return markdown_table(heads, rows)


def _when(one: Row, other: Row, start: str) -> str:
    """From when on `one` is cheaper than `other`, as far as the quartiles settle it."""
    best, usual, worst = overtaking(one, other, start)
    if math.isinf(best[0]):
        return "never"
    if math.isinf(worst[0]) or math.isinf(best[1]) != math.isinf(worst[1]):
        return "too close to tell"
    if math.isfinite(usual[1]):
        return f"for the first {usual[1]:.0f} steps only"
    if usual[0] == 1:
        return "from the first step on"
    return f"**from step {usual[0]:.0f} on** ({best[0]:.0f} to {worst[0]:.0f})"


def _verdict(by: Mapping[str, Row]) -> str:
    """Sentences on later calls: what a graph brought, as far as the quartiles settle it."""
    one = min((by[engine] for engine in STATIC), key=lambda row: float(row["later"][1]))
    text = f"Take the graph whose later calls have the smaller median, {IN_WORDS[one['engine']]}. "
    for engine in EAGER:
        other, name = by[engine], IN_WORDS[engine]
        ratio = other["later"][1] / one["later"][1]
        if one["later"][2] < other["later"][0]:
            text += f"A step of it is **{number(ratio, 3)} times as fast** as a step of {name}. "
        elif other["later"][2] < one["later"][0]:
            text += (
                f"A step of {name} is **{number(1 / ratio, 3)} times as fast** as a step of it, "
                "and the more steps there are, the further it is ahead. "
            )
        else:
            text += f"Between it and {name} it is too close to tell. "
    return text


def ms(milliseconds: float) -> str:
    """Milliseconds, to three digits, with their unit."""
    return f"{number(milliseconds, 3)} ms"
