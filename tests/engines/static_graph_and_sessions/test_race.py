"""E7's second listing: w and b are read beside their assignments, with an edge and without."""

from typing import get_args

import numpy as np
import pytest

from engines.problem import preset
from engines.regression import tf_session
from engines.static_graph_and_sessions import race
from engines.static_graph_and_sessions.race import MOST_RUNS, Reads, watch
from engines.trace import record

ARTICLE = preset("session_article")
every_read = pytest.mark.parametrize("reads", get_args(Reads))
LEARNT = 90  # runs after which TensorFlow's executor knows that these operations are cheap


def run(engine, *, steps, **settings):
    return record(engine.train(ARTICLE, steps=steps, learning_rate=0.01, **settings))


def path_exists(operation, target):
    """Whether `operation` must have run before `target`."""
    waiting, seen = [target], set()
    while waiting:
        op = waiting.pop()
        if op is operation:
            return True
        if op.name not in seen:
            seen.add(op.name)
            waiting += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return False


@every_read
def test_each_run_read_what_was_before_or_after_it_and_the_training_is_undisturbed(reads):
    truth, read = run(tf_session, steps=201), run(race, steps=200, reads=reads)
    for name in ("w", "b"):
        before, after = truth.params[name][:-1], truth.params[name][1:]
        assert np.all((read.params[name] == before) | (read.params[name] == after))
        np.testing.assert_array_equal(read.grads[name], truth.grads[name][:-1])
    np.testing.assert_array_equal(read.losses, truth.losses[:-1])


@every_read
def test_between_reading_and_assigning_there_is_an_edge_only_where_it_was_asked_for(reads):
    listing = race.train(ARTICLE, steps=1, learning_rate=0.01, reads=reads)
    next(listing)
    held = listing.gi_frame.f_locals
    for fetched in (held["w_read"], held["b_read"]):
        read = held["graph"].as_graph_element(fetched).op
        assert read.type in ("ReadVariableOp", "Identity")
        for new in (held["new_w"], held["new_b"]):
            assert path_exists(read, new.op) == (reads == "operations_first")
    session, loss = held["session"], held["loss"]
    listing.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.run(loss)


def test_with_the_edge_no_run_reads_late():
    truth = run(tf_session, steps=400)
    assert run(race, steps=400, reads="operations_first").key == truth.key
    late = watch(ARTICLE, runs=400, learning_rate=0.01, reads="operations_first")
    assert not np.any(late.w | late.b)
    assert late.mixed == 0


def test_without_the_edge_one_of_two_is_read_late_until_the_executor_knows_what_they_cost():
    late = watch(ARTICLE, runs=2000, learning_rate=0.01, reads="operations", threads=1)
    mixed = late.w ^ late.b
    assert np.mean(mixed[:LEARNT]) > 0.9
    # A busy machine makes an operation look dear now and then, and it is late again for a while.
    assert np.mean(mixed[2 * LEARNT :]) < 0.5


def test_late_reads_are_told_apart_by_what_was_read(monkeypatch):
    chosen = [(1, 1), (1, 0), (0, 1), (0, 0)]  # both late, w alone, b alone, none

    def late(problem, *, steps, learning_rate):
        truth = run(tf_session, steps=steps + 1)
        for k, (w, b) in enumerate(chosen):
            params = {"w": truth.params["w"][k + w], "b": truth.params["b"][k + b]}
            yield truth[k]._replace(params=params)

    monkeypatch.setattr(race, "train", late)
    seen = watch(ARTICLE, runs=4, learning_rate=0.01)
    assert list(zip(seen.w, seen.b, strict=True)) == chosen
    assert seen.mixed == 2


@pytest.mark.parametrize(
    "settings",
    [{"runs": 0}, {"runs": -1}, {"runs": MOST_RUNS + 1}, {"threads": 9}, {"threads": -1}],
)
def test_runs_and_threads_are_bounded(settings):
    with pytest.raises(ValueError, match="1 to 4000 runs and 0 to 8 threads"):
        watch(ARTICLE, **{"runs": 10, **settings}, learning_rate=0.01)


def test_a_run_that_overflows_is_watched_as_far_as_it_went():
    late = watch(ARTICLE, runs=300, learning_rate=50.0)
    assert len(late.w) == len(late.b)
    assert 1 <= len(late.w) < 300
