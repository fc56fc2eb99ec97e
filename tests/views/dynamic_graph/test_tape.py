"""The tape and the graph side by side, as a visitor reads of them."""

import re

import pytest

from engines.dynamic_graph import tape, torch_listings
from tests.support.visit import live_texts, visit_section, words
from views.dynamic_graph.tape import WAYS
from views.ui.errors import explanation

E5 = (1.0, 2.0, 3.0, 4.0)
FRAMEWORKS = (tape, torch_listings)


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from views.dynamic_graph import tape
    from views.ui.controls import Controls

    controls = Controls("section")
    tape.compare(controls)
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


def table(at):
    """The rows of the table of what was recorded, as lists of texts."""
    rows = re.findall("<tr>(.*?)</tr>", live_texts(at).replace("&nbsp;", " "))
    cells = [re.findall("<t[hd]>(.*?)</t[hd]>", row) for row in rows]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in cells]


def codes(at):
    return [element.value for element in at.code]


def formula(at):
    [element] = at.latex
    return element.value


@pytest.fixture(scope="module")
def first_visit():
    return visit()


def test_the_first_visit_shows_the_articles_numbers_in_both_frameworks(first_visit):
    shown = codes(first_visit)
    assert [shown[1], shown[3]] == ["tf.Tensor(6, shape=(), dtype=int32)", "tensor(6)"]
    assert [shown[5], shown[7]] == ["27.0\n10.0", "27.0\n10.0"]
    assert r"\mathbf{10}" in formula(first_visit)
    assert first_visit.session_state["refused"] == []


def test_the_table_has_each_operation_with_what_both_recorded(first_visit):
    head, *rows = table(first_visit)
    slope = "slope dy/d(value)"
    assert head == [
        "what ran", "value", "on TensorFlow's tape", slope, "in PyTorch's graph", slope
    ]  # fmt: skip
    assert rows == [
        ["w", "4", "watch", "10", "AccumulateGrad", "10"],
        ["a * b", "2", "nothing", "none", "nothing", "none"],
        ["w**2", "16", "Pow", "1", "PowBackward0", "1"],
        ["a * w**2", "16", "Mul", "1", "MulBackward0", "1"],
        ["b * w", "8", "Mul", "1", "MulBackward0", "1"],
        ["a * w**2 + b * w", "24", "AddV2", "1", "AddBackward0", "1"],
        ["a * w**2 + b * w + c", "27", "AddV2", "1", "AddBackward0", "1"],
    ]


def test_other_numbers_change_every_answer():
    at = visit(tape_a="3", tape_b="-1", tape_c="0.5", tape_w="-2")
    assert codes(at)[5] == codes(at)[7] == "14.5\n-13.0"
    assert r"2 \cdot (3) \cdot (-2) + (-1)" in formula(at)
    assert r"\mathbf{-13}" in formula(at)
    rows = {row[0]: row[1:] for row in table(at)}
    assert rows["w"] == ["−2", "watch", "−13", "AccumulateGrad", "−13"]
    assert rows["w**2"] == ["4", "Pow", "3", "PowBackward0", "3"]
    at.number_input(key="tape_w").set_value(5).run()
    assert r"\mathbf{29}" in formula(at)


def test_hostile_numbers_are_refused_or_bounded():
    at = visit(tape_a="nan", tape_b="-inf", tape_c="1e308", tape_w="w")
    assert all(abs(one.value) <= 100 for one in at.number_input)
    assert {name for name, *_ in at.session_state["refused"]} == {
        "tape_a",
        "tape_b",
        "tape_c",
        "tape_w",
    }


def test_a_way_that_is_none_of_them_is_refused():
    at = visit(tape_question="<script>")
    assert at.session_state["refused"] == [("tape_question", "<script>", "none")]
    assert not at.segmented_control


# Other ways to ask


def test_every_way_is_a_listing_of_both_frameworks():
    for engine in FRAMEWORKS:
        assert set(engine.run_all(*E5)) == {*WAYS, "derivative", "two_and_four", "parabola"}


@pytest.mark.parametrize("way", WAYS)
def test_every_message_is_explained(way):
    said = [engine.run_all(*E5)[way][1] for engine in FRAMEWORKS]
    messages = [text for text in said if text.startswith("RuntimeError")]
    assert all(explanation(message)[0] for message in messages)


@pytest.mark.parametrize(
    ("way", "does"),
    [
        ("not_watched", "it answers with None"),
        ("variable", "it answers with the slope"),
        ("asked_again", "it raises an error"),
        ("persistent", "it answers with the slope"),
    ],
)
def test_a_way_is_told_once_somebody_has_said_what_happens(way, does):
    at = visit(tape_question=way)
    assert WAYS[way].story.strip() not in words(at)
    said = [engine.run_all(*E5)[way][1] for engine in FRAMEWORKS]
    assert not set(said) & set(codes(at))
    at.segmented_control[0].set_value("show").run()
    assert f"**{does}**" in words(at)
    assert codes(at)[-2:] == said
    assert WAYS[way].story.strip() in words(at)
    messages = [text for text in said if text.startswith("RuntimeError")]
    phrases = [phrase for message in messages for phrase in explanation(message)[0]]
    assert all(f"`{phrase}`" in words(at) for phrase in phrases)


def test_in_lecture_mode_the_frameworks_stand_below_each_other(first_visit):
    assert len(first_visit.columns) - len(visit(lecture="true").columns) == 2 * 3
