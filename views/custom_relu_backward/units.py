"""Every hidden unit of two runs as a square: the stronger its colour, the more inputs pass it."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from views.player import TEXT, Drawing, Filling, Timeline, drawing, picture, sized
from views.ui.palette import QUIET, Look

UNITS, WIDE = 100, 20  # squares in all, and in a row
ROWS = UNITS // WIDE
HEAD = 1.4  # rows of room above the squares of a run


def names(prefix: str) -> list[str]:
    """The series that the picture needs of a run, in the order in which a timeline must have them:

    those of the first run, and right behind them those of the second.
    """
    return [f"{prefix}unit{i}" for i in range(UNITS)]


@picture
def squares(looks: Sequence[Look], prefixes: tuple[str, str], timeline: Timeline) -> Filling:
    """looks, prefixes: of the two runs. The timeline has the `names` of both, and their `dead`."""
    rows = [
        {
            "k": run * UNITS + i,
            "x": i % WIDE,
            "y": run * (ROWS + HEAD) + HEAD + i // WIDE,
            "color": look.color,
        }
        for run, look in enumerate(looks)
        for i in range(UNITS)
    ]
    return {"units": pd.DataFrame(rows)}, {"labels": [look.label for look in looks]}


@squares.drawing
def _(prefixes: tuple[str, str], timeline: Timeline) -> Drawing:
    across = alt.Scale(domain=[0, WIDE], nice=False)
    down = alt.Scale(domain=[2 * (ROWS + HEAD), 0], nice=False)
    units = alt.Chart(alt.NamedData("units")).transform_calculate(
        share=timeline.now(names(prefixes[0])[0], further="datum.k"),
        left="datum.x + 0.08",
        right="datum.x + 0.92",
        top="datum.y + 0.08",
        bottom="datum.y + 0.92",
    )
    places = {
        "x": alt.X("left:Q", axis=None, scale=across),
        "x2": "right:Q",
        "y": alt.Y("top:Q", axis=None, scale=down),
        "y2": "bottom:Q",
    }
    # Where nothing passes there is an empty frame.
    boxes = units.mark_rect(
        cornerRadius=2,
        fillOpacity=alt.ExprRef("datum.share > 0 ? 0.25 + 0.75 * datum.share : 0"),
        stroke=QUIET,
        strokeWidth=sized(1, 2),
        strokeOpacity=alt.ExprRef("datum.share > 0 ? 0 : 0.8"),
    ).encode(**places, fill=alt.Fill("color:N", scale=None))
    dead = [timeline.now(f"{prefix}dead") for prefix in prefixes]
    heads = (
        alt.Chart(alt.InlineData([{"run": run, "at": run * (ROWS + HEAD)} for run in (0, 1)]))
        .transform_calculate(
            told=f"labels[datum.run] + ': ' + [{', '.join(dead)}][datum.run] + ' dead'"
        )
        .mark_text(
            align="left",
            baseline="bottom",
            color=alt.ExprRef("ink"),
            dy=alt.ExprRef(f"-0.2 * {TEXT}"),
        )
        .encode(x=alt.value(0), y=alt.Y("base:Q", axis=None, scale=down), text="told:N")
        .transform_calculate(base=f"datum.at + {HEAD}")
    )
    return drawing(
        boxes + heads,
        title="The hidden units",
        description="A square for each hidden unit of both runs, the stronger its colour, the more "
        "inputs it is active for; an empty frame for a unit that is dead.",
    )
