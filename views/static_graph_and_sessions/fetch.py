"""What runs is what you fetch: the session's walk back from any box of the regression's graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from engines.listing import source_of
from engines.problem import preset
from engines.regression import tf_session
from engines.standalone import Called, calling
from engines.static_graph_and_sessions.one_fetch import fetched
from engines.static_graph_and_sessions.one_run import FEEDS, NAMELESS, Request, Run
from views.player import Timeline, cached, listing, part, show
from views.static_graph_and_sessions import drawing, runs, story
from views.static_graph_and_sessions.boxes import REGRESSION
from views.static_graph_and_sessions.events import Course
from views.ui import errors, texts
from views.ui.controls import Controls
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import markdown_table

PROBLEM = preset("session_article").astype("float32")
PHASES = ("ask", "walk back", "run")
TRAINING = "training"  # what the training fetches, all at once
TRAINED = ("loss", "grad_w", "grad_b", "new_w", "new_b")
FED = {
    "all": "feed x and y",
    "without_y": "feed x, and no y",
    "short_y": "feed x, and one y too few",
    "y_pred": "feed x, y, and zeros for y_pred",
    "not_initialized": "feed x and y, and never initialize",
}
FATES = texts.read(__file__)


def show_stage(here: Here) -> Run:
    """The graph, what is fetched and fed, and the course of that run. Returns the run."""
    with stage(here) as play:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            fetch = here.controls.choice(
                st.selectbox,
                "Fetch",
                "fetch",
                _offered(),
                "loss",
                on_choice=_forget_click,
                label_visibility="collapsed",
            )
            fed = {name: FED[name] for name in FEEDS["regression"]}
            feed = here.controls.choice(
                st.selectbox, "Feed", "feed", fed, "all", label_visibility="collapsed"
            )
        fetches = TRAINED if fetch == TRAINING else (str(fetch),)
        run = runs.run(Request("regression", fetches, str(feed)), PROBLEM, PROBLEM.learning_rate)
        course, told, timeline = _played(run)
        told.show(key="story")
        picture, code = beside([8, 5])
        with picture:
            _show_graph(course, run)
        with code:
            source = part(source_of(tf_session.train), "x = ", "initialize = ") + story.call(run)
            listing(source, told.computed, title="tf_session.py", key="listing", follows=True)
        opens = min(3, sum(timeline.parts[:2]) - 1)
        ran = {"": _asked(fetches, str(feed), fails=run.message is not None)}
        play(timeline, ran=ran, begin=(0, opens), readout={}, phases=PHASES, of=run.key)
    return run


def _asked(fetches: Sequence[str], feed: str, *, fails: bool) -> Called:
    """The listing that runs a session so, to be taken home."""
    x, y = PROBLEM.x, PROBLEM.y
    fed: Mapping[str, Mapping[str, Any]] = {
        "without_y": {"x": x},
        "short_y": {"x": x, "y": y[:-1]},
        "y_pred": {"x": x, "y": y, "y_pred": np.zeros_like(y)},
    }
    return calling(
        fetched,
        fails=fails,
        problem=PROBLEM,
        learning_rate=PROBLEM.learning_rate,
        names=[NAMELESS.get(name, name) for name in fetches],
        fed=fed.get(feed, {"x": x, "y": y}),
        initialized=feed != "not_initialized",
    )


def tell(run: Run) -> None:
    """What became of all written operations, as a table; or the error, phrase by phrase."""
    if said := run.message:
        errors.explain(said.error, said.sentence, operation=said.operation, refused=said.refused)
        return
    counts: Mapping[Any, int] = run.match.counts
    rows = [
        (str(counts[status]), told["many"], _examples(run, status))
        for status, told in FATES.items()
        if counts[status]
    ]
    st.markdown(f"**What became of the {len(run.written.ops)} operations:**")
    st.markdown(markdown_table(("operations", "became of them", "for example"), rows))


def _offered() -> dict[str, str]:
    offered = {name: f"fetch {box.says}" for name, box in REGRESSION.items()}
    return offered | {TRAINING: "fetch all that the training does"}


def _examples(run: Run, status: Any) -> str:
    """Some of the operations with that fate, and what stands in their place."""
    fates = run.match.fates
    names = [name for name, fate in fates.items() if fate.status == status]
    shown = [f"`{name}`" for name in names[:3]]
    if status in ("rewritten", "fused", "reordered"):
        kinds = [run.executed[fates[name].into or name].kind for name in names[:3]]
        shown = [f"`{name}` → `{kind}`" for name, kind in zip(shown, kinds, strict=True)]
    return ", ".join(shown) + (", …" if len(names) > 3 else "")


@cached
def _played(run: Run) -> tuple[Course, Any, Timeline]:
    course = Course(run, built=True)
    told = story.story_of(course)
    return course, told, Timeline({}, 0, parts=told.parts, slow=True)


def _forget_click() -> None:
    """Make the drawing anew: the browser says nothing of a click on what was clicked last."""
    st.session_state["drawing of the graph"] = st.session_state.get("drawing of the graph", 0) + 1


def _show_graph(course: Course, run: Run) -> None:
    key = f"static_graph {st.session_state.get('drawing of the graph', 0)}"

    def clicked() -> None:
        match st.session_state[key].get("selection"):
            case {"picked": [{"name": name}, *_]} if name in REGRESSION:
                st.session_state["fetch"] = name
        Controls.moved()

    clicks: dict[str, Any] = {"on_select": clicked, "selection_mode": "picked"}
    show(drawing.graph(course, run, built=True), key=key, **clicks)
