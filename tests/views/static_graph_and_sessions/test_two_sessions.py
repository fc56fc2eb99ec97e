"""What lives in a session, as a visitor reads of it."""

import inspect
import re

import pytest

from engines.static_graph_and_sessions import two_sessions
from tests.support.visit import live_texts, visit_section, words
from views.static_graph_and_sessions.programs import program


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from views.static_graph_and_sessions import two_sessions
    from views.ui.controls import Controls
    from views.ui.shell import Here

    if two_sessions.show_stage(Here(Controls("section"), "session", "", False, st.container())):
        two_sessions.tell()


def visit(guess=None):
    at = visit_section(section)
    if guess:
        at.segmented_control[0].set_value(guess).run()
        assert not at.exception
    return at


@pytest.fixture(scope="module")
def wrong_guess():
    return visit("sum")


def table(at):
    rows = re.findall("<tr>(.*?)</tr>", live_texts(at))
    cells = [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in rows]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in cells]


def test_before_the_prediction_the_other_total_is_a_question_mark():
    at = visit()
    assert [row[1:] for row in table(at)[1:]] == [
        ["nothing", "0", "?"],
        ["2", "2", "?"],
        ["6", "6", "?"],
    ]
    assert "2 and then 4" in at.segmented_control[0].label


def test_the_listing_is_a_program_and_not_the_generator_that_the_page_runs():
    lines = program(inspect.getsource(two_sessions.totals)).splitlines()
    assert "print(session.run(new_total, {amount: a_value}))" in lines
    assert lines[-2:] == ["session = tf.compat.v1.Session(graph=graph)", "session.run(initialize)"]
    assert not [line for line in lines if "yield" in line or "None" in line or "try" in line]


def test_the_other_session_has_no_value_before_its_initialiser_has_run(wrong_guess):
    assert "Not quite: **an error: it has no value yet**" in words(wrong_guess)
    assert "Could not find variable total" in wrong_guess.code[0].value


def test_the_table_says_what_each_session_holds_after_each_line(wrong_guess):
    head, *rows = table(wrong_guess)
    assert head == ["line", "it returned", "session’s total", "other session’s total"]
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
    lines = program(inspect.getsource(two_sessions.totals)).splitlines()
    for number, text in (row[0].split(": ", 1) for row in rows):
        assert lines[int(number) - 1].removeprefix("print(") in (text, text + ")")
