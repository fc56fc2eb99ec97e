"""Text that follows the player: numbers in a sentence, and a listing with its values beside it."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

HERE = Path(__file__).parent

_live = st.components.v2.component(
    "live",
    html='<div class="live"></div>\n',  # its style is live.css, which the page has once for all
    js=(HERE / "live.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # it must hear the player, which lives in the document
)


class Computed(NamedTuple):
    """What a line of a listing computes: at which moments, and the series that has the value.

    series: empty for what is many numbers, and has no room beside the line.
    """

    moments: Sequence[int]
    series: str = ""


def now(
    name: str,
    *,
    to: str = "",
    known: int = 0,
    unknown: str = "…",
    digits: int = 6,
    like: str = "",
) -> str:
    """HTML for the value that a series has at the step shown, from the moment `known` on.

    to: a series that ends a range, which is written where its end is not its beginning. unknown:
    what stands there before `known`. digits: how many significant ones, 0 for a whole number.
    like: a series of which it should be the equal; digits that are not are marked.
    """
    data = {"now": name, "known": known, "unknown": unknown, "digits": digits}
    data |= {"to": to} if to else {}
    data |= {"like": like} if like else {}
    attributes = " ".join(f'data-{key}="{value}"' for key, value in data.items())
    return f"<span {attributes}></span>"


def during(moments: Iterable[int]) -> str:
    """The value of `data-moments`, for HTML that is to be marked while slow motion is there."""
    return " ".join(map(str, moments))


def live(content: str, *, key: str) -> None:
    """Show HTML of our own whose `now(…)` parts follow the player."""
    _live(data={"html": content}, key=key)


def paragraphs(told: Iterable[str]) -> str:
    """HTML: what is told at each moment, in their order, and then outside slow motion."""
    return "".join(f'<p data-moments="{m}">{text}</p>' for m, text in enumerate(told))


def show_story(told: str, *, key: str) -> None:
    """Show the one of these `paragraphs` that belongs to the moment the player is at."""
    live(f'<div class="story" aria-live="polite">{told}</div>', key=key)


@lru_cache(maxsize=64)
def source_of(function: Callable[..., Any]) -> str:
    """The source of a function as it stands in its file, read once."""
    return inspect.getsource(function)


@lru_cache(maxsize=64)
def _highlighted(source: str) -> list[str]:
    """The lines of a listing as HTML."""
    colored = highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    return colored.rstrip("\n").split("\n")


def listing(
    source: str,
    computed: Mapping[str, Computed],
    *,
    title: str,
    key: str,
    run: str = "",
    changed: str = "",
    follows: bool = False,
) -> None:
    """Show a listing, and beside its lines what they computed at the step shown.

    computed: by how the line begins. run: the prefix of the series. changed: lines to mark as
    different from the right ones. follows: whether to show a part only, that with the marked line.
    """
    rows, wrong = [], {line.strip() for line in changed.splitlines()}
    for line, code in zip(source.rstrip("\n").split("\n"), _highlighted(source), strict=True):
        mark = ' class="changed"' if line.strip() in wrong else ""
        moments, value = "", ""
        for start, (at, series) in computed.items():
            if line.strip().startswith(start):
                moments = f' data-moments="{during(at)}"'
                value = now(run + series, known=max(at)) if series else ""
        cells = f'<span class="value">{value}</span><code>{code}</code>'
        rows.append(f"<li{moments}{mark}>{cells}</li>")
    name = f'<div class="listing-name">{html.escape(title)}</div>'
    kind = "listing follows" if follows else "listing"
    live(f'<div class="{kind}">{name}<ol>{"".join(rows)}</ol></div>', key=key)
