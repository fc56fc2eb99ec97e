"""What this page has run, each of it kept for all visitors, and the timeline that plays it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engines.dynamic_graph import mistakes, run
from engines.dynamic_graph import stream as stream_engine
from engines.dynamic_graph.mistakes import Outcome
from engines.dynamic_graph.run import Inspected
from engines.graphs.autograd import StepGraph
from engines.problem import Problem
from engines.recurrent import torch_cell
from engines.regression import torch_autograd
from engines.trace import Trace
from views.dynamic_graph import graph_series, story, stream
from views.player import Story, Timeline, cached, source_of
from views.regression import agreement, sections

ENGINES, GRADIENTS = ("numpy_vectorized", "torch_autograd"), ("grad_w", "grad_b")
LISTING, CELL = source_of(torch_autograd.train), source_of(torch_cell.read)

count = cached(run.count)
published_end = cached(run.published_end)
without_zeroing = cached(mistakes.without_zeroing)
with_mistake = cached(mistakes.run)
read_word = cached(torch_cell.read_and_check)


class Played(NamedTuple):
    """A run, and what a page shows of it.

    steps: the first three. point: the data point that is followed in numbers, counted from 0.
    story: of every step. timeline: all that the player plays.
    """

    trace: Trace
    steps: list[StepGraph]
    point: int
    story: Story
    timeline: Timeline


@cached
def streamed(batch: int, learning_rate: float) -> tuple[Trace, stream.Points]:
    """The stream in batches of this size, and the points of each that are drawn."""
    trace, batches = stream_engine.run(batch, learning_rate)
    return trace, stream.points_of(batches)


@cached
def play(
    problem: Problem, mistake: str | None, streaming: stream.Settings, **settings: Any
) -> Played:
    """Train on a problem, and with a mistake if there is one. settings: steps and learning_rate."""
    inspected = run.inspect(problem, **settings)
    wrong = with_mistake(mistake, problem, **settings) if mistake else None
    told = story.story_of(inspected.steps[0], LISTING)
    timeline = _timeline(inspected, wrong, told, *streamed(*streaming))
    return Played(inspected.trace, inspected.steps[:3], inspected.point, told, timeline)


def _timeline(
    inspected: Inspected, wrong: Outcome | None, told: Story, trace: Trace, points: stream.Points
) -> Timeline:
    """A run, its graphs, the run by hand, one with a mistake if there is one, and the stream.

    Slow motion stops at the steps that were inspected.
    """
    both = dict(zip(ENGINES, (inspected.by_hand, inspected.trace), strict=True))
    series = sections.followed(inspected.trace) | agreement.followed(both, GRADIENTS)
    series |= graph_series.followed(inspected.steps, inspected.expected, point=inspected.point)
    last_step = len(inspected.trace) - 1
    if wrong and wrong.trace:
        series |= sections.followed(wrong.trace, wrong.check, run="wrong_", keep=801)
        last_step = max(last_step, len(wrong.trace) - 1)
    series |= stream.followed(trace, points, last_step=last_step)
    slow_at = np.array([step.step for step in inspected.steps])
    return Timeline(series, last_step, parts=told.parts, slow_at=slow_at, slow=True)
