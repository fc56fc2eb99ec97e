"""A word typed or linked is read as it is, or bounded, and then a sentence says so."""

import pytest

from tests.support.visit import visit_section
from views.recurrent.word import FIRST_WORD, readable

LONGEST = 59


def section():
    import streamlit as st

    from views.recurrent.word import own_word
    from views.ui.controls import Controls

    st.session_state["used"] = own_word(Controls("section"), 59)
    st.session_state["address"] = st.query_params.get("word")


def visit(word, way):
    """The page after a word has come in this way."""
    if way == "linked":
        return visit_section(section, word=word)
    return visit_section(section).text_input(key="word").set_value(word).run()


both_ways = pytest.mark.parametrize("way", ["typed", "linked"])


@both_ways
@pytest.mark.parametrize("word", ["hello", "<b>", "$x$", "🙂", "中文", "a b"])
def test_a_word_is_taken_and_goes_into_the_address(word, way):
    at = visit(word, way)
    assert (at.session_state["used"], at.session_state["address"]) == (word, word)
    assert not at.caption


@both_ways
@pytest.mark.parametrize(
    ("asked", "used", "told"),
    [
        ("", FIRST_WORD, "There is no letter to read"),
        (" \t\n ", FIRST_WORD, "There is no letter to read"),
        ("\u202e\u200b", FIRST_WORD, "There is no letter to read"),
        ("a\u202eb", "ab", "What cannot be seen in your word is left out."),
    ],
)
def test_what_is_no_word_is_bounded_and_a_sentence_says_so(asked, used, told, way):
    at = visit(asked, way)
    assert told in at.caption[0].value
    assert at.session_state["used"] == used
    assert at.session_state["address"] == (None if used == FIRST_WORD else used)


def test_of_a_word_that_is_too_long_the_beginning_is_read():
    at = visit("x" * 99, "linked")
    assert at.session_state["used"] == "x" * LONGEST
    assert "Yours has 99, so only its beginning is read" in at.caption[0].value


@pytest.mark.parametrize(
    "text", ["a b", " a ", "x" * 99, "ab " * 30, "\x00a", "é", "a\u202eb" * 40]
)
def test_a_readable_word_is_left_as_it_is(text):
    word = readable(text, LONGEST)
    assert 1 <= len(word) <= LONGEST
    assert readable(word, LONGEST) == word
