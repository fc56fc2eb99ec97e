"""Check it: some gradients, drawn at random, against the slope that small steps really show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.digit_classifier import torch_autograd
from engines.digit_classifier.gradient_check import WIDTH, Checked
from engines.digit_classifier.gradient_check import check as compare
from engines.digit_classifier.layers import NAMES, count
from engines.digit_classifier.recording import Run
from engines.trace import Step
from views.digit_classifier import runs
from views.digit_classifier.runs import Settings
from views.player import (
    LABEL,
    WHOLE_STEPS,
    Drawing,
    Filling,
    Series,
    Timeline,
    cached,
    drawing,
    every_step,
    live,
    mark,
    now,
    picture,
    readable,
    say,
    show,
)
from views.ui.palette import MISTAKE, OTHER, QUIET
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import html_table

EACH, MOMENTS = 4, 6  # weights of each array, and moments of the run
HANDFULS = 99
# A loss of about 1 is known to 16 digits; over the width, that is what a difference is known to.
ROUNDING = 10 * float(np.finfo(np.float64).eps) / (2 * WIDTH)
SMALLEST, LARGEST = 1e-8, 1.0  # gradients on the x axis
LEAST, MOST = 1e-12, 1.0  # of the y axis


def show_stage(here: Here) -> None:
    """How far the two ways are apart for each weight of the handful, and six of them as numbers."""
    settings = runs.choose(here)
    with stage(here) as play:
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            seed = int(here.controls.number("Sample", "handful", 1, 1, HANDFULS, width=130))
            spoiled = here.controls.flag("Make the gradient of w2 one percent too long", "spoil")
        run = runs.run_of(settings)
        moments = runs.some_moments(run, MOMENTS)
        found = checked(run, settings, seed, spoiled)
        timeline = _timeline(run, found)
        play(
            timeline,
            ran={"": runs.as_program(settings, run.losses)},
            begin=(len(run.losses) - 1, None),
            stops=[int(k) for k in run.at[moments]],
            readout={"loss": (0, None)},
            table={
                "largest disagreement": "largest",
                "weights outside the band": "outside",
            },
        )
        say(_told(run))
        compared, table = beside([5, 4])
        with compared:
            show(disagreement(timeline, found[0].names), key="disagreement")
        with table:
            live(_numbers(found[0]), key="numbers")


@cached
def checked(run: Run, settings: Settings, seed: int, spoiled: bool) -> list[Checked]:
    """The same handful at some moments of a run."""
    return [
        compare(
            _spoiled if spoiled else torch_autograd.train,
            runs.digits(settings),
            run.params(int(moment)),
            each=EACH,
            seed=seed,
            loss_of=getattr(torch_autograd, settings.loss),
        )
        for moment in runs.some_moments(run, MOMENTS)
    ]


def _spoiled(*given: Any, **how: Any) -> Iterator[Step]:
    """The listing, whose gradient of w2 comes out one percent too long."""
    for step in torch_autograd.train(*given, **how):
        yield step._replace(grads={**step.grads, "w2": 1.01 * step.grads["w2"]})


def outside(one: Checked) -> NDArray[np.bool_]:
    """Which weights disagree by more than rounding explains, shape (n,)."""
    return (np.abs(one.by_backward - one.by_differences) > ROUNDING) & ~one.kinks


def _both_zero(one: Checked) -> NDArray[np.bool_]:
    zero: NDArray[np.bool_] = (one.by_backward == 0) & (one.by_differences == 0)
    return zero


@cached
def _timeline(run: Run, found: list[Checked]) -> Timeline:
    at = run.at[runs.some_moments(run, MOMENTS)]
    columns: dict[str, NDArray[Any]] = {}
    for name, values in (
        ("g", [one.by_backward for one in found]),
        ("d", [one.by_differences for one in found]),
        ("e", [one.error for one in found]),
        ("o", [outside(one) for one in found]),
        ("kink", [one.kinks for one in found]),
    ):
        table = np.array(values, np.float64)
        columns |= {f"{name}{j}": table[:, j] for j in range(table.shape[1])}
    columns["largest"] = np.array([one.error[~one.kinks].max() for one in found])
    columns["outside"] = np.array([outside(one).sum() for one in found], np.float64)
    columns["zeros"] = np.array([np.sum(_both_zero(one)) for one in found], np.float64)
    series = {name: Series(values, at) for name, values in columns.items()}
    return Timeline(
        series | every_step({"loss": run.losses}), len(run.losses) - 1, parts=WHOLE_STEPS
    )


def _told(run: Run) -> str:
    """HTML: how far the two ways are apart."""
    every = count(run.params(0))
    return (
        f"For {len(NAMES) * EACH} of {every:,} weights, drawn at random (six are in the table), "
        "the loss was asked a millionth above and below. The largest disagreement with "
        f"<code>backward()</code> is <b>{now('largest', digits=2)}</b> of the gradient’s size, and "
        f"<b>{now('outside', digits=0)}</b> of them disagree by more than rounding explains. "
        f"{now('zeros', digits=0)} are 0 in both ways."
    )


def _numbers(one: Checked) -> str:
    """HTML: one weight of each array, its gradient found in both ways."""
    rows = []
    for j in range(0, len(one.names), EACH):
        place = ", ".join(map(str, one.places[j]))
        rows.append((f"{one.names[j]}[{place}]", now(f"g{j}", digits=10), now(f"d{j}", digits=10)))
    return html_table(("weight", "by backward()", "by differences"), rows)


@picture
def disagreement(timeline: Timeline, names: tuple[str, ...]) -> Filling:
    """How far two ways to find a gradient are apart, against its size, weight by weight."""
    weights = pd.DataFrame({"j": np.arange(len(names)), "name": names})
    sizes = np.geomspace(SMALLEST, LARGEST, 20)
    band = pd.DataFrame({"size": sizes, "allowed": np.clip(ROUNDING / sizes, LEAST, MOST)})
    return {"weights": weights, "band": band}, {}


@disagreement.drawing
def _(timeline: Timeline) -> Drawing:
    def axis(values: list[float]) -> alt.Axis:
        return alt.Axis(labelExpr=LABEL, values=values)

    across: dict[str, Any] = {
        "type": "log",
        "domain": [SMALLEST, LARGEST],
        "clamp": True,
        "nice": False,
    }
    up: dict[str, Any] = {"type": "log", "domain": [LEAST, MOST], "clamp": True, "nice": False}
    x = alt.X(
        "size:Q",
        title="size of the gradient",
        scale=alt.Scale(**across),
        axis=axis([1e-8, 1e-6, 1e-4, 1e-2, 1]),
    )

    def y(field: str) -> alt.Y:
        return alt.Y(
            field,
            title="relative disagreement",
            scale=alt.Scale(**up),
            axis=axis([1e-12, 1e-9, 1e-6, 1e-3, 1]),
        )

    band = (
        alt.Chart(alt.NamedData("band"))
        .transform_calculate(bottom=f"{LEAST}")
        .mark_area(color=QUIET, opacity=0.25, line={"color": QUIET, "strokeDash": [5, 4]})
        .encode(x=x, y=y("allowed:Q"), y2="bottom:Q")
    )
    dots = alt.Chart(alt.NamedData("weights")).transform_calculate(
        size=f"max({SMALLEST}, abs({timeline.now('g0', further='datum.j')}))",
        error=f"max({LEAST}, {timeline.now('e0', further='datum.j')})",
        outside=f"{timeline.now('o0', further='datum.j')} == 1",
        kink=f"{timeline.now('kink0', further='datum.j')} == 1",
    )
    points = dots.mark_point(
        filled=True,
        opacity=0.9,
        size=mark(90),
        color=alt.ExprRef(f"datum.outside ? '{MISTAKE}' : '{OTHER}'"),
        shape=alt.ExprRef("datum.kink ? 'cross' : datum.outside ? 'triangle-up' : 'circle'"),
    ).encode(x=x, y=y("error:Q"))
    named = readable(
        dots.transform_filter("datum.outside").encode(x=x, y=y("error:Q"), text="name:N"),
        dy=-14,
        color=alt.ExprRef("ink"),
    )
    excused = readable(
        alt.Chart(alt.InlineData([{"size": 3e-6, "error": 1e-11}])).encode(x=x, y=y("error:Q")),
        text="explained by rounding",
        color=alt.ExprRef("ink"),
    )
    return drawing(
        alt.layer(band, excused, points, named),
        title="How far backward() and differences are apart",
        description="A mark for each weight: the relative disagreement of the two ways, against "
        "the size of its gradient, with the band that rounding explains.",
    )
