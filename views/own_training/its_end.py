"""How the program ended, where it was not by itself: its error, explained, with its own line."""

from __future__ import annotations

import streamlit as st

from engines.own_training.recording import Recording
from views.ui.errors import explain


def tell(recording: Recording) -> None:
    """Above the stage in a word; what an error means can be opened there."""
    if recording.ended == "enough":
        st.caption(f"The program was ended after {len(recording.passes)} steps, as `--steps` says.")
    if recording.ended == "interrupted":
        st.caption(f"The program was ended by Ctrl+C after {len(recording.passes)} steps.")
    if (failure := recording.failure) is None:
        return
    where = f" at line {failure.line}" if failure.line else ""
    step = len(recording.passes) - 1
    with st.expander(f":material/error: It ended in a {failure.error}{where}, in step {step}."):
        lines = recording.source.splitlines()
        if failure.line and failure.line <= len(lines):
            st.code(lines[failure.line - 1].strip(), language="python")
        explain(failure.error, failure.message)
