"""One pass through MyReLU: four matrices, the upper two forward, the lower two backward.

Each number appears at the moment at which it is computed. An entry that is cut is struck through;
pointing at an entry marks it in all four.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.custom_relu_backward.one_pass import Watched
from views.player import (
    MOMENT,
    PHASE,
    TEXT,
    Drawing,
    Filling,
    between,
    drawing,
    picture,
    show,
    sized,
)
from views.ui.numbers import number
from views.ui.palette import GRADIENT, MINUS, MODEL, PLUS, QUIET

Numbers = NDArray[np.float64]

# The moments of a pass, see engines/custom_relu_backward/one_pass.py.
CALLED, SAVED, CLAMPED, RETURNED, ARRIVED, READ, COPIED, COMPARED, CUT, LEFT = range(10)
NEVER = 99
# A matrix is 1 wide, its rows are 1 high.
MARGIN, BETWEEN = 0.15, 0.3
LEFT_X, RIGHT_X, WIDTH = MARGIN, MARGIN + 1 + BETWEEN, 2 * MARGIN + 2 + BETWEEN
HEAD, GAP = 0.8, 1.7
RIGHT, DOWN, LEFTWARDS = 90, 180, 270  # how far an arrowhead that points up is turned
WAYS = ("Forward, from left to right", "Backward, from right to left")
BOTH = "Forward above, backward below"
# Numbers of their own, so that nothing is drawn anew while the moment stays the same.
AT = alt.param(name="at", expr=f"{PHASE} == 4 ? {LEFT} : {MOMENT}")
HERE = alt.param(name="here", expr=f"{PHASE} == 4 ? -1 : {MOMENT}")  # outside slow motion nowhere
LIT = "indexof(split(datum.lit, ' '), '' + here) >= 0"


class Panel(NamedTuple):
    """Where a matrix is drawn, and the moments that change how it looks.

    made: the moment at which it is known. lit: the moments that are about it; lit_where_cut: those
    about the entries that are cut, which are struck through from `struck` on.
    """

    name: str
    left: float
    below: bool
    made: int
    lit: tuple[int, ...]
    lit_where_cut: tuple[int, ...] = ()
    struck: int = NEVER


PANELS = (
    Panel("x", LEFT_X, False, CALLED, (CALLED, SAVED, READ), (COMPARED,)),
    Panel("output", RIGHT_X, False, CLAMPED, (CLAMPED, RETURNED), struck=CLAMPED),
    Panel("grad_output", RIGHT_X, True, ARRIVED, (ARRIVED,)),
    Panel("grad_x", LEFT_X, True, COPIED, (COPIED, LEFT), (COMPARED, CUT), COMPARED),
)


def show_pass(watched: Watched) -> None:
    """Show the pass."""
    key = watched.x.shape, watched.x.tobytes(), watched.grad_output.tobytes()
    show(_filled(watched, key=key), key="pass")


@picture
def _filled(_watched: Watched, *, key: Any) -> Filling:
    cells = cells_of(_watched)
    values = {
        "rows": len(_watched.x),
        "columns": _watched.x.shape[1],
        "letters": max(3, *(len(text) for cell in cells for text in (cell["said"], cell["first"]))),
    }
    tables = {"cells": cells, **_ways(len(_watched.x))}
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    return frames, values


def cells_of(watched: Watched) -> list[dict[str, Any]]:
    """The entries of the four matrices, each with the moments at which it changes.

    made: the moment from which there is a number, which is `first`, and from CUT on `said`. struck:
    the moment from which it is struck through. lit: the moments that are about it, as text.
    """
    matrices: dict[str, Numbers] = {one.name: getattr(watched, one.name) for one in PANELS}
    told = {f"told_{name}": [number(value, 4) for value in values.ravel().tolist()]
            for name, values in matrices.items()}  # fmt: skip
    high, wide = watched.x.shape
    cells: list[dict[str, Any]] = []
    for panel in PANELS:
        values = matrices[panel.name]
        # The gradient that leaves begins as a copy of the one that arrived.
        first = matrices["grad_output"] if panel.name == "grad_x" else values
        size = float(np.abs(first if panel.below else watched.x).max()) or 1.0
        top = HEAD + (high + GAP if panel.below else 0)
        for k, (i, j) in enumerate(np.ndindex(values.shape)):
            cut = watched.mask[i, j]
            lit = {*panel.lit, *(panel.lit_where_cut if cut else ())}
            cells.append({
                "panel": panel.name, "cell": f"row {i + 1}, column {j + 1}",
                "x": panel.left + (j + 0.03) / wide, "x2": panel.left + (j + 0.97) / wide,
                "y": top + i + 0.04, "y2": top + i + 0.96,
                "said": number(float(values[i, j]), 4), "first": number(float(first[i, j]), 4),
                "share": float(values[i, j]) / size, "first_share": float(first[i, j]) / size,
                "made": panel.made, "struck": panel.struck if cut else NEVER,
                "lit": " ".join(map(str, sorted(lit))),
                **{name: texts[k] for name, texts in told.items()},
            })  # fmt: skip
    return cells


def _ways(high: int) -> dict[str, list[dict[str, Any]]]:
    """The arrows between the matrices, what is written beside them, and the box of what is kept."""
    top, low = HEAD + high / 2, HEAD + high + GAP + high / 2
    end, first, second = LEFT_X + 1, LEFT_X - 0.02, RIGHT_X + 1
    box, middle = (HEAD + high + 0.45, HEAD + high + GAP - 0.45), LEFT_X + 0.5
    edge = WIDTH - 0.05
    lines = [
        (0.01, top, first, top, CALLED, RIGHT),
        (end + 0.02, top, RIGHT_X - 0.02, top, CLAMPED, RIGHT),
        (second + 0.02, top, edge, top, RETURNED, RIGHT),
        (edge, top, edge, low, ARRIVED, None),
        (edge, low, second + 0.02, low, ARRIVED, LEFTWARDS),
        (RIGHT_X - 0.02, low, end + 0.02, low, COPIED, LEFTWARDS),
        (first, low, 0.01, low, LEFT, LEFTWARDS),
        (middle, HEAD + high + 0.08, middle, box[0] - 0.08, SAVED, DOWN),
        (middle, box[1] + 0.08, middle, HEAD + high + GAP - 0.08, COMPARED, DOWN),
    ]
    names = "x", "y", "x2", "y2", "made", "angle"
    half, under = HEAD / 2, HEAD + 2 * high + GAP + HEAD / 2
    texts = [
        ("x", middle, half, CALLED, f"{CALLED}"),
        ("output", RIGHT_X + 0.5, half, CLAMPED, f"{CLAMPED} {RETURNED}"),
        ("grad_output", RIGHT_X + 0.5, under, ARRIVED, f"{ARRIVED}"),
        ("grad_x", middle, under, COPIED, f"{COPIED} {COMPARED} {CUT} {LEFT}"),
        ("kept for backward: x", middle, sum(box) / 2, SAVED, f"{SAVED} {READ}"),
        ("later layers, the loss", RIGHT_X + 0.5, sum(box) / 2, RETURNED, ""),
    ]
    kept = {"x": LEFT_X, "x2": end, "y": box[0], "y2": box[1], "made": SAVED}
    return {
        "ways": [dict(zip(names, line, strict=True)) for line in lines],
        "names": [
            {"text": text, "x": x, "y": y, "made": made, "lit": lit}
            for text, x, y, made, lit in texts
        ],
        "kept": [{**kept, "lit": f"{SAVED} {READ} {COMPARED}"}],
    }


# ---- The drawing


@_filled.drawing
def _() -> Drawing:
    size = f"(1.1 * {TEXT})"
    across = between("0", f"{WIDTH}")
    down = between(f"2 * rows + {2 * HEAD + GAP}", "0")

    def placed(*fields: str) -> dict[str, Any]:
        places: dict[str, Any] = {
            "x": alt.X("x:Q", axis=None, scale=across),
            "y": alt.Y("y:Q", axis=None, scale=down),
        }
        return places | {field: f"{field}:Q" for field in fields}

    # The entry that is pointed at is marked in all four matrices.
    pointed = alt.selection_point(
        "pointed", fields=["cell"], on="pointerover", clear="pointerout", empty=False
    )
    near = "isArray(pointed.cell) && pointed.cell[0] === datum.cell"
    known = "at >= datum.made"
    kept = (
        alt.Chart(alt.NamedData("kept"))
        .transform_filter(known)
        .mark_rect(
            tooltip=None,
            cornerRadius=6,
            fill=MODEL,
            fillOpacity=alt.ExprRef(f"{LIT} ? 0.3 : 0.1"),
            stroke=MODEL,
            strokeWidth=alt.ExprRef(f"{LIT} ? 3 : 1"),
        )
        .encode(**placed("x2", "y2"))
    )
    told = {
        f"told_{panel.name}": f"at >= {CUT if panel.name == 'grad_x' else panel.made} ? "
        f"datum.told_{panel.name} : 'not yet'"
        for panel in PANELS
    }
    cells = alt.Chart(alt.NamedData("cells")).transform_calculate(
        now_said=f"!({known}) ? '' : at >= {CUT} ? datum.said : datum.first",
        shade=f"!({known}) ? 0 : at >= {CUT} ? datum.share : datum.first_share",
        middle_x="(datum.x + datum.x2) / 2",
        middle_y="(datum.y + datum.y2) / 2",
        **told,
    )
    boxes = (
        cells.mark_rect(
            cornerRadius=2,
            fill=alt.ExprRef(f"datum.shade < 0 ? '{MINUS}' : '{PLUS}'"),
            fillOpacity=alt.ExprRef(f"{known} ? 0.06 + 0.5 * abs(datum.shade) : 0"),
            stroke=alt.ExprRef(f"{near} || {LIT} ? ink : '{QUIET}'"),
            strokeWidth=alt.ExprRef(f"{near} ? 5 : {LIT} ? 2.5 : 1"),
            strokeDash=alt.ExprRef(f"{known} ? [1, 0] : [2, 3]"),
        )
        .encode(
            **placed("x2", "y2"),
            tooltip=[
                alt.Tooltip(field=field, type="nominal", title=field.removeprefix("told_"))
                for field in ("cell", *told)
            ],
        )
        .add_params(pointed)
    )
    strikes = (
        cells.transform_filter("at >= datum.struck")
        .mark_rule(tooltip=None, color=alt.ExprRef("ink"), opacity=0.6, strokeWidth=sized(1.5, 3))
        .encode(**placed("x2", "y2"))
    )
    # As large as the widest number of all allows.
    room = f"width / {WIDTH} / columns / (0.62 * letters)"
    numbers = cells.mark_text(
        tooltip=None,
        baseline="middle",
        fontSize=alt.ExprRef(f"min({size}, {room})"),
        fontWeight=alt.ExprRef(f"{LIT} ? 700 : 400"),
        color=alt.ExprRef("ink"),
    ).encode(
        x=alt.X("middle_x:Q", axis=None, scale=across),
        y=alt.Y("middle_y:Q", axis=None, scale=down),
        text="now_said:N",
    )
    arrow = alt.Chart(alt.NamedData("ways")).transform_filter(known)
    look: dict[str, Any] = {
        "tooltip": None,
        "color": alt.ExprRef(f"here === datum.made ? '{GRADIENT}' : '{QUIET}'"),
    }
    lines = arrow.mark_rule(
        **look, strokeWidth=alt.ExprRef("here === datum.made ? 3.5 : 2")
    ).encode(**placed("x2", "y2"))
    heads = (
        arrow.transform_filter("isValid(datum.angle)")
        .mark_point(
            **look,
            shape="triangle-up",
            filled=True,
            opacity=1,
            size=sized(126, 234),
            angle=alt.ExprRef("datum.angle"),
        )
        .encode(x=alt.X("x2:Q", axis=None, scale=across), y=alt.Y("y2:Q", axis=None, scale=down))
    )
    names = (
        alt.Chart(alt.NamedData("names"))
        .mark_text(
            tooltip=None,
            baseline="middle",
            fontSize=alt.ExprRef(f"min({size}, width / {WIDTH} / 11)"),
            color=alt.ExprRef("ink"),
            opacity=alt.ExprRef(f"{known} ? 1 : 0.7"),
            fontWeight=alt.ExprRef(f"{LIT} ? 700 : 400"),
        )
        .encode(**placed(), text="text:N")
    )
    forward, backward = (f"'{way}'" for way in WAYS)
    title = f"here < 0 ? '{BOTH}' : here < {ARRIVED} ? {forward} : {backward}"
    return drawing(
        alt.layer(kept, boxes, strikes, lines, heads, numbers, names).add_params(AT, HERE),
        title=alt.Title(text=alt.ExprRef(title), dx=2),
        description=(
            "Four matrices of numbers. Above, x and to the right of it the output; what is "
            "negative has become 0 and is struck through. Below, grad_output arrives from the "
            "right, and grad_x leaves to the left; it is 0 where x was negative."
        ),
    )
