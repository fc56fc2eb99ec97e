"""What lives in a session, and the mistakes with sessions, as a visitor reads of them."""

import inspect
import re

import pytest

from engines.static_graph_and_sessions import adding, two_sessions
from tests.support.visit import live_texts, visit_section, words
from views.static_graph_and_sessions.two_sessions import ENDS, MISTAKES


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from engines.static_graph_and_sessions import adding, two_sessions
    from views.player import source_of
    from views.static_graph_and_sessions import two_sessions as sessions
    from views.ui.controls import Controls

    controls = Controls("section")
    a, b = controls.number("a", "a", 2.0, -1e6, 1e6), controls.number("b", "b", 4.0, -1e6, 1e6)
    st.session_state["lecture"] = st.query_params.get("lecture") == "true"
    source = source_of(two_sessions.totals)
    sessions.watch(source, two_sessions.look, a, b)
    sessions.break_it(controls, adding.MISTAKES, adding.run, a, b)
    st.session_state["refused"] = controls.refused


def visit(guess=None, **query):
    at = visit_section(section, **query)
    if guess:
        at.segmented_control[0].set_value(guess).run()
        assert not at.exception
    return at


def table(at):
    rows = re.findall("<tr>(.*?)</tr>", live_texts(at))
    cells = [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in rows]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in cells]


# Two sessions


def test_the_table_comes_after_a_prediction():
    at = visit()
    assert table(at) == []
    assert at.code[0].value == inspect.getsource(two_sessions.totals).rstrip()
    assert "2 and then 4" in at.segmented_control[0].label


def test_the_other_session_has_no_value_before_its_initialiser_has_run():
    at = visit("sum")
    assert "Not quite: **an error: it has no value yet**" in words(at)
    assert "Could not find variable total" in at.code[1].value


def test_the_table_says_what_each_session_holds_after_each_line():
    at = visit("show")
    head, *rows = table(at)
    assert head == ["line", "it returned", "total in session", "total in other_session"]
    assert [row[1:] for row in rows] == [
        ["nothing", "0", "no value yet"],
        ["2", "2", "no value yet"],
        ["6", "6", "no value yet"],
        ["nothing", "6", "0"],
        ["4", "6", "4"],
        ["nothing", "gone", "4"],
        ["nothing", "no value yet", "4"],
        ["nothing", "0", "4"],
    ]
    lines = at.code[0].value.splitlines()
    for number, text in (row[0].split(": ", 1) for row in rows):
        assert lines[int(number) - 1].strip().removeprefix("yield ") == text


def test_other_amounts_change_the_question_and_the_table():
    at = visit("show", a="-1.5", b="0.25")
    assert "-1.5 and then 0.25" in at.segmented_control[0].label
    assert [row[1] for row in table(at)[2:4]] == ["-1.5", "-1.25"]


# Mistakes


def test_every_mistake_of_the_engine_can_be_made():
    assert list(MISTAKES) == list(adding.MISTAKES)


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
    at = visit(mistake=mistake)
    assert MISTAKES[mistake].story not in words(at)
    at.segmented_control[1].set_value(end).run()
    assert f"Yes: **{ENDS[end]}**" in words(at)
    assert MISTAKES[mistake].story in words(at)
    assert "**To mend it.**" in words(at)
    said = adding.run(mistake, 2, 4).message
    assert at.code[-1].value == f"{said.error}: {said.sentence}"
    marked = re.findall('<li class="changed">(.*?)</li>', live_texts(at))
    assert marked
    wrong = adding.MISTAKES[mistake].wrong.split()[0]
    assert all(wrong in re.sub("<.*?>", "", line) for line in marked)


def test_a_mistake_that_is_none_of_them_is_refused():
    at = visit(mistake="<script>")
    assert at.session_state["refused"] == [("mistake", "<script>", "none")]
