"""What is around w in the listing that reads it beside its assignment."""

from typing import get_args

import pytest

from engines.static_graph_and_sessions.race import Reads
from engines.static_graph_and_sessions.race_graph import around

every_read = pytest.mark.parametrize("reads", get_args(Reads))


def comes_before(graph, one, other):
    """Whether a way leads from one node to another."""
    return one == other or any(
        comes_before(graph, one, edge.source) for edge in graph.inputs(other)
    )


def of_kind(graph, kind):
    return [node.id for node in graph.nodes if node.kind == kind]


@every_read
def test_it_is_a_handful_of_operations_from_w_to_what_is_fetched(reads):
    graph, fetched, _ = around(reads)
    assert len(graph.nodes) == (6 if reads == "variables" else 7)
    assert [leaf.name for leaf in graph.leaves] == ["w"]
    assert sorted(fetched.values()) == ["new_w", "w"]
    sources = {edge.source for edge in graph.edges}
    assert all(node.id in sources or node.id in fetched for node in graph.nodes)


@every_read
def test_a_way_leads_from_the_printed_read_to_the_assignment_only_where_it_was_asked_for(reads):
    graph, fetched, only_order = around(reads)
    read, new_w = fetched
    assert [fetched[read], fetched[new_w]] == ["w", "new_w"]
    [assign] = of_kind(graph, "AssignVariableOp")
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
    graph, fetched, _ = around(reads)
    [assign] = of_kind(graph, "AssignVariableOp")
    [own] = [
        node
        for node in of_kind(graph, "ReadVariableOp")
        if comes_before(graph, node, assign) and not comes_before(graph, node, next(iter(fetched)))
    ]
    assert graph[own].text.startswith("new_w = w.assign(")


def test_the_listing_s_session_is_closed(sessions):
    around("variables")
    [session] = sessions
    with pytest.raises(RuntimeError, match="closed"):
        session.run("init")
