"""Which digit is read as which: ten by ten counts, at the step shown."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from engines.digit_classifier.digits import DIGITS, Digits
from engines.digit_classifier.recording import Run
from views.player import TEXT, Drawing, Filling, Series, Timeline, drawing, picture
from views.ui.palette import MISTAKE, MODEL


def counts(run: Run, digits: Digits) -> dict[str, Series]:
    """For a timeline, one behind the other: row by row how many images of a digit are read as one.

    The row is the digit that an image shows, the column the one that is read.
    """
    places = digits.test_labels.astype(np.intp) * DIGITS + run.predicted
    steps = np.arange(len(places))
    table = np.zeros((len(places), DIGITS * DIGITS), np.float32)
    np.add.at(table, (steps[:, None], places), 1)
    return {f"read{i}": Series(table[:, i], steps) for i in range(DIGITS * DIGITS)}


@picture
def matrix(most: int, timeline: Timeline) -> Filling:
    """most: how many images there are of the most frequent digit. timeline: has the `counts`."""
    places = [{"k": i, "shown": i // DIGITS, "read": i % DIGITS} for i in range(DIGITS**2)]
    return {"places": pd.DataFrame(places)}, {"most": most}


@matrix.drawing
def _(timeline: Timeline) -> Drawing:
    cells = alt.Chart(alt.NamedData("places")).transform_calculate(
        n=timeline.now("read0", further="datum.k"),
        right="datum.shown == datum.read",
        x2="datum.read + 1",
        y2="datum.shown + 1",
    )
    plain: Any = {"grid": False, "ticks": False, "domain": False, "labelPadding": 4}
    scale = alt.Scale(domain=list(range(DIGITS)), paddingInner=0.08, paddingOuter=0)
    across = alt.X("read:O", title="read as", scale=scale, axis=alt.Axis(labelAngle=0, **plain))
    # Narrower than the axes of curves, whose labels grow.
    down = alt.Y("shown:O", title="shows", scale=scale, axis=alt.Axis(minExtent=0, **plain))
    squares = cells.mark_rect(
        fill=alt.ExprRef(f"datum.right ? '{MODEL}' : '{MISTAKE}'"),
        # A single mistake must be seen, and a column of thirty right ones must not hide it.
        fillOpacity=alt.ExprRef(
            "datum.n == 0 ? 0 : 0.25 + (datum.right ? 0.5 : 0.75) * min(1, datum.n / most)"
        ),
        stroke=alt.ExprRef("ink"),
        strokeOpacity=0.15,
    ).encode(across, down)
    told = cells.mark_text(
        fontSize=alt.ExprRef(f"min({TEXT}, height / 10.5, width / 13)"),
        color=alt.ExprRef("ink"),
        opacity=alt.ExprRef("datum.n == 0 ? 0 : 1"),
    ).encode(across, down, text="n:Q")
    return drawing(
        squares + told,
        title="Which is read as which",
        description="Ten by ten squares: a row for the digit that a test image shows, a column for "
        "the digit that is read in it, and in each square how many images there are; those on the "
        "diagonal are read correctly.",
    )
