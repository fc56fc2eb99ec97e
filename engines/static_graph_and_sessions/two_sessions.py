"""One graph in two sessions: each has a value of its own for the variable, while it is open.

Source: experiment E6, with a variable. A total in one session, and what goes wrong: adding.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from engines.graphs.static import Message
from engines.graphs.tf_errors import message
from engines.listing import source_lines


def totals(a_value: float, b_value: float) -> Iterator[float | None]:
    """Add to a total in two sessions, and wait after each event, so that both can be asked."""
    graph = tf.Graph()
    with graph.as_default():
        amount = tf.compat.v1.placeholder(tf.float32, shape=(), name="amount")
        total = tf.Variable(0.0, name="total")
        new_total = total.assign(total + amount)
        initialize = tf.compat.v1.global_variables_initializer()

    session = tf.compat.v1.Session(graph=graph)
    other_session = tf.compat.v1.Session(graph=graph)
    try:
        session.run(initialize)
        yield None
        yield session.run(new_total, {amount: a_value})
        yield session.run(new_total, {amount: b_value})

        # The other session, on the same graph.
        other_session.run(initialize)
        yield None
        yield other_session.run(new_total, {amount: b_value})

        # What a session holds goes with it. The next one on this graph begins without a value.
        session.close()
        yield None
        session = tf.compat.v1.Session(graph=graph)
        yield None
        session.run(initialize)
        yield None
    finally:
        session.close()
        other_session.close()


class Event(NamedTuple):
    """One line of `totals` that has run, and what its variable was in both sessions after it.

    text: of the line. returned: a number, or None.
    session, other_session: the value of `total` in what bears that name now, or what TensorFlow
    said when it was asked for it.
    """

    text: str
    returned: float | None
    session: float | Message
    other_session: float | Message


def run(a_value: float, b_value: float) -> list[Event]:
    """Run `totals` to its end, and ask both sessions for the total after each event.

    a_value, b_value: numbers whose sums a float32 can hold.
    """
    lines, _ = source_lines(totals)
    listing: Any = totals(a_value, b_value)
    events = []
    for returned in listing:
        names = inspect.getgeneratorlocals(listing)
        at = listing.gi_frame.f_lineno - totals.__code__.co_firstlineno
        if lines[at].strip() == "yield None":  # a pause after a line that hands nothing over
            at -= 1
        events.append(
            Event(
                lines[at].strip().removeprefix("yield "),
                None if returned is None else float(returned),
                *(_held(names[name], names["total"]) for name in ("session", "other_session")),
            )
        )
    return events


def _held(session: Any, variable: Any) -> float | Message:
    try:
        return float(session.run(variable))
    except (tf.errors.FailedPreconditionError, RuntimeError) as error:
        return message(error)
