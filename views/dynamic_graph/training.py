"""The training: E3 from start to end, by backward() and by hand."""

from __future__ import annotations

import streamlit as st

from views.dynamic_graph import runs
from views.player import Timeline, cached, now, say, show
from views.regression import agreement, charts, sections
from views.regression.settings import choose
from views.regression.surface import landscape
from views.ui.shell import Here
from views.ui.staging import beside, stage

PRESETS = {"autograd_article": "The parabola of this page", "own": "Your own data"}
OPENS = 40


def show_stage(here: Here) -> None:
    """The fit and the map, and how far PyTorch's numbers are from those by hand."""
    with here.settings, st.popover("Settings"):
        problem, rate, steps = choose(here.controls, PRESETS, max_steps=2000)
    problem = problem.astype("float32")  # as PyTorch computes unless it is told otherwise
    played = runs.play(problem, steps=steps, learning_rate=rate)
    timeline = _plain(played.timeline)
    begin, ended = (min(OPENS, timeline.last_step), None), played.trace.final
    beyond = bool(ended.non_finite) or ended.loss > played.trace.losses[0]
    stops = sections.turning_points(played.trace)
    with stage(here, timeline, ran={"": played.trace}, begin=begin, stops=stops, whose="PyTorch"):
        if beyond:
            sections.verdict(problem, played.trace, rate)
        say(
            "backward() left "
            f"{now('torch_autograd_grad_w', digits=9)} in w.grad; by hand, in NumPy, it is "
            f"{now('numpy_vectorized_grad_w', digits=9)}. Loss, w, b and gradients of the two runs "
            f"agree to <b>{now('torch_autograd_apart', digits=2)}</b> of the largest value that "
            "each has reached so far. What is left is rounding."
        )
        fit, path, apart = beside([1, 1, 1])
        with fit:
            show(charts.fit(problem, timeline), key="fit")
        with path:
            show(landscape(problem, played.trace, timeline), key="landscape")
        with apart:
            show(agreement.differences(runs.ENGINES[1:], timeline, allowed=1e-5), key="differences")
    if not beyond:
        sections.verdict(problem, played.trace, rate)


@cached
def _plain(timeline: Timeline) -> Timeline:
    """Without what is only for slow motion."""
    kept = {n: one for n, one in timeline.series.items() if one.at is None}
    return Timeline(kept, timeline.last_step)
