"""Warm runs are timed without a trace, in turn, and each is the request that was asked for."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from engines.benchmark import clock
from engines.problem import preset
from engines.static_graph_and_sessions.one_run import Request
from engines.static_graph_and_sessions.warm_runs import warm

PROBLEM = preset("session_article").astype("float32")
ALONE = Request("regression", ("loss",))
AS_WRITTEN = ALONE._replace(rewrite=False)


def test_each_request_is_run_so_often_without_a_trace_and_in_turn(monkeypatch):
    ran = []
    plain = tf.compat.v1.Session.run

    def noting(session, fetches, feed_dict=None, options=None, run_metadata=None):
        if isinstance(fetches, list) and len(fetches) < 3:  # more are the listing's own
            ran.append((len(fetches), options))
        return plain(session, fetches, feed_dict, options, run_metadata)

    monkeypatch.setattr(tf.compat.v1.Session, "run", noting)
    watched = Request("regression", ("residual", "loss"))
    found = warm([ALONE, watched], PROBLEM, rounds=3, block=2)
    first, *rounds = [ran[k : k + 4] for k in range(0, len(ran), 4)]
    assert first == [(1, None), (1, None), (2, None), (2, None)]  # not counted
    assert rounds == [first] * 3
    for timing in found.timings:
        assert 0 < timing.low <= timing.median <= timing.high < 1000
    assert found.on_core is None or 0 < found.on_core <= 1


def test_a_time_is_that_of_one_run(monkeypatch):
    """By a clock that goes on a millisecond with each run: a real one depends on the machine."""
    done = []
    plain = tf.compat.v1.Session.run

    def noting(session, *asked):
        done.append(asked)
        return plain(session, *asked)

    monkeypatch.setattr(tf.compat.v1.Session, "run", noting)
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: len(done) / 1000))
    for block in (1, 20):
        (timing,) = warm([ALONE], PROBLEM, rounds=3, block=block).timings
        assert timing == pytest.approx((1, 1, 1))


def test_only_one_of_the_sessions_has_its_optimiser_off(monkeypatch):
    off = []
    plain = tf.compat.v1.Session

    def noting(graph, config=None):
        if config:  # the listing's own session has none
            off.append(config.graph_options.rewrite_options.disable_meta_optimizer)
            assert config.inter_op_parallelism_threads == -1
        return plain(graph=graph, config=config)

    monkeypatch.setattr(tf.compat.v1, "Session", noting)
    warm([ALONE, AS_WRITTEN], PROBLEM, rounds=1, block=1)
    assert off == [False, True]


def test_what_cannot_be_fetched_is_said():
    with pytest.raises(KeyError):
        warm([Request("regression", ("secret",))], PROBLEM, rounds=1, block=1)
