"""All that the player of the dynamic graph page plays at once, on one axis of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.graphs.autograd import StepGraph
from engines.trace import Trace
from views.dynamic_graph import graph_series, stream
from views.player import Timeline
from views.regression import agreement, sections

ENGINES, GRADIENTS = ("numpy_vectorized", "torch_autograd"), ("grad_w", "grad_b")
PREDICTION = "y_pred"  # the listing's variable after which the rest of the forward pass is the loss


class Looked(Protocol):
    """A run and the steps of it that were looked at; see engines.dynamic_graph.run.Looked."""

    trace: Trace
    by_hand: Trace
    steps: Sequence[StepGraph]
    checks: Sequence[Mapping[int, float]]
    point: int


class Ran(Protocol):
    """A run with a mistake in it; see engines.dynamic_graph.mistakes.Ran."""

    trace: Trace | None
    check: Mapping[str, NDArray[Any]]


def dynamic_timeline(
    looked: Looked, wrong: Ran | None, streamed: Trace, points: NDArray[np.float32]
) -> Timeline:
    """A run, its graphs, the run by hand, one with a mistake if there is one, and the stream.

    Slow motion stops at the steps that were looked at. points: of the stream, see `stream.shown`.
    """
    runs = dict(zip(ENGINES, (looked.by_hand, looked.trace), strict=True))
    series = sections.followed(looked.trace) | agreement.followed(runs, GRADIENTS)
    series |= graph_series.followed(looked.steps, looked.checks, point=looked.point)
    last_step = len(looked.trace) - 1
    if wrong and wrong.trace:
        series |= sections.followed(wrong.trace, wrong.check, run="wrong_", keep=801)
        last_step = max(last_step, len(wrong.trace) - 1)
    series |= stream.followed(streamed, points, last_step=last_step)
    parts = graph_series.parts(looked.steps[0], prediction=PREDICTION)
    slow_at = np.array([step.step for step in looked.steps])
    return Timeline(series, last_step, parts=parts, slow_at=slow_at, slow=True)
