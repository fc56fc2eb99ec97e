"""One pass through MyReLU in slow motion: a matrix forward, a gradient back, and their story."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.custom_relu_backward.one_pass import Watched
from views.player import Moment, Story, listing
from views.ui.controls import Controls

Rows = tuple[tuple[float, ...], ...]
Numbers = NDArray[np.float64]

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
MIXED = ((1, -2, 3, -1), (2, 1, -3, 2), (-1, 3, 2, -2), (3, -1, 1, -3))


class Chosen(NamedTuple):
    """A matrix and the gradient that will arrive, of one shape, as rows of numbers."""

    rows: Rows
    grad_rows: Rows


# ---- The matrix


def choose(controls: Controls) -> Chosen:
    """The controls of one pass. What cannot be used is refused, with a reason."""
    with st.container(horizontal=True, gap="large", vertical_alignment="bottom"):
        matrix = controls.choice(st.pills, "x", "matrix", LABELS, "zeros", required=True)
        arriving = controls.choice(
            st.pills, "The gradient that arrives", "arriving", ARRIVING, "mixed", required=True
        )
        if matrix != "own":
            rows = MATRICES[str(matrix)]
        else:
            more: dict[str, Any] = {"max_chars": 200, "width": 320}
            label = f"Rows with ; between them, up to {MOST} × {MOST}"
            used, asked = controls.text(label, "rows", OWN, clean=cleaned, **more)
            rows = read(used)[0]
    if matrix == "own" and (reason := read(asked)[1]):
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
        for cell, number in zip(line, numbers, strict=True):
            if not abs(number) <= LARGEST:
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


def story(watched: Watched, *, trained: bool) -> Story:
    """What happens at each moment of the pass, and in which line.

    trained: whether there is a run to go through without slow motion.
    """
    high, wide = watched.x.shape
    cut, entries, zeros = watched.mask.sum(), watched.mask.size, (watched.x == 0).sum()
    texts = (
        f"<b>forward</b> is called with x, a matrix of {high} × {wide}. Autograd records nothing "
        "of what happens in here: the derivative of this part is yours to write. "
        "<i>Press → or play.</i>",
        "<code>save_for_backward</code> keeps x for later. It is the tensor itself and not a copy, "
        "and autograd notes its version: if somebody changes it in the meantime, backward will be "
        "refused.",
        "<code>x.clamp(min=0)</code> makes a new matrix. <b>Negative entries: "
        f"{cut} of {entries}.</b> They become 0 and are struck through; all others stay as they "
        "are.",
        "The output leaves to the right, towards the loss. Autograd attaches a node to it, which "
        "knows your backward and what you saved for it.",
        "<code>loss.backward()</code> goes through the graph from the loss to the left. Here it "
        "calls <b>backward</b> with <code>grad_output</code>: for each entry of the output, how "
        "fast the loss changes with it.",
        "<code>ctx.saved_tensors</code> returns x, the only entry of a tuple. The gradient does "
        "not say where x was negative, so backward could not do without it.",
        "<code>grad_output.clone()</code> copies the gradient, because the next line writes into "
        "it. The one that arrived is not ours: other parts of the graph may read it as well.",
        "<code>x &lt; 0</code> compares each entry of x. The result is the <b>mask</b>: True in "
        f"{cut} of {entries} places, which are struck through in grad_x. "
        + (
            "Where x is exactly 0 the answer is False, so there the gradient will pass (zeros in "
            f"x: {zeros}): this listing takes the slope at zero to be 1."
            if zeros
            else "No entry of x is exactly 0 here; for such an entry the answer would be False."
        ),
        "Where the mask is True the gradient becomes 0: the output was 0 there, and stays 0 if x "
        "moves a little. <b>What passes is not changed</b>, whatever its sign: the mask depends "
        "on x, not on the gradient.",
        "grad_x leaves to the left: for each entry of x, how fast the loss changes with it. This "
        "is the chain rule, entry by entry: the gradient that arrives, times the slope, which is 0 "
        "or 1.",
    )
    whole = "This is the whole pass. Slow motion goes through its moments. " + (
        "Without slow motion, the player goes through the training of the network with two layers, "
        "further down."
        if trained
        else "Switch on the training of the network with two layers, further down, and the player "
        "goes through its steps."
    )
    lines = watched.source.split("\n")
    moments = [
        Moment(PHASES.index(moment.half), text, lines[moment.line - 1].strip())
        for moment, text in zip(watched.moments, texts, strict=True)
    ]
    return Story(moments, whole=whole)


def code(watched: Watched, told: Story) -> None:
    """The Function that ran, with the line marked in which something happens."""
    about = {"title": "The Function that ran", "key": "relu_pass listing"}
    listing(watched.source, told.computed, **about, follows=True)
