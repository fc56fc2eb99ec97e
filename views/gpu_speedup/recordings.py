"""Recordings from machines that are not here: shipped with the app, or brought by a visitor."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from engines.benchmark.recording import Recording, RecordingError, from_text
from views.ui.controls import Controls
from views.ui.texts import as_markdown

OWN = "own"  # the name of the recording that a visitor has brought
NONE = "none"
RESERVED = (OWN, NONE)  # what the controls call other things than recordings
UPLOAD, BROUGHT = "uploaded recording", "own recording"  # in the session: the widget, and its file

COMMAND = "python -m engines.benchmark --out my_machine.json"


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(content: bytes) -> Recording | RecordingError:
    """What is in a file, or why it cannot be read: that takes as long to find out."""
    try:
        return from_text(content)
    except RecordingError as refused:
        return refused


@st.cache_resource
def shipped(folder: Path) -> dict[str, Recording]:
    """The recordings in a folder by the names of their files; the log says what cannot be read."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        recording = _read(file.read_bytes())
        if isinstance(recording, Recording) and file.stem not in RESERVED:
            found[file.stem] = recording
        else:
            logging.getLogger(__name__).error("%s is no recording: %s", file.name, recording)
    return found


def all_of(folder: Path) -> dict[str, Recording]:
    """Those in the folder, and the one that this visitor has brought, if it can be read."""
    return {**shipped(folder), **_own()}


def _own() -> dict[str, Recording]:
    content = st.session_state.get(BROUGHT)
    own = _read(content) if content else None
    return {OWN: own} if isinstance(own, Recording) else {}


def choose(
    controls: Controls,
    recordings: Mapping[str, Recording],
    *,
    widget: Callable[..., Any],
    none: str,
) -> Recording | None:
    """The recording that a chapter shows: if not said, the visitor's own, or `first`.

    none: what stands for no recording.
    """
    written = str if widget is st.selectbox else as_markdown  # it shows a text as it is
    named = {name: f"{_whose(name)}: {written(r.machine.name)}" for name, r in recordings.items()}
    opens = OWN if OWN in recordings else first(recordings)
    name = controls.choice(
        widget,
        "Recording",
        "recording",
        {**named, NONE: none},
        opens or NONE,
        label_visibility="collapsed",
    )
    return recordings.get(str(name))


def first(recordings: Mapping[str, Recording]) -> str | None:
    """The name of the first recording with a GPU that came with the app, else of the first."""
    names = [name for name in recordings if name != OWN]
    with_gpu = (name for name in names if measured_gpu(recordings[name]))
    return next(with_gpu, next(iter(names), None))


def _whose(name: str) -> str:
    return "Your own recording" if name == OWN else "Recorded"


def add() -> None:
    """Take a recording from the visitor, for all chapters, and say what came of it."""
    st.file_uploader(
        "Your own recording (a JSON file, at most 1 MB)",
        type=["json"],
        key=UPLOAD,
        on_change=_brought,
    )
    content = st.session_state.get(BROUGHT)
    if not content:
        return
    own = _read(content)
    if isinstance(own, RecordingError):
        more = [f"`{one.replace('`', '')}`" for one in (own.where, own.detail) if one]
        sentence = f"{own.sentence[:1].upper()}{own.sentence[1:]}."
        st.warning(" ".join([sentence, *more]))
    else:
        st.success(
            f"Your recording has {len(own.measurements):,} measurements of "
            f"{as_markdown(own.machine.name)}. The other chapters show it now."
        )


def _brought() -> None:
    """Keep the file, for its uploader is only in one chapter, and show it wherever it can be."""
    Controls.moved()
    file = st.session_state.get(UPLOAD)
    st.session_state[BROUGHT] = file.getvalue() if file else b""
    # What was chosen before gives way to it, or to what chapters open with.
    st.query_params.pop("recording", None)
    st.session_state.pop("recording", None)


def listed(recordings: Mapping[str, Recording]) -> None:
    """Every recording in a line: where, when and with what it was made."""
    st.markdown("\n".join(f"- {_described(one)}" for one in recordings.values()))


def made_elsewhere(recording: Recording) -> str:
    """The same of one, for below a picture that has its lines."""
    return f"Recorded elsewhere: {_described(recording)}"


def _described(recording: Recording) -> str:
    machine = recording.machine
    cards = [
        f"{gpu.name} ({_gigabytes(gpu.memory_bytes)}, driver {gpu.driver or 'unknown'})"
        for gpu in machine.gpus
    ]
    hardware = (
        machine.processor or "unknown processor",
        f"{machine.cores} cores",
        _gigabytes(machine.memory_bytes),
        "; ".join(cards) or "no graphics card",
        machine.system,
    )
    versions = ", ".join(f"{name} {version}" for name, version in recording.libraries.items())
    return (
        f"**{as_markdown(machine.name)}**: {as_markdown(', '.join(hardware))}. "
        f"{len(recording.measurements):,} measurements, "
        f"{as_markdown(recording.made[:16].replace('T', ' '))} UTC, with {as_markdown(versions)}."
    )


def measured_gpu(recording: Recording) -> bool:
    """Whether it has measured something that is not a CPU."""
    return any(one.device != "cpu" for one in recording.measurements)


def has_gpu(recordings: Mapping[str, Recording]) -> bool:
    """Whether any of them has."""
    return any(measured_gpu(one) for one in recordings.values())


def _gigabytes(size: int) -> str:
    return f"{size / 2**30:.0f} GiB" if size else "memory unknown"
