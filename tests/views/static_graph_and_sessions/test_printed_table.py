"""The article's printed table beside a run of the same, digit by digit."""

import re
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engines.problem import preset
from engines.regression import tf_session
from engines.trace import record
from tests.support.visit import live_texts, words
from views.static_graph_and_sessions.printed_table import (
    END,
    IN_WORDS,
    PUBLISHED,
    in_words,
    printed,
)

ARTICLE = preset("session_article")


@pytest.fixture(scope="module")
def trace():
    return record(tf_session.train(ARTICLE, steps=2000, learning_rate=0.01))


def section():
    import streamlit as st

    from views.static_graph_and_sessions import printed_table

    printed_table.compare(st.session_state["trace"])


def shown(trace):
    at = AppTest.from_function(section)
    at.session_state["trace"] = trace
    at.run()
    assert not at.exception
    return at


def cells(at):
    """By the name of its row, the cells of the table."""
    rows = re.findall("<tr>(.*?)</tr>", live_texts(at).replace("&nbsp;", " "))
    return {re.search("<th>(.*?)</th>", row)[1]: re.findall("<td>(.*?)</td>", row) for row in rows}


def test_every_printed_digit_is_ours_too(trace):
    assert [printed(trace, step) for step in PUBLISHED] == [*PUBLISHED.values()]
    at = shown(trace)
    assert "**30 of 30** printed numbers agree" in words(at)
    for step, row in PUBLISHED.items():
        assert cells(at)[str(step)] == [f"{number} {number} ✓" for number in row]


def test_the_sentence_about_the_end_is_compared_and_found_where_it_fits(trace):
    at = shown(trace)
    ends = in_words(trace, END)
    assert [cell.endswith("✓") for cell in cells(at)["end"]] == [
        published == own for published, own in zip(IN_WORDS, ends, strict=True)
    ]
    assert ends != IN_WORDS
    first, last = map(int, re.findall(r"\*\*(\d+)\*\*", words(at)))
    fits = [in_words(trace, step) == IN_WORDS for step in range(len(trace))]
    assert all(fits[first : last + 1])
    assert not any(fits[:first] + fits[last + 1 :])


def moved(trace, name, step, value):
    values = trace.params[name].copy()
    values[step] = value
    return replace(trace, params={**trace.params, name: values})


def test_a_digit_that_differs_is_marked_and_not_counted(trace):
    at = shown(moved(trace, "w", 400, np.float32(2.0747)))
    assert cells(at)["400"][1] == "2.074751 2.0747<mark></mark> ≠"
    at = shown(moved(trace, "w", 400, np.float32(2.074951)))
    assert cells(at)["400"][1] == "2.074751 2.074<mark>951</mark> ≠"
    assert "**29 of 30** printed numbers agree" in words(at)


def test_a_run_that_ends_as_the_sentence_says_is_told_so(trace):
    near = trace[1950]
    early = moved(moved(trace, "w", END, near.params["w"]), "b", END, near.params["b"])
    losses = trace.losses.copy()
    losses[END] = near.loss
    at = shown(replace(early, losses=losses))
    assert all(cell.endswith("✓") for cell in cells(at)["end"])
    assert "Rounded, these are the same." in words(at)


def test_a_run_that_never_comes_there_is_told_so(trace):
    at = shown(replace(trace, losses=trace.losses + np.float32(1)))
    assert "at this step or at any other" in words(at)
    assert "**20 of 30** printed numbers agree" in words(at)
