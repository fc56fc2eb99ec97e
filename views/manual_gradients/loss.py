"""The loss and its factor: one direction, another length, and so another limit for the rate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.problem import Problem, preset
from views.manual_gradients import runs
from views.player import (
    LABEL,
    Drawing,
    Filling,
    drawing,
    live,
    now,
    picture,
    say,
    show,
)
from views.regression import sections
from views.regression.charts import Drawn
from views.regression.settings import LOSSES
from views.regression.surface import paths
from views.ui.numbers import number
from views.ui.palette import MODEL, OTHER, Look
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import html_table

PROBLEM = preset("numpy_article")  # its loss is ½ · the sum of squares
RATE, STEPS = 0.01, 60
OTHERS = {name: label for name, label in LOSSES.items() if name != PROBLEM.loss}
SECOND = "other_"  # the prefix of its series


def show_stage(here: Here) -> None:
    """Half the sum, and beside it another loss: with the same rate, or with one that fits."""
    controls = here.controls
    with stage(here) as play:
        row = st.container(horizontal=True, vertical_alignment="bottom")
        with row:
            chosen = controls.choice(
                st.segmented_control, "The other loss", "loss", OTHERS, "mean", required=True
            )
            fits = controls.flag("Scale the rate with it", "scale_rate")
        other = replace(PROBLEM, loss=_loss(chosen))
        rate = RATE * PROBLEM.factor / other.factor if fits else RATE
        traces = runs.run(PROBLEM, STEPS, RATE).trace, runs.run(other, STEPS, rate).trace
        timeline = sections.played_together(dict(zip(("", SECOND), traces, strict=True)))
        looks = Look(LOSSES[PROBLEM.loss], MODEL), Look(LOSSES[other.loss], OTHER, (6, 4))
        ran = {look.label: trace for look, trace in zip(looks, traces, strict=True)}
        play(timeline, ran=ran, begin=(3, None), stops=[1, 3, 10], whose=looks[0].label)
        say(_told(other, fits=fits))
        drawn = [
            Drawn(prefix, look, trace, problem)
            for prefix, look, trace, problem in zip(
                ("", SECOND), looks, traces, (PROBLEM, other), strict=True
            )
        ]
        picture, numbers = beside([1, 1])
        with picture:
            show(paths(drawn, timeline), key="paths")
        with numbers:
            live(_table(looks, other, rate), key="numbers")
            show(_cut(looks, other), key="cut")


def _loss(chosen: str | None) -> Any:
    return chosen or "mean"


def _told(other: Problem, *, fits: bool) -> str:
    times = number(PROBLEM.factor / other.factor, 3)
    if fits:
        return (
            f"The dashed run has a gradient <b>{times} times</b> smaller and a rate {times} times "
            "larger, so it takes exactly the same steps, and the two paths coincide. A factor on "
            "the loss and a factor on the rate come to the same thing."
        )
    return (
        f"It is the same bowl with lower walls: at any w and b the slope is <b>{times} times</b> "
        f"smaller. At the same rate, the first step of the dashed run is {times} times shorter, "
        f"and after {STEPS} steps it is still on its way. Its limit is {times} times higher, so "
        "its rate may be, too."
    )


def _table(looks: tuple[Look, Look], other: Problem, rate: float) -> str:
    """HTML: what the factor changes, for both losses."""
    both = (PROBLEM, ""), (other, SECOND)
    rates = RATE, rate
    limits = [problem.largest_stable_learning_rate for problem, _ in both]
    rows = [
        ["factor", *(number(problem.factor, 3) for problem, _ in both)],
        ["∂L/∂w now", *(now(f"{run}grad_w", digits=4) for _, run in both)],
        ["limit 2/λ", *(number(limit, 3) for limit in limits)],
        ["rate η", *(number(one, 3) for one in rates)],
        ["η / limit", *(number(r / limit, 3) for r, limit in zip(rates, limits, strict=True))],
    ]
    heads = [f'<span style="color: {look.color}">●</span> {look.label}' for look in looks]
    return html_table(["", *heads], rows)


@picture
def _cut(looks: tuple[Look, Look], other: Problem) -> Filling:
    """Both bowls, cut from the best answer through the start and as far beyond the best."""
    along = np.linspace(-1, 1, 61)
    best = np.array(PROBLEM.least_squares())
    w, b = best[:, None] + np.outer(np.array([PROBLEM.w, PROBLEM.b]) - best, along)
    rows = [
        pd.DataFrame({"along": along, "loss": problem.loss_at(w, b), "run": look.label})
        for problem, look in zip((PROBLEM, other), looks, strict=True)
    ]
    return {"cut": pd.concat(rows)}, {}


@_cut.drawing
def _(looks: tuple[Look, Look]) -> Drawing:
    labels = [look.label for look in looks]
    colors = alt.Scale(domain=labels, range=[look.color for look in looks])
    dashes = alt.Scale(domain=labels, range=[look.dash for look in looks])
    places = alt.Axis(
        values=[0, 1],
        labelExpr="datum.value == 1 ? 'start' : 'least squares'",
        labelLimit=0,
    )
    lines = (
        alt.Chart(alt.NamedData("cut"))
        .mark_line()
        .encode(
            x=alt.X("along:Q", title=None, scale=alt.Scale(domain=[1.1, -1.1]), axis=places),
            y=alt.Y("loss:Q", title="loss", axis=alt.Axis(labelExpr=LABEL)),
            color=alt.Color("run:N", legend=None, scale=colors),
            strokeDash=alt.StrokeDash("run:N", legend=None, scale=dashes),
        )
    )
    return drawing(
        lines,
        title="A cut through both bowls",
        description="Both losses on the line from the start through the best answer: two "
        "parabolas with the same lowest point, one as many times as steep as its factor is larger.",
    )
