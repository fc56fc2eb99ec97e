"""Recordings from machines that are not here: shipped with the app, or brought by a visitor."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from engines.benchmark.recording import Recording, RecordingError, from_text
from views.ui.controls import Controls

OWN = "own"  # the name of the recording that a visitor has brought
UPLOAD = "uploaded recording"
RESERVED = (OWN, "none", "here")  # what the controls call other things than recordings

COMMAND = 'python -m engines.benchmark --out my_machine.json --name "a desktop with a large GPU"'


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
    file = st.session_state.get(UPLOAD)
    own = _read(file.getvalue()) if file else None
    return {OWN: own} if isinstance(own, Recording) else {}


def add(recordings: Mapping[str, Recording]) -> None:
    """Say how to make a recording, and take one from the visitor."""
    if not has_gpu(recordings):
        st.markdown(
            "**No GPU has been measured for this page yet.** What it says of GPUs it cannot show "
            "until somebody who has one runs the command below."
        )
    st.markdown(
        "To add a machine: in a copy of this project, run this command with the Python that the "
        "app uses. It measures everything that it finds for five minutes and shows how far it is."
    )
    st.code(COMMAND, language="bash")
    st.markdown(
        "Then bring the file here. It is kept for your visit only, and nobody else sees it. A file "
        "in the folder `recordings/` is there for everybody who opens the page."
    )
    file = st.file_uploader(
        "Your own recording (a JSON file, at most 1 MB)",
        type=["json"],
        key=UPLOAD,
        on_change=_brought,
    )
    if not file:
        return
    own = _read(file.getvalue())
    if isinstance(own, RecordingError):
        more = [f"`{one.replace('`', '')}`" for one in (own.where, own.detail) if one]
        sentence = f"{own.sentence[:1].upper()}{own.sentence[1:]}."
        st.warning(" ".join([sentence, *more]))
    else:
        st.success(
            f"Your recording has {len(own.measurements):,} measurements of "
            f"{as_text(own.machine.name)}. It is chosen at the top of the page now."
        )


def _brought() -> None:
    """Compare what is measured here with a recording as soon as that is there."""
    Controls.moved()
    if _own():
        st.session_state["recording"] = OWN


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
        f"**{as_text(machine.name)}**: {as_text(', '.join(hardware))}. "
        f"{len(recording.measurements):,} measurements, "
        f"{as_text(recording.made[:16].replace('T', ' '))} UTC, with {as_text(versions)}."
    )


def has_gpu(recordings: Mapping[str, Recording]) -> bool:
    """Whether any of them has measured something that is not a CPU."""
    return any(
        one.device != "cpu" for recording in recordings.values() for one in recording.measurements
    )


def as_text(text: str) -> str:
    """A text of somebody else, so that nothing in it is taken for Markdown, an icon or a link."""
    escaped = re.sub(r"([^\w\s,;/]|_)", r"\\\1", text)
    return re.sub(r"([:@.-])", "\\1\u2060", escaped)  # a sign that joins words and is not seen


def _gigabytes(size: int) -> str:
    return f"{size / 2**30:.0f} GiB" if size else "memory unknown"
