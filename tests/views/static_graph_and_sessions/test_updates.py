"""Three ways to update, as a visitor reads of them."""

import re
from dataclasses import replace
from functools import cache

import altair as alt
import numpy as np
import pytest

from engines.problem import preset
from engines.static_graph_and_sessions import update_styles as tf_update_styles
from engines.trace import record
from tests.support.batches import batches
from tests.support.visit import charts, live_texts, player, plays, visit, words
from views.static_graph_and_sessions import updates
from views.ui.numbers import number

ARTICLE = preset("update_styles_article")


def opened(**query):
    at = visit("static_graph_and_sessions", chapter="updates", **query)
    assert not at.exception
    return at


def rows(at, first):
    """The table whose head begins with these words, as lists of texts."""
    for table in live_texts(at).split("<table")[1:]:
        cells = [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in table.split("<tr>")[1:]]
        plain = [[re.sub("<.*?>", "", cell) for cell in row] for row in cells]
        if plain[0][0] == first:
            return plain[1:]
    return []


@cache
def run(style="assign", between="nothing", steps=1000):
    settings = {"learning_rate": 0.001, "style": style, "between": between}
    return record(tf_update_styles.train(ARTICLE, steps=steps, **settings))


def away(trace, k=-1):
    return np.hypot(*(float(trace.params[name][k]) - true for name, true in (("w", 3), ("b", 1))))


def listed(at):
    return re.sub("<.*?>", "", "\n".join(re.findall("<li.*?</li>", live_texts(at))))


def test_it_opens_on_the_clipped_run_beside_the_one_with_the_gradient_as_it_is():
    at = opened()
    plays(at, "w", run("assign", "clip").params["w"])
    assert player(at)["whose"] == "clipped to −20..20"
    [chart] = charts(at)
    alt.Chart.from_dict(chart)
    assert "the gradient as it is" in str(chart)
    assert "clipped to −20..20" in str(chart)
    assert "tf.clip_by_value" in listed(at)
    assert "Any" not in listed(at)
    assert "Maximum" in at.code[0].value


@pytest.mark.parametrize(
    ("guess", "told"),
    [
        ("apply_gradients minimize", "Yes:"),
        ("assign minimize", "Not quite:"),
        ("none", "Not quite:"),
    ],
)
def test_who_has_guessed_is_told_which_two_are_the_same(guess, told):
    at = opened()
    assert not rows(at, "")
    at.segmented_control(key="guess of update styles").set_value(guess).run()
    assert f"{told} **apply_gradients and minimize**." in words(at)
    counted = {name: counts for name, *counts in rows(at, "")}
    assert counted["operations as written"] == ["104", "110", "110"]
    assert counted["of them ResourceApplyGradientDescent"] == ["0", "2", "2"]
    assert all(len(set(counts)) == 2 for counts in counted.values())
    assert all(counts[1] == counts[2] for counts in counted.values())


def test_if_no_two_graphs_were_the_same_that_would_be_the_answer():
    built = {name: tf_update_styles.Built(name, {}, {}, "") for name in tf_update_styles.STYLES}
    answers, right = updates.which_are_equal(built)
    assert answers[right] == "no two of them"


def test_the_three_runs_are_compared_bit_by_bit():
    at = opened()
    w = f"{float(run().final.params['w']):.9g}"
    assert f"w after 1,000 steps: {w}, {w}, {w}." in words(at)
    assert "the same to the last bit: **yes**" in words(at)
    traces = {"assign": run(steps=3), "other": run("minimize", steps=3)}
    traces["other"].params["b"][2] += 1e-6
    assert "the same to the last bit: **no**" in updates.same_numbers(traces)


@pytest.mark.parametrize("between", ["clip", "replace"])
@pytest.mark.parametrize("style", ["assign", "apply_gradients"])
def test_no_step_is_longer_than_what_is_said_and_some_are_as_long(style, between):
    at, trace = opened(between=between, style=style), run(style, between)
    moves = np.abs([np.diff(trace.params[name].astype(float)) for name in "wb"])
    longest = updates.longest(between)
    assert longest == {"clip": 0.02, "replace": 0.001}[between]
    np.testing.assert_allclose(moves.max(), longest, rtol=1e-3)
    assert number(longest) in live_texts(at)
    told = rows(at, "step")
    assert len(told) == updates.FIRST_STEPS
    assert [row[2] for row in told] == [number(grad) for grad in trace.grads["w"][:5]]
    assert {row[4] for row in told} == {f"+{longest:.6f}"}


def test_as_it_is_no_step_has_a_limit():
    assert updates.longest("nothing") == np.inf
    assert "longer than" not in live_texts(opened(between="nothing"))


def test_minimize_has_no_gradients_to_show():
    at = opened(style="minimize", between="nothing")
    told = rows(at, "step")
    assert {cell for row in told for cell in row[2:4]} == {"none"}
    assert "hands no gradients out" in words(at)
    assert "hands none out" in re.sub("<.*?>", "", live_texts(at))


@pytest.mark.parametrize("between", ["clip", "replace"])
def test_minimize_leaves_no_room_and_the_run_is_that_with_the_gradient_as_it_is(between):
    at = opened(style="minimize", between=between)
    assert "minimize leaves no room between the gradient and the update" in live_texts(at)
    plays(at, "w", run("minimize").params["w"])
    assert player(at)["whose"] == "the gradient as it is"
    assert "clip_by_value" not in listed(at)


def test_hostile_names_are_refused():
    at = opened(style="<b>", between="__class__")
    told = "\n".join(warning.value for warning in at.warning)
    assert "style = `<b>`" in told
    assert "between = `__class__`" in told


# The long run


@pytest.fixture
def shorter(monkeypatch):
    """The article's run, but of 3,000 steps."""
    monkeypatch.setattr(updates, "PROBLEM", replace(ARTICLE, steps=3000))


@pytest.mark.usefixtures("shorter")
def test_a_long_run_has_the_unclipped_one_beside_it_and_says_how_near_it_came():
    at = opened(all_steps="true")
    trace = run(between="clip", steps=3000)
    w, b = (float(trace.final.params[name]) for name in "wb")
    assert f"After 3,000 steps w = **{w:.6f}** and b = **{b:.6f}**" in words(at)
    assert "√(0.001 / 16) = **7.9e−5**" in words(at)
    assert player(at)["lastStep"] == 3000
    [chart] = charts(at)
    assert chart["layer"][0]["encoding"]["color"]["scale"]["domain"] == [
        "the gradient as it is",
        "clipped to −20..20",
    ]


def test_what_is_said_of_the_data_is_the_engines_law():
    xs, ys = zip(*batches(steps=500), strict=True)
    line = np.polyfit(np.concatenate(xs), np.concatenate(ys), 1)
    assert line == pytest.approx([updates.SLOPE, updates.OFFSET], abs=0.01)
    assert xs[0].size == updates.SIZE
