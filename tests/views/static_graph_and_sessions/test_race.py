"""Which value a run prints: a prediction, the edge that is missing, and a count."""

import altair as alt
import numpy as np
import pytest

from engines.static_graph_and_sessions.race import Late, around_w
from tests.support.visit import charts, live_texts, titles, visit_section, words
from views.static_graph_and_sessions import race
from views.static_graph_and_sessions.race import (
    EARLY,
    MOST_RUNS,
    READS,
    RUNS,
    SHOWN,
    places,
    strip,
    verdict,
)


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from engines.problem import preset
    from views.static_graph_and_sessions import race
    from views.ui.controls import Controls
    from views.ui.shell import Here

    here = Here(Controls("section"), "race", "", False, st.container())
    if race.show_stage(here):
        race.tell(here.controls, preset("session_article"))


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    """What was counted, each time as it was asked for; the count is made up."""
    asked = []

    def late_reads(problem, attempt, runs, reads, threads):
        asked.append((attempt, {"runs": runs, "reads": reads, "threads": threads}))
        late = np.zeros(runs, bool)
        if reads == "operations":
            late[:3] = True
        return Late(late, np.roll(late, 1))

    monkeypatch.setattr(race, "late_reads", late_reads)
    return asked


def visit(guess="show", **query):
    at = visit_section(section, **query)
    return at.segmented_control[0].set_value(guess).run() if guess else at


def counts(at):
    """The numbers of the table of counts."""
    return [int(part.split("</td>")[0]) for part in live_texts(at).split("<td>")[1:]]


# The section


def test_nothing_is_drawn_or_counted_before_somebody_has_said_what_is_printed(counted):
    at = visit(guess=None, race="true")
    assert titles(at) == ["As in the article"]
    assert not counted


@pytest.mark.parametrize(("guess", "opening"), [("either", "Yes:"), ("before", "Not quite:")])
def test_the_prediction_is_answered_and_both_graphs_are_drawn(counted, guess, opening):
    at = visit(guess)
    assert f"{opening} **it depends" in words(at)
    assert titles(at) == ["As in the article", "With the edge that mends it"]
    assert not counted


def test_it_is_counted_when_asked_for_and_again_when_asked_again(counted):
    at = visit(race="true")
    first = {"runs": RUNS, "reads": "variables", "threads": 0}
    assert counted[-1] == (0, first)
    at.button[0].click().run()
    assert counted[-1] == (1, first)
    shown = charts(at)
    assert len(shown) == 3
    for chart in shown:
        alt.Chart.from_dict(chart)  # raises where it is not what Vega-Lite allows


def test_the_counts_are_those_of_the_run(counted):
    at = visit(race="true", reads="operations", runs="500", threads="8")
    assert counted[-1][1] == {"runs": 500, "reads": "operations", "threads": 8}
    assert counts(at) == [500, 3, 3, 2]  # late: w in runs 1 to 3, b in runs 2 to 4
    assert "Runs with one: **4**, among the first 100 runs: **4**." in words(at)
    assert counts(visit(race="true")) == [RUNS, 0, 0, 0]


@pytest.mark.parametrize("hostile", [("<script>", "9", "1e9"), ("", "-1", "nan")])
def test_hostile_settings_are_refused_or_bounded(counted, hostile):
    asked = dict(zip(("reads", "threads", "runs"), hostile, strict=True))
    at = visit(race="true", **asked)
    assert not at.exception
    _, settings = counted[-1]
    assert settings["reads"] in READS
    assert settings["threads"] in (0, 1, 8)
    assert 10 <= settings["runs"] <= MOST_RUNS


# What follows from a count


def late(runs, *places):
    made = np.zeros(runs, bool)
    made[list(places)] = True
    return made


def test_none_in_so_many_runs_is_not_called_never():
    told = verdict(Late(late(700), late(700)), mended=False)
    assert "None in 700 runs is not never" in told


def test_with_the_edge_it_is_certain_unless_something_was_seen():
    assert "this is certain" in verdict(Late(late(700), late(700)), mended=True)
    assert "certain" not in verdict(Late(late(700, 5), late(700)), mended=True)


def test_late_reads_at_the_beginning_are_explained_and_scattered_ones_are_not():
    told = verdict(Late(late(1000, 1, 2, 500), late(1000, 3)), mended=False)
    assert "Runs with one: **4**, among the first 100 runs: **3**." in told
    assert "executor takes every operation for an expensive one" in told
    told = verdict(Late(late(1000, 1, 400, 500), late(1000, 600)), mended=False)
    assert "Runs with one: **4**, among the first 100 runs: **1**." in told
    assert "executor" not in told


def test_a_count_too_short_to_show_when_they_occur_does_not_say_so():
    told = verdict(Late(late(EARLY, 1), late(EARLY)), mended=False)
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


@pytest.mark.parametrize("reads", READS)
def test_what_is_printed_stands_at_the_left_and_what_assigns_at_the_right(reads):
    graph, fetched, only_order = around_w(reads)
    at = places(graph, next(iter(fetched)))
    assert len(set(at.values())) == len(graph.nodes)
    assert all(at[edge.source][1] < at[edge.target][1] for edge in graph.edges)
    columns = {node.kind: at[node.id][0] for node in graph.nodes}
    assert columns["VarHandleOp"] == 1
    assert columns["Sub"] == columns["Assign"] == 2
    assert [at[number][0] for number in fetched] == [0, 2]
    across = [
        i in only_order
        for i, edge in enumerate(graph.edges)
        if at[edge.source][0] == 0 and at[edge.target][0] == 2
    ]
    assert across == ([True, True] if reads == "operations_first" else [])
