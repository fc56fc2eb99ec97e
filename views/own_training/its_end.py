"""How the program ended, where it was not by itself: its error, explained, with its own line."""

from __future__ import annotations

import streamlit as st

from engines.own_training.recording import Recording
from views.ui.errors import explain
from views.ui.shell import Here


def tell_error(here: Here, recording: Recording) -> None:
    """Beside the heading: the error that ended it, and in a popover what that means."""
    if (failure := recording.failure) is None:
        return
    where = f" in line {failure.line}" if failure.line else ""
    label = f":material/error: {failure.error}{where}"
    with here.settings, st.container(key="ended", width="content"), st.popover(label):
        when = "outside of its steps" if failure.step is None else f"in step {failure.step}"
        st.markdown(f"The program ended {when} with this error:")
        lines = recording.source.splitlines()
        if failure.line and failure.line <= len(lines):
            st.code(lines[failure.line - 1].strip(), language="python", wrap_lines=True)
        explain(failure.error, failure.message)


def tell_end(recording: Recording) -> None:
    """Below the stage: that it would have gone on, where it was ended from outside."""
    steps = len(recording.passes)
    if recording.ended == "enough":
        st.caption(f"The program was ended after {steps} steps; `--steps` says after how many.")
    if recording.ended == "interrupted":
        st.caption(f"The program was ended by Ctrl+C after {steps} steps.")
    if recording.too_many:
        st.caption(
            f"A step built more than {recording.too_many} nodes, too many to be shown. Of such "
            "steps only losses and sizes were recorded."
        )
