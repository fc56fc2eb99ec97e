"""What every page has around it: the way to the other pages, lecture mode, the title."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import script_runner

from engines import experiments
from engines.experiments import Experiment
from views.player import in_lecture
from views.ui import prediction, room, talk, turns
from views.ui.contents import PAGES, Chapter, Page, neighbour, page_of
from views.ui.controls import Controls

HERE = Path(__file__).parent
STYLE = "".join(
    path.read_text(encoding="utf-8")
    for path in (HERE / "shell.css", HERE / "stage.css", HERE.parent / "player" / "text.css")
)
LECTURE = (HERE / "lecture.css").read_text(encoding="utf-8")
WORDS = {
    "contents": "Pages and chapters",
    "overview": "All chapters",
    "close": "Close",
    "no_number": "Only a number can stand here, such as 1000, 7.5 or 1e-3.",
}

_contents = st.components.v2.component(
    "contents",
    html=(HERE / "contents.html").read_text(encoding="utf-8"),
    css=(HERE / "contents.css").read_text(encoding="utf-8"),
    js="".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("number_fields.js", "contents.js")
    ),
    isolate_styles=False,  # it hears the player, which lives in the document
)


class Here(NamedTuple):
    """Where a visitor is: the chapter that is open, and how they came.

    controls: those of the page. then: what the chapter after it is called. backwards: whether they
    came from there. settings: the place for controls that are not the chapter's point. question:
    what the chapter answers. file: the page, "" of a section by itself.
    """

    controls: Controls
    name: str
    then: str
    backwards: bool
    settings: DeltaGenerator
    question: str = ""
    file: str = ""


def open_chapter(file: str) -> Here:
    """Start the page `file` at the chapter that is asked for, and take its turn to compute."""
    controls, page = _open(file)
    backwards = _turn(file)
    chapter = page.chapter(controls.place("chapter", [one.name for one in page.chapters]))
    with st.container(key="header"):
        after = _way(controls, page, chapter)
        with st.container(key="heading", horizontal=True, vertical_alignment="center"):
            st.markdown(f"## {chapter.question}")
            settings = st.container(key="settings", width="content")
    _take_turn()
    then = after[1].title if after else ""
    return Here(controls, chapter.name, then, backwards, settings, chapter.question, file)


def open_alone(title: str, chapters: Sequence[Chapter]) -> Here:
    """Start the only page of a server of one's own, at the chapter that is asked for."""
    st.set_page_config(page_title=f"{title} · Backstep", page_icon="⏪", layout="wide")
    settle("alone")
    controls = Controls(title)
    lecture = controls.flagged("lecture")
    st.html(f"<style>{STYLE}{LECTURE if lecture else ''}</style>")
    names = {one.name: one.title for one in chapters}
    with st.container(key="header"):
        with st.container(key="topbar", horizontal=True, vertical_alignment="top"):
            name = controls.pills(
                "Chapter", "chapter", names, chapters[0].name, label_visibility="collapsed"
            )
            controls.flag("Lecture mode", "lecture")
        chapter = next(one for one in chapters if one.name == name)
        with st.container(key="heading", horizontal=True, vertical_alignment="center"):
            st.markdown(f"## {chapter.question}")
            settings = st.container(key="settings", width="content", horizontal=True)
    return Here(controls, name, "", False, settings, chapter.question)


def _open(file: str) -> tuple[Controls, Page]:
    page = page_of(file)
    st.set_page_config(page_title=f"{page.title} · Backstep", page_icon="⏪", layout="wide")
    settle("pages")
    controls = Controls(file)
    lecture = controls.flagged("lecture")
    st.html(f"<style>{STYLE}{LECTURE if lecture else ''}</style>")
    return controls, page


def _turn(file: str) -> bool:
    """Go to where `contents.js` or a talk asks to be; returns whether that is backwards."""
    if stop := talk.asked():
        _to_stop(file, stop)
        return False
    go = (st.session_state.get("contents") or {}).get("go")
    if not isinstance(go, dict) or go.get("page") not in range(len(PAGES)):
        return bool(st.session_state.pop("backwards", False))
    page, name, backwards = PAGES[go["page"]], str(go.get("chapter")), bool(go.get("backwards"))
    known = name in [one.name for one in page.chapters]
    if page.file != file:
        st.session_state["backwards"] = backwards
        lecture = {"lecture": "true"} if in_lecture() else {}
        st.switch_page(page.file, query_params=lecture | ({"chapter": name} if known else {}))
    gone = ("step", "moment", "chapter")
    address = {key: text for key, text in st.query_params.items() if key not in gone}
    if known and name != page.chapters[0].name:
        address["chapter"] = name
    st.query_params.from_dict(address)  # at once: each change is a stop for the Back button
    return backwards


def _to_stop(file: str, stop: talk.Stop) -> None:
    """Open a stop of a talk, or where a class is, as if nobody had been there.

    Its questions wait for an answer.
    """
    address = stop.query | ({"lecture": "true"} if stop.lecture else {})
    Controls.forget()
    prediction.forget()
    st.session_state[talk.OPENED] = st.session_state.get(talk.OPENED, 0) + 1
    if stop.page.file != file or stop.lecture != in_lecture():  # whose style is not on the page yet
        st.switch_page(stop.page.file, query_params=address)
    st.query_params.from_dict(address)


def _way(controls: Controls, page: Page, chapter: Chapter) -> tuple[Page, Chapter] | None:
    """The links to all pages and chapters, and the switch for lecture mode.

    Returns the chapter after this one, if there is one.
    """
    before, after = (neighbour(page.file, chapter.name, by) for by in (-1, 1))
    data: dict[str, Any] = {
        "pages": [
            {"title": one.title, "path": one.path, "chapters": [c._asdict() for c in one.chapters]}
            for one in PAGES
        ],
        "page": PAGES.index(page),
        "chapter": chapter.name,
        "next": _place(after, backwards=False),
        "back": _place(before, backwards=True),
        "lecture": controls.flagged("lecture"),
        "words": WORDS,
    }
    with st.container(key="topbar", horizontal=True, vertical_alignment="top"):
        _contents(data=data, key="contents", on_go_change=lambda: None)
        talk.mount(page, chapter.title, lecture=data["lecture"])
        room.mount(page, lecture=data["lecture"])
        controls.flag(
            "Lecture mode",
            "lecture",
            help="The stage alone, as large as the screen. Settings and chapters come back when "
            "the pointer touches the upper edge.",
        )
    return after


def _place(where: tuple[Page, Chapter] | None, *, backwards: bool) -> dict[str, Any] | None:
    if where is None:
        return None
    page, chapter = where
    return {"page": PAGES.index(page), "chapter": chapter.name, "backwards": backwards}


def _take_turn() -> None:
    with st.container(key="waiting"):
        turns.take(st.empty(), st.session_state.setdefault("session", uuid4().hex))


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Import in it what the page shows. By then its header is on the screen.

        with shell.loading("TensorFlow"):
            from views.static_graph_and_sessions import one_run, race

    what: named to those who wait. They do not use up a turn. One page imports at a time: where two
    threads import modules that import each other, one may find half a module.
    """
    place = st.empty()  # also where it stays empty: what follows must not be drawn anew
    # The same framework is named in several places, each of which imports modules of its own.
    page = sys._getframe(2)
    where = f"{page.f_code.co_filename}:{page.f_lineno}"
    if where in _loaded:
        yield
        return
    with turns.given_back(place), place, st.spinner(f"Loading {what}: some seconds, once."):
        with _importing:
            yield
            settle(where)
        _loaded.add(where)


_importing = threading.Lock()
_loaded: set[str] = set()  # by the line that loads it


@st.cache_resource(show_spinner=False)
def settle(where: str) -> None:
    """Once for each line that loads something: keep the server's time for its visitors."""
    # Whatever is loaded by now stays, so the collector need not walk through it again.
    gc.collect()
    gc.freeze()


# Where Streamlit finds Keras, which comes with TensorFlow, it clears Keras' session after every run
# of every visitor: the default graph, the compiled kernels and all names are reset for everybody,
# and all garbage is collected, which takes most of a full server's time. No setting prevents it.
setattr(script_runner, "_clean_problem_modules", lambda: None)  # noqa: B010


def side_by_side(widths: int | Sequence[int]) -> list[DeltaGenerator]:
    """Places beside each other, or in lecture mode, where everything is large, below each other.

    widths: how many places, or how wide they are, as for st.columns.
    """
    if not in_lecture():
        return st.columns(widths)
    return [st.container() for _ in (range(widths) if isinstance(widths, int) else widths)]


def article(experiment: str) -> str:
    """Markdown: the name of the article that an experiment is from, a link to the page's sources.

    The page has an element of the id `sources` where it ends.
    """
    return f"[“{experiments.EXPERIMENTS[experiment].article.english}”](#sources)"


def close_page(file: str) -> None:
    """End the page: where its programs come from, and links to the pages before and after it."""
    if programs := experiments.of_page(Path(file).stem):
        st.caption(_sources(programs))
    index = [page.file for page in PAGES].index(file)
    st.divider()
    before, after = st.columns(2)
    if index > 0:
        with before:
            _link(PAGES[index - 1], label=f"← {PAGES[index - 1].title}")
    if index + 1 < len(PAGES):
        with after:
            _link(PAGES[index + 1], label=f"{PAGES[index + 1].title} →")


def _sources(programs: Mapping[str, Experiment]) -> str:
    """From which articles these programs are, and where all that is known of them is told."""
    told = []
    for article in dict.fromkeys(program.article for program in programs.values()):
        shown = (f"{p.what} ({e})" for e, p in programs.items() if p.article == article)
        told.append(f"From “{article.english}” ({article.title}): {'; '.join(shown)}.")
    told.append(
        "E1 to E13 number the programs of five articles. `engines/experiments.toml` lists what "
        "each was run with and what it printed."
    )
    return "\n\n".join(told)


def _link(page: Page, *, label: str) -> None:
    shared = {"lecture": "true"} if in_lecture() else None
    st.page_link(page.file, label=label, query_params=shared, help=page.question)
