"""What other data do to the listing with its data baked in, and to the mended one."""

from dataclasses import replace

import numpy as np
import pytest

from engines.problem import preset
from engines.static_graph_and_sessions.baked_in_graph import LISTINGS, graph_of, train

ARTICLE = preset("session_article")
OTHER = replace(ARTICLE, y=-ARTICLE.y)
SETTINGS = {"steps": 20, "learning_rate": 0.01}


def test_what_is_fed_counts_only_where_the_data_are_not_baked_in():
    for name, counts in (("baked_in", False), ("mended", True)):
        own, fed = (train(name, ARTICLE, one, **SETTINGS) for one in (ARTICLE, OTHER))
        assert (own.key != fed.key) == counts
        np.testing.assert_array_equal(own.params["w"][0], ARTICLE.w)


def test_nothing_takes_from_the_placeholders_and_constants_stand_in_their_places():
    found = graph_of("baked_in", ARTICLE)
    assert found.takers == {"x1": (), "y1": ()}
    assert found.fates == {"x1": "pruned", "y1": "pruned"}
    values = [found.graph[number].value for number in found.arrays]
    np.testing.assert_array_equal(values, [ARTICLE.x**2, ARTICLE.y])
    assert [*found.arrays.values()] == [100, 100]
    assert found.data_size == 2 * 100 * 4


def test_mended_the_placeholders_are_taken_from_and_fed():
    found = graph_of("mended", ARTICLE)
    assert {name: takers[0] for name, takers in found.takers.items()} == {"x": "pow", "y": "sub"}
    assert found.fates == {"x": "fed", "y": "fed"}
    assert (found.arrays, found.data_size) == ({}, 0)


@pytest.mark.parametrize("name", LISTINGS)
def test_the_picture_has_what_the_loss_needs_and_the_placeholders(name):
    graph = graph_of(name, ARTICLE).graph
    targets = {edge.source for edge in graph.edges}
    ends = [node for node in graph.nodes if node.id not in targets]
    placeholders = [node.name for node in graph.nodes if node.kind == "Placeholder"]
    assert [node.name for node in ends] == (["x1", "y1"] if name == "baked_in" else []) + ["mul_1"]
    assert len(placeholders) == 2
    # A variable leads straight to the operation that takes its value.
    uses = {
        node.name: [e.target for e in graph.edges if e.source == node.id] for node in graph.nodes
    }
    assert [graph[number].kind for number in uses["w"] + uses["b"]] == ["Mul", "AddV2"]


def test_only_the_graph_with_the_data_in_it_grows_with_them():
    few = replace(ARTICLE, x=ARTICLE.x[:50], y=ARTICLE.y[:50])
    sizes = {name: [graph_of(name, one).size for one in (few, ARTICLE)] for name in LISTINGS}
    assert sizes["baked_in"][1] - sizes["baked_in"][0] >= 50 * 2 * 4
    assert sizes["mended"][0] == sizes["mended"][1]


@pytest.mark.parametrize(("name", "written"), [("baked_in", 81), ("mended", 88)])
def test_few_of_the_written_operations_run_for_the_loss(name, written):
    found = graph_of(name, ARTICLE)
    assert (found.written, found.ran) == (written, 15)


def test_its_session_is_closed(sessions):
    graph_of("mended", ARTICLE)
    [session] = sessions
    with pytest.raises(RuntimeError, match="closed"):
        session.run("init")


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError, match="typo"):
        graph_of("typo", ARTICLE)
    with pytest.raises(KeyError, match="typo"):
        train("typo", ARTICLE, ARTICLE, **SETTINGS)
