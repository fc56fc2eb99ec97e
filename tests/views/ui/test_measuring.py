"""A measurement as a visitor meets it: the button, the queue, Stop, failure, and what is kept."""

import time
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.visit import words
from views.ui import measuring


def page():
    """Two measurements, of which one draws what has come so far."""
    import streamlit as st

    from views.ui.measuring import Measuring

    def draw(events):
        st.session_state["drawn"] = len(events)

    measuring = Measuring(st.session_state["in_child"])
    for name in ("one", "two"):
        arguments = (name, st.session_state.get("setting", "small"))
        found = measuring.offer(name, f"Measure {name}", arguments, seconds=5, draw=draw)
        if found:
            st.markdown(f"{name}: {len(found.events)} events, whole: {found.whole}")
    if st.session_state.get("follows", True):
        measuring.run()


@pytest.fixture
def visit():
    measuring._latest.clear()

    def open_with(in_child):
        at = AppTest.from_function(page, default_timeout=30)
        at.session_state["in_child"] = in_child
        at.run()
        assert not at.exception
        return at

    yield open_with
    measuring._latest.clear()


def button(at, label):
    return next((button for button in at.button if button.label == label), None)


def press(at, label):
    button(at, label).click().run()
    assert not at.exception
    return at


def three(arguments, *, seconds):
    assert seconds > 5
    yield None
    for done in (1, 2, 3):
        yield {"done": done, "of": 3, "for": arguments}


def test_nothing_is_measured_before_somebody_asks(visit):
    def never(arguments, *, seconds):
        raise AssertionError
        yield

    assert words(visit(never)) == ""


def test_what_came_is_kept_with_the_settings_it_was_measured_with(visit):
    at = press(visit(three), "Measure one")
    assert words(at) == "one: 3 events, whole: True"
    at.session_state["setting"] = "large"
    assert words(at.run()) == ""
    at.session_state["setting"] = "small"
    assert words(at.run()) == "one: 3 events, whole: True"


def test_the_child_is_asked_for_what_the_button_says(visit):
    at = press(visit(three), "Measure two")
    [found] = at.session_state["measured"].values()
    assert {event["for"] for event in found.events} == {("two", "small")}


def test_what_has_come_is_drawn_while_it_comes(visit, monkeypatch):
    monkeypatch.setattr(measuring, "DRAW_EVERY", 0)
    at = press(visit(three), "Measure one")
    assert at.session_state["drawn"] == 3


def test_somebody_else_can_see_what_was_measured_last(visit):
    press(visit(three), "Measure one")
    at = visit(three)
    assert words(at) == ""
    assert (
        words(press(at, "Show the last measurement of this server")) == "one: 3 events, whole: True"
    )


def test_a_failure_is_told_without_what_the_process_said_and_keeps_what_came(visit):
    def breaks(arguments, *, seconds):
        yield {"done": 1, "of": 3}
        raise ChildProcessError("File somewhere on this machine")

    at = press(visit(breaks), "Measure one")
    assert "has ended before it was done" in at.warning[0].value
    assert "somewhere" not in words(at)
    assert "one: 1 events, whole: False" in words(at)
    assert not button(at, "Measure one").disabled
    assert button(visit(breaks), "Show the last measurement of this server") is None


def test_a_measurement_that_takes_too_long_is_told(visit):
    def slow(arguments, *, seconds):
        yield None
        raise TimeoutError

    assert "took too long" in press(visit(slow), "Measure one").warning[0].value


class Place:
    """What is shown beside the button, one after the other."""

    def __init__(self):
        self.said = []

    def markdown(self, text):
        self.said.append(text)

    def progress(self, share, text):
        self.said.append((share, text))

    def button(self, label, **_):
        self.said.append(f"[{label}]")


def test_those_who_wait_see_their_place_and_then_the_progress(monkeypatch):
    monkeypatch.setattr(measuring, "LOOK_EVERY", 0.01)
    place, closed, seen = Place(), [], []

    def results():
        try:
            for result in (SimpleNamespace(before=2), SimpleNamespace(before=1), None):
                yield result
                shown = len(place.said)
                while len(place.said) < shown + 2:
                    time.sleep(0.005)
            yield {"done": 1, "of": 2}
        finally:
            closed.append(True)

    under_way = measuring._UnderWay(("one",), results())
    measuring._follow(under_way, measuring._Offered((), 5, place, place, seen.append))
    assert seen[-1] == under_way.events == [{"done": 1, "of": 2}]
    labels = [one for one in place.said if isinstance(one, str) and one.startswith("[")]
    assert labels == ["[Leave the queue]", "[Stop]"]
    places = [one for one in place.said if isinstance(one, str) and "Somebody" in one]
    assert "number 2" in places[0]
    assert "You are next" in places[-1]
    assert place.said[-1] == (0.5, "1 of 2 are measured.")
    assert closed


def endless(closed):
    try:
        while True:
            time.sleep(0.01)
            yield {"done": 1, "of": 2}
    finally:
        closed.append(True)


def test_another_click_leaves_it_going_and_other_settings_stop_it(visit):
    closed = []
    at = visit(three)
    under_way = measuring._UnderWay(("one", "one", "small"), endless(closed))
    at.session_state["measurement"] = under_way
    while not under_way.events:
        time.sleep(0.01)
    at.session_state["setting"] = "small"
    at.session_state["follows"] = False  # as if another click ended the run of the page
    at.run()
    assert "events, whole: False" in words(at)
    assert button(at, "Measure one").disabled
    assert not closed
    at.session_state["setting"] = "large"
    at.run()
    assert closed
    assert not button(at, "Measure one").disabled


def test_without_anybody_who_looks_it_ends(monkeypatch):
    monkeypatch.setattr(measuring, "PATIENCE", 0.05)
    closed = []
    under_way = measuring._UnderWay(("one",), endless(closed))
    assert under_way.over.wait(5)
    assert closed
    assert not under_way.whole


def test_stop_ends_it_at_once_and_keeps_what_came():
    closed = []
    under_way = measuring._UnderWay(("one",), endless(closed))
    while not under_way.events:
        time.sleep(0.01)
    under_way.stop()
    assert closed
    found = under_way.found()
    assert found.events
    assert (found.whole, found.going) == (False, False)


def test_only_so_many_measurements_are_kept(visit):
    at = visit(three)
    for setting in range(measuring.KEPT + 3):
        at.session_state["setting"] = str(setting)
        press(at.run(), "Measure one")
    kept = list(at.session_state["measured"])
    assert len(kept) == measuring.KEPT
    assert kept[-1] == ("one", "one", str(measuring.KEPT + 2))
    assert len(measuring._latest()) == measuring.KEPT


def test_a_run_that_came_to_nothing_leaves_what_was_there(visit):
    def nothing(arguments, *, seconds):
        yield None
        raise ChildProcessError

    at = press(visit(three), "Measure one")
    at.session_state["in_child"] = nothing
    press(at.run(), "Measure one")
    assert "has ended before it was done" in at.warning[0].value
    assert "one: 3 events, whole: True" in words(at)


def test_what_ended_early_or_was_disturbed_carries_a_warning():
    def page():
        import streamlit as st

        from views.ui.measuring import Found

        shares = st.session_state["shares"]
        Found([{"on_core": share} for share in shares], 0.0, whole=bool(shares)).warn()

    def warnings(*shares):
        at = AppTest.from_function(page)
        at.session_state["shares"] = shares
        return [one.value for one in at.run().warning]

    assert warnings(1.0, 0.99, None) == []
    [busy] = warnings(1.0, 0.5)
    assert "had a core for 75% of the time" in busy
    [early] = warnings()
    assert "This run ended early." in early
