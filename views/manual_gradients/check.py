"""Ask the loss: the gradient by hand against the slope that small steps really show."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from engines.problem import preset
from engines.regression.gradient_check import WIDTHS
from views.manual_gradients import runs
from views.player import (
    LABEL,
    Drawing,
    Filling,
    Timeline,
    cached,
    drawing,
    every_step,
    frame,
    mark,
    now,
    picture,
    say,
    show,
)
from views.regression import agreement, sections
from views.regression.charts import told_apart
from views.ui.palette import DATA, GRADIENT, OTHER, QUIET, Look
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("numpy_article")
OPENS = 20
WIDTH = 0.8  # of the picture of three slopes: so wide that they can be told apart
SLOPES = {
    "by hand": Look("by hand", GRADIENT),
    "central": Look("central", OTHER),
    "forward": Look("forward", DATA, (6, 4)),
}


def show_stage(here: Here) -> None:
    """Both numbers side by side, and how far apart they are for every width of the small step."""
    timeline = _timeline()
    trace = runs.run(PROBLEM, PROBLEM.steps, PROBLEM.learning_rate).trace
    with stage(here, timeline, ran={"": trace}, begin=(OPENS, None), stops=[1, 100, 400]):
        say(
            "Move w a little to either side and see how the loss changes: the slope is "
            f"{now('numeric_w')}. The formula says {now('hand_w')}. Relative to their size, the "
            f"gradients differ by {now('error', digits=2)}; rounding alone explains up to "
            f"{now('allowed', digits=2)}."
        )
        picture, numbers = beside([5, 4])
        with picture:
            show(agreement.gradient_error(timeline, WIDTHS), key="gradient_error")
        with numbers:
            sections.check_in_numbers()
            show(_three_slopes(timeline), key="three_slopes")


@cached
def _timeline() -> Timeline:
    """What the player plays: the run with its checks, and the loss on both sides of each w."""
    timeline = runs.timeline(PROBLEM, PROBLEM.steps, PROBLEM.learning_rate, None)
    trace = runs.run(PROBLEM, PROBLEM.steps, PROBLEM.learning_rate).trace
    w, b = trace.params["w"], trace.params["b"]
    sides = {"left": PROBLEM.loss_at(w - WIDTH, b), "right": PROBLEM.loss_at(w + WIDTH, b)}
    return Timeline(timeline.series | every_step(sides), timeline.last_step)


@picture
def _three_slopes(timeline: Timeline) -> Filling:
    """The loss along w around the step shown: its slope by hand, and two measured ones."""
    return {"along": pd.DataFrame({"moved": np.linspace(-WIDTH, WIDTH, 41)})}, {}


@_three_slopes.drawing
def _(timeline: Timeline) -> Drawing:
    loss, left, right, slope = map(timeline.now, ("loss", "left", "right", "grad_w"))
    central, bend = f"({right} - {left}) / {2 * WIDTH}", f"({right} + {left} - 2 * {loss})"
    lines = {
        "by hand": f"{loss} + {slope} * datum.moved",
        "central": f"({left} + {right}) / 2 + {central} * datum.moved",
        "forward": f"{loss} + ({right} - {loss}) / {WIDTH} * datum.moved",
    }
    x = alt.X(
        "moved:Q",
        title="w is moved by",
        scale=alt.Scale(domain=[-WIDTH, WIDTH], nice=False),
        axis=alt.Axis(values=[-WIDTH, 0, WIDTH]),
    )
    y = alt.Y("loss:Q", title="loss", scale=alt.Scale(zero=False), axis=alt.Axis(labelExpr=LABEL))
    along = alt.Chart(alt.NamedData("along"))
    parabola = f"{loss} + {central} * datum.moved + {bend} / {2 * WIDTH**2} * pow(datum.moved, 2)"
    curve = along.transform_calculate(loss=parabola).mark_line(color=QUIET).encode(x=x, y=y)
    legend = alt.Legend(labelLimit=0, symbolSize=200)
    slopes = [
        along.transform_calculate(loss=value, run=f"'{name}'")
        .mark_line()
        .encode(x=x, y=y, **told_apart(list(SLOPES.values()), legend))
        for name, value in lines.items()
    ]
    measured = [
        frame(timeline, "", name)
        .transform_calculate(moved=str(moved), loss=f"datum.{name}")
        .mark_circle(color=alt.ExprRef("ink"), size=mark(90), opacity=1)
        .encode(x=x, y=y)
        for name, moved in (("left", -WIDTH), ("loss", 0), ("right", WIDTH))
    ]
    return drawing(
        alt.layer(curve, *slopes, *measured),
        title="Three slopes of the loss along w",
        description="The loss along w around the step shown, with its slope by hand, the line "
        "through the losses on both sides, and the line through the one here and the one ahead.",
    )
