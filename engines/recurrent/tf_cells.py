"""The recurrent cell that reads a word, in graphs that are finished before there is a word.

A static graph can hold the loop and the branch as operations, for words of every length. Or Python
runs the loop while the graph is built, and the graph has a copy of the cell for each letter.

Source: experiment E9, "a loop whose length depends on the data". The same cell in PyTorch, where
the loop and the branch are Python's own: torch_cell.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.graphs.static import Refused
from engines.graphs.tf_errors import message
from engines.listing import Edited, edited

Array = NDArray[np.float64]
ARRAYS = ("x_value", "u_value", "w_value", "b_value")  # of a word, as its readers call them


class Cell(NamedTuple):
    """A graph that reads a word, and the tensors in it that are fed and fetched, in float64.

    x: the letters, shape (letters, 1, 2). u, w, b: the parameters, of shapes (2, 3), (3, 3), (3,).
    """

    graph: tf.Graph
    x: Any
    u: Any
    w: Any
    b: Any
    loss: Any


def looped() -> Cell:
    """Describe the cell once, for words of every length."""
    graph = tf.Graph()
    with graph.as_default():
        x, u, w, b = inputs(letters=None)
        t = tf.constant(0, name="t")
        h = tf.zeros((1, 3), tf.float64, name="h")

        # The loop is one operation. Its functions are called
        # once, here: is there another letter, and what is done with it?
        _, h = tf.while_loop(
            lambda t, h: t < tf.shape(x)[0],
            lambda t, h: (
                t + 1,
                tf.tanh(tf.gather(x, t) @ u + h @ w + b),
            ),
            [t, h],
        )

        # So is the branch. Both its functions are called here.
        loss = tf.cond(
            tf.reduce_sum(h) > 0,
            lambda: tf.reduce_sum(tf.pow(h, 2)),
            lambda: tf.reduce_sum(tf.abs(h)),
        )
    return Cell(graph, x, u, w, b, loss)


def unrolled(letters: int) -> Cell:
    """Describe the cell once for each letter."""
    graph = tf.Graph()
    with graph.as_default():
        x, u, w, b = inputs(letters)
        h = tf.zeros((1, 3), tf.float64, name="h")

        # Python runs this loop, now. The graph will not know
        # that there was one.
        for x_t in tf.unstack(x):
            h = tf.tanh(x_t @ u + h @ w + b)

        loss = tf.cond(
            tf.reduce_sum(h) > 0,
            lambda: tf.reduce_sum(tf.pow(h, 2)),
            lambda: tf.reduce_sum(tf.abs(h)),
        )
    return Cell(graph, x, u, w, b, loss)


def inputs(letters: int | None) -> list[Any]:
    """Placeholders x, u, w and b; letters: how long a word is, None where a run will tell."""
    shapes = {"x": (letters, 1, 2), "u": (2, 3), "w": (3, 3), "b": (3,)}
    return [tf.compat.v1.placeholder(tf.float64, shapes[name], name) for name in shapes]


def rewritten(x_value: Array, *values: Array) -> Learnt:
    """Read a word with a for and an if of Python's."""

    def read(x: Any, u: Any, w: Any, b: Any) -> Any:
        h = tf.zeros((1, 3), tf.float64)
        for x_t in x:
            h = tf.tanh(x_t @ u + h @ w + b)
        if tf.reduce_sum(h) > 0:
            return tf.reduce_sum(tf.pow(h, 2))
        return tf.reduce_sum(tf.abs(h))

    traced = tf.function(read)
    x, *params = map(tf.constant, (x_value, *values))
    with tf.GradientTape() as tape:
        tape.watch(params)
        loss = traced(x, *params)
    grads = [grad.numpy() for grad in tape.gradient(loss, params)]
    graph = traced.get_concrete_function(x, *params).graph
    return Learnt(float(loss), grads, control(graph))


# ---- What a graph makes of a word


class Learnt(NamedTuple):
    """The loss of a word, and its gradients by u, w and b.

    control: which operations of the graph are loops and branches, without those of the gradients.
    """

    loss: float
    grads: Sequence[Array]
    control: Sequence[str]


def learn(cell: Cell, x_value: Array, *values: Array) -> Learnt:
    """Add the gradients to a graph that nothing has run yet, and run it once.

    After a session has run a loop or a branch, TensorFlow refuses to run gradients that are added
    later: they would have it hand out what it computes on the way. Raises ValueError where the
    shape of x_value is not the one that the graph was built for.
    """
    before = control(cell.graph)
    with cell.graph.as_default():
        grads = tf.gradients(cell.loss, [cell.u, cell.w, cell.b])
    with closing(tf.compat.v1.Session(graph=cell.graph)) as session:
        loss, *grads = session.run([cell.loss, *grads], feeds(cell, x_value, *values))
    return Learnt(float(loss), grads, before)


def read_in_loop(x_value: Array, u_value: Array, w_value: Array, b_value: Array) -> Learnt:
    """Read a word with the graph that has a loop."""
    return learn(looped(), x_value, u_value, w_value, b_value)


def read_unrolled(
    letters: int, x_value: Array, u_value: Array, w_value: Array, b_value: Array
) -> Learnt:
    """Read a word with a graph that has a copy of the cell for each of so many letters."""
    return learn(unrolled(letters), x_value, u_value, w_value, b_value)


def feeds(cell: Cell, *word: Array) -> dict[Any, Array]:
    """What is fed to the cell for a word: its letters, and the values of u, w and b."""
    return dict(zip((cell.x, cell.u, cell.w, cell.b), word, strict=True))


def control(graph: tf.Graph) -> list[str]:
    """The kinds of the operations that are a loop or a branch, in the order of their making."""
    kinds = [op.type for op in graph.get_operations()]
    return [kind for kind in kinds if kind.removeprefix("Stateless") in ("While", "If")]


# ---- What Python cannot do while the graph is built


BRANCH = """\
        loss = tf.cond(
            tf.reduce_sum(h) > 0,
            lambda: tf.reduce_sum(tf.pow(h, 2)),
            lambda: tf.reduce_sum(tf.abs(h)),
        )
"""
PYTHONS_BRANCH = """\
        if tf.reduce_sum(h) > 0:
            loss = tf.reduce_sum(tf.pow(h, 2))
        else:
            loss = tf.reduce_sum(tf.abs(h))
"""
# By name: what is changed in the listing.
MISTAKES: dict[str, dict[str, str]] = {
    "if": {BRANCH: PYTHONS_BRANCH},
    "any_length": {"inputs(letters)": "inputs(letters=None)"},
    "other_length": {},  # the listing as it is, with a word that is one letter shorter
}


def make(name: str) -> Edited:
    """`unrolled` in which this mistake is made, and `read_unrolled`, which then calls that one.

    Raises KeyError for a name not in MISTAKES.
    """
    return edited((unrolled, read_unrolled), MISTAKES[name])


def refused(name: str, x_value: Array, *values: Array) -> Refused:
    """Read a word with the unrolled listing and one of MISTAKES in it. Raises KeyError for others.

    x_value, values: as for tf_graphs.in_every_graph.
    """
    listing = edited(unrolled, MISTAKES[name])
    letters = len(x_value) + (name == "other_length")
    try:
        learn(listing.names["unrolled"](letters), x_value, *values)
    except (TypeError, ValueError) as error:
        return Refused(listing.source, message(error))
    raise AssertionError("TensorFlow has taken what it should refuse")
