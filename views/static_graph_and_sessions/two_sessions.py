"""What lives in a session: a variable in two sessions of one graph."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from engines.graphs.static import Message
from engines.listing import source_of
from engines.standalone import calling
from engines.static_graph_and_sessions import two_sessions
from engines.static_graph_and_sessions.two_sessions import Event
from views.player import cached, listing, live, say
from views.static_graph_and_sessions.programs import program
from views.ui import errors
from views.ui.numbers import number
from views.ui.prediction import predicted
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import html_table

run = cached(two_sessions.run)
A, B = 2.0, 4.0  # what is added
ASKED = 3  # events, after which the question is asked
HEADS = ("line", "it returned", "session’s total", "other session’s total")


def show_stage(here: Here) -> bool:
    """Two sessions in a listing, and what each held after each event: all of it once predicted."""
    question = (
        f"The first session has added {A:g} and then {B:g} to its total. The other one is open and "
        "has not run anything. What does it answer when it is asked for its total?"
    )
    answers = {
        "sum": f"{A + B:g}, the same total",
        "start": "0, the start value",
        "nothing": "an error: it has no value yet",
    }
    with stage(here, ran={"": calling(two_sessions.totals, a_value=A, b_value=B)}):
        say(
            "A <b>variable</b> is the part of a graph that may change its value. Here it is a "
            "total, to which each run adds what is fed. <b>Two sessions run the same graph.</b>"
        )
        answered = predicted(question, answers, "nothing", key="the other session")
        code, held = beside([3, 5])
        source = program(source_of(two_sessions.totals))
        with code:
            listing(source, {}, title="two_sessions.py", key="listing", follows=True)
        with held:
            live(_table(run(A, B), source.splitlines(), answered), key="two_sessions")
    return answered


def tell() -> None:
    """What follows, and what the other session said."""
    st.markdown(
        "**The graph says how. The session holds the values.** So the total of one session is "
        "unknown to the other, and it ends with its session. An initialiser is an operation "
        "like any other: it has to be run, once in each session. What is to outlive a session "
        "must be fetched, or saved to a file, before `close()`."
    )
    said = next(event.other_session for event in run(A, B))
    if not isinstance(said, float):
        st.markdown("What the other session said before it was initialised:")
        errors.explain(said.error, said.sentence, operation=said.operation, refused=said.refused)


def _table(events: Sequence[Event], lines: Sequence[str], answered: bool) -> str:
    """HTML with a row for each event: what ran, what it returned, and both totals after it.

    lines: of the listing. answered: whether the question is; before that the rows end where it is
    asked, and the total of the other session is a question mark.
    """
    rows, at = [], 0
    for event in events if answered else events[:ASKED]:
        at = next(i for i in range(at, len(lines)) if event.text in lines[i]) + 1
        code = f'<code style="overflow-wrap: anywhere">{html.escape(event.text)}</code>'
        line = f'<div style="min-width: min(15rem, 31vw); font-weight: 400">{at}: {code}</div>'
        returned = "nothing" if event.returned is None else number(event.returned, 7)
        other = _held(event.other_session) if answered else "?"
        rows.append((line, returned, _held(event.session), other))
    return html_table(HEADS, rows)


def _held(total: float | Message) -> str:
    if isinstance(total, float):
        return f"<b>{number(total, 7)}</b>"
    return "gone" if total.error == "RuntimeError" else "no value yet"
