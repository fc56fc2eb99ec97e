"""Two numbers added by a static graph: described first, computed when a session is asked to.

Each listing waits at its `yield` with its session open, so that graph and session can be inspected,
and closes it when it is resumed or let go. `MISTAKES` are the same with one line changed.

Source: experiment E6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import tensorflow as tf

from engines.graphs.static import Refused
from engines.graphs.tf_errors import message
from engines.listing import Edited, edited


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
RUN = "        yield session.run(c, {a: a_value, b: b_value})\n"
INITIALIZE = "        session.run(initialize)\n"
# By name, a listing and the change that somebody made in it.
MISTAKES: dict[str, tuple[Listing, dict[str, str]]] = {
    "not_fed": (add, {RUN: RUN.replace(", b: b_value", "")}),
    "wrong_shape": (add, {RUN: RUN.replace("a: a_value", "a: [a_value, a_value]")}),
    "not_initialized": (total, {INITIALIZE: "        # session.run(initialize)\n"}),
    "closed": (add, {RUN: "        session.close()  # too early\n" + RUN}),
}


def make(mistake: str) -> Edited:
    """The listing in which this mistake is made. Raises KeyError for a name not in MISTAKES."""
    return edited(*MISTAKES[mistake])


def run(mistake: str, a_value: float, b_value: float) -> Refused:
    """Run a listing with one of MISTAKES in it to its end. Raises KeyError for any other name.

    a_value, b_value: numbers that a float32 can hold.
    """
    listing, broken = MISTAKES[mistake][0], make(mistake)
    try:
        list(broken.names[listing.__name__](a_value, b_value))
    except (tf.errors.OpError, ValueError, TypeError, RuntimeError) as error:
        return Refused(broken.source, message(error))
    raise AssertionError("TensorFlow has taken what it should refuse")
