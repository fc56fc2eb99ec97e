"""A static graph that reads its variables beside assigning them: before, or after? It depends.

The model is  y_pred = w * x**power + b.  A session runs operations in any order that the edges of
the graph allow. Between reading w and assigning it there is no edge, so a run may print the old
value or the new one, and the old w with the new b. The training itself is not disturbed.

Source: experiment E7, its second listing. Without the race, because it fetches what the
assignments return: tf_session.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.problem import Problem
from engines.regression import tf_session
from engines.trace import Step, record

Reads = Literal["variables", "operations", "operations_first"]
MOST_RUNS, MOST_THREADS = 4000, 8


def train(
    problem: Problem,
    *,
    steps: int,
    learning_rate: float,
    reads: Reads = "variables",
    threads: int = 8,
) -> Iterator[Step]:
    """Yield step 0, 1, … steps, with w and b as a run happened to read them.

    problem: the data, the start and the loss.
    reads: fetch the variables, as the article does; or operations of our own that read them; or
    these, with an edge from each to the assignments, so that they are first.
    threads: of this session, for operations at the same time; 0 for the pool that all share.
    """
    power, factor = problem.power, problem.factor

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(problem.x.dtype, shape=(None,), name="x")
        y = tf.compat.v1.placeholder(problem.y.dtype, shape=(None,), name="y")
        w = tf.Variable(problem.w, name="w")
        b = tf.Variable(problem.b, name="b")

        y_pred = w * x**power + b
        loss = factor * tf.reduce_sum((y_pred - y) ** 2)
        grad_w, grad_b = tf.gradients(loss, [w, b])

        # To fetch a variable is to run an operation that reads it and was made along with it.
        w_read, b_read = (w, b) if reads == "variables" else (w.read_value(), b.read_value())
        with tf.control_dependencies([w_read, b_read] if reads == "operations_first" else []):
            new_w = w.assign(w - learning_rate * grad_w)
            new_b = b.assign(b - learning_rate * grad_b)

        initialize = tf.compat.v1.global_variables_initializer()

    config = tf.compat.v1.ConfigProto(
        inter_op_parallelism_threads=threads, use_per_session_threads=threads > 0
    )
    session = tf.compat.v1.Session(graph=graph, config=config)
    try:
        session.run(initialize)
        fetches = [loss, w_read, b_read, grad_w, grad_b, [new_w, new_b]]
        for _ in range(steps + 1):
            loss_value, w_value, b_value, *grads, _ = session.run(
                fetches, {x: problem.x, y: problem.y}
            )
            yield Step(loss_value, {"w": w_value, "b": b_value}, {"w": grads[0], "b": grads[1]})
    finally:
        session.close()


class Late(NamedTuple):
    """For each run, whether w, and whether b, was read after its assignment; shape (runs,)."""

    w: NDArray[np.bool_]
    b: NDArray[np.bool_]

    @property
    def mixed(self) -> int:
        """In how many runs one was read after its assignment and the other before."""
        return int(np.sum(self.w ^ self.b))


def watch(problem: Problem, *, runs: int, learning_rate: float, **settings: Any) -> Late:
    """Train through `runs` runs, 4000 at most, and say in which w and b were read too late.

    What they were before and after each run is known from tf_session.py's run of the same. A run
    that left a value as it was has not read it late. settings: `reads` and `threads` of `train`.
    Raises ValueError for less than 1 run, more than 4000, or more than 8 threads.

    Nearly all late reads are in a session's first 90 runs. TensorFlow's executor takes every
    operation for an expensive one until it has seen it run some times, and hands expensive ones
    on to be run later.
    """
    if not (1 <= runs <= MOST_RUNS and 0 <= settings.get("threads", 0) <= MOST_THREADS):
        raise ValueError(f"1 to {MOST_RUNS} runs and 0 to {MOST_THREADS} threads")
    truth = record(tf_session.train(problem, steps=runs, learning_rate=learning_rate))
    read = record(train(problem, steps=runs - 1, learning_rate=learning_rate, **settings))
    seen = min(len(read), len(truth) - 1)  # fewer than `runs` where the run overflowed
    w, b = (read.params[name][:seen] != truth.params[name][:seen] for name in ("w", "b"))
    return Late(w, b)
