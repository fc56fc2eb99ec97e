"""Speed against size: the guess, the measurement, the pictures, and what they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.recording import Measurement, Recording, to_text
from views.contenders import LOOKS, Line, lines_of, look_of
from views.contests import (
    Contest,
    Who,
    answer,
    contests,
    fastest,
    pairs,
    results,
    sentence,
    table,
    turns,
)
from views.controls import Controls
from views.figure import show
from views.here import Here
from views.measuring import Event, Found, Measuring
from views.recordings import as_text, made_elsewhere
from views.shell import settings, side_by_side
from views.speed_charts import against_size
from views.speed_choice import Chosen, choose
from views.speedup_chart import speedup

UNSURE, NEVER = "unsure", "never"
ALONE = 0.9  # the share of the time in which a thread has a core, if nobody disturbs it
LEFT_OUT = {
    "memory": "Left out, because more than half of the free memory would have been needed",
    "time": "Left out, because one call would have taken longer than its share of the time budget",
    "precision": "Left out, because the device has no numbers of 64 bits",
    "lost": "Left out, because the process had ended, killed or failed",
}


def section(
    controls: Controls,
    measuring: Measuring,
    machine: Here,
    recordings: Mapping[str, Recording],
    recorded: Callable[[Sequence[Event]], Recording],
    *,
    lecture: bool,
) -> None:
    """Choose, guess, run, and see. recorded: makes a recording of what a run has said."""
    with settings(lecture):
        chosen = choose(controls, machine, recordings)
    contested = contests([*_lines(chosen, [])])
    mark, top = st.columns([4, 1], vertical_alignment="bottom")
    with mark:
        guess = _guess(controls, chosen, contested)
    progress = st.container()
    places = [st.empty(), *(place.empty() for place in side_by_side(2, lecture=lecture))]
    draw = partial(_draw, chosen, contested, guess, places, lecture=lecture)
    found = None
    with top:
        if chosen.contenders:
            found = measuring.offer(
                "speed",
                "Run it here",
                chosen.arguments(),
                seconds=chosen.seconds,
                draw=draw,
                place=progress,
            )
        else:
            st.info("Nobody is chosen who can do this here. Choose a framework and a processor.")
    draw(found.events if found else [])
    if chosen.over:
        st.caption(made_elsewhere(chosen.over))
    if found:
        _tell(chosen, contested, guess, found)
        _keep(recorded(found.events))


def _guess(controls: Controls, chosen: Chosen, contested: Sequence[Contest]) -> float | None:
    """From where on the visitor expects the first contest to be won; infinity for never."""
    if not contested:
        return None
    faster = contested[0].faster
    if faster.recorded:
        question = "From which {n} on will the recorded GPU beat the CPU of this machine?"
    elif faster.device != "cpu":
        question = "From which {n} on will the GPU beat the CPU?"
    else:
        question = f"From which {{n}} on will {faster.threads} threads beat one?"
    marks = {UNSURE: "no guess yet", **{str(n): f"{n:,}" for n in chosen.sizes}, NEVER: "never"}
    guess = controls.choice(
        st.select_slider,
        f"**{question.format(n=chosen.of)}** Move the mark, then run.",
        "guess",
        marks,
        UNSURE,
    )
    if guess in (None, UNSURE):
        return None
    return math.inf if guess == NEVER else float(str(guess))


# ---- The pictures


def _lines(chosen: Chosen, events: Sequence[Event]) -> dict[Who, Line]:
    """First all that were chosen, measured or not yet, so that the key of the picture stays."""
    measured = [Measurement(**one["measurement"]) for one in events if one["event"] == "measured"]
    found = {_who(line): line for line in lines_of(measured)}
    looks = {Who(*one): look_of(*one, transfer=chosen.transfer) for one in chosen.contenders}
    lines = {who: found.get(who, look) for who, look in looks.items()}
    if chosen.over:
        same = chosen.of_recording()
        for line in lines_of(same, recorded=True):
            lines[_who(line)._replace(recorded=True)] = line
    return lines


def _who(line: Line) -> Who:
    one = line.measurements[0]
    return Who(one.framework, one.device, one.threads)


def _draw(
    chosen: Chosen,
    contested: Sequence[Contest],
    guess: float | None,
    places: Sequence[DeltaGenerator],
    events: Sequence[Event],
    *,
    lecture: bool,
) -> None:
    lines = _lines(chosen, events)
    first, second, third = places
    height = 480 if lecture else 360
    sizes: dict[str, Any] = {"sizes": chosen.sizes, "size_name": chosen.size_name}
    if contested:
        marks = turns(results(contested, lines))
        mark = None if guess == math.inf else guess
        with first:
            picture = speedup(
                pairs(contested, lines), guess=mark, crossings=marks, lecture=lecture, **sizes
            )
            show(picture, key="times as fast", height=height)
    if any(line.measurements for line in lines.values()):
        drawn = partial(against_size, [*lines.values()], lecture=lecture, **sizes)
        with second:
            show(drawn(what="time"), key="time against size", height=height)
        with third:
            show(drawn(what="gflops"), key="speed against size", height=height)


# ---- What they say


def _tell(chosen: Chosen, contested: Sequence[Contest], guess: float | None, found: Found) -> None:
    lines = _lines(chosen, found.events)
    ended = results(contested, lines)
    shares = [event["on_core"] for event in found.events if "on_core" in event]
    if shares and sum(shares) / len(shares) < ALONE:
        st.warning(
            f"While this ran, a single thread had a core for {sum(shares) / len(shares):.0%} of "
            "the time and waited for the rest: others are computing on this machine. Threads that "
            "wait for each other then wait long. Run it again when it is quiet."
        )
    told = [sentence(result, chosen.size_name) for result in ended]
    if guess is not None and ended and ended[0].contest == contested[0]:
        told.insert(0, answer(guess, ended[0], chosen.size_name))
    st.markdown("\n\n".join(told))
    here = [line for who, line in lines.items() if not who.recorded]
    if any(line.measurements for line in here):
        st.markdown("\n\n".join((fastest(here, chosen.size_name), table(here, chosen.size_name))))
    if left_out := _left_out(found.events):
        st.caption(left_out)
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


def _left_out(events: Sequence[Event]) -> str:
    """Who was not measured from which size on, and why: a sentence for each reason."""
    least: dict[str, dict[str, int]] = {}
    for event in events:
        if event["event"] == "left out":
            label = look_of(event["framework"], event["device"], event["threads"]).label
            sizes = least.setdefault(event["reason"], {})
            sizes[label] = min(event["size"], sizes.get(label, event["size"]))
    return "\n\n".join(
        f"{LEFT_OUT[reason]}: {'; '.join(f'{who} from {n:,} on' for who, n in sizes.items())}."
        for reason, sizes in least.items()
    )


def _made(found: Found) -> str:
    began = next((event for event in found.events if event["event"] == "began"), None)
    if not began:
        return ""
    machine, versions = began["machine"], began["libraries"]
    loaded = {event["framework"] for event in found.events if event["event"] == "loaded"}
    used = ", ".join(f"{LOOKS[name][0]} {versions[name]}" for name in LOOKS if name in loaded)
    counts = [
        event["measurement"]["samples"] for event in found.events if event["event"] == "measured"
    ]
    text = (
        f"Measured {found.age()} on the machine that runs this app: "
        f"{as_text(machine['processor'])}, {machine['cores']} cores, {as_text(machine['system'])}; "
        f"{as_text(used)}. "
    )
    if counts:
        text += (
            f"Each point is the median of {min(counts)} to {max(counts)} samples, the band has "
            "their quartiles. The first call is left out. Ahead means by a twentieth at least. "
        )
    if not found.whole:
        text += "The run was stopped before its end. "
    return text
