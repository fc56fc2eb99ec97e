"""The player: play, pause and step back through a recorded run, without asking the server.

It is one components-v2 element. Charts, listings and formulas follow it in the browser; the
design and its traps are told at the top of bar.js.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from views.player.timeline import Timeline

HERE = Path(__file__).parent
SPEEDS = (1, 4, 15, 60, 240)  # steps a second
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
    "parts": "Phases of a step",
    "loop": "loop",
    "speed": "speed",
    "rate": "{rate} steps/s",
    "step": "step {step} of {last}",
    "phases": ["predict", "loss", "gradient", "update"],
}

_player = st.components.v2.component(
    "player",
    html=(HERE / "bar.html").read_text(encoding="utf-8"),
    css=(HERE / "bar.css").read_text(encoding="utf-8"),
    js=(HERE / "bar.js").read_text(encoding="utf-8"),
    # Texts look for #player-step in the document; inside a shadow root they would not find it.
    isolate_styles=False,
)


# By name, the moment from which a series is known, and the one at which the update changes it.
Readout = Mapping[str, tuple[int, int | None]]
READOUT: Readout = {"loss": (1, None), "w": (0, 3), "b": (0, 3)}  # where each phase is one moment


def player(
    timeline: Timeline,
    *,
    readout: Readout = READOUT,
    phases: Sequence[str] = WORDS["phases"],
    of: str = "",
) -> DeltaGenerator:
    """Show the player. Everything on the page that follows the timeline follows it from here.

    readout: the series named and printed beside the step. phases: the names of the four. of: what
    slow motion goes through; where that changes, it begins anew. Returns the bar, which stays in
    sight, for what has to be seen with the player.
    """
    wanted = timeline.last_step / 25  # a whole run takes about half a minute
    speed = min(SPEEDS, key=lambda rate: abs(rate - wanted))
    words = {**WORDS, "phases": list(phases)}
    data = {**timeline.payload, "readout": dict(readout), "words": words, "of": of}
    # Before the charts, and not in the component, which is there only once its module is loaded: a
    # chart that does not find this input when it is drawn stays still for good.
    st.html('<input type="hidden" id="player-state">')
    bar = st.container(key="player-bar")
    with bar:
        _player(data={**data, "speeds": SPEEDS, "speed": speed}, key="player")
    return bar
