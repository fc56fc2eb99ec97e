"""Nodes stand in layers: below what they are computed from, and no two in one place."""

from itertools import pairwise

import pytest

from engines.graphs.autograd import Edge, Graph, Node, Output
from views.graphs.layered import positions


def graph_of(*edges):
    numbers = sorted({number for edge in edges for number in edge})
    output = Output("", (), None, None)
    nodes = [Node(n, "Node", None, "", 0, (output,), {}, {}) for n in numbers]
    return Graph(tuple(nodes), tuple(Edge(one, other, 0, 0, None) for one, other in edges))


CHAIN = graph_of((1, 2), (2, 4), (3, 4), (4, 5))
DIAMOND = graph_of((1, 2), (2, 3), (2, 4), (3, 5), (4, 5), (2, 5))
LONG = graph_of(*((k, k + 2) for k in range(1, 297)), *((k, k + 3) for k in range(1, 297)))

# As of a loss with label smoothing: a short way and a long one to the same end, and much above.
SMOOTHED = graph_of(
    *((1, 3), (2, 3), (3, 6), (4, 6), (5, 6), (6, 7), (7, 8), (7, 9), (8, 10), (10, 11), (11, 12)),
    *((12, 13), (13, 14), (9, 15), (14, 16), (15, 16)),
)


@pytest.mark.parametrize(
    "graph", [CHAIN, DIAMOND, LONG, SMOOTHED], ids=["chain", "diamond", "long", "smoothed"]
)
def test_every_edge_leads_down_and_every_node_has_a_place_of_its_own(graph):
    at = positions(graph)
    assert set(at) == {node.id for node in graph.nodes}
    for layer in {y for _, y in at.values()}:
        columns = sorted(x for x, y in at.values() if y == layer)
        assert all(right - left >= 1 for left, right in pairwise(columns))  # boxes do not overlap
    assert all(at[edge.source][1] < at[edge.target][1] for edge in graph.edges)
    assert min(x for x, _ in at.values()) == min(y for _, y in at.values()) == 0


def test_a_leaf_stands_right_above_its_first_use():
    at = positions(CHAIN)
    assert at[3][1] == at[4][1] - 1
    assert at[1][1] == at[2][1] - 1


def test_of_two_mirror_images_it_is_the_one_with_the_oldest_node_to_the_left():
    for graph in (graph_of((1, 3), (2, 3)), graph_of((1, 3), (2, 3), (3, 4))):
        at = positions(graph)
        assert at[1][0] < at[2][0]
