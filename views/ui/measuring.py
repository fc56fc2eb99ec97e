"""A measurement that a visitor asks for: the button, the queue, the progress, Stop, and what came.

What measures runs for as long as the page's script does, so `run` is the last thing a page calls,
and any click ends it. What has been measured by then is kept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from views.ui import turns
from views.ui.controls import Controls

Event = dict[str, Any]
InChild = Callable[..., Generator[Any]]

DRAW_EVERY = 0.5  # seconds between two pictures of what has come so far
KEPT = 24  # measurements that a visitor can come back to
ALONE = 0.9  # the share of the time in which threads have a core, if nobody disturbs them
MARGIN = 30  # seconds that a child may take beyond what it was given, before it is ended

PROBLEMS = {
    "TimeoutError": "Measuring took too long, and was ended.",
    "other": "The process that measures has ended before it was done.",
}


class Found(NamedTuple):
    """What came of a measurement. events: so far. whole: whether it came to its end."""

    events: list[Event]
    at: float
    whole: bool

    def warn(self) -> None:
        """Say so where it ended early, or where others were computing meanwhile."""
        if not self.whole:
            st.warning("This run ended early. What follows is what was measured until then.")
        shares = [event["on_core"] for event in self.events if event.get("on_core") is not None]
        alone = sum(shares) / len(shares) if shares else 1
        if alone < ALONE:
            st.warning(
                f"While this was measured, its threads had a core for {alone:.0%} of the time in "
                "which they wanted one: others are computing on this machine, or it gives this app "
                "less than its cores. Threads that wait for each other then wait long, and numbers "
                "on all of them say little. Measure again when it is quiet."
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
        wanted = st.session_state.get("to measure")
        with st.container(key=f"row {name}", horizontal=True, vertical_alignment="center"):
            st.button(
                label,
                key=f"measure {name}",
                type="primary",
                on_click=_ask,
                args=(name,),
                disabled=wanted is not None,
            )
            key = name, *arguments
            mine = st.session_state.setdefault("measured", {})
            latest, buttons = st.empty(), st.empty()  # in the same places, used or not
            bar = st.container().empty()  # a container fills the row
            if wanted != name and key in _latest() and key not in mine:
                latest.button(
                    "Show what was last measured here",
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

    def run(self) -> None:
        """Measure what somebody has asked for, if anything. To be called at the end of the page."""
        name = st.session_state.pop("to measure", None)
        if name not in self._offered:
            return
        turns.give_back()  # another process computes, and this one draws what comes
        offered = self._offered[name]
        key = name, *offered.arguments
        mine: dict[Any, Found] = st.session_state["measured"]
        found = Found([], time.time(), whole=False)

        def came(event: Event) -> None:
            # Kept as it comes: the next run of the page does not wait until this one has ended.
            found.events.append(event)
            mine.pop(key, None)
            mine[key] = found
            _forget(mine)

        try:
            limit = offered.seconds + MARGIN
            with closing(self._in_child(offered.arguments, seconds=limit)) as results:
                _follow(results, offered, found.events, came)
        except (RuntimeError, OSError, ValueError) as error:
            # What a process says when it ends is for the log: there may be paths of this machine.
            logging.getLogger(__name__).warning("measurement failed: %s", error)
            problem = PROBLEMS.get(type(error).__name__, PROBLEMS["other"])
            st.session_state[f"problem with {name}"] = problem
        else:
            mine[key] = _latest()[key] = found._replace(whole=True)
            _forget(_latest())
        st.rerun()


def _follow(
    results: Generator[Any],
    offered: _Offered,
    events: list[Event],
    came: Callable[[Event], None],
) -> None:
    """Show how far it is, and say what `came`.

    A click anywhere ends the page's run where something is shown, and with it the child.
    """
    bar, drawn, measuring = offered.bar, 0.0, None
    done, of, said = 0, 1, "The process that measures is starting."
    for result in results:
        before = getattr(result, "before", 0)
        if measuring is not (not before):
            measuring = not before
            offered.buttons.button(
                "Stop" if measuring else "Leave the queue",
                key="stop measuring" if measuring else "leave the queue",
                on_click=Controls.moved,
            )
        if before:
            bar.markdown(
                "Somebody else is measuring, and two at once would disturb each other. "
                + ("**You are next.**" if before == 1 else f"**You are number {before}** in line.")
            )
            continue
        if result is not None:
            came(result)
            done, of = result.get("done", done), result.get("of", of)
            said = f"{done} of {of} are measured. " if done else "The frameworks are loading. "
            said += "Any other click stops it."
        bar.progress(min(1.0, done / max(1, of)), said)
        if offered.draw and done and time.monotonic() - drawn > DRAW_EVERY:
            offered.draw(events)
            drawn = time.monotonic()


@st.cache_resource
def _latest() -> dict[Any, Found]:
    """What was measured last on this machine, for those who have not measured themselves."""
    return {}


def _forget(kept: dict[Any, Found]) -> None:
    """Leave the last KEPT of them. Others may do so at the same time."""
    for oldest in list(kept)[:-KEPT]:
        kept.pop(oldest, None)


def _ask(name: str) -> None:
    Controls.moved()
    st.session_state["to measure"] = name


def _take(key: tuple[str, ...]) -> None:
    Controls.moved()
    if key in _latest():  # it may have had to make room
        st.session_state["measured"][key] = _latest()[key]
