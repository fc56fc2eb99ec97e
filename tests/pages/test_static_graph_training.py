"""The training in a session and the table that the article printed, run without a browser."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from engines.problem import preset
from engines.regression import numpy_vectorized, tf_session
from engines.trace import record
from tests.support.visit import live_texts, player, plays, series, titles, visit, words
from views.static_graph_and_sessions import printed_table

PAGE = "static_graph_and_sessions"
ARTICLE = preset("session_article").astype("float32")
TRACE = record(tf_session.train(ARTICLE, steps=2000, learning_rate=0.01))
opened = cache(lambda: visit(PAGE, chapter="training"))


def test_the_player_plays_the_session_s_own_training():
    plays(opened(), "w", TRACE.params["w"])
    plays(opened(), "loss", TRACE.losses)
    assert player(opened())["stops"] == [*printed_table.PUBLISHED]
    assert player(opened())["begin"] == [400, None]


def test_the_gradients_of_the_graph_are_those_by_hand():
    shown = series(opened())
    by_hand = record(numpy_vectorized.train(ARTICLE, steps=2000, learning_rate=0.01))
    np.testing.assert_allclose(shown["tf_session_grad_w"], TRACE.grads["w"], rtol=1e-7)
    np.testing.assert_allclose(shown["numpy_vectorized_grad_w"], by_hand.grads["w"], rtol=1e-7)
    assert 0 < shown["tf_session_apart"].max() < 1e-5
    assert 'data-now="tf_session_apart"' in live_texts(opened())


def test_the_table_is_on_the_stage_and_each_row_waits_for_its_step():
    rows = re.findall(r'data-from="(\d+)" data-until="(\w+)">(\w+)', live_texts(opened()))
    steps = [str(step) for step in (*printed_table.PUBLISHED, 2000)]
    untils = [*steps[1:], "Infinity"]
    assert rows == list(zip(steps, untils, [*steps[:-1], "end"], strict=True))
    counts = series(opened())
    assert counts["printed_so_far"].tolist() == [3 * k for k in range(1, 11)]
    assert counts["agree_so_far"].tolist() == counts["printed_so_far"].tolist()
    assert "fits a run that has not quite ended" in words(opened())


@pytest.mark.parametrize("query", [{"lr": "0.02"}, {"steps": "1999"}, {"preset": "own"}])
def test_another_training_has_its_loss_where_the_table_was(query):
    at = visit(PAGE, chapter="training", **query)
    assert titles(at) == ["The fit", "The loss over w and b", "The loss"]
    assert "printed_so_far" not in series(at)
    assert "that the article had printed" not in live_texts(at)
    assert "by least squares" in " ".join(words(at).split())


def test_a_run_beyond_the_limit_is_explained_on_the_stage():
    at = visit(PAGE, chapter="training", lr="10")
    assert "grew past the largest number that 32 bits can hold" in words(at)


@pytest.mark.parametrize(
    "query",
    [
        {"preset": "own", "points": "1e400", "seed": "-inf", "steps": "inf"},
        {"preset": "own", "points": "3", "noise": "0", "slope": "0"},
        {"steps": "-3", "lr": "nan", "moment": "99999", "mistake": "all"},
    ],
)
def test_absurd_addresses_give_a_working_chapter(query):
    at = visit(PAGE, chapter="training", **query)
    assert not at.exception
    assert player(at)["lastStep"] >= 1
