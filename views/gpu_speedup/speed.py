"""Speed against size: the guess, the measurement, the pictures, and what they say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.benchmark.recording import Recording, to_text
from engines.benchmark.sweep import recorded as recording_of
from views.gpu_speedup.contenders import LOOKS, Line, line_of, lines_of
from views.gpu_speedup.contests import (
    Contest,
    Side,
    all_contests,
    answer,
    fastest,
    pairs,
    results,
    sentence,
    table,
    turns,
)
from views.gpu_speedup.events import left_out, measured
from views.gpu_speedup.recordings import as_text, made_elsewhere
from views.gpu_speedup.size_chart import against_size
from views.gpu_speedup.speed_choice import ABOUT, Chosen, choose
from views.gpu_speedup.speedup_chart import Mark, speedup
from views.gpu_speedup.this_machine import Here
from views.player import show
from views.ui.controls import Controls
from views.ui.measuring import Event, Found, Measuring
from views.ui.shell import settings, side_by_side

UNSURE, NEVER = "unsure", "never"


def section(
    controls: Controls,
    measuring: Measuring,
    machine: Here,
    recordings: Mapping[str, Recording],
) -> None:
    """Choose, guess, run, and see."""
    with settings():
        chosen = choose(controls, machine, recordings)
    contested = all_contests([*_lines(chosen, [], recorded=False)])
    guess = _guess(controls, chosen, contested)
    run = st.container()
    first, verdict = st.container(), st.container()
    places = [first, *side_by_side(2)]
    draw = partial(_draw, chosen, contested, guess, places)

    def lines_so_far(events: Sequence[Event]) -> dict[Side, Line]:
        # A recording is shown to those who have guessed, or have run what was asked.
        return _lines(chosen, events, recorded=bool(events) or guess is not None)

    found = None
    with run:
        if chosen.contenders:
            found = measuring.offer(
                "speed",
                "Run it here",
                chosen.arguments(),
                seconds=chosen.seconds,
                about=ABOUT[chosen.operation],
                draw=lambda events: draw(lines_so_far(events)),
            )
        else:
            st.info(
                "None of the selected frameworks supports this here. Choose other frameworks or "
                "processors."
            )
    lines = lines_so_far(found.events if found else [])
    draw(lines)
    with verdict:
        if found:
            found.warn()
        _verdict(chosen, contested, guess, lines)
    if chosen.recording:
        st.caption(made_elsewhere(chosen.recording))
    if found:
        _details(chosen, lines, found)
        _keep(recording_of(found.events))


def _guess(controls: Controls, chosen: Chosen, contested: Sequence[Contest]) -> float | None:
    """From where on the visitor expects the first contest to be won; infinity for never."""
    if not contested:
        return None
    (slower, faster), name = contested[0], contested[0].framework
    size = "which n" if chosen.size_name == "n" else f"how many {chosen.size_name}"
    then = "Move the mark, then run."
    if slower.recorded:
        question = f"{name}: from {size} on did the recorded GPU beat its own CPU?"
        then = "Move the mark, and the recording is drawn."
    elif faster.recorded:
        question = f"{name}: from {size} on will the recorded GPU beat the CPU here?"
    elif faster.device != "cpu":
        question = f"{name}: from {size} on will the GPU beat the CPU?"
    else:
        question = f"{name}: from {size} on will {faster.threads} threads beat one?"
    ends = f"{chosen.sizes[0]:,} to {chosen.sizes[-1]:,}"
    marks = {UNSURE: "no guess yet", **{str(n): f"{n:,}" for n in chosen.sizes}, NEVER: "never"}
    guess = controls.choice(
        st.select_slider,
        f"**{question}** {then} ({ends})",
        "guess",
        marks,
        UNSURE,
    )
    if guess in (None, UNSURE):
        return None
    return math.inf if guess == NEVER else float(str(guess))


# ---- The pictures


def _lines(chosen: Chosen, events: Sequence[Event], *, recorded: bool) -> dict[Side, Line]:
    """First all that were chosen, measured or not yet, so that the key of the picture stays."""
    found = {_side(line): line for line in lines_of(measured(events))}
    looks = {Side(*one): line_of(*one, transfer=chosen.transfer) for one in chosen.contenders}
    lines = {side: found.get(side, look) for side, look in looks.items()}
    for line in lines_of(chosen.of_recording(), recorded=True):
        side = _side(line)._replace(recorded=True)
        lines[side] = line if recorded else line._replace(measurements=())
    return lines


def _side(line: Line) -> Side:
    one = line.measurements[0]
    return Side(one.framework, one.device, one.threads)


def _draw(
    chosen: Chosen,
    contested: Sequence[Contest],
    guess: float | None,
    places: list[DeltaGenerator],
    lines: Mapping[Side, Line],
) -> None:
    """places: where the three pictures go, and then the pictures, to be replaced."""
    height: dict[str, Any] = {"height": 360, "in_hall": 480}
    sizes: dict[str, Any] = {"sizes": chosen.sizes, "size_name": chosen.size_name}
    if contested:
        marks = turns(results(contested, lines))
        if guess is not None and guess < math.inf:
            marks.append(Mark(guess, "your guess", "guess"))
        first = speedup(pairs(contested, lines), marks, **sizes)
        places[0] = show(first, key="times as fast", **height, place=places[0])
    if any(line.measurements for line in lines.values()):
        drawn = partial(against_size, [*lines.values()], **sizes)
        second, third = drawn(what="time"), drawn(what="gflops")
        places[1] = show(second, key="time against size", **height, place=places[1])
        places[2] = show(third, key="speed against size", **height, place=places[2])


# ---- What they say


def _verdict(
    chosen: Chosen,
    contested: Sequence[Contest],
    guess: float | None,
    lines: Mapping[Side, Line],
) -> None:
    """The guess beside what was measured, and how each contest ended."""
    if chosen.contenders and not contested:
        st.caption("Choose two processors to see how many times as fast the one is as the other.")
    if chosen.recording and not chosen.of_recording():
        st.caption(
            "The recording has nothing of this question: choose other frameworks, other sizes, or "
            "32 bits."
        )
    ended = results(contested, lines)
    told = [sentence(result, chosen.size_name) for result in ended]
    if guess is not None and ended and ended[0].contest == contested[0]:
        told.insert(0, answer(guess, ended[0], chosen.size_name))
    st.markdown("\n\n".join(told))


def _details(chosen: Chosen, lines: Mapping[Side, Line], found: Found) -> None:
    """Small against large, in numbers; what is missing; and how all of it was measured."""
    here = [line for side, line in lines.items() if not side.recorded]
    if any(line.measurements for line in here):
        numbers = table([*lines.values()], chosen.size_name)
        st.markdown("\n\n".join((fastest(here, chosen.size_name), numbers)))
    for said in left_out(found.events):
        st.caption(said)
    st.caption(_made(found))


def _keep(recording: Recording) -> None:
    if recording.measurements:
        st.download_button(
            "Keep it as a recording",
            lambda: to_text(recording),
            "measured_here.json",
            "application/json",
            on_click="ignore",
        )


def _made(found: Found) -> str:
    began = next((event for event in found.events if event["event"] == "began"), None)
    if not began:
        return ""
    machine, versions = began["machine"], began["libraries"]
    loaded = {event["framework"] for event in found.events if event["event"] == "loaded"}
    used = ", ".join(
        f"{LOOKS[name].label} {versions.get(name, '')}" for name in LOOKS if name in loaded
    )
    counts = [one.samples for one in measured(found.events)]
    if not counts:
        return "Nothing was measured before the run ended."
    return (
        f"Measured {found.age()} on the machine that runs this app: "
        f"{as_text(machine['processor'])}, {machine['cores']} cores, {as_text(machine['system'])}; "
        f"{as_text(used)}. "
        f"Each point is the median of {min(counts)} to {max(counts)} samples; the band reaches "
        "from the lower **quartile** to the upper one: half of the samples lie in it. Of a single "
        "sample there is none. The first call is left out. Ahead means by a twentieth at least. "
        "**GFLOP/s** are billions of additions and multiplications a second."
    )
