"""E7's second listing: w and b are read beside their assignments, with an edge and without."""

from typing import get_args

import numpy as np
import pytest

from engines.problem import preset
from engines.regression import tf_session
from engines.static_graph_and_sessions import race
from engines.static_graph_and_sessions.race import MOST_RUNS, Reads, around_w, late_reads
from engines.trace import record

ARTICLE = preset("session_article")
every_read = pytest.mark.parametrize("reads", get_args(Reads))
LEARNT = 90  # runs after which TensorFlow's executor knows that these operations are cheap


def trained(steps):
    return record(tf_session.train(ARTICLE, steps=steps, learning_rate=0.01))


def raced(steps, reads):
    """What the runs handed out, by name."""
    runs = race.train(ARTICLE, steps=steps, learning_rate=0.01, reads=reads)
    columns = map(np.array, zip(*runs, strict=True))
    return dict(zip(race.Run._fields, columns, strict=True))


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
    truth, read = trained(201), raced(200, reads)
    for name in ("w", "b"):
        before, after = truth.params[name][:-1], truth.params[name][1:]
        assert np.all((read[name] == before) | (read[name] == after))
        np.testing.assert_array_equal(read[f"grad_{name}"], truth.grads[name][:-1])
    np.testing.assert_array_equal(read["loss"], truth.losses[:-1])


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
    late = late_reads(ARTICLE, runs=400, learning_rate=0.01, reads="operations_first")
    assert not np.any(late.w | late.b)


def test_without_the_edge_one_of_two_is_read_late_until_the_executor_knows_what_they_cost():
    late = late_reads(ARTICLE, runs=2000, learning_rate=0.01, reads="operations", threads=1)
    mixed = late.w ^ late.b
    assert np.mean(mixed[:LEARNT]) > 0.9
    # A busy machine makes an operation look dear now and then, and it is late again for a while.
    assert np.mean(mixed[2 * LEARNT :]) < 0.5


def test_late_reads_are_told_apart_by_what_was_read(monkeypatch):
    chosen = [(1, 1), (1, 0), (0, 1), (0, 0)]  # both late, w alone, b alone, none

    def late(problem, *, steps, **_):
        truth = trained(steps + 1)
        for k, (w, b) in enumerate(chosen):
            yield race.Run(0, truth.params["w"][k + w], truth.params["b"][k + b], 0, 0)

    monkeypatch.setattr(race, "train", late)
    seen = late_reads(ARTICLE, runs=4, learning_rate=0.01)
    assert list(zip(seen.w, seen.b, strict=True)) == chosen


@pytest.mark.parametrize(
    "settings",
    [{"runs": 0}, {"runs": -1}, {"runs": MOST_RUNS + 1}, {"threads": 9}, {"threads": -1}],
)
def test_runs_and_threads_are_bounded(settings):
    with pytest.raises(ValueError, match="1 to 4000 runs and 0 to 8 threads"):
        late_reads(ARTICLE, **{"runs": 10, **settings}, learning_rate=0.01)


def test_a_run_that_overflows_is_watched_as_far_as_it_went():
    late = late_reads(ARTICLE, runs=300, learning_rate=50.0)
    assert len(late.w) == len(late.b)
    assert 1 <= len(late.w) < 300


# What is written around w


def comes_before(graph, one, other):
    """Whether a way leads from one node to another."""
    return one == other or any(
        comes_before(graph, one, edge.source) for edge in graph.inputs(other)
    )


def of_kind(graph, kind):
    return [node.id for node in graph.nodes if node.kind == kind]


@every_read
def test_it_is_a_handful_of_operations_from_w_to_what_is_fetched(reads):
    graph, fetched, _ = around_w(reads)
    assert len(graph.nodes) == (6 if reads == "variables" else 7)
    assert [leaf.name for leaf in graph.leaves] == ["w"]
    assert sorted(fetched.values()) == ["new_w", "w"]
    sources = {edge.source for edge in graph.edges}
    assert all(node.id in sources or node.id in fetched for node in graph.nodes)


@every_read
def test_a_way_leads_from_the_printed_read_to_the_assignment_only_where_it_was_asked_for(reads):
    graph, fetched, only_order = around_w(reads)
    read, new_w = fetched
    assert [fetched[read], fetched[new_w]] == ["w", "new_w"]
    [assign] = of_kind(graph, "Assign")
    assert comes_before(graph, read, assign) == (reads == "operations_first")
    assert comes_before(graph, assign, new_w)
    assert not comes_before(graph, assign, read)
    ordered = {(graph.edges[i].source, graph.edges[i].target) for i in only_order}
    assert (assign, new_w) in ordered
    assert {target for source, target in ordered if source == read} == (
        {assign - 2, new_w} if reads == "operations_first" else set()
    )


@every_read
def test_the_assignment_has_a_read_of_its_own(reads):
    graph, fetched, _ = around_w(reads)
    [assign] = of_kind(graph, "Assign")
    [own] = [
        node
        for node in of_kind(graph, "Read")
        if comes_before(graph, node, assign) and not comes_before(graph, node, next(iter(fetched)))
    ]
    assert graph[own].text.startswith("new_w = w.assign(")


def test_the_listing_s_session_is_closed(sessions):
    around_w("variables")
    [session] = sessions
    with pytest.raises(RuntimeError, match="closed"):
        session.run("init")
