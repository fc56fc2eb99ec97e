"""The curves of a forward and its backward, whose slopes can be pulled in the picture itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from engines.custom_relu_backward.design import STEEPEST
from views.player import component, in_lecture
from views.ui.palette import DATA, GRADIENT, MODEL

KEY = "slope_editor"
NAMES = ("below", "at", "above")
WORDS = {
    "title": "Forward and backward",
    "forward": "forward: the output",
    "truth": "the slope that the forward has",
    "backward": "backward: the slope it multiplies by",
    "handles": {
        "below": "Slope of the backward below zero",
        "at": "Slope of the backward at zero",
        "above": "Slope of the backward above zero",
    },
    "pull": "pull a handle up or down",
    "x": "x",
}
Points = Sequence[tuple[float, float]]

_editor = component(KEY, __file__, html='<div class="slopes"></div>\n')


class Curves(NamedTuple):
    """What is drawn, each as points (x, y). reach: x goes from its negative to it.

    forward: the output. truth: its slope, left and right of zero. backward: what the backward
    multiplies by, left and right. at: the same at zero. extra: one more backward, with its name.
    """

    reach: float
    forward: Points
    truth: Sequence[Points]
    backward: Sequence[Points]
    at: float
    extra: Points = ()
    extra_name: str = ""


def pulled() -> dict[str, float] | None:
    """The slopes after what a visitor did in the picture just now; None if that was nothing.

    A browser may send anything: what is no slope is nothing.
    """
    pull = (st.session_state.get(KEY) or {}).get("pull")
    if not isinstance(pull, dict) or not pull or not set(pull) <= set(NAMES):
        return None
    slopes = {name: pull[name] for name in NAMES if name in pull}
    for value in slopes.values():
        if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > STEEPEST:
            return None
    return {name: float(value) for name, value in slopes.items()}


def edit(curves: Curves, slopes: Mapping[str, float]) -> None:
    """Show the curves. slopes: by name, those that can be pulled, where they are. See `pulled`."""
    data: dict[str, Any] = {
        **curves._asdict(),
        "slopes": dict(slopes),
        "steepest": STEEPEST,
        "colors": {"forward": MODEL, "backward": GRADIENT, "truth": DATA},
        "words": WORDS,
        "lecture": in_lecture(),
    }
    _editor(data=data, key=KEY, height="stretch", on_pull_change=lambda: None)
