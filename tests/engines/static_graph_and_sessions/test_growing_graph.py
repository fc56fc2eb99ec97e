"""A graph that grows in the loop: how it grows, what that costs, and the line that forbids it."""

import inspect

import numpy as np
import pytest

from engines.listing import edited
from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.static_graph_and_sessions import growing_graph
from engines.static_graph_and_sessions.growing_graph import AGAIN, VERSIONS, start, train
from engines.trace import record

STEPS = 12


@pytest.fixture(scope="module")
def problem():
    return preset("session_article")


@pytest.fixture(scope="module")
def runs(problem):
    return {
        version: list(start(version, problem, steps=STEPS).runs)
        for version in ("healthy", "growing")
    }


def operations(runs):
    return [run.operations for run in runs]


def test_the_graph_of_the_right_loop_stays_as_it_was_built(runs):
    assert len(set(operations(runs["healthy"]))) == 1
    assert len(runs["healthy"]) == STEPS + AGAIN


def test_the_mistake_adds_four_operations_at_each_step_and_none_after_the_loop(runs):
    first = runs["healthy"][0].operations  # the mean error has been made once in both
    grown = [first + 4 * k for k in range(STEPS)]
    assert operations(runs["growing"]) == grown + AGAIN * [grown[-1]]


def test_no_number_tells_that_anything_is_wrong(problem, runs):
    trace = record(numpy_vectorized.train(problem, steps=STEPS, learning_rate=0.01))
    errors = [
        np.abs(w * problem.x**2 + b - problem.y).mean()
        for w, b in zip(trace.params["w"][1:], trace.params["b"][1:], strict=True)
    ]
    for version in runs.values():
        np.testing.assert_allclose([run.error for run in version[:STEPS]], errors, rtol=1e-5)


def test_only_the_loop_that_grows_prepares_its_graph_again(runs):
    right = [run.milliseconds for run in runs["healthy"][1:STEPS]]
    wrong = [run.milliseconds for run in runs["growing"][1:STEPS]]
    assert np.median(wrong) > 2 * np.median(right)  # some ten times, on a machine at rest


def test_finalize_stops_the_mistake_in_its_first_step_and_leaves_the_right_loop_alone(problem):
    with pytest.raises(RuntimeError, match=r"^Graph is finalized and cannot be modified\.$"):
        next(start("finalized", problem, steps=1).runs)
    finalized = edited(train, {growing_graph.COMPLETE: growing_graph.FINALIZED})
    assert len(list(finalized.names["train"](problem, steps=2))) == 2 + AGAIN


def test_each_version_differs_in_lines_that_stand_once_in_what_ran(problem):
    healthy = inspect.getsource(growing_graph.train)
    for version in VERSIONS:
        started = start(version, problem, steps=1)
        lines = [line.strip() for line in started.source.splitlines()]
        for line in started.changed.splitlines():
            assert lines.count(line.strip()) == 1
        assert (started.source == healthy) == (version == "healthy")


def test_sessions_are_closed_at_the_end_when_let_go_and_when_the_graph_is_finalized(
    problem, sessions
):
    list(start("growing", problem, steps=1).runs)
    let_go = start("growing", problem, steps=5).runs
    next(let_go)
    let_go.close()
    with pytest.raises(RuntimeError):
        next(start("finalized", problem, steps=1).runs)
    assert len(sessions) == 3
    for session in sessions:
        with pytest.raises(RuntimeError, match="closed"):
            session.run([])


def test_an_unknown_version_is_refused(problem):
    with pytest.raises(KeyError):
        start("unknown", problem, steps=1)
