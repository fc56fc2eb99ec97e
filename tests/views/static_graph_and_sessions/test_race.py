"""Which value a run prints: a prediction, the edge that is missing, and a count."""

import altair as alt
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engines.static_graph_and_sessions.race_graph import around
from tests.support.visit import charts, live_texts, titles, words
from views.static_graph_and_sessions.race import (
    EARLY,
    MOST_RUNS,
    READS,
    RUNS,
    SHOWN,
    strip,
    verdict,
)
from views.static_graph_and_sessions.race_graph import height, places, race_graph


def section():
    """A page that has nothing but this, with a count that is made up."""
    import numpy as np
    import streamlit as st

    from engines.static_graph_and_sessions.race_graph import around
    from views.player import cached
    from views.static_graph_and_sessions import race
    from views.ui.controls import Controls

    def watch(attempt, **settings):
        st.session_state["asked for"] = attempt, settings
        late = np.zeros(settings["runs"], bool)
        if settings["reads"] == "operations":
            late[:3] = True
        return late, np.roll(late, 1)

    controls = Controls("section")
    race.tell(controls, cached(around), watch)
    st.session_state["refused"] = controls.refused


def visit(guess="show", **query):
    at = AppTest.from_function(section, default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at.segmented_control[0].set_value(guess).run() if guess else at


def counts(at):
    """The numbers of the table of counts."""
    return [int(part.split("</td>")[0]) for part in live_texts(at).split("<td>")[1:]]


# The section


def test_nothing_is_drawn_or_counted_before_somebody_has_said_what_is_printed():
    at = visit(guess=None, race="true")
    assert not charts(at)
    assert "asked for" not in at.session_state


@pytest.mark.parametrize(("guess", "opening"), [("either", "Yes:"), ("before", "Not quite:")])
def test_the_prediction_is_answered_and_both_graphs_are_drawn(guess, opening):
    at = visit(guess)
    assert f"{opening} **it depends" in words(at)
    assert titles(at) == ["As in the article", "With the edge that mends it"]
    assert "asked for" not in at.session_state


def test_it_is_counted_when_asked_for_and_again_when_asked_again():
    at = visit(race="true")
    first = {"runs": RUNS, "reads": "variables", "threads": 0}
    assert at.session_state["asked for"] == (0, first)
    at.button[0].click().run()
    assert at.session_state["asked for"] == (1, first)
    shown = charts(at)
    assert len(shown) == 3
    for chart in shown:
        alt.Chart.from_dict(chart)  # raises where it is not what Vega-Lite allows


def test_the_counts_are_those_of_the_run():
    at = visit(race="true", reads="operations", runs="500", threads="8")
    assert at.session_state["asked for"][1] == {"runs": 500, "reads": "operations", "threads": 8}
    assert counts(at) == [500, 3, 3, 2]  # late: w in runs 1 to 3, b in runs 2 to 4
    assert "Runs with one: **4**, among the first 100 runs: **4**." in words(at)
    assert counts(visit(race="true")) == [RUNS, 0, 0, 0]


@pytest.mark.parametrize("hostile", [("<script>", "9", "1e9"), ("", "-1", "nan")])
def test_hostile_settings_are_refused_or_bounded(hostile):
    asked = dict(zip(("reads", "threads", "runs"), hostile, strict=True))
    at = visit(race="true", **asked)
    assert not at.exception
    _, settings = at.session_state["asked for"]
    assert settings["reads"] in READS
    assert settings["threads"] in (0, 1, 8)
    assert 10 <= settings["runs"] <= MOST_RUNS


# What follows from a count


def late(runs, *places):
    made = np.zeros(runs, bool)
    made[list(places)] = True
    return made


def test_none_in_so_many_runs_is_not_called_never():
    told = verdict(late(700), late(700), mended=False)
    assert "None in 700 runs is not never" in told


def test_with_the_edge_it_is_certain_unless_something_was_seen():
    assert "this is certain" in verdict(late(700), late(700), mended=True)
    assert "certain" not in verdict(late(700, 5), late(700), mended=True)


def test_late_reads_at_the_beginning_are_explained_and_scattered_ones_are_not():
    told = verdict(late(1000, 1, 2, 500), late(1000, 3), mended=False)
    assert "Runs with one: **4**, among the first 100 runs: **3**." in told
    assert "executor takes every operation for an expensive one" in told
    told = verdict(late(1000, 1, 400, 500), late(1000, 600), mended=False)
    assert "Runs with one: **4**, among the first 100 runs: **1**." in told
    assert "executor" not in told


def test_a_count_too_short_to_show_when_they_occur_does_not_say_so():
    told = verdict(late(EARLY, 1), late(EARLY), mended=False)
    assert "here it was seen" in told
    assert "among the first" not in told


def test_the_strip_has_a_mark_for_each_variable_in_each_of_the_first_runs():
    for runs in (10, SHOWN, MOST_RUNS):
        rows = strip(late(runs, 3), late(runs, 4, 5))["datasets"]["reads"]
        marks = rows.to_pylist()
        assert len(marks) == 2 * min(runs, SHOWN)
        after = [(m["variable"], m["run"]) for m in marks if m["read"].startswith("after")]
        assert after == [("w", 4), ("b", 5), ("b", 6)]


# The graph


def drawn(reads):
    return race_graph.__wrapped__(around(reads), key=reads, title="t")


@pytest.mark.parametrize("reads", READS)
def test_what_is_printed_stands_at_the_left_and_what_assigns_at_the_right(reads):
    graph, fetched, _ = around(reads)
    at = places(graph, next(iter(fetched)))
    assert len(set(at.values())) == len(graph.nodes)
    assert all(at[edge.source][1] < at[edge.target][1] for edge in graph.edges)
    columns = {node.kind: at[node.id][0] for node in graph.nodes}
    assert columns["VarHandleOp"] == 0.5
    assert columns["Sub"] == columns["AssignVariableOp"] == 1
    assert [at[number][0] for number in fetched] == [0, 1]


def test_boxes_have_short_names_and_what_is_fetched_is_bold():
    boxes = drawn("operations_first")["datasets"]["boxes"].to_pylist()
    assert [box["name"] for box in boxes] == [
        "w", "Read", "Identity w", "Read", "Sub", "Assign", "Read new_w"
    ]  # fmt: skip
    bold = [box["name"] for box in boxes if box["fetched"]]
    assert bold == ["Identity w", "Read new_w"]


def test_only_the_edge_that_mends_it_leads_from_the_left_to_the_right():
    def across(reads):
        edges = drawn(reads)["datasets"]["edges"].to_pylist()
        return [edge["only_order"] for edge in edges if edge["x"] < 0.5 < edge["x2"]]

    assert across("variables") == across("operations") == []
    assert across("operations_first") == [True, True]


def test_the_deeper_graph_is_the_taller():
    tall, short = (height(drawn(reads)) for reads in ("operations_first", "variables"))
    assert tall > short
    assert height(drawn("variables")) > short
