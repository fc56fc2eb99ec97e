"""A small graph shows every node and edge; a folded one says how many it does not draw."""

import time
from itertools import pairwise

import pytest
from streamlit.testing.v1 import AppTest

from engines.graphs.autograd import Edge, Graph, Node, Output
from engines.graphs.read_torch import record
from engines.problem import preset
from engines.recurrent.torch_cell import LONGEST, parameters, read
from engines.regression.torch_autograd import train
from tests.support.visit import charts, live_texts, words
from views.dynamic_graph.recurrent import ANSWERS, FIRST_WORD, WORDS, readable
from views.graphs.small_graph import FOLD, KEPT, draw_graph, folded, height, repetitions, short

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
    assert band["name"] == "53 of 59 repetitions, 265 nodes"
    assert [box for box in boxes if box["y"] == band["y"]] == [band]


def test_each_layer_takes_the_same_height_and_more_of_it_in_a_lecture():
    heights = [
        [height(drawing_of(graph_of(word)), lecture=lecture) for word in ("a", "at", "ate")]
        for lecture in (False, True)
    ]
    for one, two, three in heights:
        assert three - two == two - one > 0
    assert heights[1][0] > 1.5 * heights[0][0]


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
    for attempt in range(3):
        start = time.perf_counter()
        drawing_of(folded(graph), key=attempt)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.15


# The section


def section():
    import streamlit as st

    from engines.recurrent.torch_cell import LONGEST, look_at
    from views.dynamic_graph import recurrent
    from views.ui.controls import Controls

    controls = Controls("section")
    if recurrent.ask(look_at):
        recurrent.compare(controls, look_at, longest=LONGEST, lecture=False)
        st.text(f"address: {st.query_params.get('word')}")


def visit(guess="show", **query):
    at = AppTest.from_function(section, default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    return at.segmented_control[0].set_value(guess).run() if guess else at


def cells(at, row):
    [line] = [line for line in live_texts(at).split("<tr>") if line.startswith(f"<th>{row}")]
    return [cell.split("</td>")[0] for cell in line.split("<td>")[1:]]


def captions(at):
    return " ".join(caption.value for caption in at.caption)


def test_the_graphs_are_shown_after_a_prediction_that_had_what_it_needs():
    at = visit(guess=None)
    assert "**10 nodes**" in words(at)
    assert "**15 nodes**" in words(at)
    assert "30" in ANSWERS
    assert not charts(at)


@pytest.mark.parametrize(
    ("guess", "opening"), [("30", "Yes"), ("25", "Not quite"), ("show", "The answer")]
)
def test_a_prediction_is_answered_from_the_real_graph(guess, opening):
    at = visit(guess)
    assert f"{opening}" in words(at)
    assert "**30 nodes**" in words(at)
    assert "**5n + 5**" in words(at)
    assert cells(at, "nodes") == ["30", "30", "60"]


def test_three_words_stand_side_by_side_each_with_its_graph_branch_and_check():
    at = visit()
    assert [chart["title"]["text"] for chart in charts(at)] == [
        "“slope”",
        "“graph”",
        "“abracadabra”",
    ]
    assert cells(at, "letters") == ["5", "5", "11"]
    assert cells(at, "its node")[:2] == ["PowBackward0", "AbsBackward0"]  # of words of one length
    errors = [float(cell.removeprefix("<b>").removesuffix("</b>")) for cell in cells(at, "rel")]
    assert max(errors) < 1e-7


def test_a_typed_word_gets_its_graph_and_goes_into_the_address():
    at = visit()
    at.text_input(key="word").set_value("backstep").run()
    assert cells(at, "nodes") == ["30", "30", "45"]
    assert at.text[0].value == "address: backstep"
    at.text_input(key="word").set_value(FIRST_WORD).run()
    assert at.text[0].value == "address: None"


def test_a_word_in_the_address_is_the_one_shown():
    at = visit(word="hello")
    assert at.text_input(key="word").value == "hello"
    assert cells(at, "nodes") == ["30", "30", "30"]
    assert not [caption for caption in at.caption if "word" in caption.value]


MARKUP = [
    "<script>alert(1)</script>",
    "$x$",
    "**b**",
    "[a](b)",
    "`c`",
    ":red[x]",
    "🙂",
    "中文",
    "&amp;",
]


@pytest.mark.parametrize("word", MARKUP)
@pytest.mark.parametrize("way", ["typed", "linked"])
def test_a_word_is_never_taken_for_markup(word, way):
    at = visit(word=word) if way == "linked" else visit()
    if way == "typed":
        at.text_input(key="word").set_value(word).run()
    assert not at.exception
    assert cells(at, "nodes")[-1] == str(5 * len(word) + 5)
    assert word not in words(at) + captions(at)
    assert "<script" not in live_texts(at)
    assert charts(at)[-1]["title"]["text"] == f"“{word}”"


@pytest.mark.parametrize("way", ["typed", "linked"])
@pytest.mark.parametrize(
    ("asked", "used", "told"),
    [
        ("", FIRST_WORD, "There is no letter to read"),
        (" \t\n ", FIRST_WORD, "There is no letter to read"),
        ("\u202e\u200b", FIRST_WORD, "There is no letter to read"),
        ("a\u202eb", "ab", "What cannot be seen in your word is left out."),
    ],
)
def test_what_is_no_word_is_bounded_and_a_sentence_says_so(asked, used, told, way):
    at = visit(word=asked) if way == "linked" else visit()
    if way == "typed":
        at.text_input(key="word").set_value(asked).run()
    assert not at.exception
    assert told in captions(at)
    assert cells(at, "nodes")[-1] == str(5 * len(used) + 5)
    assert at.text[0].value == f"address: {None if used == FIRST_WORD else used}"


@pytest.mark.parametrize(
    "text", ["a b", " a ", "x" * 99, "ab " * 30, "\x00a", "é", "a\u202eb" * 40]
)
def test_a_readable_word_is_left_as_it_is(text):
    word = readable(text, LONGEST)
    assert 1 <= len(word) <= LONGEST
    assert readable(word, LONGEST) == word


def test_only_a_word_with_more_repetitions_than_are_drawn_is_said_to_be_folded():
    assert "dashed band" in captions(visit(word="a" * (2 * KEPT + 1)))
    assert "dashed band" not in captions(visit(word="a" * 2 * KEPT))
    assert max(map(len, WORDS)) <= 2 * KEPT
