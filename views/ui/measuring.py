"""A measurement that a visitor asks for: the button, the queue, the progress, Stop, and what came.

It goes on for as long as its chapter is looked at, whatever is clicked there: a thread follows it,
and each run of the page finds it again. `run` is the last thing a page calls, and shows how far it
is. What has been measured by the time it ends, or is stopped, is kept.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import streamlit as st
from streamlit import runtime
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from views.ui import turns
from views.ui.controls import Controls

Event = dict[str, Any]
InChild = Callable[..., Generator[Any]]

DRAW_EVERY = 0.5  # seconds between two pictures of what has come so far
KEPT = 24  # measurements that a visitor can come back to
ALONE = 0.9  # the share of the time in which threads have a core, if nobody disturbs them
LOOK_EVERY = 0.2  # seconds between two looks at how far it is
PATIENCE = 5  # seconds: so long after the last look it takes its visitor for gone, and ends
MARGIN = 30  # seconds that a child may take beyond what it was given, before it is ended

PROBLEMS = {
    "TimeoutError": "Measuring took too long, and was ended.",
    "FullError": "The queue of those who measure is full. Try again in some minutes.",
    "MemoryError": "The server ran out of memory, and its system ended the measurement.",
    "other": "The process that measures has ended before it was done.",
}


def alone(events: Sequence[Event]) -> float:
    """The share of the time in which threads had a core, of that in which they wanted one.

    1 where the system does not say.
    """
    shares = [event["on_core"] for event in events if event.get("on_core") is not None]
    return sum(shares) / len(shares) if shares else 1.0


def starved(events: Sequence[Event]) -> bool:
    """Whether others were computing so much that no verdict can be based on these events."""
    return alone(events) < ALONE


class Found(NamedTuple):
    """What came of a measurement. events: so far. whole: whether it came to its end.

    going: whether it still goes on.
    """

    events: list[Event]
    at: float
    whole: bool
    going: bool = False

    @property
    def starved(self) -> bool:
        """Whether no verdict can be based on it; see `starved`."""
        return starved(self.events)

    def warn(self) -> None:
        """Say so where it ended early, or where others were computing meanwhile."""
        if not (self.whole or self.going):
            st.warning("This run ended early. What follows is what was measured until then.")
        if self.starved:
            st.warning(
                f"While this was measured, its threads had a core for {alone(self.events):.0%} of "
                "the time in which they wanted one: others are computing on this server, or it "
                "gives this app less than its cores. Threads that wait for each other then wait "
                "long. So the points are drawn, and no verdict is given. Measure again when it is "
                "quiet."
            )

    def age(self) -> str:
        """How long ago it was, in words."""
        minutes = int((time.time() - self.at) // 60)
        return "within the last minute" if minutes < 1 else f"{minutes} min ago"


class _Offered(NamedTuple):
    arguments: tuple[str, ...]
    seconds: float
    buttons: DeltaGenerator
    bar: DeltaGenerator
    draw: Callable[[list[Event]], None] | None


class Measuring:
    """The measurements of one run of a page. in_child: of engines.benchmark.child, or alike."""

    def __init__(self, in_child: InChild) -> None:
        """Nothing is offered yet."""
        self._in_child = in_child
        self._offered: dict[str, _Offered] = {}

    def offer(
        self,
        name: str,
        label: str,
        arguments: Sequence[str],
        *,
        seconds: float,
        about: str = "",
        draw: Callable[[list[Event]], None] | None = None,
    ) -> Found | None:
        """A button that begins to measure. Returns what this visitor has measured like this.

        arguments: for the command line of engines.benchmark. seconds: that it should take. about:
        said beside the button, where the progress is shown meanwhile. draw: called now and then
        while it goes on, with the events so far, to show them.
        """
        key = name, *arguments
        mine = st.session_state.setdefault("measured", {})
        going = _going(key)
        busy = going is not None or st.session_state.get("to measure") is not None
        with st.container(key=f"row {name}", horizontal=True, vertical_alignment="center"):
            st.button(
                label,
                key=f"measure {name}",
                type="primary",
                on_click=_ask,
                args=(name,),
                disabled=busy,
            )
            latest, buttons = st.empty(), st.empty()  # in the same places, used or not
            bar = st.container().empty()  # a container fills the row
            if not busy and key in _latest() and key not in mine:
                latest.button(
                    "Show the last measurement of this server",
                    key=f"latest {name}",
                    on_click=_take,
                    args=(key,),
                )
        if about:
            bar.caption(about)
        if problem := st.session_state.pop(f"problem with {name}", ""):
            st.warning(problem)
        self._offered[name] = _Offered(tuple(arguments), seconds, buttons, bar, draw)
        found: Found | None = mine.get(key)
        return found if found and found.events else None

    def going(self, name: str) -> bool:
        """Whether it is being measured, or is about to be, so that its pictures are replaced."""
        under_way: _UnderWay | None = st.session_state.get("measurement")
        asked = st.session_state.get("to measure") == name
        return asked or bool(under_way and under_way.key[0] == name)

    def run(self) -> None:
        """Measure what somebody has asked for, if anything. To be called at the end of the page."""
        name = st.session_state.pop("to measure", None)
        if name in self._offered:
            offered = self._offered[name]
            results = self._in_child(offered.arguments, seconds=offered.seconds + MARGIN)
            st.session_state["measurement"] = _UnderWay((name, *offered.arguments), results)
        under_way: _UnderWay | None = st.session_state.get("measurement")
        for offer, offered in self._offered.items():
            if under_way and under_way.key == (offer, *offered.arguments):
                turns.give_back()  # another process computes, and this one draws what comes
                _follow(under_way, offered)
                st.rerun()


class _UnderWay:
    """A measurement that goes on, followed by a thread of its own."""

    def __init__(self, key: tuple[str, ...], results: Generator[Any]) -> None:
        """Begin. key: what is measured. results: as `in_child` yields them."""
        self.key, self.at, self.seen = key, time.time(), time.monotonic()
        self.events: list[Event] = []
        self.before, self.heard = 0, False  # in the queue, and whether anything came
        self.problem, self.whole, self.stopped = "", False, False
        self.over = threading.Event()
        context = get_script_run_ctx()
        self._session = context.session_id if context else ""
        threading.Thread(target=self._follow, args=(results,), daemon=True).start()

    def stop(self) -> None:
        """End it, and what computes for it."""
        self.stopped = True
        self.over.wait(PATIENCE)

    def found(self) -> Found:
        """What has come so far."""
        return Found([*self.events], self.at, self.whole, going=not self.over.is_set())

    def _wanted(self) -> bool:
        """Whether its visitor is there, and looks at it."""
        if time.monotonic() - self.seen > PATIENCE:
            return False
        return not runtime.exists() or runtime.get_instance().is_active_session(self._session)

    def _follow(self, results: Generator[Any]) -> None:
        try:
            with closing(results):
                for result in results:
                    if self.stopped or not self._wanted():
                        return
                    self.before = getattr(result, "before", 0)
                    self.heard = True
                    if isinstance(result, dict):
                        self.events.append(result)
            self.whole = True
        except (RuntimeError, OSError, ValueError, MemoryError) as error:
            # What a process says when it ends is for the log: there may be paths of this machine.
            logging.getLogger(__name__).warning("measurement failed: %s", error)
            self.problem = PROBLEMS.get(type(error).__name__, PROBLEMS["other"])
        finally:
            self.over.set()


def _going(key: tuple[str, ...]) -> _UnderWay | None:
    """This visitor's measurement of `key`, if one is under way. What it has brought is kept.

    One with the same name and other settings is stopped: its results have no place any more.
    """
    under_way: _UnderWay | None = st.session_state.get("measurement")
    if under_way is None or under_way.key[0] != key[0]:
        return None
    under_way.seen = time.monotonic()
    if under_way.key != key:
        under_way.stop()
    mine: dict[Any, Found] = st.session_state.setdefault("measured", {})
    found = under_way.found()
    if found.events:
        mine.pop(under_way.key, None)
        mine[under_way.key] = found
        _forget(mine)
        if found.whole:
            _latest()[under_way.key] = found
            _forget(_latest())
    if under_way.over.is_set():
        del st.session_state["measurement"]
        if under_way.problem:
            st.session_state[f"problem with {key[0]}"] = under_way.problem
        return None
    return under_way


def _follow(under_way: _UnderWay, offered: _Offered) -> None:
    """Show how far it is, until it is over, or the run of the page is ended by a click."""
    bar, drawn, shown = offered.bar, 0.0, ""
    while True:
        over = under_way.over.wait(LOOK_EVERY)
        under_way.seen = time.monotonic()
        label = "Leave the queue" if under_way.before else "Stop"
        if label != shown and under_way.heard:
            shown = label
            offered.buttons.button(label, key=label.lower(), on_click=_stop)
        events = [*under_way.events]
        if under_way.before:
            bar.markdown(
                "Somebody else is measuring, and two at once would disturb each other. "
                + (
                    "**You are next.**"
                    if under_way.before == 1
                    else f"**You are number {under_way.before}** in line."
                )
            )
        else:
            done, of = (
                max((event.get(name, least) for event in events), default=least)
                for name, least in (("done", 0), ("of", 1))
            )
            said = "The process that measures is starting."
            if events:
                said = f"{done} of {of} are measured." if done else "The frameworks are loading."
            bar.progress(min(1.0, done / max(1, of)), said)
            if offered.draw and done and time.monotonic() - drawn > DRAW_EVERY:
                offered.draw(events)
                drawn = time.monotonic()
        if over:
            return


@st.cache_resource
def _latest() -> dict[Any, Found]:
    """What was measured last on this server, for those who have not measured themselves."""
    return {}


def _forget(kept: dict[Any, Found]) -> None:
    """Leave the last KEPT of them. Others may do so at the same time."""
    for oldest in list(kept)[:-KEPT]:
        kept.pop(oldest, None)


def _ask(name: str) -> None:
    Controls.moved()
    st.session_state["to measure"] = name


def _stop() -> None:
    Controls.moved()
    under_way: _UnderWay | None = st.session_state.get("measurement")
    if under_way:
        under_way.stop()


def _take(key: tuple[str, ...]) -> None:
    Controls.moved()
    if key in _latest():  # it may have had to make room
        st.session_state["measured"][key] = _latest()[key]
