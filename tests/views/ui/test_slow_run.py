"""A run that is watched is the same run, and ends when it is told to."""

import pytest
import streamlit as st

from engines.trace import Step
from views.ui import slow_run


def engine(closed):
    try:
        for k in range(11):
            yield Step(float(k), {}, {})
    finally:
        closed.append(True)


@pytest.fixture
def bar(monkeypatch):
    """What the bar was told; the session's state is empty."""
    told = []

    class Bar:
        progress = staticmethod(lambda share, text: told.append((share, text)))
        empty = staticmethod(lambda: told.append("gone"))

    monkeypatch.setattr(slow_run, "SHOW_EVERY", 0)
    monkeypatch.setattr(st, "empty", Bar)
    monkeypatch.setattr(st, "session_state", {})
    return told


def test_a_whole_run_is_the_engines_and_the_bar_goes(bar):
    closed = []
    steps = [*slow_run.watched(engine(closed), 10, "{} of {}", key="stopped")]
    assert [step.loss for step in steps] == list(range(11))
    assert bar[:2] == [(0, "0 of 10"), (0.1, "1 of 10")]
    assert bar[-2:] == [(1, "10 of 10"), "gone"]
    assert st.session_state["stopped"] is None
    assert closed


def test_a_stopped_run_is_closed_and_its_step_is_known(bar, monkeypatch):
    closed = []

    class Stop(BaseException):
        pass

    watched = slow_run.watched(engine(closed), 10, "{} of {}", key="stopped")
    for _ in range(4):
        next(watched)

    def stop(*_):
        raise Stop

    monkeypatch.setattr(st.empty, "progress", staticmethod(stop))
    with pytest.raises(Stop):
        next(watched)
    assert closed
    assert st.session_state["stopped"] == 4
    assert bar[-1] == (0.3, "3 of 10")
