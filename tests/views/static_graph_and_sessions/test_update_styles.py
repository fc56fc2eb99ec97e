"""Three ways to update, as a visitor reads of them."""

import re

import altair as alt
import numpy as np
import pytest

from engines.listing import source_of
from engines.problem import preset
from engines.static_graph_and_sessions import update_styles as tf_update_styles
from engines.trace import record
from tests.support.visit import charts, live_texts, visit_section, words
from views.static_graph_and_sessions import update_styles
from views.ui.numbers import number

ARTICLE = preset("update_styles_article")


def section():
    """A page that has nothing but this, and a shorter long run."""
    from dataclasses import replace

    import streamlit as st

    from engines.problem import preset
    from views.static_graph_and_sessions import update_styles
    from views.ui.controls import Controls

    controls = Controls("section")
    n = int(st.query_params.get("n", 80_000))
    update_styles.preset = lambda name: replace(preset(name), steps=n)
    update_styles.section(controls)
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


def rows(at, first):
    """The table whose head begins with these words, as lists of texts."""
    for table in live_texts(at).split("<table")[1:]:
        cells = [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in table.split("<tr>")[1:]]
        plain = [[re.sub("<.*?>", "", cell) for cell in row] for row in cells]
        if plain[0][0] == first:
            return plain[1:]
    return []


def run(style="assign", between="nothing", steps=1000):
    settings = {"learning_rate": 0.001, "style": style, "between": between}
    return record(tf_update_styles.train(ARTICLE, steps=steps, **settings))


def away(trace, k=-1):
    return np.hypot(*(float(trace.params[name][k]) - true for name, true in (("w", 3), ("b", 1))))


def test_the_listings_are_the_functions_that_ran_and_the_answer_is_not_there_yet():
    at = visit()
    listings = [source_of(style).rstrip() for style in tf_update_styles.STYLES.values()]
    assert [code.value for code in at.code] == listings
    assert not live_texts(at)
    assert not charts(at)


@pytest.mark.parametrize(
    ("guess", "told"),
    [
        ("apply_gradients minimize", "Yes:"),
        ("assign minimize", "Not quite:"),
        ("none", "Not quite:"),
    ],
)
def test_who_has_guessed_is_told_which_two_are_the_same(guess, told):
    at = visit()
    at.segmented_control[0].set_value(guess).run()
    assert f"{told} **apply_gradients and minimize**." in words(at)
    counted = {name: counts for name, *counts in rows(at, "")}
    assert counted["operations as written"] == ["104", "110", "110"]
    assert counted["of them ResourceApplyGradientDescent"] == ["0", "2", "2"]
    assert all(len(set(counts)) == 2 for counts in counted.values())
    assert all(counts[1] == counts[2] for counts in counted.values())


def test_if_no_two_graphs_were_the_same_that_would_be_the_answer():
    built = {name: tf_update_styles.Built(name, {}, {}, "") for name in tf_update_styles.STYLES}
    answers, right = update_styles.which_are_equal(built)
    assert answers[right] == "no two of them"


def test_the_three_runs_are_compared_bit_by_bit():
    at = visit(update_styles="true")
    w = f"{float(run().final.params['w']):.9g}"
    assert f"w after 1,000 steps: {w}, {w}, {w}." in words(at)
    assert "the same to the last bit: **yes**" in words(at)
    traces = {"assign": run(steps=3), "other": run("minimize", steps=3)}
    traces["other"].params["b"][2] += 1e-6
    assert "the same to the last bit: **no**" in update_styles.same_numbers(traces)


@pytest.mark.parametrize("style", ["assign", "apply_gradients"])
def test_a_clipped_gradient_is_told_as_it_was_with_how_far_it_moved_w(style):
    at = visit(update_styles="true", between="clip", style=style)
    trace = run(style, "clip")
    told = rows(at, "step")
    assert len(told) == update_styles.FIRST_STEPS
    assert [row[2] for row in told] == [number(grad) for grad in trace.grads["w"][:5]]
    assert {row[4] for row in told} == {"+0.020000"}
    assert f"**{number(away(trace), 2)}** away" in words(at)
    assert f"**{number(away(run()), 2)}** where the gradient is used as it is" in words(at)
    assert source_of(tf_update_styles.clip).rstrip() in [code.value for code in at.code]
    assert "Maximum" in at.code[-1].value


def test_minimize_has_no_gradients_to_show():
    at = visit(update_styles="true", style="minimize")
    told = rows(at, "step")
    assert {cell for row in told for cell in row[2:4]} == {"none"}
    assert "hands no gradients out" in words(at)


@pytest.mark.parametrize("between", ["clip", "replace"])
def test_minimize_with_something_in_between_is_refused_and_explained(between):
    at = visit(update_styles="true", style="minimize", between=between)
    [warning] = at.warning
    assert "minimize leaves no room between the gradient and the update" in warning.value
    assert "no line of the listing holds them" in warning.value
    assert not charts(at)


def test_the_picture_has_the_plain_run_beside_the_changed_one():
    [chart] = charts(visit(update_styles="true", between="replace"))
    alt.Chart.from_dict(chart)  # what the grammar allows
    domain = chart["encoding"]["color"]["scale"]["domain"]
    assert domain == ["the gradient as it is", "replaced by its sign"]
    [chart] = charts(visit(update_styles="true"))
    assert chart["encoding"]["color"]["scale"]["domain"] == ["the gradient as it is"]


def test_hostile_names_are_refused():
    at = visit(update_styles="true", style="<b>", between="__class__")
    assert {name for name, *_ in at.session_state["refused"]} == {"style", "between"}
    assert "to the last bit: **yes**" in words(at)


# The long run


def test_a_long_run_says_how_near_it_came_and_is_kept():
    at = visit(update_styles="true", all_steps="true", n="3000")
    trace = run(steps=3000)
    w, b = (float(trace.final.params[name]) for name in "wb")
    assert f"After 3,000 steps w = **{w:.6f}** and b = **{b:.6f}**" in words(at)
    assert "√(0.001 / 16) = **7.9e−5**" in words(at)


def test_what_is_said_of_the_data_is_the_engines_law():
    xs, ys = zip(*tf_update_styles.batches(steps=500), strict=True)
    line = np.polyfit(np.concatenate(xs), np.concatenate(ys), 1)
    assert line == pytest.approx([update_styles.SLOPE, update_styles.OFFSET], abs=0.01)
    assert xs[0].size == update_styles.SIZE


def test_a_run_that_was_stopped_says_where():
    key = f"stopped {update_styles.__name__}.long_run"
    at = visit_section(section, {key: 1234}, update_styles="true")
    assert "Stopped at step 1,234." in words(at)
    at.run()
    assert "Stopped" not in words(at)
