"""The graph that grows, as a visitor meets it."""

import re

import altair as alt
import numpy as np
import pytest

from engines.static_graph_and_sessions.growing_graph import AGAIN
from tests.support.visit import charts, live_texts, plays, titles, visit, words
from views.static_graph_and_sessions import growing

STEPS = 12


@pytest.fixture(scope="module")
def at():
    """A visit to short runs of both loops."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing, "STEPS", STEPS)
        patch.setattr(growing, "AROUND", 5)
        yield visit("static_graph_and_sessions", chapter="growing")


def test_the_pictures_show_the_loop_that_grows_above_the_one_that_does_not(at):
    assert titles(at) == ["Time of a step", "Operations in the graph"]
    for chart in charts(at):
        alt.Chart.from_dict(chart)
    loops = growing.both_loops(growing.PROBLEM, STEPS)  # kept for all visitors
    grown, stayed = loops["growing"], loops["healthy"]
    assert grown.operations[-1] == stayed.operations[-1] + 4 * (STEPS - 1)
    assert grown.milliseconds[-1] > stayed.milliseconds[-1]
    plays(at, "operations", grown.operations)
    plays(at, "right_ms", stayed.milliseconds)
    assert "adds 4 of them" in live_texts(at)


def test_the_loop_is_shown_without_the_clock_and_with_its_mistake_marked(at):
    listed = re.sub("<.*?>", "", "\n".join(re.findall("<li.*?</li>", live_texts(at))))
    assert not [word for word in ("perf_counter", "yield", "milliseconds") if word in listed]
    assert listed.strip().startswith("for _ in range(steps):")
    marked = re.findall('<li class="changed">(.*?)</li>', live_texts(at))
    assert "mean_error = tf.reduce_mean" in re.sub("<.*?>", "", marked[-1])


def test_what_a_run_of_the_grown_graph_costs_is_asked_first_and_then_finalize_is_shown(at):
    assert "finalize" not in words(at)
    at.segmented_control(key="guess of grown graph").set_value("fast").run()
    assert "**about as long as a step of the right loop**." in words(at)
    assert at.code[-1].value == "RuntimeError: Graph is finalized and cannot be modified."
    assert all(
        f"`{phrase}`" in words(at) for phrase in ("Graph is finalized", "cannot be modified")
    )


def test_where_others_had_the_cores_the_bends_of_the_lines_are_not_told_as_the_graphs():
    quiet, busy = (growing.Loop(np.ones(2), np.ones(2), 1.0, share) for share in (0.99, 0.4))
    assert growing.told_of_the_machine([quiet, quiet]) == ""
    assert growing.told_of_the_machine([quiet, quiet._replace(on_core=None)]) == ""
    assert "The server was busy meanwhile" in growing.told_of_the_machine([quiet, busy])


def test_the_listing_is_there_while_the_loops_run_under_one_bar(monkeypatch):
    order = []
    listing, every = growing.listing, growing._every_run

    def listed(*args, **how):
        order.append("listing")
        listing(*args, **how)

    def running(problem, steps):
        for k, run in enumerate(every(problem, steps)):
            order.append(k)
            yield run

    monkeypatch.setattr(growing, "STEPS", 3)  # another number: nothing is kept of it
    monkeypatch.setattr(growing, "listing", listed)
    monkeypatch.setattr(growing, "_every_run", running)
    at = visit("static_graph_and_sessions", chapter="growing")
    assert not at.exception
    assert order == ["listing", *range(2 * growing.TIMES * (3 + AGAIN))]
