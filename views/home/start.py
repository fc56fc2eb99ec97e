"""What this is: a run that plays by itself once, and a card for each page."""

from __future__ import annotations

import base64
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import Trace
from views.player import Timeline, cached, now, say, show
from views.regression import charts, sections
from views.regression.runs import trained
from views.ui.contents import PAGES
from views.ui.shell import Here
from views.ui.staging import beside, stage

THUMBNAILS = Path(__file__).parent / "thumbnails"  # `python -m tests.thumbnails` takes them
PROBLEM = preset("numpy_article")
SETTINGS: Any = {"steps": PROBLEM.steps, "rate": PROBLEM.learning_rate}


def show_stage(here: Here) -> None:
    """The parabola that learns, and the way to the pages."""
    trace, timeline = _run()
    with stage(here, timeline, plays=True, ran={"": trace}):
        say(
            "This parabola learns two numbers from a hundred "
            f"points: w, now {now('w')}, and b, now {now('b')}. Stop it anywhere, and <b>step it "
            "back</b>."
        )
        picture, pages = beside([5, 7])
        with picture:
            show(charts.fit(PROBLEM, timeline), key="fit")
        with pages:
            st.html(_cards())


@cached
def _run() -> tuple[Trace, Timeline]:
    trace = trained("numpy_vectorized", numpy_vectorized.train, PROBLEM, **SETTINGS)
    return trace, Timeline(sections.followed(trace), len(trace) - 1)


@cache
def _cards() -> str:
    """HTML: for each page a link with a picture of it, its title and its question."""
    cards = []
    for number, page in enumerate(PAGES[1:], start=1):
        light, dark = (_picture(f"{page.path}_{theme}.webp") for theme in ("light", "dark"))
        images = (
            f'<img class="in-light" src="{light}" alt=""><img class="in-dark" src="{dark}" alt="">'
        )
        words = f"<b>{number} · {escape(page.title)}</b><span>{escape(page.question)}</span>"
        cards.append(f'<a href="{page.path}" data-page="{number}">{images}{words}</a>')
    return f'<div class="cards">{"".join(cards)}</div>'


def _picture(file: str) -> str:
    data = base64.b64encode((THUMBNAILS / file).read_bytes()).decode()
    return f"data:image/webp;base64,{data}"
