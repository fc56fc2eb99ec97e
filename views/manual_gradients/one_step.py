"""One step of training, in slow motion: predict, measure, differentiate, update."""

from __future__ import annotations

from typing import Any

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import Trace
from views.player import Moment, Phase, Story, Timeline, cached, now, show
from views.regression import charts, sections
from views.regression.runs import trained
from views.regression.surface import landscape
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("numpy_article")
SETTINGS: Any = {"steps": 60, "rate": 0.004}  # a step that can be seen
OPENS = (0, Phase.GRADIENT)

STORY = Story(
    [
        Moment(
            Phase.PREDICT,
            f"<b>Predict.</b> With w = {now('w')} and b = {now('b')} the model draws its curve, "
            "w·x² + b.",
        ),
        Moment(
            Phase.LOSS,
            "<b>Measure.</b> Each yellow line is a residual: how far the curve is from a point. "
            f"Half the sum of their squares is the loss, {now('loss')}.",
        ),
        Moment(
            Phase.GRADIENT,
            f"<b>Differentiate.</b> The gradient says how fast the loss grows with w, "
            f"{now('grad_w')}, and with b, {now('grad_b')}. Downhill is the other way: the arrow.",
        ),
        Moment(
            Phase.UPDATE,
            f"<b>Update.</b> η = {SETTINGS['rate']} times the gradient is subtracted. w is now "
            f"{now('w_next')} and b is {now('b_next')}: the dot moved along the arrow, and the "
            "curve moved with it.",
        ),
    ],
    whole=f"The loss is {now('loss')}. Each step moves w and b along the arrow, downhill, and the "
    "curve follows.",
)


def show_stage(here: Here) -> None:
    """The fit beside the map of the loss, and the sentence of the moment."""
    trace, timeline = run()
    with stage(here, timeline, begin=OPENS, stops=[1], ran={"": trace}):
        STORY.show(key="story")
        left, right = beside([1, 1])
        with left:
            show(charts.fit(PROBLEM, timeline), key="fit")
        with right:
            show(landscape(PROBLEM, trace, timeline), key="landscape")


@cached
def run() -> tuple[Trace, Timeline]:
    """The run of this chapter, whose steps can be seen, and what the player plays of it."""
    trace = trained("numpy_vectorized", numpy_vectorized.train, PROBLEM, **SETTINGS)
    return trace, Timeline(sections.followed(trace), len(trace) - 1, parts=STORY.parts)
