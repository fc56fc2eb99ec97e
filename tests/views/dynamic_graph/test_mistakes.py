"""A mistake is told only after a prediction, and what is told is what its run did."""

from functools import cache
from typing import get_args

import pytest

from engines.dynamic_graph.mistakes import MISTAKES, End, make, run
from engines.problem import preset
from tests.support.visit import charts, components, edits, live_texts, titles, visit_section, words
from tests.support.visit import visit as visit_page
from views.dynamic_graph import mistakes as view
from views.ui.errors import explanation
from views.ui.texts import as_html

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
    at = visit(name, guess=None)
    short, rest = map(as_html, view.MISTAKES[name].story.partition("\n\n")[::2])
    assert edits(at) == [make(name).right.rstrip(), make(name).wrong.rstrip()]
    assert short not in live_texts(at)
    assert (titles(at), len(players(at))) == (["The loss over w and b", "The loss"], 1)
    at.segmented_control(key=f"guess of {name}").set_value("show").run()
    assert not at.exception
    assert short in live_texts(at)
    assert rest in as_html(words(at))
    alive = "Objects alive after each step"
    drawn = ["The loss over w and b", alive if name == "history" else "The loss"]
    assert titles(at) == (drawn if name in TRAINS else [])
    assert len(players(at)) == (name in TRAINS)  # where a run has stopped there is nothing to play
    assert all(len(chart["description"]) > 30 for chart in charts(at))
    if name not in TRAINS:
        outcome = ran(name)
        error, end = outcome.step.error, view.ENDS[outcome.end]
        assert f"The answer: <b>{end}</b>" in live_texts(at)
        line = outcome.listing.source.splitlines()[error.line - 1].strip()
        phrases, mend = explanation(error.message)
        codes = [code.value for code in at.code]
        assert codes[0] == line
        assert error.message.startswith(codes[1].removesuffix(" …"))
        assert codes[-1] == error.message  # all of it, on the stage or below
        assert all(f"`{phrase}`" in words(at) for phrase in phrases)
        assert mend in words(at)


def test_a_prediction_is_answered_from_the_run():
    end = "<b>an error in the second step</b>"
    assert f"Yes: {end}" in live_texts(visit("rebound_outside_no_grad", "second_step"))
    assert f"Not quite: {end}" in live_texts(visit("rebound_outside_no_grad", "first_step"))


def test_the_periods_of_the_pendulum_are_told():
    assert "**18.6** steps, along the flattest **69.3**" in words(visit("not_zeroed"))


def test_beyond_its_limit_the_pendulum_breaks():
    def page():
        from engines.problem import preset
        from views.dynamic_graph import mistakes

        mistakes._swing(preset("autograd_article"), 0.04)

    assert "beyond 4/λ = 0.0355" in words(visit_section(page))


def test_the_gradients_that_arrived_and_the_count_of_nodes_are_told():
    told = live_texts(visit("detached"))
    assert "w.grad holds <b>none</b>, and b.grad holds <b>−298</b>" in told
    assert "from 8 to <b>248</b>, 6 more with each" in live_texts(visit("history"))
