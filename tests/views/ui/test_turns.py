"""A few runs compute at once, in order; a turn comes back however a run ends; who waits is told."""

import threading
import time
from contextlib import contextmanager, suppress
from unittest.mock import Mock

import pytest
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from tests.support.server import Visitor, running
from views.ui import turns
from views.ui.turns import AT_ONCE


def until(condition):
    """Wait until it is so; for ten seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def in_line(count):
    until(lambda: len(turns._line) == count)


@pytest.fixture(autouse=True)
def nobody_is_left_in_line(monkeypatch):
    monkeypatch.setattr(turns, "LONG", 0.01)
    in_line(0)  # a thread may still be ending
    yield
    turns.give_back()
    in_line(0)


class Run(threading.Thread):
    """A run of a visitor's that computes until `end`, in `order` with others."""

    def __init__(self, order, visitor=None):
        super().__init__()
        self.place, self.order, self.visitor = Mock(), order, visitor or str(id(self))
        self._ended = threading.Event()
        self.start()

    def run(self):
        with suppress(StopException):
            turns.take(self.place, self.visitor)
            self.order.append(self)
            self._ended.wait(10)

    def end(self):
        self._ended.set()
        self.join()

    @property
    def told(self):
        return self.place.info.call_args.args[0] if self.place.info.called else ""


@contextmanager
def runs(count):
    """As many runs, come one after the other, and the order in which they compute."""
    order, several = [], []
    for number in range(count):
        several.append(Run(order))
        in_line(number + 1)
    until(lambda: len(order) == min(count, AT_ONCE))
    try:
        yield several, order
    finally:
        for one in several:
            one.end()


def test_a_few_compute_and_the_others_follow_in_the_order_in_which_they_came():
    with runs(AT_ONCE + 3) as (several, order):
        assert set(order) == set(several[:AT_ONCE])
        for number, ends in enumerate([1, 0, 2], start=1):  # in whichever order the first ones end
            several[ends].end()
            until(lambda enough=AT_ONCE + number: len(order) >= enough)
            assert order[AT_ONCE:] == several[AT_ONCE : AT_ONCE + number]


def test_who_waits_is_told_the_number_in_line_until_the_turn_comes():
    with runs(AT_ONCE + 2) as (several, order):
        *computing, first, second = several
        until(lambda: "number 1 in line" in first.told and "number 2 in line" in second.told)
        assert not any(one.told for one in computing)
        computing[0].end()
        until(lambda: first in order and "number 1 in line" in second.told)
        first.place.empty.assert_called_once_with()
        second.place.empty.assert_not_called()


def test_a_visitor_has_one_turn_however_many_runs_there_are_of_it():
    order = []
    several = [Run(order, "one") for _ in range(AT_ONCE + 1)]
    until(lambda: len(order) == AT_ONCE + 1)
    in_line(1)
    for one in several:
        in_line(1)
        one.end()
    in_line(0)


def test_who_moves_on_while_waiting_keeps_the_place():
    with runs(AT_ONCE) as (several, order):
        stale = Run(order, "impatient")
        in_line(AT_ONCE + 1)
        later = Run(order)
        in_line(AT_ONCE + 2)
        new = Run(order, "impatient")
        stale.place.info.side_effect = StopException  # the run is not wanted any more
        stale.join()
        in_line(AT_ONCE + 2)
        several[0].end()
        until(lambda: len(order) == AT_ONCE + 1)
        assert order[-1] is new
        new.end()
        until(lambda: order[-1] is later)
        later.end()


def test_who_leaves_while_waiting_is_gone_from_the_line():
    with runs(AT_ONCE) as (_, order):
        leaves = Run(order)
        in_line(AT_ONCE + 1)
        leaves.place.info.side_effect = StopException
        leaves.join()
        in_line(AT_ONCE)
        assert leaves not in order


def test_a_turn_is_given_back_once():
    for _ in range(3):
        turns.take(Mock(), "one")
        in_line(1)
    for _ in range(3):
        turns.give_back()
        in_line(0)


@pytest.mark.parametrize("ends", ["normally", "stopped", "broken", "run again"])
def test_a_turn_comes_back_however_the_run_ends(ends):
    def page(ends):
        import streamlit as st

        from views.ui import turns

        turns.take(st.empty(), "one")
        st.text(f"{len(turns._line)} in line")
        if ends == "stopped":
            st.stop()
        if ends == "broken":
            raise ValueError("broken")
        if ends == "run again" and "again" not in st.session_state:
            st.session_state["again"] = True
            st.rerun()

    at = AppTest.from_function(page, args=(ends,)).run()
    assert [text.value for text in at.text] == ["1 in line"]
    assert len(at.exception) == (ends == "broken")


def test_who_waits_for_a_framework_uses_up_no_turn():
    def page():
        import streamlit as st

        from views.ui import shell, turns

        turns.take(st.empty(), "one")
        with shell.loading("what nobody has loaded yet"):
            st.session_state["meanwhile"] = len(turns._line)
        st.session_state["afterwards"] = len(turns._line)

    at = AppTest.from_function(page).run()
    assert not at.exception
    assert (at.session_state["meanwhile"], at.session_state["afterwards"]) == (0, 1)


def test_a_long_run_lets_short_ones_pass():
    with runs(AT_ONCE - 1) as (_, order):
        turns.take(Mock(), "long")
        turns.let_others(Mock())  # nobody waits
        short = Run(order)
        in_line(AT_ONCE + 1)
        ends = threading.Thread(target=lambda: (until(lambda: short in order), short.end()))
        ends.start()
        turns.let_others(Mock())
        assert short in order
        ends.join()
        turns.give_back()


def test_whoever_measures_lets_others_compute_meanwhile():
    def page():
        import time

        import streamlit as st

        from views.ui import turns
        from views.ui.measuring import Measuring

        def in_child(arguments, *, seconds):
            seen = st.session_state["in line"] = []

            def results():  # in a thread of its own, which the page's run may be a moment behind
                while len(seen) < 100 and not (seen and seen[-1] == 0):
                    time.sleep(0.01)
                    seen.append(len(turns._line))
                yield {"done": 1, "of": 1}

            return results()

        turns.take(st.empty(), "one")
        measuring = Measuring(in_child)
        measuring.offer("one", "Measure", (), seconds=1)
        measuring.run()

    at = AppTest.from_function(page).run()
    at.button[0].click().run()
    assert not at.exception
    assert at.session_state["in line"][-1] == 0


IMPATIENT = """
import time

import streamlit as st

from views.ui import turns

value = st.slider("value", 0, 9, key="value")
turns.take(st.empty(), st.session_state.setdefault("session", str(time.monotonic_ns())))
time.sleep(value and 1)
st.text(f"{len(turns._line)} in line")
"""


def test_on_a_server_one_who_moves_a_control_many_times_does_not_keep_others_waiting(tmp_path):
    page = tmp_path / "page.py"
    page.write_text(IMPATIENT)
    with running(str(page)) as server, Visitor(server.url) as impatient:
        for value in range(1, AT_ONCE + 2):  # each time the run before is not wanted any more
            impatient.ask({"value": [value]})
            time.sleep(0.1)
        with Visitor(server.url) as other:
            assert "2 in line" in str(other.first.messages)
            assert other.first.seconds < 1
        assert "in line" in str(impatient.answer().messages)
