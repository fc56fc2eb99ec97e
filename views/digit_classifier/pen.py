"""A sheet of paper and a pen: what is drawn on it comes back as strokes."""

from __future__ import annotations

from typing import Any, TypeAlias

import streamlit as st

from views.player import component, in_lecture

KEY = "pen"
MOST = 1500  # points
WORDS = {
    "title": "Draw a digit here",
    "sheet": "A sheet to draw a digit on, with a mouse, a pen or a finger. Without one of them, "
    "choose a digit that is ready.",
    "clear": "Clear",
}
Strokes: TypeAlias = list[list[tuple[float, float]]]

_pen = component(KEY, __file__, html='<div class="pen"></div>\n')


def drawn() -> Strokes | None:
    """The strokes on the sheet after what a visitor did just now; None if that was nothing.

    x and y are from 0 to 1, y downwards; no strokes at all where the sheet was cleared. A browser
    may send anything: what is no drawing is nothing.
    """
    sent = (st.session_state.get(KEY) or {}).get("drawn")
    sent = sent.get("strokes") if isinstance(sent, dict) else None
    if not isinstance(sent, list) or not all(isinstance(one, list) and one for one in sent):
        return None
    if sum(map(len, sent)) > MOST or not all(_is_point(at) for stroke in sent for at in stroke):
        return None
    return [[(float(x), float(y)) for x, y in stroke] for stroke in sent]


def _is_point(sent: Any) -> bool:
    return (
        isinstance(sent, list)
        and len(sent) == 2
        and all(type(value) in (int, float) and 0 <= value <= 1 for value in sent)
    )


def paper(strokes: Strokes, name: str) -> None:
    """Show the sheet with these strokes on it. See `drawn`.

    name: of the drawing. Where it is another one, what is on the sheet gives way to the strokes.
    """
    data = {
        "strokes": strokes,
        "name": name,
        "most": MOST,
        "words": WORDS,
        "lecture": in_lecture(),
    }
    _pen(data=data, key=KEY, height="stretch", on_drawn_change=lambda: None)
