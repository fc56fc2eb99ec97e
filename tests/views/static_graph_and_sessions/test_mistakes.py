"""Mistakes with sessions, and while a graph is built, as a visitor reads of them."""

import re

import pytest

from engines.recurrent import tf_cells
from engines.static_graph_and_sessions import adding
from tests.support.visit import live_texts, visit_section, words
from views.static_graph_and_sessions.mistakes import ENDS, TOLD, refused
from views.ui.errors import explanation


def section():
    """A page that has nothing but these."""
    import streamlit as st

    from views.static_graph_and_sessions import mistakes
    from views.ui.controls import Controls

    controls = Controls("section")
    mistakes.in_a_session(controls, 2.0, 4.0)
    mistakes.while_building(controls, "at")
    st.session_state["refused"] = controls.refused


def test_every_mistake_is_told():
    assert [*TOLD] == [*adding.MISTAKES, *tf_cells.MISTAKES]


@pytest.mark.parametrize(
    ("mistake", "end"),
    [
        ("not_fed", "stopped"),
        ("wrong_shape", "refused"),
        ("not_initialized", "stopped"),
        ("closed", "refused"),
    ],
)
def test_a_mistake_is_told_once_somebody_has_said_how_it_ends(mistake, end):
    at = visit_section(section, mistake=mistake)
    assert TOLD[mistake].story.strip() not in words(at)
    at.segmented_control[0].set_value(end).run()
    assert f"Yes: **{ENDS[end]}**" in words(at)
    assert TOLD[mistake].story.strip() in words(at)
    assert "**To mend it.**" in words(at)
    broken = adding.run(mistake, 2, 4)
    assert at.code[-1].value == f"{broken.message.error}: {broken.message.sentence}"
    [marked] = re.findall('<li class="changed">(.*?)</li>', live_texts(at))
    assert broken.wrong.split()[0] in re.sub("<.*?>", "", marked)


@pytest.mark.parametrize("mistake", tf_cells.MISTAKES)
def test_what_python_cannot_do_is_explained_in_tensorflows_words(mistake):
    source, said = refused(mistake, "at")[:2]
    phrases, mend = explanation(said.sentence)
    assert len(phrases) >= 2
    assert mend
    at = visit_section(section, build_mistake=mistake)
    assert [code.value for code in at.code] == [
        source.rstrip(),
        f"{said.error}: {said.sentence}",
    ]
    assert "It was refused before any operation ran" in words(at)
    assert all(f"`{phrase}`" in words(at) for phrase in phrases)
    assert TOLD[mistake].story.strip() in words(at)


def test_a_mistake_that_is_none_of_them_is_refused():
    at = visit_section(section, mistake="<script>", build_mistake="all")
    assert at.session_state["refused"] == [
        ("mistake", "<script>", "none"),
        ("build_mistake", "all", "none"),
    ]
    assert not at.code
