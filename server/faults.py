"""When a page fails: what its visitor is told, and what the log says."""

from __future__ import annotations

import json
import logging
import time
import traceback
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

ROOT = Path(__file__).parents[1]
SORRY = (
    "This page could not be drawn, so what was set on it has been forgotten. Load it again, or "
    "choose another chapter. The server's log says where it failed."
)


def page_failed(_error: Exception) -> bool:
    """Tell the visitor, and forget what their page held. Streamlit has written to the log.

    A modified browser may have sent what no widget can take. Streamlit would hold on to that, and
    every later run of this visitor would fail of it as well.
    """
    context = get_script_run_ctx()
    assert context
    # The public ways of emptying a session look at each value first, and fail of the same one.
    state = context.session_state._state
    for widget in list(state._new_widget_state):
        del state._new_widget_state[widget]
    state.clear()
    st.error(SORRY)
    return True


class _Line(logging.Formatter):
    """A record as a line of JSON: when, how severe, from which logger, and its message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "from": record.name,
            "says": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1]:
            told |= described(record.exc_info[1])
        return json.dumps(told, ensure_ascii=False)


def described(error: BaseException) -> dict[str, object]:
    """What may be written down of an exception: its kind, and the lines of ours on the way to it.

    Where none is ours, the last line of all, without its folder. The exception's own words stay
    out: in them may be what somebody typed or uploaded.
    """
    frames = traceback.extract_tb(error.__traceback__)
    paths = [(Path(frame.filename), frame.lineno) for frame in frames]
    ours = [
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for path, line in paths
        if path.is_relative_to(ROOT) and "site-packages" not in path.parts
    ]
    return {
        "error": type(error).__name__,
        "where": ours or [f"{path.name}:{line}" for path, line in paths[-1:]],
    }


def log_lines() -> None:
    """Have all loggers of this process write such lines, those of Streamlit and its server too."""
    st.set_option("logger.enableRich", False)  # it prints what an exception says
    handler = logging.StreamHandler()
    handler.setFormatter(_Line())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in logging.root.manager.loggerDict:
        family = name.partition(".")[0]
        if family in ("streamlit", "uvicorn", "websockets"):
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
            if family != "streamlit":
                logger.setLevel(logging.WARNING)  # below that are visitors' addresses
