"""A small graph shows every node and edge; a folded one says how many it does not draw."""

import time
from itertools import pairwise

import pytest

from engines.graphs.autograd import Edge, Graph, Node, Output
from engines.graphs.read_torch import record
from engines.problem import preset
from engines.recurrent.torch_cell import LONGEST, parameters, read
from engines.regression.torch_autograd import train
from views.graphs import small_graph
from views.graphs.small_graph import FOLD, KEPT, draw_graph, folded, repetitions, short, show_graph

OUTPUT = (Output("", (), None, None),)


def graph_of(word):
    [step] = record(read(word, **parameters()))
    return step.graph


def article():
    run = train(preset("autograd_article"), steps=0, learning_rate=0.001)
    return next(record(run)).graph


def drawing_of(graph, **more):
    settings = {"key": graph.to_text(), "title": "t", "description": "d"}
    return draw_graph(graph, **settings | more)


def rows(drawing, table):
    return drawing["datasets"][table].to_pylist()


# Folding


@pytest.mark.parametrize("n", [1, 5, 2 * KEPT])
def test_a_short_loop_is_not_folded(n):
    graph = graph_of("a" * n)
    assert folded(graph) is graph


@pytest.mark.parametrize("n", [2 * KEPT + 1, 20, LONGEST])
def test_a_long_loop_keeps_its_ends_and_counts_its_middle(n):
    graph = graph_of("a" * n)
    small = folded(graph)
    [fold] = [node for node in small.nodes if node.kind == FOLD]
    middle = n - 2 * KEPT
    assert fold.settings == {"repetitions": middle, "of": n, "nodes": 5 * middle}
    assert len(small.nodes) - 1 + fold.settings["nodes"] == len(graph.nodes)

    ends = [node for node in graph.nodes if not KEPT <= node.repetition < n - KEPT]
    assert [node for node in small.nodes if node is not fold] == ends
    inside = {node.id for node in ends}
    kept = [edge for edge in small.edges if fold.id not in (edge.source, edge.target)]
    between = [edge for edge in graph.edges if {edge.source, edge.target} <= inside]
    assert [(e.source, e.target, e.argument) for e in kept] == [
        (e.source, e.target, e.argument) for e in between
    ]


def test_a_fold_has_one_edge_with_each_neighbour_and_none_dangles():
    small = folded(graph_of("a" * 20))
    [fold] = [node for node in small.nodes if node.kind == FOLD]
    numbers = {node.id for node in small.nodes}
    assert all({edge.source, edge.target} <= numbers for edge in small.edges)
    sources = [small[edge.source] for edge in small.inputs(fold.id)]
    assert sorted(node.name for node in sources) == ["b", "h", "u", "w"]
    [out] = [edge for edge in small.edges if edge.source == fold.id]
    assert small[out.target].text == "h @ w"


def test_what_a_loop_makes_only_once_is_folded_with_its_neighbours_so_no_edge_leads_back():
    def node(number, text, repetition):
        return Node(number, "Node", 1, text, repetition, OUTPUT, {}, {})

    chain = [node(1, "", 0)] + [node(k + 2, "loop", k) for k in range(5)]
    chain += [node(7, "once", 0)] + [node(k + 3, "loop", k) for k in range(5, 12)]
    pairs = pairwise(chain)
    edges = [Edge(one.id, other.id, 0, 0, None) for one, other in pairs]
    small = folded(Graph(tuple(chain), tuple(edges)))
    [fold] = [node for node in small.nodes if node.kind == FOLD]
    assert fold.settings == {"repetitions": 6, "of": 12, "nodes": 7}
    assert all(edge.source < edge.target for edge in small.edges)
    assert len(small.edges) == len(small.nodes) - 1


def test_the_repetitions_of_a_graph_without_a_loop_are_one():
    assert repetitions(article()) == 1
    assert repetitions(graph_of("graph")) == 5


# The drawing


@pytest.mark.parametrize("graph", [graph_of("at"), article()], ids=["word", "article"])
def test_every_node_has_a_box_and_every_edge_a_line_that_leads_down(graph):
    drawing = drawing_of(graph)
    boxes, points = rows(drawing, "boxes"), rows(drawing, "edges")
    assert len({(box["x"], box["y"]) for box in boxes}) == len(graph.nodes)
    assert [box["look"] == "leaf" for box in boxes] == [
        node in graph.leaves for node in graph.nodes
    ]
    for i, edge in enumerate(graph.edges):
        line = [point for point in points if point["edge"] == i]
        assert [point["y"] for point in line] == sorted(point["y"] for point in line)
        assert [point["end"] for point in line] == [False] * (len(line) - 1) + [True]
        place = {node.id: box for node, box in zip(graph.nodes, boxes, strict=True)}
        ends = place[edge.source]["x"], place[edge.target]["x"]
        assert (line[0]["x"], line[-1]["x"]) == ends


def test_pointers_have_their_heads_at_what_a_node_was_made_from():
    def value(drawing, name):
        return next(one["value"] for one in drawing["params"] if one["name"] == name)

    way, back = drawing_of(article()), drawing_of(article(), pointers=True)
    assert (value(way, "pointers"), value(back, "pointers")) == (False, True)
    assert rows(way, "edges") == rows(back, "edges")
    assert "pointers ? datum.order === 0 : datum.end" in str(back["layer"])


def test_a_box_tells_its_operation_and_its_numbers_and_a_leaf_its_name():
    graph = graph_of("at")
    boxes = rows(drawing_of(graph), "boxes")
    names = [box["name"] for box in boxes]
    expected = "u Mm w Mm Add b Add Tanh Mm Mm Add Add Tanh Pow Sum"
    assert " ".join(names) == expected
    loss = boxes[-1]
    assert (loss["kind"], loss["shape"], loss["gradient"]) == ("SumBackward0", "one number", "1")
    assert float(loss["value"]) == pytest.approx(float(graph.nodes[-1].value), rel=5e-3)
    second = [box for box in boxes if box["expression"] == "h @ w"][1]
    assert (second["repetition"], second["shape"]) == ("2", "1 × 3")


def test_repetitions_stand_straight_below_each_other_with_the_input_at_the_left():
    for word in ("at", "graph", "abcdef"):
        boxes = rows(drawing_of(graph_of(word)), "boxes")
        chain = {box["x"] for box in boxes if box["name"] in ("Add", "Tanh", "Sum")}
        inputs = {box["x"] for box in boxes if box["expression"] == "x_t @ u"}
        assert (len(chain), len(inputs)) == (1, 1)
        assert max(inputs) < min(chain)


def test_labels_and_marks_go_to_the_nodes_they_are_meant_for():
    graph = article()
    w, b = graph.leaves
    boxes = rows(drawing_of(graph, labels={w.id: "#1"}, emphasised={b.id}), "boxes")
    assert [box["name"] for box in boxes if box["look"] == "leaf"] == ["w #1", "b"]
    assert [box["name"] for box in boxes if box["emphasised"]] == ["b"]


def test_a_fold_is_drawn_as_a_band_that_says_what_it_stands_for():
    boxes = rows(drawing_of(folded(graph_of("a" * LONGEST))), "boxes")
    [band] = [box for box in boxes if box["look"] == "fold"]
    assert band["name"] == "53 more times"
    assert band["kind"] == "265 nodes, drawn as one"
    assert [box for box in boxes if box["y"] == band["y"]] == [band]


def test_each_layer_takes_the_same_height_and_more_of_it_in_a_lecture(monkeypatch):
    shown = []
    monkeypatch.setattr(small_graph, "show", lambda figure, **size: shown.append(size))
    for word in ("a", "at", "ate"):
        show_graph(drawing_of(graph_of(word)), key=word)
    for one, two, three in ([size[name] for size in shown] for name in ("height", "in_hall")):
        assert three - two == two - one > 0
    assert shown[0]["in_hall"] > 1.5 * shown[0]["height"]


def test_a_graph_without_nodes_or_edges_can_be_drawn():
    alone = Node(1, "AccumulateGrad", None, "", 0, OUTPUT, {}, {})
    for nodes in ((), (alone,)):
        assert len(rows(drawing_of(Graph(nodes, ())), "boxes")) == len(nodes)


def test_the_short_name_of_an_operation():
    names = ["MulBackward0", "NllLossBackward0", "AccumulateGrad", "DoubledBackward"]
    assert [short(name) for name in names] == ["Mul", "NllLoss", "AccumulateGrad", "Doubled"]


def test_300_nodes_are_folded_and_drawn_in_well_under_150_ms():
    graph = graph_of("a" * LONGEST)
    drawing_of(folded(graph))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        drawing_of(folded(graph))
        times.append(time.perf_counter() - start)
    assert min(times) < 0.15
