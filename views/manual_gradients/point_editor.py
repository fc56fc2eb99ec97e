"""A picture of data that can be changed in it: click to add a point, drag one to move it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import streamlit as st

from engines.manual_gradients.standardising import Units
from engines.manual_gradients.table import LARGEST, MOST_ROWS
from views.player import component, in_lecture
from views.ui.palette import DATA, MODEL, RESIDUAL

KEY = "point_editor"
WORDS = {
    "picture": "The data and the line. Arrow keys move the chosen point, N and P choose the next "
    "and the previous one, Enter adds one in the middle, Delete removes it.",
    "title": "The fit",
    "hint": "click: a new point · drag: move it",
    "outside": "the curve is outside this picture",
    "remove": "Remove this point",
}

_editor = component(KEY, __file__, html='<div class="points"></div>\n')


class Data(NamedTuple):
    """Points, and what x and y are called."""

    points: tuple[tuple[float, float], ...]
    names: tuple[str, str] = ("", "")


def edited(data: Data) -> Data | None:
    """The data after what a visitor did in the picture just now; None if that was nothing.

    A browser may send anything: what is no point, or meant other data than these, is nothing.
    """
    edit = (st.session_state.get(KEY) or {}).get("edit")
    if not isinstance(edit, dict) or edit.get("of") != len(data.points):
        return None
    points, at = list(data.points), edit.get("at")
    if at is not None and (type(at) is not int or not 0 <= at < len(points)):
        return None
    x, y = (_number(edit.get(name)) for name in "xy")
    if edit.get("remove") is True:
        if at is None or len(points) == 1:
            return None
        del points[at]
    elif x is None or y is None:
        return None
    elif at is not None:
        points[at] = x, y
    elif len(points) == MOST_ROWS:
        return None
    else:
        points.append((x, y))
    return data._replace(points=tuple(points))


def _number(value: Any) -> float | None:
    usable = type(value) in (int, float) and math.isfinite(value) and abs(value) <= LARGEST
    return float(value) if usable else None


def edit(data: Data, power: int, units: Units) -> None:
    """Show the data, and the line at the step that the player shows. See `edited`.

    units: those in which w and b of the player's run are.
    """
    _editor(
        data={
            "points": data.points,
            "names": [data.names[0] or "x", data.names[1] or "y"],
            "power": power,
            "units": units,
            "colors": {"data": DATA, "model": MODEL, "residual": RESIDUAL},
            "words": WORDS,
            "lecture": in_lecture(),
        },
        key=KEY,
        height="stretch",
        on_edit_change=lambda: None,
    )
