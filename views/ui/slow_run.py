"""A run that takes some seconds: how far it is, and a way to stop it."""

from __future__ import annotations

import time
from collections.abc import Generator

import streamlit as st

from engines.trace import Step

Steps = Generator[Step, None, None]
SHOW_EVERY = 0.2  # seconds between two moves of the bar


def watched(steps: Steps, last: int, said: str, *, key: str) -> Steps:
    """The same steps, with a progress bar while they are taken.

    A control that is moved meanwhile ends the run: Streamlit says so when the bar is moved. Then
    the engine is closed, and st.session_state[key] is the step that the bar had come to, which is
    None after a whole run.
    last: the number of the last step. said: a text with two places, for the step and the last.
    """
    bar, due = st.empty(), 0.0
    try:
        for k, step in enumerate(steps):
            if time.monotonic() >= due:
                # Noted here, not at the end: the next run of the page does not wait for this one.
                st.session_state[key] = k
                bar.progress(k / last, said.format(k, last))
                due = time.monotonic() + SHOW_EVERY
            yield step
        bar.empty()
        st.session_state[key] = None
    finally:
        steps.close()
