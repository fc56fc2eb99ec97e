"""The player: play, pause and step back through a recorded run, without asking the server.

It is one components-v2 element. Charts, listings and formulas follow it in the browser; the
design and its traps are told at the top of bar.js.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from views.player.figure import in_lecture
from views.player.parts import component
from views.player.timeline import Timeline

SPEEDS = (1, 4, 15, 60, 240)  # steps a second
SLOW_SPEEDS = (0.5, 1, 2, 4)  # times as fast as the text can be read
WORDS: dict[str, Any] = {
    "player": "Player for the recorded training",
    "slider": "Training step",
    "start": "To the start (Home)",
    "back": "One step back (left arrow)",
    "play": "Play (space)",
    "pause": "Pause (space)",
    "forward": "One step forward (right arrow)",
    "end": "To the end (End)",
    "slow": "slow motion",
    "more": "Speed, loop, and the numbers of this moment",
    "loop": "loop",
    "speed": "speed",
    "rate": "{rate} steps/s",
    "times": "{rate}×",
    "table": "At this moment",
    "step": "step {step} of {last}",
    "phases": ["predict", "loss", "gradient", "update"],
}

BAR = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
_player = component("player", __file__, html=BAR)


# By name, the moment from which a series is known, and the one at which the update changes it.
Readout = Mapping[str, tuple[int, int | None]]
READOUT: Readout = {"loss": (1, None), "w": (0, 3), "b": (0, 3)}  # where each phase is one moment


def player(
    timeline: Timeline,
    *,
    readout: Readout = READOUT,
    whose: str = "",
    table: Mapping[str, str] | None = None,
    phases: Sequence[str] = WORDS["phases"],
    stops: Sequence[int] = (),
    counted: str = WORDS["step"],
    every: int = 1,
    of: str = "",
    then: str = "",
    begin: tuple[int, int | None] | None = None,
    at_end: bool = False,
    plays: bool = False,
    on_asked: Callable[[], None] = lambda: None,
    key: str = "player",
) -> DeltaGenerator:
    """Show the player. Everything on the page that follows the timeline follows it from here.

    readout: the series named and printed beside the step. whose: the run that these are of, where
    there are several. table: by label, the series that are told in a table of this moment; those of
    the readout if not said. phases: the names of the four. stops: the steps that a clicker goes to.
    counted: what is said of a step, where one stands for `every` of what is counted. of: what is
    played; where that changes, slow motion begins anew, and so does what plays by itself. then:
    what a button at the end says, which asks for what comes next. begin: the step and the moment,
    None outside slow motion, at which a first visit finds it; if not said, the first. at_end:
    whether it is the last instead.
    plays: whether it then plays by itself, once; where less motion is asked for, it stays, or where
    something else is played, goes to the end. on_asked:
    called before the page runs where a button of it with `data-asks-step` was pressed. key: another
    player for another key. Returns the bar, for what has to be seen with the player.
    """
    wanted = timeline.last_step / 25  # a whole run takes about half a minute
    speed = min(SPEEDS, key=lambda rate: abs(rate - wanted))
    data = {
        **timeline.payload,
        "readout": dict(readout),
        "whose": whose,
        "table": dict(table or {name: name for name in readout}),
        "words": {**WORDS, "phases": list(phases), "step": counted},
        "every": every,
        "stops": [int(stop) for stop in stops],
        "of": of,
        "next": then,
        "begin": begin or (0, 0 if timeline.slow else None),
        "atEnd": at_end,
        "plays": plays and not at_end,
        "lecture": in_lecture(),
        "speeds": SPEEDS,
        "slowSpeeds": SLOW_SPEEDS,
        "speed": speed,
    }
    bar = st.container(key="player-bar")
    with bar:
        _player(data=data, key=key, on_asked_change=on_asked)
    return bar
