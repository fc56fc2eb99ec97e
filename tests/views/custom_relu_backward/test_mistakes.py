"""Wrong backwards, as a visitor meets them: predicted, run, judged and explained."""

import re
from functools import cache
from types import SimpleNamespace

import altair as alt
import numpy as np
import pytest
import streamlit as st

from engines.custom_relu_backward import mistakes
from engines.custom_relu_backward.slope_at_zero import start
from tests.support.visit import charts, live_texts, visit_section, words
from views.custom_relu_backward import mistakes as relu_wrong
from views.ui import shell

CRASHES = ("too_many", "wrong_shape", "saved_in_place")
TRAINS = ("mask_forgotten", "mask_from_gradient", "in_place_in_forward")


@pytest.fixture(scope="module", autouse=True)
def settled():
    """As a page does it: else each visit would look through the frameworks for garbage."""
    shell.settle("the tests of a section")


def section():
    """A page that has nothing but this, with a network of the same width and fewer inputs."""
    import streamlit as st

    from views.custom_relu_backward import mistakes as relu_wrong
    from views.ui.controls import Controls

    controls = Controls("section")
    relu_wrong.tell(controls)
    st.session_state["refused"] = controls.refused


def visit(guess=None, **query):
    at = visit_section(section, **query)
    if guess:
        at.segmented_control[0].set_value(guess).run()
        assert not at.exception
    return at


def texts(at):
    return words(at) + "\n".join(code.value for code in at.code)


def draw(seed, dtype=np.float32):
    return tuple(array.astype(dtype) for array in start("random", seed=1))


@pytest.fixture(scope="module", autouse=True)
def small_network():
    """Nothing of it is known at first, and what ran is noted in the session."""
    real = mistakes.run

    def run(name, *arrays, steps, learning_rate, without):
        st.session_state.setdefault("ran", []).append((name, steps, learning_rate))
        return real(name, *arrays, steps=40, learning_rate=3e-5)

    relu_wrong._known.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mistakes, "run", run)
        patch.setattr(relu_wrong, "draw", draw)
        yield
    relu_wrong._known.clear()


def test_every_mistake_of_the_engine_is_told():
    assert list(relu_wrong.MISTAKES) == list(mistakes.MISTAKES)


def test_nothing_runs_before_somebody_has_chosen():
    at = visit()
    assert "ran" not in at.session_state
    assert not charts(at)
    assert not live_texts(at)


@cache
def seen(name):
    """The page after somebody has chosen this mistake and let the page answer."""
    return visit(wrong=name, guess="show")


def test_the_lines_are_shown_before_the_question_and_the_story_only_after_it():
    at = visit(wrong="too_many")
    made = mistakes.make("too_many")
    assert [code.value for code in at.code] == [made.right, made.wrong]
    assert relu_wrong.MISTAKES["too_many"].story not in words(at)
    at.segmented_control[0].set_value("trains").run()
    assert "Not quite: **it crashes**." in words(at)
    assert relu_wrong.MISTAKES["too_many"].story in words(at)


@pytest.mark.parametrize("name", mistakes.MISTAKES)
def test_the_answer_is_what_became_of_it(name):
    ends = dict.fromkeys(CRASHES, "crash") | dict.fromkeys(TRAINS, "trains")
    ends |= {"attribute": "memory", "closure": "memory"}
    if name in ends:  # how a gradient that was overwritten ends is for the larger network to say
        assert f"The answer: **{relu_wrong.ENDS[ends[name]]}**." in words(seen(name))
    assert len(charts(seen(name))) == (name not in CRASHES)
    for chart in charts(seen(name)):
        alt.Chart.from_dict(chart)  # what the grammar allows


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_is_shown_with_its_line_and_every_phrase_of_it_explained(name):
    at = seen(name)
    crash = relu_wrong._known()[name].crash
    assert f"at line {crash.line} of the listing" in words(at)
    assert crash.message in texts(at)
    message = crash.message.replace("30]", "100]")  # the widths of the small network
    phrases = relu_wrong.MISTAKES[name].phrases
    assert phrases
    assert all(phrase in message and f"`{phrase}`" in words(at) for phrase in phrases)


def test_only_lines_that_are_wrong_are_marked_in_the_listing():
    marked = {}
    for name in ("overwritten", "closure"):
        at = seen(name)
        rows = re.findall(r'<li class="changed">.*?<code>(.*?)</code>', live_texts(at))
        marked[name] = [re.sub("<.*?>", "", row).strip() for row in rows]
    assert marked["overwritten"] == ["grad_x[x &gt;= 0] = 1"]
    assert "def my_relu(x: Any) -&gt; Any:" in marked["closure"]
    assert "return grad_x" not in marked["closure"]


def test_gradcheck_s_verdict_is_told_with_the_first_wrong_slope():
    told = words(seen("mask_forgotten"))
    assert "have 36 derivatives, and 3 of them are wrong" in told
    assert "slope of output 1 by input 1, which is -2: a central difference says 0, and" in told
    assert "the backward says 1." in told
    told = words(seen("saved_in_place"))
    assert "**gradcheck passes.**" in told
    told = words(seen("too_many"))
    assert "ends in an error, too" in told


def test_memory_is_told_in_bytes_that_were_counted():
    told = words(seen("closure"))
    rows = [re.findall(r"([\d.]+) kB \|", row) for row in told.splitlines() if row.endswith("kB |")]
    right, wrong = np.array(rows, float).T
    assert right.tolist() == [0] * 5
    each = mistakes.kept("closure", steps=1).bytes_each
    assert wrong[0] == each / 1000
    assert (wrong[:4] <= np.array([1, 2, 5, 10]) * each / 1000).all()


def ran(losses=(9.0, 1.0), right=(9.0, 2.0), off=0.5):
    return SimpleNamespace(
        crash=None, check=SimpleNamespace(passed=False), losses=np.array(losses),
        right_losses=np.array(right), gradient_off=off, learns=losses[-1] < losses[0],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "end"),
    [
        (ran(), "trains"),
        (ran(losses=(9.0, np.inf)), "stuck"),
        (ran(losses=(9.0, 9.0)), "stuck"),
        (ran(off=1e-8), "memory"),
    ],
)
def test_an_end_is_told_by_the_numbers(one, end):
    assert relu_wrong._end(one) == end


def test_an_overflow_is_explained_by_the_second_layer_only_where_that_is_so(monkeypatch):
    def use(size):
        x, w1 = np.full((4, 3), size), np.eye(3)
        monkeypatch.setattr(relu_wrong, "draw", lambda *_: (x, None, w1, None))

    one = ran(losses=(9.0, 99.0, np.inf), off=0.8)
    for size, told in ((1000.0, True), (0.1, False)):
        relu_wrong._limit.clear()
        use(size)
        said = relu_wrong._trained(one)
        assert "overflows at step **2**" in said
        assert "53.1° at most" in said
        assert ("2/λ_max" in said) == told
    relu_wrong._limit.clear()


def test_the_lesson_names_those_that_ended_lower():
    runs = {"mask_forgotten": ran(), "overwritten": ran(losses=(9.0, 3.0))}
    said = relu_wrong._lesson(runs, 2.0)
    assert "Ended lower than the right listing (2):** *The mask forgotten* (1)" in said
    assert "overwritten" not in said
    assert "Ended lower" not in relu_wrong._lesson(runs, 0.5)


def test_all_of_them_are_run_once_and_compared():
    relu_wrong._known.clear()
    at = visit(all_wrong="true")
    assert at.session_state["ran"] == [(name, 500, 1e-6) for name in relu_wrong.MISTAKES]
    rows = [row for row in words(at).splitlines() if row.startswith("| ")][2:]
    assert len(rows) == 1 + len(relu_wrong.MISTAKES)
    assert sum("| crashes |" in row for row in rows) == len(CRASHES)
    assert sum("**objects**" in row for row in rows) == 6
    assert "gradcheck objects to 6, among them 4" in words(at)
    at.run()
    assert len(at.session_state["ran"]) == len(relu_wrong.MISTAKES)


def test_hostile_names_are_refused():
    at = visit(wrong="__class__", all_wrong="maybe")
    assert {name for name, *_ in at.session_state["refused"]} == {"wrong", "all_wrong"}
    assert "ran" not in at.session_state
