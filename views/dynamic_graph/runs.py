"""What this page has run, each of it kept for all visitors, and the timeline that plays it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engines.dynamic_graph import mistakes, run
from engines.graphs.autograd import StepGraph
from engines.listing import source_of
from engines.problem import Problem
from engines.recurrent import torch_cell
from engines.regression import torch_autograd
from engines.trace import Trace, record
from views.dynamic_graph import graph_series, story
from views.player import Story, Timeline, cached
from views.regression import agreement, sections

ENGINES, GRADIENTS = ("numpy_vectorized", "torch_autograd"), ("grad_w", "grad_b")
# Lines of a listing that compute nothing of a step: what is handed out, and gradients for it.
ASIDE = ("yield", "grad_w,")
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
def trained(problem: Problem, *, steps: int, learning_rate: float) -> Trace:
    """A run of torch_autograd.py, without its graphs."""
    return record(torch_autograd.train(problem, steps=steps, learning_rate=learning_rate))


@cached
def play(problem: Problem, **settings: Any) -> Played:
    """Train on a problem, and inspect some of its steps. settings: steps and learning_rate."""
    inspected = run.inspect(problem, **settings)
    told = story.story_of(inspected.steps[0], LISTING)
    both = dict(zip(ENGINES, (inspected.by_hand, inspected.trace), strict=True))
    series = sections.followed(inspected.trace) | agreement.followed(both, GRADIENTS)
    series |= graph_series.followed(inspected.steps, inspected.expected, point=inspected.point)
    slow_at = np.array([step.step for step in inspected.steps])  # slow motion stops at these
    timeline = Timeline(series, len(inspected.trace) - 1, told.parts, slow_at, slow=True)
    return Played(inspected.trace, inspected.steps[:3], inspected.point, told, timeline)
