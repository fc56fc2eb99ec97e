"""Two numbers added by a static graph: described first, computed when a session is asked to.

Each listing waits at its `yield` with its session open, so that graph and session can be looked
at, and closes it when it is resumed or let go. `MISTAKES` are the same with one line changed.

Source: experiment E6.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from engines.graphs.static import Message
from engines.graphs.tf_errors import message


def add(a_value: float, b_value: float) -> Iterator[float]:
    """Describe a + b, then feed two numbers and yield their sum."""
    graph = tf.Graph()
    with graph.as_default():
        a = tf.compat.v1.placeholder(tf.float32, shape=(), name="a")
        b = tf.compat.v1.placeholder(tf.float32, shape=(), name="b")
        c = tf.add(a, b, name="c")

        # An operation like any other. Without a variable in the graph it has nothing to do.
        initialize = tf.compat.v1.global_variables_initializer()

    session = tf.compat.v1.Session(graph=graph)
    try:
        session.run(initialize)
        yield session.run(c, {a: a_value, b: b_value})
    finally:
        session.close()


def at_once(a_value: float, b_value: float) -> float:
    """The same in TensorFlow's eager mode: each line computes when it runs."""
    a = tf.constant(a_value)
    b = tf.constant(b_value)
    c = a + b
    return float(c)


def total(a_value: float, b_value: float) -> Iterator[float]:
    """Add to a total that outlives each run: yield it after a, after b, and in a new session."""
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
        yield session.run(new_total, {amount: a_value})
        yield session.run(new_total, {amount: b_value})

        # The graph is shared, the value of its variable is not: the other session starts from 0.
        other_session.run(initialize)
        yield other_session.run(new_total, {amount: b_value})
    finally:
        session.close()
        other_session.close()


Listing = Callable[[float, float], Iterator[float]]
LISTINGS: dict[str, Listing] = {"add": add, "total": total}


class Mistake(NamedTuple):
    """A listing, one place in it, and what somebody wrote there."""

    listing: Listing
    right: str
    wrong: str


MISTAKES: dict[str, Mistake] = {
    "not_fed": Mistake(add, "{a: a_value, b: b_value}", "{a: a_value}"),
    "wrong_shape": Mistake(add, "{a: a_value, b: b_value}", "{a: [a_value, a_value], b: b_value}"),
    "not_initialized": Mistake(total, "session.run(initialize)", "# session.run(initialize)"),
    "closed": Mistake(add, "session.run(initialize)", "session.close()  # too early"),
}


class Ran(NamedTuple):
    """What became of a listing: its text, what it yielded, and the error it ended in, if any."""

    source: str
    values: list[float]
    message: Message | None


def run(name: str, a_value: float, b_value: float) -> Ran:
    """Run one of LISTINGS or of MISTAKES to its end. Raises KeyError for any other name.

    a_value, b_value: numbers that a float32 can hold.
    """
    if name in LISTINGS:
        listing = LISTINGS[name]
        source = inspect.getsource(listing)
    else:
        listing, right, wrong = MISTAKES[name]
        source = inspect.getsource(listing).replace(right, wrong, 1)
        namespace: dict[str, Any] = dict(globals())
        exec(compile(source, "<mistake>", "exec", dont_inherit=True), namespace)
        listing = namespace[listing.__name__]
    values: list[float] = []
    try:
        values.extend(float(value) for value in listing(a_value, b_value))
    except (tf.errors.OpError, ValueError, TypeError, RuntimeError) as error:
        return Ran(source, values, message(error))
    return Ran(source, values, None)
