"""Wrong backwards, as a visitor meets them: predicted, run, checked and explained."""

import re
from functools import cache

import altair as alt
import numpy as np
import pytest
import streamlit as st

from engines.custom_relu_backward import mistakes as engine
from engines.custom_relu_backward.slope_at_zero import start
from engines.listing import Edited
from engines.network import torch_own_relu
from tests.support.visit import charts, edits, live_texts, words
from tests.support.visit import visit as visit_page
from views.custom_relu_backward import mistakes
from views.ui import shell, slow_run

CRASHES = ("too_many", "wrong_shape", "saved_in_place")
ENDS = dict.fromkeys(CRASHES, "crash")
ENDS |= dict.fromkeys(("mask_forgotten", "mask_from_gradient", "in_place_in_forward"), "trains")
ENDS |= dict.fromkeys(("attribute", "closure"), "memory")


def visit(guess=None, **query):
    at = visit_page("custom_relu_backward", chapter="mistakes", **query)
    if guess:
        at.segmented_control[0].set_value(guess).run()
        assert not at.exception
    return at


@cache
def seen(name):
    """The page after somebody has chosen this mistake and let the page answer."""
    return visit(mistake=name, guess="show")


def draw(seed, dtype=np.float32):
    return tuple(array.astype(dtype) for array in start("random", seed=1))


@pytest.fixture(scope="module", autouse=True)
def small_network():
    """A network of fewer inputs. Nothing of it is known at first, and what ran is noted."""
    shell.settle("the tests of a section")  # as a page does: else each visit collects garbage
    run, train = engine.run, torch_own_relu.train

    def noted(listing, steps, right):
        [name] = [name for name in engine.MISTAKES if engine.make(name) is listing]
        st.session_state.setdefault("ran", []).append(name)
        steps = listing.names["train"](*draw(1), steps=40, learning_rate=3e-5)
        return run(listing, steps, right)

    def short(*arrays, steps, learning_rate):
        assert (steps, learning_rate) == (500, 1e-6)
        return train(*arrays, steps=40, learning_rate=3e-5)

    slow_run._result.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "run", noted)
        patch.setattr(torch_own_relu, "train", short)
        patch.setattr(mistakes, "draw", draw)
        yield
    slow_run._result.clear()


def test_every_mistake_of_the_engine_is_told():
    assert list(mistakes.TOLD) == list(engine.MISTAKES)


def test_it_opens_on_a_mistake_and_shows_only_the_right_run_before_the_guess():
    at = visit()
    assert at.button_group(key="mistake").value == mistakes.OPENS
    [chart] = charts(at)
    assert chart["encoding"]["color"]["scale"]["domain"] == ["the right backward"]
    assert "Read the lines, say how it ends" in live_texts(at)


def test_comparisons_are_made_in_64_bits():
    assert {array.dtype for array in mistakes._arrays()} == {np.dtype("float64")}


def test_the_lines_are_shown_before_the_question_and_the_story_only_after_it():
    at = visit(mistake="too_many")
    listing, story = engine.make("too_many"), mistakes.TOLD["too_many"].story
    assert edits(at) == [listing.right, listing.wrong]
    assert story not in words(at)
    at.segmented_control[0].set_value("trains").run()
    assert "Not quite: <b>it crashes</b>." in live_texts(at)
    assert story in words(at)


@pytest.mark.parametrize("name", engine.MISTAKES)
def test_the_answer_is_what_became_of_it(name):
    if name in ENDS:  # how a gradient that was overwritten ends is for the larger network to say
        assert f"The answer: <b>{mistakes.ENDS[ENDS[name]]}</b>." in live_texts(seen(name))
    for part in mistakes.TOLD[name].story.split("\n\n"):  # on the stage, and below it
        assert part in words(seen(name))
    assert len(charts(seen(name))) == (name not in CRASHES)
    for chart in charts(seen(name)):
        alt.Chart.from_dict(chart)  # what the grammar allows


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_is_shown_with_its_line_and_explained(name):
    at, crash = seen(name), mistakes.run(name).crash
    assert f"at line {crash.line} of the listing" in live_texts(at)
    codes = [code.value for code in at.code]
    assert codes[0] == crash.text
    said = f"RuntimeError: {crash.message}".rstrip()
    assert said.startswith(codes[1].removesuffix(" …"))
    assert said in codes  # all of it, on the stage or below
    assert "| What it says | What that means |" in words(at)


def test_only_lines_that_were_changed_are_marked_in_the_listing():
    rows = re.findall(r'<li class="changed">.*?<code>(.*?)</code>', live_texts(seen("overwritten")))
    assert [re.sub("<.*?>", "", row).strip() for row in rows] == ["grad_x[x &gt;= 0] = 1"]


def test_what_gradcheck_says_is_told_with_the_first_wrong_slope():
    told = words(seen("mask_forgotten"))
    assert "have 36 derivatives, and 3 of them are wrong" in told
    assert "slope of output 1 by input 1, which is −2: a central difference gives 0, and" in told
    assert "the backward 1." in told
    assert "**gradcheck passes.**" in words(seen("saved_in_place"))
    assert "raises an error, too" in words(seen("too_many"))


def test_long_lines_are_shown_as_written_with_the_changed_ones_marked():
    at = seen("closure")
    assert not edits(at)
    assert "As it was written" in live_texts(at)
    assert all(edits(seen(name)) for name in engine.MISTAKES if name != "closure")


def test_memory_is_told_in_bytes_that_were_counted():
    told = words(seen("closure"))
    rows = [re.findall(r"([\d.]+) kB \|", row) for row in told.splitlines() if row.endswith("kB |")]
    right, wrong = np.array(rows, float).T
    assert right.tolist() == [0] * 5
    each = engine.inputs_in_memory("closure", steps=1).bytes_each
    assert "with <code>save_for_backward</code> there are 0 kB" in live_texts(seen("closure"))
    assert wrong[0] == each / 1000
    assert (wrong[:4] <= np.array([1, 2, 5, 10]) * each / 1000).all()


def outcome(losses=(9.0, 1.0), off=0.5):
    check = engine.gradcheck.check(lambda x: x, [1.0])
    return engine.Outcome(
        Edited("", "", "", {}), check, np.array([9.0, 2.0]), None, np.array(losses), off
    )


def test_an_overflow_is_explained_by_the_second_layer_only_where_that_is_so(monkeypatch):
    for size, told in ((1000.0, True), (0.1, False)):
        x, w1 = np.full((4, 3), size), np.eye(3)
        monkeypatch.setattr(mistakes, "draw", lambda *_, x=x, w1=w1: (x, None, w1, None))
        mistakes._largest_rate_for_w2.clear()
        exploded = outcome(losses=(9.0, 99.0, np.inf), off=0.8)
        assert "overflows at step <b>2</b>" in mistakes._how_it_went("overwritten", exploded)
        said = mistakes._why_it_went(exploded)
        assert "at most 53.1°" in said
        assert ("w2 alone can be trained" in said) == told
    mistakes._largest_rate_for_w2.clear()


def test_the_lesson_names_those_that_ended_lower():
    said = mistakes._lesson({"mask_forgotten": outcome(), "overwritten": outcome((9.0, 3.0))})
    assert "Ended lower than the right listing (2):** *Mask forgotten* (1)" in said
    assert "overwritten" not in said
    assert not mistakes._lesson({"overwritten": outcome((9.0, 3.0))})


def test_all_of_them_are_run_once_and_compared():
    slow_run._result.clear()
    at = visit(mistake="all")
    assert at.session_state["ran"] == list(engine.MISTAKES)
    rows = [row for row in words(at).splitlines() if row.startswith("| ")][2:]
    assert len(rows) == 1 + len(engine.MISTAKES)
    assert sum("| crashes |" in row for row in rows) == len(CRASHES)
    assert sum("**objects**" in row for row in rows) == 6
    assert "gradcheck objects to 6, among them 4" in live_texts(at)
    at.run()
    assert len(at.session_state["ran"]) == len(engine.MISTAKES)
