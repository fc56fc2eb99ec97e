"""Who pulls: the gradient is a sum, with one term for each point."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engines.problem import preset
from views.manual_gradients import one_step
from views.player import Figure, Timeline, cached, every_step, now, say, show
from views.regression import charts, sections
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("numpy_article")
OPENS = 3  # where points on both sides of the curve pull
POINT = 85  # counted from 1: far from the curve, with an x² that is neither 0 nor 1


def show_stage(here: Here) -> None:
    """The fit, and beside it the terms of both sums; one point's terms in numbers."""
    with here.settings, st.popover("Settings"):
        counted = here.controls.number("Point with the ring", "point", POINT, 1, 100)
    point = int(counted) - 1
    timeline, trace = _timeline(point), one_step.run()[0]
    table = {name: name for name in ("grad_w", "grad_b")}
    table |= {f"{name} of the ringed point": name for name in ("residual", "term_w", "term_b")}
    stops = sections.sign_changes(*(timeline.series[f"grad_{name}"].values for name in "wb"))
    with stage(here, timeline, ran={"": trace}, begin=(OPENS, None), stops=stops, table=table):
        say(_told(point))
        fit, terms = beside([1, 1])
        with fit:
            figure = charts.fit(PROBLEM, timeline, chosen=point, clickable=True)
            _show_to_be_clicked(figure, "fit", point)
        with terms:
            for parameter in ("w", "b"):
                figure = charts.contributions(PROBLEM, timeline, to=parameter, chosen=point)
                _show_to_be_clicked(figure, f"pull_{parameter}", point)


def _show_to_be_clicked(figure: Figure, name: str, point: int) -> None:
    """Show a picture in which a click chooses a point.

    A browser says nothing of a click on what was clicked there last. So a picture is made anew
    where something else has been chosen since.
    """
    clicks = st.session_state.setdefault("clicks", {})  # by picture: the last, and how often made
    last, made = clicks.get(name, (None, 0))
    if last not in (None, point):
        clicks[name] = last, made = None, made + 1
    key = f"{name} {made}"

    def clicked() -> None:
        match st.session_state[key].get("selection"):
            case {"picked": [{"x": float(x)}, *_]}:  # a browser can send anything
                chosen = int(np.abs(PROBLEM.x - x).argmin())
                st.session_state["point"] = 1 + chosen
                clicks[name] = chosen, made
        Controls.moved()

    show(figure, key=key, on_select=clicked, selection_mode="picked")


def _told(point: int) -> str:
    """HTML: the terms of a point, and the two sums."""
    residual, term_w, term_b = (
        now(name, known=known, digits=3)
        for name, known in (("residual", 1), ("term_w", 2), ("term_b", 2))
    )
    x_squared = number(float(PROBLEM.x[point] ** 2), 3)
    return (
        f"<b>Click a point.</b> The ringed one has x² = {x_squared}, and the curve misses it by "
        f"ŷ − y = {residual}. It adds 2·½·(ŷ − y)·x² = <b>{term_w}</b> to ∂L/∂w and 2·½·(ŷ − y) = "
        f"<b>{term_b}</b> to ∂L/∂b. All {len(PROBLEM.x)} points together make "
        f"{now('grad_w', known=2, digits=4)} and {now('grad_b', known=2, digits=4)}."
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
