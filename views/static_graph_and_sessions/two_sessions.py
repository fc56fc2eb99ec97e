"""What lives in a session: a variable in two sessions of one graph, and mistakes to make."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import streamlit as st

from engines.graphs.static import Message
from views.player import listing, live
from views.ui import errors
from views.ui.controls import Controls
from views.ui.prediction import predicted
from views.ui.shell import side_by_side


class Event(Protocol):
    """A line that has run: the engine's Event."""

    line: int
    text: str
    returned: float | None
    session: float | Message
    other_session: float | Message


def watch(
    source: str, look: Callable[[float, float], Sequence[Event]], a_value: float, b_value: float
) -> None:
    """A listing with two sessions; after a prediction, what each of them held after each event.

    source: of the listing. look: runs it with two amounts, numbers whose sums a float32 can hold.
    """
    st.markdown(
        "A **variable** is a part of the graph that may change its value. Here it is a total, and "
        "each run adds to it an amount that is fed. Two sessions run the same graph."
    )
    a, b = f"{a_value:.7g}", f"{b_value:.7g}"
    question = (
        f"The first session has added {a} and then {b} to its total. The other one is open and has "
        "not run anything. What does it answer when it is asked for its total?"
    )
    answers = {
        "sum": f"{a_value + b_value:.7g}, the same total",
        "start": "0, the start value",
        "nothing": "an error: it has no value yet",
    }
    answered = predicted(question, answers, "nothing", key="the other session")
    left, right = side_by_side([4, 5])
    with left:
        st.code(source, language="python", line_numbers=True, wrap_lines=True)
    if not answered:
        return
    with right:
        events = look(a_value, b_value)
        live(_table(events), key="two_sessions")
        st.markdown(
            "**The graph says how. The session holds the values.** So the total of one session is "
            "unknown to the other, and it ends with its session. An initialiser is an operation "
            "like any other: it has to be run, once in each session. What is to outlive a session "
            "must be fetched, or saved to a file, before `close()`."
        )
    missing = next(event.other_session for event in events)
    if not isinstance(missing, float):
        with st.expander("What the other session said before it was initialised"):
            errors.explain(
                missing.error,
                missing.sentence,
                operation=missing.operation,
                refused=missing.refused,
            )


def _table(events: Sequence[Event]) -> str:
    """HTML with a row for each event: what ran, what it returned, and both totals after it."""
    rows = ""
    for event in events:
        code = f'<code style="overflow-wrap: anywhere">{html.escape(event.text)}</code>'
        returned = "nothing" if event.returned is None else f"{event.returned:.7g}"
        cells = [returned, _held(event.session), _held(event.other_session)]
        rows += f'<tr><td style="min-width: 7.5rem">{event.line}: {code}</td>'
        rows += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    heads = ["line", "it returned", "total in session", "total in other_session"]
    head = "".join(f"<th>{text}</th>" for text in heads)
    return f'<table class="digits"><tr>{head}</tr>{rows}</table>'


def _held(total: float | Message) -> str:
    if isinstance(total, float):
        return f"<b>{total:.7g}</b>"
    return "gone" if total.error == "RuntimeError" else "no value yet"


# ---- Mistakes to make


class Told(NamedTuple):
    """What a visitor reads of a mistake: its name, and once it has run, what it did."""

    label: str
    story: str


MISTAKES = {
    "not_fed": Told(
        "b is not fed",
        "A placeholder has no value of its own. The session finds that out in the middle of the "
        "run, when the addition asks for b.",
    ),
    "wrong_shape": Told(
        "Two numbers fed for one",
        "The graph was written for a single number. The session compares what is fed with that "
        "promise before it runs anything.",
    ),
    "not_initialized": Told(
        "The initialiser forgotten",
        "`tf.Variable(0.0)` did not set anything to 0. It wrote an operation into the graph that "
        "can do so, and nobody has run it.",
    ),
    "closed": Told(
        "The session closed too early",
        "The graph is still there, but there is no longer anything that could run it.",
    ),
}
ENDS = {
    "fine": "it runs to its end",
    "refused": "it is refused before any operation runs",
    "stopped": "it stops while the operations run",
}


class Mistake(Protocol):
    """One place in a listing: Mistake of the engine adding."""

    right: str
    wrong: str


class Ran(Protocol):
    """What became of a listing: Ran of the engine adding."""

    source: str
    message: Message | None


def break_it(
    controls: Controls,
    mistakes: Mapping[str, Mistake],
    run: Callable[[str, float, float], Ran],
    a_value: float,
    b_value: float,
) -> None:
    """A row of mistakes to make. Of the one that is chosen: predict how it ends, and then read.

    mistakes: by name, as in MISTAKES. run: runs one of them with two numbers.
    """
    labels = {name: told.label for name, told in MISTAKES.items()}
    chosen = controls.choice(
        st.pills, "A mistake to make", "mistake", labels, None, label_visibility="collapsed"
    )
    if chosen is None:
        return
    mistake = mistakes[chosen]
    blocks = {"As it should be": mistake.right, "As it was written": mistake.wrong}
    for place, (caption, code) in zip(st.columns(2), blocks.items(), strict=True):
        with place:
            st.caption(caption)
            st.code(code, language="python", wrap_lines=True)
    ran = run(chosen, a_value, b_value)
    end = "fine" if ran.message is None else "refused" if ran.message.refused else "stopped"
    if not predicted("Before you look: how does this end?", ENDS, end, key=f"session {chosen}"):
        return
    st.markdown(MISTAKES[chosen].story)
    if ran.message is not None:
        errors.explain(
            ran.message.error,
            ran.message.sentence,
            operation=ran.message.operation,
            refused=ran.message.refused,
        )
    changed = "\n".join(line for line in ran.source.splitlines() if mistake.wrong in line)
    listing(ran.source, {}, title="The listing that ran", key="session_mistake", changed=changed)
