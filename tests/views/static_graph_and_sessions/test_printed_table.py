"""The article's printed table beside a run of the same, digit by digit."""

import re
from dataclasses import replace

import numpy as np
import pytest

from engines.problem import preset
from engines.regression import tf_session
from engines.trace import record
from views.static_graph_and_sessions.printed_table import (
    END,
    IN_WORDS,
    PUBLISHED,
    about_the_end,
    followed,
    in_words,
    printed,
    table,
)

ARTICLE = preset("session_article")


@pytest.fixture(scope="module")
def trace():
    return record(tf_session.train(ARTICLE, steps=2000, learning_rate=0.01))


def cells(trace):
    """By the name of its row, the cells of the table."""
    rows = re.findall("<tr>(.*?)</tr>", table(trace).replace("&nbsp;", " "))
    named = {re.sub("<.*?>", "", re.search("<th>(.*?)</th>", row)[1]): row for row in rows}
    plain = {name: re.findall("<td>(.*?)</td>", row) for name, row in named.items()}
    return {name: [re.sub("</?span.*?>", "", cell) for cell in row] for name, row in plain.items()}


def agreeing(trace):
    return followed(trace)["agree_so_far"].values[-1]


def test_every_printed_digit_is_ours_too(trace):
    assert [printed(trace, step) for step in PUBLISHED] == [*PUBLISHED.values()]
    assert agreeing(trace) == followed(trace)["printed_so_far"].values[-1] == 30
    for step, row in PUBLISHED.items():
        assert cells(trace)[str(step)] == [f"{number} {number} ✓" for number in row]


def test_the_sentence_about_the_end_is_compared_and_found_where_it_fits(trace):
    ends = in_words(trace, END)
    assert [cell.endswith("✓") for cell in cells(trace)["end"]] == [
        published == own for published, own in zip(IN_WORDS, ends, strict=True)
    ]
    assert ends != IN_WORDS
    first, last = map(int, re.findall(r"\*\*(\d+)\*\*", about_the_end(trace)))
    assert (first, last) == (1931, 1996)
    fits = [in_words(trace, step) == IN_WORDS for step in range(len(trace))]
    assert all(fits[first : last + 1])
    assert not any(fits[:first] + fits[last + 1 :])


def moved(trace, name, step, value):
    values = trace.params[name].copy()
    values[step] = value
    return replace(trace, params={**trace.params, name: values})


def test_a_digit_that_differs_is_marked_and_not_counted(trace):
    shorter = moved(trace, "w", 400, np.float32(2.0747))
    assert cells(shorter)["400"][1] == "2.074751 2.0747<mark></mark> ≠"
    other = moved(trace, "w", 400, np.float32(2.074951))
    assert cells(other)["400"][1] == "2.074751 2.074<mark>951</mark> ≠"
    assert agreeing(other) == 29


def test_a_run_that_ends_as_the_sentence_says_is_told_so(trace):
    near = trace[1950]
    early = moved(moved(trace, "w", END, near.params["w"]), "b", END, near.params["b"])
    losses = trace.losses.copy()
    losses[END] = near.loss
    early = replace(early, losses=losses)
    assert all(cell.endswith("✓") for cell in cells(early)["end"])
    assert "Rounded, these are the same." in about_the_end(early)


def test_a_run_that_never_comes_there_is_told_so(trace):
    higher = replace(trace, losses=trace.losses + np.float32(1))
    assert "at this step or at any other" in about_the_end(higher)
    assert agreeing(higher) == 20
