"""Words beside their graphs: predicted, drawn, counted and checked."""

import pytest

from engines.recurrent.torch_cell import LONGEST
from tests.support.visit import live_texts, titles, words
from tests.support.visit import visit as visit_page
from views.dynamic_graph.recurrent import ANSWERS, WORDS
from views.graphs.small_graph import KEPT


def visit(guess="show", **query):
    at = visit_page("dynamic_graph", chapter="control_flow", **query)
    return at.segmented_control(key="guess of five letters").set_value(guess).run() if guess else at


def cells(at, row):
    [line] = [line for line in live_texts(at).split("<tr>") if line.startswith(f"<th>{row}")]
    return [cell.split("</td>")[0] for cell in line.split("<td>")[1:]]


def captions(at):
    return " ".join(caption.value for caption in at.caption)


@pytest.fixture(scope="module")
def first_visit():
    return visit()


def test_the_graphs_are_shown_after_a_prediction_that_had_what_it_needs():
    at = visit(guess=None)
    [asked] = at.segmented_control
    assert "**10 nodes**" in asked.label
    assert "**15 nodes**" in asked.label
    assert "30" in ANSWERS
    assert titles(at) == ["10 · a", "15 · at"]


def test_a_prediction_is_answered_from_the_real_graph(first_visit):
    assert "Yes: **30 nodes**" in words(visit("30"))
    assert "Not quite: **30 nodes**" in words(visit("25"))
    assert "<b>5n + 5</b>" in live_texts(first_visit)


def test_the_branch_that_an_if_took_is_told_from_the_graphs(first_visit):
    assert "“slope” has <b>Pow</b>, and “graph” <b>Abs</b>" in live_texts(first_visit)


def test_three_words_stand_side_by_side_each_with_its_graph_branch_and_check(first_visit):
    assert titles(first_visit) == [
        "30 · slope",
        "30 · graph",
        "60 · abracadabra",
    ]
    assert cells(first_visit, "letters") == ["5", "5", "11"]
    assert cells(first_visit, "nodes") == ["30", "30", "60"]
    branches = cells(first_visit, "its node")[:2]  # of words of one length
    assert branches == ["PowBackward0", "AbsBackward0"]
    errors = [cell.removeprefix("<b>").removesuffix("</b>") for cell in cells(first_visit, "rel")]
    assert max(float(error.replace("−", "-")) for error in errors) < 1e-7


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", "$x$", "**b**", "[a](b)", "&amp;"])
def test_a_word_is_never_taken_for_markup(word):
    at = visit(word=word)
    assert cells(at, "nodes")[-1] == str(5 * len(word) + 5)
    assert word not in words(at) + captions(at)
    assert "<script" not in live_texts(at)
    assert titles(at)[-1] == f"{5 * len(word) + 5} · {word}"


def test_only_a_word_with_more_repetitions_than_are_drawn_is_said_to_be_folded():
    assert "dashed band" in captions(visit(word="a" * (2 * KEPT + 1)))
    assert "dashed band" not in captions(visit(word="a" * 2 * KEPT))
    assert max(map(len, WORDS)) <= 2 * KEPT < LONGEST
