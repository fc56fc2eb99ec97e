"""A mistake is told only after a prediction, and what is told is what its run did."""

from functools import cache
from typing import get_args

import pytest

from engines.dynamic_graph.mistakes import MISTAKES, End, make, run
from engines.problem import preset
from tests.support.visit import charts, live_texts, titles, visit_section, words
from views.dynamic_graph import mistakes as view
from views.ui.errors import explanation

# PyTorch warns about what is wrong in one of them. It does so once, where nobody resets warnings.
REBOUND = "ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"
pytestmark = pytest.mark.filterwarnings(REBOUND)
PICTURES = {
    "not_zeroed": ["The fit", "The loss over w and b", "The loss"],
    "changed_through_data": ["The fit", "The loss over w and b", "The loss"],
    "history": ["Nodes alive at the end of each step"],
}


@cache
def ran(name):
    return run(name, preset("autograd_article"), steps=50, learning_rate=0.001)


def section():
    """A page that has nothing but the mistakes; `rate` in the address sets the learning rate."""
    import streamlit as st

    from engines.problem import preset
    from views.dynamic_graph import mistakes, runs
    from views.player import Timeline
    from views.regression import sections
    from views.ui.controls import Controls
    from views.ui.mistakes import choose

    problem, rate = preset("autograd_article"), float(st.query_params.get("rate", 0.001))
    mistake = choose(Controls("section"), mistakes.MISTAKES)
    if mistake:
        outcome = runs.with_mistake(mistake, problem, steps=50, learning_rate=rate)
        series = {}
        if outcome.trace:
            series = sections.followed(outcome.trace, outcome.check, run="wrong_")
        # As long as the listing's own: that is what the moments of a graph add up to.
        timeline = Timeline(series, last_step=50, parts=(2, 4, 8, 4))
        mistakes.tell(mistake, outcome, problem, timeline, rate)


def visit(name, guess="show", **query):
    return visit_section(section, {f"guess of {name}": guess}, mistake=name, **query)


def test_every_mistake_of_the_engine_is_told_and_every_end_is_an_answer():
    assert list(view.MISTAKES) == list(MISTAKES)
    assert set(view.ENDS) == set(get_args(End))


@pytest.mark.parametrize("name", [name for name in MISTAKES if name not in PICTURES])
def test_every_error_is_explained_phrase_by_phrase_in_its_order(name):
    _, sentence = ran(name).step.error.message.split(": ", 1)
    places = [sentence.index(phrase) for phrase in explanation(sentence)[0]]
    assert len(places) > 1
    assert places == sorted(places)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_once_somebody_has_said_how_it_ends(name):
    at, story = visit(name, guess=None), view.MISTAKES[name].story.strip()
    assert [code.value for code in at.code] == [make(name).right, make(name).wrong]
    assert story not in words(at)
    at.segmented_control(key=f"guess of {name}").set_value("show").run()
    assert not at.exception
    assert story in words(at)
    assert "The listing that ran" in live_texts(at)
    assert titles(at) == PICTURES.get(name, [])
    assert all(len(chart["description"]) > 30 for chart in charts(at))
    if name not in PICTURES:
        outcome = ran(name)
        error = outcome.step.error
        assert f"It stops {view.PLACES[outcome.end]}, at this line" in words(at)
        line = outcome.listing.source.splitlines()[error.line - 1].strip()
        assert [code.value for code in at.code[2:]] == [line, error.message]
        phrases = explanation(error.message.split(": ", 1)[1])[0]
        assert all(f"`{phrase}`" in words(at) for phrase in phrases)


def test_a_prediction_is_answered_from_the_run():
    end = "**it stops with an error in the second step**"
    assert f"Yes: {end}" in words(visit("rebound_outside_no_grad", "second_step"))
    assert f"Not quite: {end}" in words(visit("rebound_outside_no_grad", "first_step"))


def test_the_periods_of_the_pendulum_are_told_and_beyond_its_limit_that_it_breaks():
    assert "**18.6** steps, along the flattest **69.3**" in words(visit("not_zeroed"))
    assert "beyond 4/λ_max = 0.0355" in words(visit("not_zeroed", rate="0.04"))


def test_the_gradients_that_arrived_and_the_count_of_nodes_are_told():
    assert "w.grad holds **none**, and b.grad holds **−298**" in words(visit("detached"))
    assert "from 8 to **248**: 6 more with each step" in words(visit("history"))
