"""One pass through MyReLU in slow motion: a matrix forward, a gradient back, and their story."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.custom_relu_backward.one_pass import Watched
from views.player import Computed, listing, paragraphs, show_story
from views.ui.controls import Controls

Rows = tuple[tuple[float, ...], ...]
Numbers = NDArray[np.float64]

PHASES = ("forward", "backward")  # what slow motion goes through; there is no update here
MOST = 4  # rows, and columns, of a matrix of one's own
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

FORWARD_IS_CALLED = (
    "<b>forward</b> is called with x, a matrix of {shape}. Autograd records nothing of what "
    "happens in here: the derivative of this part is yours to write."
)
KEEPS = (
    "<code>save_for_backward</code> keeps x for later. It is the tensor itself and not a copy, and "
    "autograd notes its version: if somebody changes it in the meantime, backward will be refused."
)
CLAMPS = (
    "<code>x.clamp(min=0)</code> makes a new matrix. <b>Negative entries: {cut} of {all}.</b> They "
    "become 0 and are struck through; all others stay as they are."
)
RETURNS = (
    "The output leaves to the right, towards the loss. Autograd ties a node to it, which knows "
    "your backward and what you kept for it."
)
BACKWARD_IS_CALLED = (
    "<code>loss.backward()</code> goes through the graph from the loss to the left. Here it calls "
    "<b>backward</b> with <code>grad_output</code>: for each entry of the output, how fast the "
    "loss changes with it."
)
READS = (
    "<code>ctx.saved_tensors</code> hands x back, the only one in a tuple. The gradient does not "
    "say where x was negative, so backward could not do without it."
)
COPIES = (
    "<code>grad_output.clone()</code> copies the gradient, for the next line writes into it. The "
    "one that arrived is not ours: other parts of the graph may read it as well."
)
COMPARES = (
    "<code>x &lt; 0</code> compares each entry of x. The result is the <b>mask</b>: True in {cut} "
    "of {all} places, which are struck through in grad_x. {zeros}"
)
ZEROS = (
    "Where x is exactly 0 the answer is False, so there the gradient will pass (zeros in x: "
    "{count}): this listing takes the slope at zero to be 1."
)
NO_ZEROS = "No entry of x is exactly 0 here; for such an entry the answer would be False."
CUTS = (
    "Where the mask is True the gradient becomes 0: the output was 0 there, and stays 0 if x moves "
    "a little. <b>What passes is not changed</b>, whatever its sign: the mask asks x, and not the "
    "gradient."
)
LEAVES = (
    "grad_x leaves to the left: for each entry of x, how fast the loss changes with it. This is "
    "the chain rule, entry by entry: the gradient that arrives, times the slope, which is 0 or 1."
)
WHOLE = "This is the whole pass. Slow motion goes through its moments."
TRAINED = (
    "Without slow motion, the player goes through the training of the network with two layers, "
    "further down."
)
NOT_TRAINED = (
    "Switch on the training of the network with two layers, further down, and the player goes "
    "through its steps."
)
PRESS = "<i>Press → or play.</i>"


class Chosen(NamedTuple):
    """A matrix and the gradient that will arrive, of one shape, as rows of numbers."""

    rows: Rows
    grad_rows: Rows


# ---- The matrix


def choose(controls: Controls) -> Chosen:
    """The controls of one pass. What cannot be used is refused, and said."""
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
        return (), "A matrix needs a number at least."
    if len(cells) > MOST or max(lengths) > MOST:
        return (), f"A matrix with more than {MOST} rows or columns has no room here."
    if len(lengths) > 1:
        return (), "Every row of a matrix has as many numbers as the others."
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


def parts(watched: Watched) -> tuple[int, int, int, int]:
    """How many moments each of PHASES has, and none for a third and a fourth."""
    halves = [moment.half for moment in watched.moments]
    return halves.count("forward"), halves.count("backward"), 0, 0


def story(watched: Watched, *, trained: bool) -> None:
    """One paragraph for each moment, of which the player shows the one it is at.

    trained: whether there is a run to go through without slow motion.
    """
    show_story(told(watched, trained=trained), key="relu_pass story")


def told(watched: Watched, *, trained: bool) -> str:
    """HTML: the paragraphs."""
    high, wide = watched.x.shape
    zeros = int((watched.x == 0).sum())
    counts = {"cut": int(watched.mask.sum()), "all": watched.mask.size}
    texts = (
        FORWARD_IS_CALLED.format(shape=f"{high} × {wide}") + f" {PRESS}",
        KEEPS,
        CLAMPS.format(**counts),
        RETURNS,
        BACKWARD_IS_CALLED,
        READS,
        COPIES,
        COMPARES.format(**counts, zeros=ZEROS.format(count=zeros) if zeros else NO_ZEROS),
        CUTS,
        LEAVES,
    )
    assert len(texts) == len(watched.moments), "each moment has its words"
    whole = f"{WHOLE} {TRAINED if trained else NOT_TRAINED}"
    return paragraphs((*texts, whole))


def code(watched: Watched) -> None:
    """The Function that ran, with the line marked in which something happens."""
    lines = watched.source.split("\n")
    computed: dict[str, Computed] = {}
    for m, moment in enumerate(watched.moments):
        line = lines[moment.line - 1].strip()
        computed[line] = Computed([*computed.get(line, Computed([])).moments, m])
    about = {"title": "The Function that ran", "key": "relu_pass listing"}
    listing(watched.source, computed, **about, follows=True)
