"""The training: E7 in a session, one run for each step, and the table that the article printed."""

from __future__ import annotations

import streamlit as st

from engines.problem import preset
from engines.trace import Trace
from views.player import WHOLE_STEPS, Series, Timeline, cached, live, now, say, show
from views.regression import agreement, charts, sections
from views.regression.settings import Chosen, choose
from views.regression.surface import landscape
from views.static_graph_and_sessions import printed_table, runs
from views.ui.shell import Here
from views.ui.staging import beside, stage

PRESETS = {"session_article": "Parabola, as in the article", "own": "Your own data"}
ARTICLE = preset("session_article").astype("float32")
MAX_STEPS = 4000
OPENS = 400  # two rows of the table are printed, and the next can be waited for


def show_stage(here: Here) -> None:
    """The fit and the map, and the article's table, in which each row waits for its step."""
    with here.settings, st.popover("Settings"):
        chosen = choose(here.controls, PRESETS, max_steps=MAX_STEPS)
    problem, rate, steps = chosen.problem.astype("float32"), chosen.learning_rate, chosen.steps
    trace = runs.trained(problem, steps, rate)
    published = is_article(chosen)
    timeline = _timeline(trace, runs.by_hand(problem, steps, rate), published)
    beyond = bool(trace.final.non_finite) or trace.final.loss > trace.losses[0]
    stops = [*printed_table.PUBLISHED] if published else sections.turning_points(trace)
    begin = (min(OPENS, timeline.last_step), None)
    with stage(here, timeline, ran={"": trace}, begin=begin, stops=stops, whose="the session"):
        if beyond:
            sections.verdict(problem, trace, rate)
        say(
            "Each step is one run of the session, which hands out the loss and both gradients. "
            f"{printed_table.SO_FAR if published else ''}By hand, in NumPy, the same training "
            "has the same gradients: the two differ by at most "
            f"<b>{now('tf_session_apart', digits=2)}</b> of the largest so far, which is rounding."
        )
        left, right = beside([2, 5])
        with left:
            show(charts.fit(problem, timeline), key="fit")
            show(landscape(problem, trace, timeline), key="landscape")
        with right:
            if published:
                live(printed_table.table(trace), key="printed")
            else:
                show(charts.loss(problem, trace, timeline), key="loss")
    if not beyond:
        sections.verdict(problem, trace, rate)


def is_article(chosen: Chosen) -> bool:
    """Whether this is the training whose numbers were printed."""
    settings = ARTICLE.learning_rate, ARTICLE.steps
    same = chosen.problem.astype("float32").key == ARTICLE.key
    return same and (chosen.learning_rate, chosen.steps) == settings


@cached
def _timeline(trace: Trace, by_hand: Trace, published: bool) -> Timeline:
    both = dict(zip(runs.ENGINES, (by_hand, trace), strict=True))
    series: dict[str, Series] = sections.followed(trace)
    series |= agreement.followed(both, runs.GRADIENTS)
    if published:
        series |= printed_table.followed(trace)
    return Timeline(series, len(trace) - 1, parts=WHOLE_STEPS)
