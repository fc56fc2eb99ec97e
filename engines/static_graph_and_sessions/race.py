"""A static graph that reads its variables beside assigning them: before, or after? It depends.

The model is  y_pred = w * x**power + b.  A session runs operations in any order that the edges of
the graph allow. Between reading w and assigning it there is no edge, so a run may print the old
value or the new one, and the old w with the new b. The training itself is not disturbed.

Source: experiment E7, its second listing. Without the race, because it fetches what the
assignments return: tf_session.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.graphs.autograd import Graph
from engines.graphs.read_tensorflow import written
from engines.graphs.static import source_op, to_graph
from engines.listing import waiting
from engines.problem import Problem, preset
from engines.regression import tf_session
from engines.trace import record

Reads = Literal["variables", "operations", "operations_first"]
MOST_RUNS, MOST_THREADS = 4000, 8


class Run(NamedTuple):
    """What one run of the session handed out. w, b: from before its update, or from after it."""

    loss: np.float32
    w: np.float32
    b: np.float32
    grad_w: np.float32
    grad_b: np.float32


def train(
    problem: Problem,
    *,
    steps: int,
    learning_rate: float,
    reads: Reads = "variables",
    threads: int = 8,
) -> Iterator[Run]:
    """Yield run 0, 1, … steps, with w and b as it happened to read them.

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
            *values, _ = session.run(fetches, {x: problem.x, y: problem.y})
            yield Run(*values)
    finally:
        session.close()


# ---- Which value was read


class Late(NamedTuple):
    """For each run, whether w, and whether b, was read after its assignment; shape (runs,)."""

    w: NDArray[np.bool_]
    b: NDArray[np.bool_]


def late_reads(
    problem: Problem,
    *,
    runs: int,
    learning_rate: float,
    reads: Reads = "variables",
    threads: int = 0,
) -> Late:
    """Train through `runs` runs, 4000 at most, and say in which w and b were read too late.

    What they were before and after each run is known from the same training in tf_session.py. A run
    that left a value as it was has not read it late. Where the training overflows, the runs up to
    that are told. reads, threads: as for `train`.
    Raises ValueError for less than 1 run, more than 4000, or more than 8 threads.

    Nearly all late reads are in a session's first 90 runs. TensorFlow's executor takes every
    operation for an expensive one until it has seen it run some times, and hands expensive ones
    on to be run later.
    """
    if not (1 <= runs <= MOST_RUNS and 0 <= threads <= MOST_THREADS):
        raise ValueError(f"1 to {MOST_RUNS} runs and 0 to {MOST_THREADS} threads")
    truth = record(tf_session.train(problem, steps=runs, learning_rate=learning_rate))
    finite = len(truth) - 1
    how: Any = {"learning_rate": learning_rate, "reads": reads, "threads": threads}
    seen = list(train(problem, steps=finite - 1, **how))
    w, b = truth.params["w"][:finite], truth.params["b"][:finite]
    return Late(np.array([run.w for run in seen]) != w, np.array([run.b for run in seen]) != b)


# ---- The edge that is not there


class Around(NamedTuple):
    """The operations from the variable w to what is fetched of it.

    graph: its first node is w. A kind is without TensorFlow's ending "VariableOp".
    fetched: by id, the name of what is fetched there, first w and then new_w.
    only_order: the places in `graph.edges` of those that hand nothing over and only say what runs
    first.
    """

    graph: Graph
    fetched: Mapping[int, str]
    only_order: Sequence[int]


def around_w(reads: Reads) -> Around:
    """What is written around w. The way through the gradient is left out, and what belongs to b."""
    listing: Any = train(preset("session_article"), steps=0, learning_rate=0.01, reads=reads)
    with waiting(listing) as held:

        def operation(name: str) -> str:
            return str(held["graph"].as_graph_element(held[name]).op.name)

        fetched = {operation("w_read"): "w", operation("new_w"): "new_w"}
        grad_w, ops = operation("grad_w"), written(held["graph"], train).ops

    # Each operation is written after those it takes from: once down, once up.
    from_w = {"w"}
    for op in ops:
        if op.name != grad_w and from_w.intersection(map(source_op, op.data)):
            from_w.add(op.name)
    needed = set(fetched)
    for op in reversed(ops):
        if op.name in needed:
            needed |= from_w.intersection(map(source_op, op.inputs))
    kept = [
        replace(
            op,
            kind=op.kind.removesuffix("VariableOp"),
            inputs=tuple(one for one in op.inputs if source_op(one) in needed),
        )
        for op in ops
        if op.name in needed
    ]
    number = {op.name: i for i, op in enumerate(kept)}
    inputs = [tensor for op in kept for tensor in op.inputs]
    only_order = [place for place, tensor in enumerate(inputs) if tensor.startswith("^")]
    return Around(to_graph(kept), {number[op]: name for op, name in fetched.items()}, only_order)
