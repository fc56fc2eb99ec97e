"""By hand: one pass through MyReLU, a matrix forward and a gradient back, moment by moment."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from engines.custom_relu_backward.one_pass import Watched, through
from engines.standalone import calling
from views.custom_relu_backward import one_pass_drawing, runs
from views.player import Moment, Story, Timeline, cached, listing
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.staging import beside, stage

Rows = tuple[tuple[float, ...], ...]

PHASES = ("forward", "backward")  # what slow motion goes through; there is no update here
MOST = 4  # rows, and columns, of a visitor's own matrix
LARGEST = 1000
MATRICES: dict[str, Rows] = {
    "some": ((1.5, -2, 0.5), (-1, 3, -0.5), (2, -4, 1)),
    "zeros": ((1.5, 0, -2), (0, -0.5, 3), (-1, 2, 0)),
    "negative": ((-1.5, -2, -0.5), (-1, -3, -0.25), (-2, -4, -1)),
}
LABELS = {
    "some": "some negative",
    "zeros": "with zeros",
    "negative": "all negative",
    "own": "your own",
}
OWN = "2 -1 0; -3 4 -0.5"
ARRIVING = {"mixed": "of both signs", "ones": "ones"}
OPENS = one_pass_drawing.CUT  # all four matrices are there
MIXED = ((1, -2, 3, -1), (2, 1, -3, 2), (-1, 3, 2, -2), (3, -1, 1, -3))


class Chosen(NamedTuple):
    """A matrix and the gradient that will arrive, of one shape, as rows of numbers."""

    rows: Rows
    grad_rows: Rows


def show_stage(here: Here) -> Watched:
    """The four matrices beside the Function, with the line marked that runs."""
    with here.settings, st.popover("Settings"):
        chosen = choose(here.controls)
    watched = runs.watch(*chosen)
    told = story(watched)
    timeline = _timeline(told.parts)
    how: dict[str, Any] = {"readout": {}, "table": {}, "phases": PHASES}
    arrays: Any = {"x_value": watched.x, "grad_value": watched.grad_output}
    how["ran"] = {"": calling(through, **arrays)}
    with stage(here, timeline, begin=(0, OPENS), of=str(chosen), **how):
        told.show(key="story")
        drawing, code = beside([8, 5])
        with drawing:
            one_pass_drawing.show_pass(watched)
        with code:
            source = runs.code_of(watched.source)
            listing(source, told.computed, title="torch_own_relu.py", key="code")
    return watched


def in_numbers(watched: Watched) -> str:
    """Markdown: the four matrices row by row, for those who cannot see them."""
    lines = []
    for panel in one_pass_drawing.PANELS:
        rows = getattr(watched, panel.name).tolist()
        told = "; ".join(", ".join(map(number, row)) for row in rows)
        lines.append(f"- `{panel.name}`: {told}")
    return "\n".join(lines)


@cached
def _timeline(parts: tuple[int, int, int, int]) -> Timeline:
    """Nothing is trained: there is one step, and slow motion goes through its moments."""
    return Timeline({}, 0, parts=parts, slow_at=np.array([0]), slow=True)


# ---- The matrix


def choose(controls: Controls) -> Chosen:
    """The controls of one pass. What cannot be used is refused, with a reason."""
    matrix = controls.pills("x", "matrix", LABELS, "zeros")
    arriving = controls.pills("The gradient that arrives", "arriving", ARRIVING, "mixed")
    if matrix != "own":
        rows = MATRICES[matrix]
    else:
        label = f"Rows with ; between them, up to {MOST} × {MOST}"
        used, asked = controls.text(label, "rows", OWN, clean=cleaned, max_chars=200)
        rows = read(used)[0]
        if reason := read(asked)[1]:
            st.warning(f"{reason} This page uses `{used}`.")
    if arriving == "ones":
        return Chosen(rows, tuple((1.0,) * len(row) for row in rows))
    return Chosen(rows, tuple(MIXED[i][: len(row)] for i, row in enumerate(rows)))


def read(text: str) -> tuple[Rows, str]:
    """The rows that a text means, or none and the reason, as a sentence.

    Rows are separated by ; or a new line, numbers by spaces or commas.
    """
    lines = [line.strip(" ,\t\r") for line in re.split(r"[;\n]", text.replace("−", "-"))]
    cells = [re.split(r"[\s,]+", line) for line in lines if line]
    lengths = {len(line) for line in cells}
    if not cells:
        return (), "A matrix needs at least one number."
    if len(cells) > MOST or max(lengths) > MOST:
        return (), f"There is room for at most {MOST} rows and {MOST} columns."
    if len(lengths) > 1:
        return (), "All rows of a matrix have equally many numbers."
    rows = tuple(tuple(_number(cell) for cell in line) for line in cells)
    for line, numbers in zip(cells, rows, strict=True):
        for cell, value in zip(line, numbers, strict=True):
            if not abs(value) <= LARGEST:
                shown = cell.replace("`", "")[:20]
                return (), f"`{shown}` is not a number from −{LARGEST} to {LARGEST}."
    return rows, ""


def cleaned(text: str) -> str:
    """The text of a matrix as `read` takes it, with four digits of each number, or ""."""
    rows, _ = read(text)
    return "; ".join(" ".join(f"{number:.4g}" for number in row) for row in rows)


def _number(text: str) -> float:
    """The number that a text means, or one that is not a number."""
    try:
        return float(text) + 0.0  # no −0, which would be shown as another number
    except ValueError:
        return math.nan


# ---- Its story


def story(watched: Watched) -> Story:
    """What happens at each moment of the pass, and in which line."""
    high, wide = watched.x.shape
    cut, entries, zeros = watched.mask.sum(), watched.mask.size, (watched.x == 0).sum()
    passes = (
        f" Where x is exactly 0 ({zeros} of {entries}) it is False, so the gradient passes: here "
        "the slope at zero is 1."
        if zeros
        else ""
    )
    # On a phone no text is longer than five lines, or the picture would leave the screen.
    texts = (
        f"<b>forward</b> is called with x, a matrix of {high} × {wide}. Autograd records nothing "
        "of what happens in here: the derivative of this part is yours to write.",
        "<b>Keep x.</b> <code>save_for_backward</code> keeps the tensor itself, not a copy. "
        "Autograd notes its version: whoever changes it before backward causes an error.",
        f"<b>Clamp.</b> <code>x.clamp(min=0)</code> makes a new matrix. The {cut} negative entries "
        f"of {entries} become 0 and are struck through; all others stay as they are.",
        "<b>Return.</b> The output leaves to the right, towards the loss. Autograd attaches a node "
        "to it, which knows your backward and what you saved for it.",
        "<b>backward</b> is called with <code>grad_output</code>, which comes from the loss: for "
        "each entry of the output, how fast the loss changes with it.",
        "<b>Read x again.</b> The gradient does not say where x was negative, so backward needs "
        "what forward saved: <code>ctx.saved_tensors</code>, here a tuple of one.",
        "<b>Copy.</b> The next line writes into the gradient. The one that arrived is not ours: "
        "other parts of the graph may read it as well.",
        f"<b>Compare.</b> <code>x &lt; 0</code>, the mask, is True at {cut} of {entries} entries, "
        f"struck through in grad_x.{passes}",
        "<b>Cut.</b> Look at grad_x: it is 0 where x was negative, for there the output stays 0 "
        "if x moves a little. <b>All else passes</b>: the mask depends on x, not on the gradient.",
        "<b>Return.</b> grad_x leaves to the left: for each entry of x, how fast the loss changes "
        "with it. This is the chain rule: what arrives, times a slope of 0 or 1.",
    )
    whole = (
        "The whole pass: x goes in at the upper left, grad_x comes out at the lower left. Slow "
        "motion goes through it moment by moment."
    )
    lines = watched.source.split("\n")
    moments = [
        Moment(PHASES.index(moment.half), text, lines[moment.line - 1].strip())
        for moment, text in zip(watched.moments, texts, strict=True)
    ]
    return Story(moments, whole=whole)
