"""How long a run of a session takes once it is warm: many runs without a trace, taken in turn.

The first run of a request prunes, rewrites and places the graph, and a traced one also notes what
it does. Neither says how long a run takes.

Source: experiment E7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import tensorflow as tf

from engines.benchmark.clock import Timing, paired
from engines.benchmark.contender import scheduled
from engines.graphs.read_tensorflow import without_rewriting
from engines.problem import Problem
from engines.static_graph_and_sessions.one_run import Request, asked


class Warm(NamedTuple):
    """timings: milliseconds of one run, for each request.

    on_core: the share of the time in which the threads of this process that could run had a core;
    None where the system does not say.
    """

    timings: list[Timing]
    on_core: float | None


def warm(requests: Sequence[Request], problem: Problem, *, rounds: int, block: int) -> Warm:
    """Time these requests in turn, in `rounds` rounds of `block` runs each: a sample is their mean.

    problem: what they train on. Each has a session of its own, in which nothing is updated.
    """
    with ExitStack() as open_ones:
        runs = [_block(open_ones, request, problem, block) for request in requests]
        before = scheduled("self")
        timings = paired(*runs, rounds=rounds)
        on_core = scheduled("self").on_core(before)
    return Warm([Timing(*(ms / block for ms in timing)) for timing in timings], on_core)


def _block(
    open_ones: ExitStack, request: Request, problem: Problem, block: int
) -> Callable[[], None]:
    """What runs a request so many times, in a session that is closed with all others."""
    waiting = asked(request, problem, problem.learning_rate)
    names, wanted, fed = open_ones.enter_context(waiting)
    config = tf.compat.v1.ConfigProto() if request.rewrite else without_rewriting()
    # All in the caller's thread: handing small operations over costs more than they do, and no
    # thread then waits for a core unless others have it.
    config.inter_op_parallelism_threads = -1
    config.intra_op_parallelism_threads = 1
    session = tf.compat.v1.Session(graph=names["graph"], config=config)
    open_ones.callback(session.close)
    session.run(names["initialize"])

    def run() -> None:
        for _ in range(block):
            session.run(wanted, fed)

    return run
