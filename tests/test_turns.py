"""A few runs compute at once, in order; a turn comes back however a run ends; who waits is told."""

import threading
import time
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from tests.visit import visit
from views import turns
from views.turns import AT_ONCE


def in_line():
    """How many compute or wait, once nobody has come or gone for a moment."""
    seen = []
    while seen[-5:] != [len(turns._line)] * 5:  # a thread may still be ending
        seen.append(len(turns._line))
        time.sleep(0.01)
    return seen[-1]


@pytest.fixture(autouse=True)
def nobody_is_left_in_line(monkeypatch):
    monkeypatch.setattr(turns, "LONG", 0.01)
    assert in_line() == 0
    yield
    turns.give_back()
    assert in_line() == 0


class Run(threading.Thread):
    """A run that computes until `end`, in `order` with others."""

    def __init__(self, order):
        super().__init__()
        self.place, self.order, self._ended = Mock(), order, threading.Event()
        before = in_line()
        self.start()
        while in_line() == before:
            pass

    def run(self):
        turns.take(self.place)
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
    order = []
    several = [Run(order) for _ in range(count)]
    try:
        yield several, order
    finally:
        for one in several:
            one.end()


def test_a_few_compute_and_the_others_follow_in_the_order_in_which_they_came():
    with runs(AT_ONCE + 3) as (several, order):
        assert set(order) == set(several[:AT_ONCE])
        for number, ends in enumerate([2, 0, 1]):  # in whichever order the first ones end
            several[ends].end()
            in_line()
            assert order[AT_ONCE:] == several[AT_ONCE : AT_ONCE + number + 1]


def test_who_waits_is_told_the_number_in_line_until_the_turn_comes():
    with runs(AT_ONCE + 2) as (several, _):
        *computing, first, second = several
        assert not any(one.told for one in computing)
        assert "number 1 in line" in first.told
        assert "number 2 in line" in second.told
        computing[0].end()
        in_line()
        first.place.empty.assert_called_once_with()
        assert "number 1 in line" in second.told
        second.place.empty.assert_not_called()


def test_a_thread_has_one_turn_however_often_it_asks_and_gives_back():
    for _ in range(3):
        turns.take(Mock())
    assert in_line() == 1
    for _ in range(3):
        turns.give_back()
    assert in_line() == 0


def test_who_moves_on_while_waiting_keeps_the_place_and_who_leaves_is_gone():
    class MovedOn(BaseException):
        """As Streamlit raises, where a run shows something that is no longer wanted."""

    went = []

    def moves_on():
        for _ in range(2):
            with pytest.raises(MovedOn):
                turns.take(Mock(info=Mock(side_effect=MovedOn)))
            went.append([*turns._line])

    with runs(AT_ONCE):
        leaves = threading.Thread(target=moves_on)
        leaves.start()
        leaves.join()
        assert went[0] == went[1]
        assert len(went[0]) == AT_ONCE + 1
        assert in_line() == AT_ONCE


@pytest.mark.parametrize("ends", ["normally", "stopped", "broken", "run again"])
def test_a_turn_comes_back_however_the_run_ends(ends):
    def page(ends):
        import streamlit as st

        from views import turns

        turns.take(st.empty())
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


def test_a_page_waits_for_its_turn_and_then_says_no_more_of_it(monkeypatch):
    told = []
    with runs(AT_ONCE) as (several, _):

        def info(place, text):
            told.append(text)
            several[0].end()

        monkeypatch.setattr("streamlit.delta_generator.DeltaGenerator.info", info)
        at = visit("custom_relu_backward")
    assert told == ["Many are here at once. This page is number 1 in line."]
    assert not at.exception
    assert at.title[0].value == "Custom ReLU backward"


def test_whoever_measures_lets_others_compute_meanwhile():
    def page():
        import streamlit as st

        from views import turns
        from views.measuring import Measuring

        def in_child(arguments, *, seconds):
            st.session_state["in line"] = len(turns._line)
            yield {"done": 1, "of": 1}

        turns.take(st.empty())
        measuring = Measuring(in_child)
        measuring.offer("one", "Measure", (), seconds=1)
        measuring.run()

    at = AppTest.from_function(page).run()
    at.button[0].click().run()
    assert not at.exception
    assert at.session_state["in line"] == 0
