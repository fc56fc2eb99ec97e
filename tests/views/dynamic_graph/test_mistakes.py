"""A mistake is told only after a prediction, and what is told is what its run did."""

from functools import cache
from typing import get_args

import pytest

from engines.dynamic_graph.mistakes import MISTAKES, End, make, run
from engines.problem import preset
from tests.support.visit import charts, components, edits, titles, visit_section, words
from tests.support.visit import visit as visit_page
from views.dynamic_graph import mistakes as view
from views.ui.errors import explanation

# PyTorch warns about what is wrong in one of them. It does so once, where nobody resets warnings.
REBOUND = "ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"
pytestmark = pytest.mark.filterwarnings(REBOUND)
TRAINS = ("not_zeroed", "changed_through_data", "history")


@cache
def ran(name):
    return run(name, preset("autograd_article"), steps=50, learning_rate=0.001)


def players(at):
    return [data for data in components(at) if "lastStep" in data]


def visit(name, guess="show"):
    at = visit_page("dynamic_graph", chapter="mistakes", mistake=name)
    return at.segmented_control(key=f"guess of {name}").set_value(guess).run() if guess else at


def test_every_mistake_of_the_engine_is_told_and_every_end_is_an_answer():
    assert list(view.MISTAKES) == list(MISTAKES)
    assert set(view.ENDS) == set(get_args(End))


@pytest.mark.parametrize("name", [name for name in MISTAKES if name not in TRAINS])
def test_every_error_is_explained_phrase_by_phrase_in_its_order(name):
    _, sentence = ran(name).step.error.message.split(": ", 1)
    places = [sentence.index(phrase) for phrase in explanation(sentence)[0]]
    assert len(places) > 1
    assert places == sorted(places)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_once_somebody_has_said_how_it_ends(name):
    at, story = visit(name, guess=None), view.MISTAKES[name].story.strip()
    assert edits(at) == [make(name).right.rstrip(), make(name).wrong.rstrip()]
    assert story not in words(at)
    assert (titles(at), len(players(at))) == (["The loss over w and b", "The loss"], 1)
    at.segmented_control(key=f"guess of {name}").set_value("show").run()
    assert not at.exception
    assert story in words(at)
    nodes = "Nodes alive at the end of each step"
    drawn = ["The loss over w and b", nodes if name == "history" else "The loss"]
    assert titles(at) == (drawn if name in TRAINS else [])
    assert len(players(at)) == (name in TRAINS)  # where a run has stopped there is nothing to play
    assert all(len(chart["description"]) > 30 for chart in charts(at))
    if name not in TRAINS:
        outcome = ran(name)
        error = outcome.step.error
        assert f"It stops {view.PLACES[outcome.end]}, at this line" in words(at)
        line = outcome.listing.source.splitlines()[error.line - 1].strip()
        assert [code.value for code in at.code] == [line, error.message]
        phrases = explanation(error.message.split(": ", 1)[1])[0]
        assert all(f"`{phrase}`" in words(at) for phrase in phrases)


def test_a_prediction_is_answered_from_the_run():
    end = "**an error in the second step**"
    assert f"Yes: {end}" in words(visit("rebound_outside_no_grad", "second_step"))
    assert f"Not quite: {end}" in words(visit("rebound_outside_no_grad", "first_step"))


def test_the_periods_of_the_pendulum_are_told():
    assert "**18.6** steps, along the flattest **69.3**" in words(visit("not_zeroed"))


def test_beyond_its_limit_the_pendulum_breaks():
    def page():
        from engines.problem import preset
        from views.dynamic_graph import mistakes

        mistakes._swing(preset("autograd_article"), 0.04)

    assert "beyond 4/λ_max = 0.0355" in words(visit_section(page))


def test_the_gradients_that_arrived_and_the_count_of_nodes_are_told():
    assert "w.grad holds **none**, and b.grad holds **−298**" in words(visit("detached"))
    assert "from 8 to **248**: 6 more with each step" in words(visit("history"))
