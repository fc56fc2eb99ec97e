"""A recording as one HTML file, made without a server."""

from __future__ import annotations

import logging

from streamlit.logger import set_log_level

from engines.own_training.recording import Recording


def page(recording: Recording) -> str:
    """The file, which plays without a server and without a network."""
    set_log_level(logging.ERROR)  # it misses a server, and would say so
    from views.own_training.take_away import page as made  # noqa: PLC0415

    return made(recording)
