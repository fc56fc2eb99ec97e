"""What every page has around it: the way to the other pages, lecture mode, the title."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines import experiments
from views.player import in_lecture
from views.ui import turns
from views.ui.controls import Controls

HERE = Path(__file__).parent
STYLE = "".join(
    path.read_text(encoding="utf-8")
    for path in (HERE / "shell.css", HERE.parent / "player" / "text.css")
)


class Page(NamedTuple):
    """A page that is built. file: as Streamlit knows it. question: what the page answers."""

    file: str
    title: str
    question: str


PAGES = (
    Page("app.py", "Home", "Small models really train here. Play a run, stop it, step it back."),
    Page(
        "pages/manual_gradients.py",
        "Manual gradients",
        "What is a gradient, and what does following it do?",
    ),
    Page(
        "pages/dynamic_graph.py",
        "Dynamic graph",
        "Where is the graph, who builds it, and what does backward() do?",
    ),
    Page(
        "pages/static_graph_and_sessions.py",
        "Static graph and sessions",
        "Why is there a graph when nothing has been computed, and what does a session do with it?",
    ),
    Page(
        "pages/custom_relu_backward.py",
        "Custom ReLU backward",
        "What does autograd need from you, and what if you get it wrong?",
    ),
    Page(
        "pages/gpu_speedup.py",
        "GPU speedup",
        "When is a GPU faster, by how much, and how do people fool themselves measuring it?",
    ),
)


def open_page(file: str) -> Controls:
    """Start the page `file`: settings, navigation, title, and its turn to compute.

    Returns the page's controls, to add more to them.
    """
    controls = Controls(file)
    page = next(page for page in PAGES if page.file == file)
    st.set_page_config(page_title=f"{page.title} · Backstep", page_icon="⏪", layout="wide")
    settle("pages")
    with st.container(key="topbar", horizontal=True, vertical_alignment="center"):
        links = st.container(horizontal=True, vertical_alignment="center")
        controls.flag(
            "Lecture mode",
            "lecture",
            help="Large type and charts for a projector; settings move out of the way.",
        )
    with links:
        for other in PAGES:
            _link(other, label="Backstep" if other.file == "app.py" else other.title)
    st.html(f"<style>{STYLE}{':root { font-size: 25px; }' if in_lecture() else ''}</style>")
    st.title(page.title if page.file != "app.py" else "Backstep", anchor=False)
    st.markdown(f"##### {page.question}")
    with st.container(key="waiting"):
        turns.take(st.empty(), st.session_state.setdefault("session", uuid4().hex))
    return controls


def path_to_pages(file: str) -> None:
    """The other pages as a path to follow: each with the question that it answers."""
    for number, page in enumerate((page for page in PAGES if page.file != file), start=1):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _link(page, label=f"**{number} · {page.title}**")
            st.markdown(page.question)


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Import in it what the page shows. By then its header is on the screen.

        with shell.loading("TensorFlow"):
            from views.static_graph_and_sessions import one_run, race

    what: named to those who wait. They do not use up a turn. One page imports at a time: where two
    threads import modules that import each other, one may find half a module.
    """
    if what in _loaded:
        yield
        return
    place = st.empty()
    with turns.given_back(place), place, st.spinner(f"Loading {what}: some seconds, once."):
        with _importing:
            yield
            settle(what)
        _loaded.add(what)


_importing = threading.Lock()
_loaded: set[str] = set()


@st.cache_resource(show_spinner=False)
def settle(what: str) -> None:
    """Once for each `what` that was loaded: keep the server's time for its visitors.

    To be called before any graph or model is built, and while no Keras model is being trained.
    """
    # Whatever is loaded by now stays, so the collector need not walk through it again.
    gc.collect()
    gc.freeze()
    # Where it finds Keras by name, Streamlit clears Keras' session after every run of every
    # visitor: the default graph, the compiled kernels and all names are reset for everybody, and
    # all garbage is collected. TensorFlow brings the name along. Without it nothing is cleared; the
    # modules themselves stay, and work.
    sys.modules.pop("keras", None)


def settings() -> AbstractContextManager[Any]:
    """Where a page's controls go: in the open, or in lecture mode folded away."""
    return st.expander("Settings", expanded=False) if in_lecture() else st.container()


def side_by_side(widths: int | Sequence[int]) -> list[DeltaGenerator]:
    """Places beside each other, or in lecture mode, where everything is large, below each other.

    widths: how many places, or how wide they are, as for st.columns.
    """
    if not in_lecture():
        return st.columns(widths)
    return [st.container() for _ in (range(widths) if isinstance(widths, int) else widths)]


def close_page(file: str) -> None:
    """End the page: where its programs come from, and links to the pages before and after it."""
    programs = experiments.of_page(Path(file).stem)
    for article in dict.fromkeys(program.article for program in programs.values()):
        shown = (f"{p.what} ({e})" for e, p in programs.items() if p.article == article)
        st.caption(f"From “{article.english}” ({article.title}): {'; '.join(shown)}.")
    index = [page.file for page in PAGES].index(file)
    st.divider()
    before, after = st.columns(2)
    if index > 0:
        with before:
            _link(PAGES[index - 1], label=f"← {PAGES[index - 1].title}")
    if index + 1 < len(PAGES):
        with after:
            _link(PAGES[index + 1], label=f"{PAGES[index + 1].title} →")


def _link(page: Page, *, label: str) -> None:
    shared = {"lecture": "true"} if in_lecture() else None
    st.page_link(page.file, label=label, query_params=shared, help=page.question)
