"""What a first call costs, and what every later one: four engines, measured when asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.benchmark import first_calls
from engines.benchmark.child import in_child
from engines.standalone import Called, calling
from views.player import say, show
from views.static_graph_and_sessions.paid_once_chart import (
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
from views.ui.measuring import Found, Measuring, alone
from views.ui.numbers import number
from views.ui.prediction import asked
from views.ui.shell import Here, side_by_side
from views.ui.staging import beside, stage
from views.ui.table import markdown_table

COMMAND = ("paid_once",)  # of engines.benchmark
SECONDS = 150  # that all of them may take on a slow machine
STARTS = {"cold": "in a fresh process", "warm": "again, in a running one"}
STEPS_ASKED = 100  # in the question
QUESTION = (
    f"Before you look: in a fresh process, which of them finishes {STEPS_ASKED} steps of the "
    "parabola first?"
)
ANSWERS = {engine: look.label for engine, look in LOOKS.items()}
NEVER, UNCLEAR = "never", "too close to tell"
ABOUT = "8 measurements, each in a process of its own: about half a minute."


def _program(engine: str) -> Called:
    """The parabola trained by one of them, each step timed, to be taken home."""
    module, name, _ = first_calls.ENGINES[engine]
    _, data, start, rate = first_calls.parabola()
    listing = getattr(import_module(module), name)
    arguments: dict[str, Any] = {"data": data, "start": start, "learning_rate": rate}
    arguments |= {"listing": listing, "steps": STEPS_ASKED}
    return calling(first_calls.first_and_later, varies=("first", "later"), **arguments)


def show_stage(here: Here) -> tuple[Measuring, Found | None]:
    """A guess, a button, and two pictures that fill while it is measured.

    Returns the measurements, which the page is to run when all of it is there, and what came of
    them, None before the end.
    """
    measuring = Measuring(in_child)
    pictures: list[DeltaGenerator] = []

    def draw(events: Sequence[Row], start: str, *, settled: bool) -> None:
        for i, task in enumerate(TASKS):
            rows = [event for event in events if event.get("task") == task]
            figure = added_up(task, rows, start, settled=settled)
            if len(pictures) < len(TASKS):
                with places[i]:
                    pictures.append(show(figure, key=f"first calls, {task}"))
            else:
                pictures[i] = show(figure, key=f"first calls, {task}", place=pictures[i])

    with stage(here, ran={LOOKS[name].label: partial(_program, name) for name in LOOKS}):
        story = st.container()
        guess = asked(QUESTION, ANSWERS, key="first calls")
        found, start = None, "cold"
        if guess:
            with st.container(horizontal=True, vertical_alignment="center"):
                found = measuring.offer(
                    "first calls",
                    "Measure on the server of this page",
                    COMMAND,
                    seconds=SECONDS,
                    about=ABOUT,
                    draw=lambda events: draw(events, "cold", settled=False),
                )
                if found and found.whole:
                    start = str(
                        here.controls.choice(
                            st.segmented_control,
                            "The first call",
                            "first_call",
                            STARTS,
                            "cold",
                            required=True,
                            label_visibility="collapsed",
                        )
                    )
        with story:
            say(_told(guess, found, start))
        places = beside(len(TASKS))
        draw(found.events if found else [], start, settled=bool(found and settled(found)))
    return measuring, found if found and found.whole else None


def settled(found: Found) -> bool:
    """Whether a verdict can be given: all of it is measured, and nobody disturbed that."""
    return found.whole and not found.starved


def _told(guess: str | None, found: Found | None, start: str) -> str:
    """HTML: what is going to be measured, or what came of it."""
    if not found or not found.whole:
        return (
            "A graph is built, pruned and placed <b>once</b>, and then run as often as you like. "
            "Eager code has nothing to prepare and decides everything anew at each operation. A "
            "line begins at the time of the first call, and each later call takes it higher. "
            + ("" if guess else "Say what you expect, and then measure.")
        )
    if not settled(found):
        return (
            "<b>No verdict:</b> while this was measured, other programs had the cores for "
            f"{1 - alone(found.events):.0%} of the time. The lines are what was measured; ask "
            "again when the server is quiet."
        )
    rows = {row["engine"]: row for row in found.events if row.get("task") == "parabola"}
    one, other = rows["tf_session"], rows["tf_tape"]
    return (
        f"On the parabola, {first_of(rows, guess)} The first call of the session took "
        f"{ms(cost(one, start).first)}, each later one {ms(one['later'][1])} at the median; of "
        f"eager TensorFlow {ms(cost(other, start).first)} and {ms(other['later'][1])}. "
        f"{ahead(one, other, start)}"
    )


def ahead(one: Row, other: Row, start: str) -> str:
    """HTML: from when on the session, `one`, is ahead of eager TensorFlow, `other`."""
    when = _when(one, other, start).replace("**", "")
    if when == NEVER:
        return "The session is <b>never</b> ahead of it."
    if when == UNCLEAR:
        return "Whether the session gets ahead of it, and when, is <b>too close to tell</b>."
    return f"The session is ahead of it <b>{when}</b>."


def first_of(rows: Mapping[str, Row], guess: str | None) -> str:
    """Who has done the steps of the question first, as far as the quartiles settle it."""
    totals = {
        engine: [cost(row, "cold", quartile).total(STEPS_ASKED) for quartile in range(3)]
        for engine, row in rows.items()
    }
    fastest = min(totals, key=lambda engine: totals[engine][1])
    if any(totals[other][0] < totals[fastest][2] for other in totals if other != fastest):
        return "it is too close to tell who is first."
    opening = {"show": "", fastest: "yes: ", None: ""}.get(guess, "not quite: ")
    return f"{opening}<b>{ANSWERS[fastest]}</b> is first."


# ---- What came of it


def tell(found: Found, start: str) -> None:
    """For those who read: all numbers, who is ahead from when on, and how it was measured."""
    found.warn()
    measured = [event for event in found.events if "engine" in event]
    st.markdown(
        "The shaded band is what comes of later calls at their quartiles. A circle marks where a "
        "graph overtakes an eager mode, and after how many steps. It is left out where the "
        "quartiles do not settle it."
    )
    for place, task in zip(side_by_side(len(TASKS)), TASKS, strict=True):
        by = {row["engine"]: row for row in measured if row["task"] == task}
        told = [f"### {TASKS[task]}", _table([*by.values()])]
        if settled(found):
            told += [_crossings(by, start), _verdict(by)]
        with place:
            st.markdown("\n\n".join(told))
    versions = {row["framework"]: row["version"] for row in measured}
    *_, machine = found.events
    st.caption(
        f"Measured {found.age()} on the server of this page, with TensorFlow "
        f"{versions['tensorflow']} and PyTorch {versions['torch']}, on the CPU, which has "
        f"{machine['cores']} cores; each engine had one thread. Each row of numbers comes from a "
        "process of its own, which had imported its framework and run nothing. The import is not "
        "counted. A process has one cold first call, so that is a single sample. The session is "
        "fed its data at each step, as in its listing; the others hold theirs."
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
        return NEVER
    if math.isinf(worst[0]) or math.isinf(best[1]) != math.isinf(worst[1]):
        return UNCLEAR
    if math.isfinite(usual[1]):
        return f"for the first {usual[1]:.0f} steps only"
    if usual[0] == 1:
        return "from the first step on"
    return f"**from step {usual[0]:.0f} on** ({best[0]:.0f} to {worst[0]:.0f})"


def _verdict(by: Mapping[str, Row]) -> str:
    """Sentences on later calls: what a graph brought, as far as the quartiles settle it."""
    one, second = sorted((by[engine] for engine in STATIC), key=lambda row: float(row["later"][1]))
    chosen = IN_WORDS[one["engine"]]
    if one["later"][2] < second["later"][0]:
        text = f"Of the two graphs, {chosen} has the shorter later calls. "
    else:
        text = (
            "Which of the two graphs has the shorter later calls is too close to tell. "
            f"What follows is about {chosen}, whose median is no longer than the other’s. "
        )
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
