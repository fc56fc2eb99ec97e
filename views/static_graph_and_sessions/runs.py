"""What the page on static graphs and sessions computes, kept for all visitors."""

from __future__ import annotations

import numpy as np

from engines.problem import Problem
from engines.regression import numpy_vectorized, tf_session
from engines.static_graph_and_sessions import one_run
from engines.trace import Trace, record
from views.player import Timeline, cached
from views.regression import agreement, sections

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


@cached
def timeline(
    problem: Problem, steps: int, learning_rate: float, parts: tuple[int, int, int, int]
) -> Timeline:
    """The training in a session and by hand; in slow motion, one run of so many parts."""
    runs = [train(problem, steps, learning_rate) for train in (by_hand, trained)]
    series = agreement.followed(dict(zip(ENGINES, runs, strict=True)), GRADIENTS)
    series |= sections.followed(runs[1])
    return Timeline(series, len(runs[1]) - 1, parts=parts, slow_at=np.array([0]), slow=True)
