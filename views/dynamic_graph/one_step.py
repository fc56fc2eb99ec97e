"""One step on a stage: the lines that run, PyTorch's own graph, and the details of one object."""

from __future__ import annotations

from typing import Any

import numpy as np

from engines.dynamic_graph.run import followed_point
from engines.graphs.autograd import StepGraph
from engines.problem import preset
from views.dynamic_graph import graph_drawing, runs, story
from views.player import Computed, Timeline, cached, listing, part
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("autograd_article").astype("float32")
SETTINGS: Any = {"steps": PROBLEM.steps, "learning_rate": PROBLEM.learning_rate}
FIRST_STEPS = np.array([0, 1, 2])
POINT = followed_point(PROBLEM)  # the data point that is followed in numbers


def show_half(here: Here, lines: tuple[str, str], *, begin: int, forward: bool) -> None:
    """The stage of one half of a step.

    lines: how the first and the last line of the listing begin that are shown. begin: the moment of
    step 0 at which it opens. forward: whether only the forward pass is told.
    """
    steps, told, timeline = run(forward=forward)
    trace = runs.trained(PROBLEM, **SETTINGS)
    with stage(here) as play:
        told.show(key="story")
        graph, code = beside([8, 5])
        with code:
            shown = part(runs.LISTING, *lines, without=runs.ASIDE)
            marked = {line: Computed(one.moments) for line, one in told.computed.items()}
            listing(shown, marked, title="torch_autograd.py", key="listing")
            node = graph_drawing.choose(here.controls, steps[0])
            last = sum(timeline.parts)
            story.details(steps[0], node, point=POINT + 1, last=last, forward=forward)
        play(timeline, ran={"": trace}, begin=(0, begin), readout=story.readout(steps[0]))
        with graph:
            graph_drawing.show_step(steps[0], timeline, node=node)


@cached
def run(*, forward: bool = False) -> tuple[list[StepGraph], Any, Timeline]:
    """The first steps of E3, what is told of one, and what the player plays of them.

    forward: whether only the forward pass of the first step is.
    """
    played = runs.play(PROBLEM, **SETTINGS)
    whole = played.timeline
    parts = whole.parts
    if forward:
        parts = (parts[0], parts[1], 0, 0)
    slow_at = FIRST_STEPS[:1] if forward else FIRST_STEPS
    timeline = Timeline(whole.series, whole.last_step, parts=parts, slow_at=slow_at, slow=True)
    return played.steps, played.story, timeline
