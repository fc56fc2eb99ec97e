"""A run that is watched is the same run, and ends when it is told to."""

import threading

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


@pytest.fixture
def trained():
    """A slow function, and how often it was computed."""
    computed = []

    @slow_run.slow
    def trained(follow, name):
        """What is computed."""
        computed.append(name)
        return [step.loss for step in follow(engine(closed), 10, "Step {} of {}.")]

    closed = trained.closed = []  # the engines that were
    slow_run._result.clear()
    return trained, computed


def test_a_slow_result_is_computed_once_and_kept_for_all(bar, trained):
    function, computed = trained
    assert function("one") == [*map(float, range(11))]
    assert bar[0] == (0, "Step 0 of 10.")
    told = len(bar)
    assert function("one") is function("one")
    assert len(bar) == told  # a known result shows no bar
    function("other")
    assert computed == ["one", "other"]
    assert function.stopped() is None


def test_a_slow_run_that_is_stopped_is_not_kept_and_says_where_once(bar, trained, monkeypatch):
    function, computed = trained

    class Stop(BaseException):
        pass

    def stop(share, text):
        if share == 0.4:
            raise Stop

    monkeypatch.setattr(st.empty, "progress", staticmethod(stop))
    with pytest.raises(Stop):
        function("one")
    assert function.closed == [True]
    assert function.stopped() == 4
    assert function.stopped() is None
    monkeypatch.setattr(st.empty, "progress", staticmethod(lambda *_: None))
    assert len(function("one")) == 11
    assert computed == ["one", "one"]


def test_who_asks_for_the_same_meanwhile_waits_for_that_result(bar, monkeypatch):
    computed, begun, goes_on = [], threading.Event(), threading.Event()

    @slow_run.slow
    def trained(follow, name):
        computed.append(name)
        begun.set()
        assert goes_on.wait(10)
        return [name]

    slow_run._result.clear()
    monkeypatch.setattr(slow_run, "SHOW_EVERY", 0.01)
    first = threading.Thread(target=trained, args=("same",))
    first.start()
    assert begun.wait(10)
    progress = st.empty.progress

    def waits(share, text):
        progress(share, text)
        goes_on.set()

    monkeypatch.setattr(st.empty, "progress", staticmethod(waits))
    assert trained("same") == ["same"]
    first.join()
    assert computed == ["same"]
    assert (0.0, slow_run.SAME) in bar
