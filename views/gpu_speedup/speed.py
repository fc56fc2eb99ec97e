"""From which size on it is faster: a guess on the picture, then the curves, and what they say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.benchmark.machine import memory_free
from engines.benchmark.recording import Recording, to_text
from engines.benchmark.sweep import recorded as recording_of
from views.gpu_speedup import timings
from views.gpu_speedup.contenders import LOOKS, Line, line_of, lines_of
from views.gpu_speedup.contests import (
    Contest,
    Result,
    Side,
    all_contests,
    fastest,
    pairs,
    results,
    table,
    turns,
)
from views.gpu_speedup.events import left_out, measured
from views.gpu_speedup.recordings import (
    COMMAND,
    first,
    has_gpu,
    made_elsewhere,
    measured_gpu,
)
from views.gpu_speedup.size_chart import against_size
from views.gpu_speedup.speed_choice import ABOUT, TASKS, Chosen, choose
from views.gpu_speedup.speedup_chart import Mark, speedup
from views.gpu_speedup.this_machine import Server
from views.gpu_speedup.verdicts import answer, as_html, verdict
from views.player import Timeline, every_step, say, show, wording
from views.ui.controls import Controls
from views.ui.measuring import Event, Found, Measuring, alone, starved
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.texts import as_markdown

TIMES = "times as fast"
UNSURE, NEVER, SHOWN = "unsure", "never", "show"


class Shown(NamedTuple):
    """What is on the stage: the lines by their sides, the contests, and how these ended."""

    lines: Mapping[Side, Line]
    contested: Sequence[Contest]
    ended: Sequence[Result]


def show_stage(
    here: Here, measuring: Measuring, server: Server, recordings: Mapping[str, Recording]
) -> None:
    """Guess from where on it is faster, see the curves; below, all verdicts and numbers."""
    with here.settings, st.popover("Settings"):
        chosen = choose(here.controls, server, recordings)
    with stage(here) as play:
        play(ran=timings.programs(chosen.operation))
        story = st.container()
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            guess = _guess(here.controls, chosen, _asked(chosen, server))
        places = list[DeltaGenerator]()
        with right:
            found = _offer(measuring, chosen, lambda events: _draw(chosen, events, guess, places))
        shown = _shown(chosen, found.events if found else ())
        hidden = guess is None and not found and _opens(chosen, recordings)
        with story:
            if hidden:
                say(_opening(chosen, server, recordings))
            else:
                say(as_html(_told(chosen, guess, shown, found)))
        first_place, second_place = beside([3, 2])
        places += [first_place, second_place]
        clickable = not measuring.going("speed")
        so_far = found.events if found else ()
        timeline = None
        if not hidden and clickable and (timeline := _timeline(shown)):
            play(timeline, **_playing(shown, timeline))
        _draw(
            chosen,
            so_far,
            guess,
            places,
            hidden=hidden,
            clickable=clickable,
            timeline=timeline,
        )
        with second_place:
            if hidden:
                wording.markdown(
                    "A GPU computes with thousands of small units at once. But every operation has "
                    "to be sent there and waited for: a small one is done sooner where it is. A "
                    "second **thread** of a processor, another worker who has to be told what to "
                    "do, is no different. So the answer is a size."
                )
                st.button("Just show me", on_click=_just_show)
            if not has_gpu(recordings):
                wording.caption("This records a machine, in a copy of this project:")
                # Streamlit's own box for code would load half a second of scripts first.
                wording.html(f'<pre class="command">{escape(COMMAND)}</pre>')
    if not hidden:
        _below(chosen, shown, found)


# ---- The guess


def _asked(chosen: Chosen, server: Server) -> str:
    """What the question asks, after "from which n on"."""
    recording = chosen.recording
    if (recording and measured_gpu(recording)) or (not recording and server.device != "cpu"):
        return "is the GPU faster than the CPU"
    cores = recording.machine.cores if recording else server.cores
    return f"are {cores} threads faster than one" if cores > 1 else "is it faster"


def _guess(controls: Controls, chosen: Chosen, asked: str) -> float | None:
    """From where on the visitor expects it to be faster: infinity for never, 0 for no guess.

    None: they have not said, and have not asked to be shown.
    """
    wanted = st.session_state.get("guess"), st.query_params.get("guess")
    none = SHOWN if SHOWN in wanted else UNSURE
    sizes = chosen.shown()
    marks = {none: "no guess yet", **{str(n): f"{n:,}" for n in sizes}, NEVER: "never"}
    size = "n" if chosen.size_name == "n" else "width"
    guess = controls.choice(
        st.select_slider,
        f"**From which {size} on {asked}?**",
        "guess",
        marks,
        none,
    )
    if guess is None or guess == UNSURE:
        return None
    return {NEVER: math.inf, SHOWN: 0.0}[guess] if guess in (NEVER, SHOWN) else float(guess)


def _just_show() -> None:
    Controls.moved()
    st.session_state["guess"] = SHOWN


def _clicked(key: str) -> None:
    """A click into a column of the picture is a guess, too."""
    match st.session_state[key].get("selection"):
        case {"guessed": [{"size": int(size)}, *_]}:  # a browser can send anything
            st.session_state["guess"] = str(size)
            Controls.moved()


def _opens(chosen: Chosen, recordings: Mapping[str, Recording]) -> bool:
    """Whether this is what the chapter opens with: a recording that is chosen is drawn at once."""
    opens = first(recordings)
    return chosen.recording is None or (opens is not None and recordings[opens] is chosen.recording)


# ---- What is measured


def _offer(measuring: Measuring, chosen: Chosen, draw: Any) -> Found | None:
    if not chosen.contenders:
        wording.caption("None of the selected frameworks supports this on the server.")
        return None
    needed, free = chosen.needed_bytes() / 1e9, memory_free() / 1e9
    about = f"Up to {chosen.seconds} s, and about {needed:.1f} GB of memory"
    if needed > free:
        about += f", of which {free:.1f} are free: what does not fit is left out"
    return measuring.offer(
        "speed",
        "Measure on the server",
        chosen.arguments(),
        seconds=chosen.seconds,
        about=f"{about}.",
        draw=draw,
    )


def _shown(chosen: Chosen, events: Sequence[Event]) -> Shown:
    """All lines, measured or not yet; the contests of those that are; how they ended.

    Where the server was busy nothing is said of what was measured on it.
    """
    busy = starved(events)
    lines = {_side(line): line for line in lines_of(measured(events))}
    if events or not chosen.recording:
        waiting = [
            (Side(*one, transfer=transfer), line_of(*one, transfer=transfer))
            for one in chosen.contenders
            for transfer in (False, True)
            if not transfer or one[1] != "cpu"
        ]
        lines = {side: lines.get(side, line) for side, line in waiting}
    for line in lines_of(chosen.of_recording(), recorded=True):
        lines[_side(line)._replace(recorded=True)] = line
    contested = all_contests([*lines])
    ended = [
        result
        for result in results(contested, lines)
        if not (busy and not (result.contest.slower.recorded and result.contest.faster.recorded))
    ]
    return Shown(lines, contested, ended)


def _side(line: Line) -> Side:
    one = line.measurements[0]
    return Side(one.framework, one.device, one.threads, one.transfer)


# ---- The pictures


def _timeline(shown: Shown) -> Timeline | None:
    """A step for each size of the first contest, so that its curve can be drawn bit by bit."""
    if not shown.ended:
        return None
    slower, faster = (
        {one.size: one for one in shown.lines[side].measurements} for side in shown.ended[0].contest
    )
    sizes = sorted(slower.keys() & faster.keys())
    times = [slower[n].median / faster[n].median for n in sizes]
    return Timeline(every_step({"n": np.array(sizes), TIMES: np.array(times)}), len(sizes) - 1)


def _playing(shown: Shown, timeline: Timeline) -> dict[str, Any]:
    """What else the player is told: where it begins, and where a clicker stops."""
    crossed = int(np.argmax(timeline.series["n"].values >= shown.ended[0].turn.size))
    return {
        "readout": {TIMES: (0, None)},
        "table": {"n": "n", TIMES: TIMES},
        "whose": shown.ended[0].contest.said,
        "phases": (),
        "counted": "size {step} of {last}",
        "stops": sorted({crossed, timeline.last_step} - {0}),
        "begin": (0, None),
        "plays": True,
    }


def _draw(
    chosen: Chosen,
    events: Sequence[Event],
    guess: float | None,
    places: list[DeltaGenerator],
    *,
    hidden: bool = False,
    clickable: bool = False,
    timeline: Timeline | None = None,
) -> None:
    """places: where the two pictures go, and then the pictures, to be replaced.

    clickable: one that is can not be replaced in the same run of the page.
    """
    lines, contested, ended = _shown(chosen, events)
    named: dict[str, Any] = {"sizes": chosen.shown(), "size_name": chosen.size_name}
    marks = [] if hidden else turns(ended)
    if guess and not math.isinf(guess):
        marks.append(Mark(guess, "your guess", "guess"))
    drawn = [] if hidden else pairs(contested, lines)
    asks = "Mark where you think it will cross this line" if hidden else ""
    key = f"times as fast {len(drawn)}"
    named["timeline"] = timeline
    figure = speedup(drawn, marks, asks=asks, **named)
    if clickable:
        clicks: dict[str, Any] = {"selection_mode": "guessed", "on_select": lambda: _clicked(key)}
        show(figure, key=key, place=places[0], **clicks)
    else:
        places[0] = show(figure, key="times as fast so far", place=places[0])
    if not hidden:
        figure = against_size([*lines.values()], what="time", **named)
        places[1] = show(figure, key="time against size", place=places[1])


# ---- What they say


def _told(chosen: Chosen, guess: float | None, shown: Shown, found: Found | None) -> str:
    """The guess beside what was measured, and the first verdict, or why there is none."""
    told = []
    if found and found.starved:
        told.append(
            f"The server was busy: its threads had a core for {alone(found.events):.0%} of the "
            "time in which they wanted one. The points are drawn, and no verdict is given."
        )
    if found and not (found.whole or found.going):
        told.append("This run ended early; what was measured until then is drawn.")
    first_one = next(iter(shown.ended), None)
    if first_one and guess and first_one.contest == next(iter(shown.contested)):
        told.append(answer(guess, first_one.turn, first_one.contest.framework, chosen.size_name))
    if first_one:
        told.append(verdict(first_one.contest.named, first_one.turn, chosen.size_name))
    elif chosen.recording and not chosen.of_recording():
        told.append(
            "The recording has nothing of this question: choose other frameworks or 32 bits."
        )
    elif not told:
        told.append("Choose two processors to see how many times as fast the one is as the other.")
    return " ".join(told)


def _opening(chosen: Chosen, server: Server, recordings: Mapping[str, Recording]) -> str:
    """HTML: whether a GPU has been measured, by whom, and what is to be guessed."""
    recording, task = chosen.recording, TASKS[chosen.operation]
    card = next((name for kind, name in server.found("torch").items() if kind != "cpu"), "")
    if recording and measured_gpu(recording):
        cards = ", ".join(gpu.name for gpu in recording.machine.gpus) or "its GPU"
        begins = f"<b>{escape(cards)} has been measured</b>, on {escape(recording.machine.name)}."
    elif card:
        begins = (
            f"<b>The server that runs this page has a GPU</b>, {escape(card)}, and nobody has "
            "measured it for you yet."
        )
    else:
        begins = "<b>No GPU has been measured for this page yet.</b>"
        if has_gpu(recordings):
            begins = "<b>This recording has no GPU.</b>"
    if not recording:
        return f"{begins} Say what you expect, then measure. The task: to {task}."
    who = f"{recording.machine.cores} threads compete with one, on {escape(recording.machine.name)}"
    if measured_gpu(recording):
        who = "it competes with the CPU of the same machine"
    return f"{begins} Here {who}. The task: to {task}. Mark where you think it begins to pay."


def _below(chosen: Chosen, shown: Shown, found: Found | None) -> None:
    """For those who read: all verdicts, small against large in numbers, how it was measured."""
    told = [verdict(one.contest.named, one.turn, chosen.size_name) for one in shown.ended]
    if len(told) > 1:
        st.markdown("\n".join(f"- {one}" for one in told))
    drawn = [line for line in shown.lines.values() if line.measurements]
    if not drawn:
        return
    on_server = [line for line in drawn if not line.hollow]
    if on_server and found and not found.starved:
        st.markdown(fastest(on_server, chosen.size_name))
    st.markdown(table(drawn, chosen.size_name))
    show(
        against_size(drawn, what="gflops", sizes=chosen.shown(), size_name=chosen.size_name),
        key="speed against size",
        height=360,
    )
    if chosen.recording:
        st.caption(made_elsewhere(chosen.recording))
    if not found:
        return
    found.warn()
    for said in left_out(found.events):
        st.caption(said)
    st.caption(_made(found, chosen))
    recording = recording_of(found.events)
    if recording.measurements:
        st.download_button(
            "Keep it as a recording",
            lambda: to_text(recording),
            "measured_on_the_server.json",
            "application/json",
            on_click="ignore",
        )


def _made(found: Found, chosen: Chosen) -> str:
    began = next((event for event in found.events if event["event"] == "began"), None)
    counts = [one.samples for one in measured(found.events)]
    if not (began and counts):
        return "Nothing was measured before the run ended."
    machine, versions = began["machine"], began["libraries"]
    loaded = {event["framework"] for event in found.events if event["event"] == "loaded"}
    used = ", ".join(
        f"{LOOKS[name].label} {versions.get(name, '')}" for name in LOOKS if name in loaded
    )
    processor, system = as_markdown(machine["processor"]), as_markdown(machine["system"])
    return (
        f"Measured {found.age()} on the server that runs this page: "
        f"{processor}, {machine['cores']} cores, {system}; {as_markdown(used)}. "
        f"{ABOUT[chosen.operation]} Each point is the median of {min(counts)} to "
        f"{max(counts)} samples, and the band reaches from the lower **quartile** to the upper "
        "one: half of the samples lie in it. The first call is left out. Ahead means by a "
        "twentieth at least, with quartiles that do not overlap. **GFLOP/s** are billions of "
        "additions and multiplications a second."
    )
