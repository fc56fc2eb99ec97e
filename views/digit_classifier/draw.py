"""Draw a digit: what the network sees of it, and what it reads at each step of its training."""

from __future__ import annotations

from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.digit_classifier import layers
from engines.digit_classifier.digits import DIGITS, Digits
from engines.digit_classifier.drawing import READY, pixels
from engines.digit_classifier.inside import nearest
from engines.digit_classifier.recording import Run
from views.digit_classifier import pen, runs
from views.digit_classifier.image_grid import show_images
from views.player import (
    LABEL,
    TEXT,
    WHOLE_STEPS,
    Drawing,
    Filling,
    Timeline,
    between,
    cached,
    drawing,
    every_step,
    now,
    picture,
    say,
    show,
    some_steps,
)
from views.ui.controls import Controls
from views.ui.palette import MODEL, QUIET
from views.ui.shell import Here
from views.ui.staging import beside, stage

OWN, HELD = "own", "drawn strokes"  # the name of what a visitor draws, and where it is kept
OPENS = "3"
NEIGHBOURS, COMPARED = 5, 10  # training images shown, and moments at which they are looked for
SEARCHED = 1500  # of the training images: all of the scans


class Reading(NamedTuple):
    """What is read in one image at the moments at which weights are kept.

    outputs: shape (m, 10): as the layer gives them, or as shares of 1 where the loss is
    cross-entropy. read: the digit, shape (m,). compared: the moments at which neighbours are looked
    for, shape (c,); neighbours: which training images they are, shape (c, NEIGHBOURS).
    """

    outputs: NDArray[Any]
    read: NDArray[np.intp]
    compared: NDArray[np.intp]
    neighbours: NDArray[np.intp]


def show_stage(here: Here) -> None:
    """The sheet, the pixels that become of it, the ten outputs, and the nearest training images."""
    strokes = _take_drawing()
    settings = runs.choose(here)
    with stage(here) as play:
        offered = {str(digit): str(digit) for digit in READY}
        if HELD in st.session_state:
            offered |= {OWN: "your drawing"}
        name = here.controls.pills(
            "A digit that is ready", "digit", offered, OPENS, label_visibility="collapsed"
        )
        strokes = st.session_state[HELD] if name == OWN else READY[int(name)]
        run, digits = runs.run_of(settings), runs.digits(settings)
        side = digits.side
        image = pixels(strokes, digits) if strokes else np.zeros((side, side), np.uint8)
        shares = settings.loss == "cross_entropy"
        reading = _read(run, digits, image, shares)
        timeline = _timeline(run, reading)
        play(
            timeline,
            ran={"": runs.as_program(settings, run.losses)},
            begin=(len(run.losses) - 1, None),
            stops=_changes(reading, run),
            readout={"loss": (0, None)},
            table={"read as": "read", **{f"output {i}": f"out{i}" for i in range(DIGITS)}},
        )
        say(_told(reading, run, bool(strokes)))
        sheet, seen, outputs = beside([5, 4, 5])
        with sheet:
            pen.paper([list(stroke) for stroke in strokes], name)
        with seen:
            show_images(
                image[None],
                brightest=digits.brightest,
                title=f"What it sees: {side} by {side}",
                told="The drawing in as many pixels as the images have that were learnt.",
                columns=1,
                key="seen",
            )
            show_images(
                digits.images,
                brightest=digits.brightest,
                title="Learnt images nearest to it",
                told="The training images for which the last hidden layer answers most alike.",
                columns=NEIGHBOURS,
                picks=reading.neighbours,
                at=run.at[reading.compared],
                names=[str(label) for label in digits.labels],
                key="neighbours",
            )
        with outputs:
            low, high = float(reading.outputs.min()), float(reading.outputs.max())
            show(bars(min(low, 0.0), max(high, 1.0), timeline, shares), key="outputs")


def _take_drawing() -> Any:
    """Take what was done on the sheet, before anything is shown."""
    strokes = pen.drawn()
    if strokes is not None:
        st.session_state[HELD] = strokes
        st.session_state["digit"] = OWN
        Controls.moved()
    return strokes


@cached
def _read(run: Run, digits: Digits, image: NDArray[np.uint8], as_shares: bool) -> Reading:
    [x] = digits.scaled(image[None])
    learnt = digits.scaled(digits.images[:SEARCHED])
    outputs = np.array(
        [layers.answer(x, run.params(i)).outputs for i in range(len(run.at))], np.float64
    )
    if as_shares:
        shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs = shares / shares.sum(axis=1, keepdims=True)
    compared = runs.some_moments(run, COMPARED)
    near = [nearest(x, learnt, run.params(i), NEIGHBOURS) for i in compared]
    return Reading(outputs, outputs.argmax(axis=1), compared, np.array(near))


@cached
def _timeline(run: Run, reading: Reading) -> Timeline:
    columns = {f"out{i}": reading.outputs[:, i] for i in range(DIGITS)}
    columns["read"] = reading.read.astype(np.float64)
    series = some_steps(columns, run.at) | every_step({"loss": run.losses})
    return Timeline(series, len(run.losses) - 1, parts=WHOLE_STEPS)


def _changes(reading: Reading, run: Run) -> list[int]:
    """The steps at which another digit is read than before."""
    return [int(k) for k in run.at[1:][np.diff(reading.read) != 0]]


def _told(reading: Reading, run: Run, written: bool) -> str:
    """HTML: what is read now, and since when it has been what it is in the end."""
    changes, end = _changes(reading, run), reading.read[-1]
    what = "This drawing" if written else "An empty sheet has a largest output, too: it"
    first = f"{what} is read as <b>{now('read', digits=0)}</b> at this step."
    if not changes:
        return f"{first} It is from the first step to the last."
    before = (
        f"before that the answer changed {len(changes) - 1} times"
        if len(changes) > 2
        else f"before that it was {reading.read[np.flatnonzero(np.diff(reading.read))[-1]]}"
    )
    return (
        f"{first} It is {end} from step <b>{changes[-1]}</b> on; {before}. Step back, and the "
        "network forgets; step on, and it learns again."
    )


@picture
def bars(low: float, high: float, timeline: Timeline, shares: bool) -> Filling:
    """The ten outputs, the largest in another colour. timeline: has out0 to out9, and `read`."""
    return {"digits": pd.DataFrame({"k": range(DIGITS)})}, {"low": low, "high": high}


@bars.drawing
def _(timeline: Timeline, shares: bool) -> Drawing:
    digits = alt.Chart(alt.NamedData("digits")).transform_calculate(
        value=timeline.now("out0", further="datum.k"),
        largest=f"datum.k == {timeline.now('read')}",
        zero="0",
    )
    color = alt.ExprRef(f"datum.largest ? '{MODEL}' : '{QUIET}'")
    down = alt.Y(
        "k:O",
        title=None,
        scale=alt.Scale(domain=list(range(DIGITS)), padding=0.15),
        axis=alt.Axis(grid=False, ticks=False, domain=False, labelFontWeight="bold"),
    )
    title = "share of 1" if shares else "output"
    across = alt.X(
        "value:Q", title=title, scale=between("low", "high"), axis=alt.Axis(labelExpr=LABEL)
    )
    drawn: Any = digits.mark_bar(fill=color).encode(across, alt.X2("zero:Q"), down)
    drawn += (
        digits.mark_text(
            align="left",
            dx=4,
            color=alt.ExprRef("ink"),
            fontSize=alt.ExprRef(TEXT),
            fontWeight=alt.ExprRef("datum.largest ? 700 : 400"),
        )
        .encode(
            alt.X("end:Q", scale=between("low", "high")),
            down,
            text="written:N",
        )
        .transform_calculate(
            end="max(datum.value, 0)",
            written="replace(format(datum.value, '.2f'), '-', '−')",
        )
    )
    return drawing(
        drawn,
        title="The ten outputs",
        description="A bar for each of the ten outputs at the step shown; the longest is the digit "
        "that is read.",
    )
