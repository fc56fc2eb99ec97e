"""Who pulls: the gradient is a sum, with one term for each point."""

from __future__ import annotations

import streamlit as st

from engines.problem import preset
from views.manual_gradients import one_step
from views.player import Timeline, cached, every_step, now, say, show
from views.regression import charts, sections
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("numpy_article")
OPENS = 3  # where points on both sides of the curve pull
POINT = 85  # counted from 1: far from the curve, with an x² that is neither 0 nor 1


def show_stage(here: Here) -> None:
    """The fit, and beside it the terms of both sums; one point's terms in numbers."""
    with here.settings, st.popover("Settings"):
        counted = here.controls.number("Point that is told in numbers", "point", POINT, 1, 100)
    point = int(counted) - 1
    timeline = _timeline(point)
    table = {name: name for name in ("grad_w", "grad_b")}
    table |= {f"{name} of the ringed point": name for name in ("residual", "term_w", "term_b")}
    stops = sections.sign_changes(*(timeline.series[f"grad_{name}"].values for name in "wb"))
    with stage(here, timeline, begin=(OPENS, None), stops=stops, table=table):
        say(_told(point))
        fit, terms = beside([1, 1])
        with fit:
            show(charts.fit(PROBLEM, timeline, chosen=point), key="fit")
        with terms:
            for parameter in ("w", "b"):
                pulls = charts.contributions(PROBLEM, timeline, to=parameter, chosen=point)
                show(pulls, key=f"pull_{parameter}")


def _told(point: int) -> str:
    """HTML: the terms of a point, and the two sums."""
    residual, term_w, term_b = (
        now(name, known=known, digits=3)
        for name, known in (("residual", 1), ("term_w", 2), ("term_b", 2))
    )
    x_squared = number(float(PROBLEM.x[point] ** 2), 3)
    return (
        f"The ringed point has x² = {x_squared}, and the curve misses it by ŷ − y = {residual}. "
        f"Its term by w is 2·½·(ŷ − y)·x² = <b>{term_w}</b>, by b 2·½·(ŷ − y) = "
        f"<b>{term_b}</b>. All {len(PROBLEM.x)} terms add up to the gradient: "
        f"{now('grad_w', known=2)} and {now('grad_b', known=2)}."
    )


@cached
def _timeline(point: int) -> Timeline:
    """What the player plays: the run, and the residual and the terms of one point."""
    trace, timeline = one_step.run()
    x, y = PROBLEM.x[point], PROBLEM.y[point]
    residual = trace.params["w"] * x**PROBLEM.power + trace.params["b"] - y
    term = 2 * PROBLEM.factor * residual
    terms = {"residual": residual, "term_w": term * x**PROBLEM.power, "term_b": term}
    return Timeline(timeline.series | every_step(terms), timeline.last_step, timeline.parts)
