"""What every page has around it: here, that the run of one visitor costs the others nothing."""

import gc
import importlib
import sys

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.visit import visit


@pytest.fixture
def another_visitors_run():
    return AppTest.from_string("from views.ui import shell\nshell.st.write('a page')").run


def test_a_run_clears_nothing_of_what_others_do_in_tensorflow(another_visitors_run):
    import tensorflow as tf

    graph, name = tf.compat.v1.get_default_graph(), "a name in this test"
    assert tf.keras.backend.get_uid(name) == 1
    assert "keras" in sys.modules  # where Streamlit looks for it
    another_visitors_run()
    assert tf.compat.v1.get_default_graph() is graph
    assert tf.keras.backend.get_uid(name) == 2


def test_no_run_walks_through_what_all_visitors_hold(another_visitors_run, monkeypatch):
    assert importlib.import_module("keras") is sys.modules["keras"]
    collected = []
    monkeypatch.setattr(gc, "collect", lambda *generation: collected.append(generation))
    another_visitors_run()
    assert collected == []


def test_a_page_names_the_articles_that_its_programs_come_from():
    at = visit("manual_gradients")
    by_hand, in_loops, where = at.caption[-1].value.split("\n\n")
    assert "One regression in NumPy" in by_hand
    assert "on whole arrays (E1)." in by_hand
    assert "Tensorflow 2.0" in in_loops
    assert "over the points (E2)." in in_loops
    assert "`engines/experiments.toml`" in where
