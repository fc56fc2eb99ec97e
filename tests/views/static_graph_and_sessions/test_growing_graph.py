"""The graph that grows, as a visitor meets it."""

import altair as alt
import pytest

from engines.problem import preset
from tests.support.visit import charts, titles, visit_section, words
from views.static_graph_and_sessions import growing_graph

STEPS = 12


def section():
    """A page that has nothing but this."""
    from engines.problem import preset
    from views.static_graph_and_sessions import growing_graph
    from views.ui.controls import Controls

    growing_graph.section(Controls("section"), preset("session_article"))


@pytest.fixture(scope="module")
def at():
    """A visit by somebody who has asked for a short run of both loops."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing_graph, "STEPS", STEPS)
        patch.setattr(growing_graph, "AROUND", 5)
        yield visit_section(section, growing_graph="true")


def test_nothing_grows_until_somebody_asks():
    assert not charts(visit_section(section))


def test_the_pictures_show_the_loop_that_grows_above_the_one_that_does_not(at):
    assert titles(at) == ["Operations in the graph", "Milliseconds a step takes"]
    for chart in charts(at):
        alt.Chart.from_dict(chart)
    loops = growing_graph.both_loops(preset("session_article"), STEPS)  # kept for all visitors
    grown, stayed = loops["growing"], loops["healthy"]
    assert grown.operations[-1] == stayed.operations[-1] + 4 * (STEPS - 1)
    assert grown.milliseconds[-1] > stayed.milliseconds[-1]
    assert "Each step adds 4 operations" in words(at)


def test_what_a_run_of_the_grown_graph_costs_is_asked_first_and_then_finalize_is_shown(at):
    assert "finalize" not in words(at)
    at.segmented_control[0].set_value("fast").run()
    assert "**about as long as a step of the right loop**." in words(at)
    assert at.code[-1].value == "RuntimeError: Graph is finalized and cannot be modified."
    assert all(
        f"`{phrase}`" in words(at) for phrase in ("Graph is finalized", "cannot be modified")
    )
