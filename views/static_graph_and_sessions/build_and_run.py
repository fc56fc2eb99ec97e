"""Two times: the lines build a graph, and only a session computes; beside it, eager mode."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engines.listing import source_of
from engines.problem import preset
from engines.standalone import calling
from engines.static_graph_and_sessions import adding
from engines.static_graph_and_sessions.one_run import Request, Run
from views.player import Timeline, cached, listing, show
from views.static_graph_and_sessions import drawing, runs, story
from views.static_graph_and_sessions.events import Course
from views.static_graph_and_sessions.programs import program
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("session_article").astype("float32")  # which a sum has no use for
LARGEST = 1e6  # of the numbers to add: with seven digits their sum is still what one expects
PHASES = ("build", "walk back", "run")
PROGRAM = program(source_of(adding.add))
OPENS = 2  # when c has been written down, and has no value


def show_stage(here: Here) -> None:
    """a + b: what each line writes down, and then what one run computes."""
    with here.settings, st.popover("Settings"):
        a = here.controls.number("a", "a_value", 2.0, -LARGEST, LARGEST)
        b = here.controls.number("b", "b_value", 4.0, -LARGEST, LARGEST)
    run = runs.run(Request("sum", ("c",), numbers=(a, b)), PROBLEM, PROBLEM.learning_rate)
    course, told, timeline = _played(run)
    playing: dict[str, Any] = {"readout": {}, "phases": PHASES, "of": run.key}
    numbers: Any = {"a_value": a, "b_value": b}
    ran = {
        "in a session": calling(adding.add, **numbers),
        "at once": calling(adding.at_once, **numbers),
    }
    with stage(here, timeline, ran=ran, begin=(0, OPENS), **playing):
        told.show(key="story")
        picture, code = beside([1, 1])
        with picture:
            show(drawing.graph(course, run, built=False), key="graph")
        with code:
            listing(PROGRAM, told.computed, title="adding.py", key="listing")


def eager() -> None:
    """The same in eager mode: a listing, and what it returns."""
    a, b = st.session_state["a_value"], st.session_state["b_value"]
    st.code(source_of(adding.at_once), language="python")
    st.markdown(f"It returned **{number(adding.at_once(a, b), 7)}**.")


@cached
def _played(run: Run) -> tuple[Course, Any, Timeline]:
    course = Course(run, built=False)
    told = story.story_of(course)
    return course, told, Timeline({}, 0, parts=told.parts, slow=True)
