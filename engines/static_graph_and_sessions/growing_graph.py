"""A graph that grows while it trains: an operation is made inside the loop, at every step.

`train` is the listing as it should be. VERSIONS has it with the mistake, and with the mistake and a
finalized graph, in which it cannot happen.

Source: experiment E7, with a mean error to log; `Graph.finalize` in TensorFlow's documentation.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import NamedTuple

import tensorflow as tf

from engines.listing import edited
from engines.problem import Problem


class Run(NamedTuple):
    """A step: the mean error, the number of operations in the graph, the milliseconds it took."""

    error: float
    operations: int
    milliseconds: float


def train(problem: Problem, *, steps: int) -> Generator[Run]:
    """Yield a Run for each step, then a few more in which nothing is new."""
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(problem.x.dtype, shape=(None,), name="x")
        y = tf.compat.v1.placeholder(problem.y.dtype, shape=(None,), name="y")
        w = tf.Variable(problem.w, name="w")
        b = tf.Variable(problem.b, name="b")
        y_pred = w * x**2 + b
        loss = tf.reduce_mean((y_pred - y) ** 2)
        grad_w, grad_b = tf.gradients(loss, [w, b])
        new_w = w.assign_sub(problem.learning_rate * grad_w)
        new_b = b.assign_sub(problem.learning_rate * grad_b)
        update = tf.group(new_w, new_b)
        mean_error = tf.reduce_mean(tf.abs(y_pred - y))
        initialize = tf.compat.v1.global_variables_initializer()

    # The graph is complete.
    session = tf.compat.v1.Session(graph=graph)
    feeds = {x: problem.x, y: problem.y}

    def step() -> Run:
        start = time.perf_counter()
        session.run(update, feeds)
        error = session.run(mean_error, feeds)
        milliseconds = 1000 * (time.perf_counter() - start)
        return Run(float(error), len(graph.get_operations()), milliseconds)

    try:
        session.run(initialize)
        for _ in range(steps):
            # Here is nothing left to build.
            yield step()
        for _ in range(AGAIN):
            yield step()
    finally:
        session.close()


AGAIN = 9  # runs after the last step, in which the graph has nothing new

RIGHT = "            # Here is nothing left to build.\n"
GROWING = """\
            with graph.as_default():  # TensorFlow 1 had one for the whole script
                mean_error = tf.reduce_mean(tf.abs(y_pred - y))
"""
BUILT_ONCE = "        mean_error = tf.reduce_mean(tf.abs(y_pred - y))\n"
COMPLETE = "    # The graph is complete.\n"
FINALIZED = "    graph.finalize()\n"

# By name: what is replaced in the listing, and by what.
VERSIONS: dict[str, dict[str, str]] = {
    "healthy": {},
    "growing": {BUILT_ONCE: "", RIGHT: GROWING},
    "finalized": {BUILT_ONCE: "", RIGHT: GROWING, COMPLETE: FINALIZED},
}


class Started(NamedTuple):
    """A listing that is about to run: its text, the lines that differ from `train`, its Runs."""

    source: str
    changed: str
    runs: Generator[Run]


def start(version: str, problem: Problem, *, steps: int) -> Started:
    """Get one of VERSIONS ready to run. Raises KeyError for any other name.

    Where the graph is finalized, the first step raises RuntimeError.
    """
    listing = edited(train, VERSIONS[version])
    return Started(listing.source, listing.wrong, listing.names["train"](problem, steps=steps))
