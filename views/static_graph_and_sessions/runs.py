"""What the page on static graphs and sessions computes, kept for all visitors."""

from __future__ import annotations

from engines.problem import Problem
from engines.regression import numpy_vectorized, tf_session
from engines.static_graph_and_sessions import one_run
from engines.trace import Trace, record
from views.player import cached

ENGINES, GRADIENTS = ("numpy_vectorized", "tf_session"), ("grad_w", "grad_b")

run = cached(one_run.run)


@cached
def trained(problem: Problem, steps: int, learning_rate: float) -> Trace:
    """The training in a session."""
    return record(tf_session.train(problem, steps=steps, learning_rate=learning_rate))


@cached
def by_hand(problem: Problem, steps: int, learning_rate: float) -> Trace:
    """The same training with the gradients by hand."""
    return record(numpy_vectorized.train(problem, steps=steps, learning_rate=learning_rate))
