"""The tape and the graph side by side, as a visitor reads of them."""

import re

import pytest

from engines.dynamic_graph import tape, torch_listings
from tests.support.visit import live_texts, visit_section, words
from views.dynamic_graph.tape import WAYS

E5 = (1.0, 2.0, 3.0, 4.0)
FRAMEWORKS = (tape, torch_listings)


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from engines.dynamic_graph import tape, torch_listings
    from views.dynamic_graph import tape as eager
    from views.ui.controls import Controls

    def look(*numbers):
        st.session_state["asked for"] = numbers
        return [
            (engine.record(*numbers), engine.run_all(*numbers)) for engine in (tape, torch_listings)
        ]

    controls = Controls("section")
    eager.compare(controls, look)
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


def table(at):
    """The rows of the table of what was written down, as lists of texts."""
    rows = re.findall("<tr>(.*?)</tr>", live_texts(at).replace("&nbsp;", " "))
    cells = [re.findall("<t[hd]>(.*?)</t[hd]>", row) for row in rows]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in cells]


def codes(at):
    return [element.value for element in at.code]


def formula(at):
    [element] = at.latex
    return element.value


def test_the_first_visit_shows_the_articles_numbers_in_both_frameworks():
    at = visit()
    shown = codes(at)
    assert [shown[1], shown[3]] == ["tf.Tensor(6, shape=(), dtype=int32)", "tensor(6)"]
    assert [shown[5], shown[7]] == ["27.0\n10.0", "27.0\n10.0"]
    assert r"\mathbf{10}" in formula(at)
    assert at.session_state["refused"] == []


def test_the_table_has_each_operation_with_what_both_wrote_down():
    head, *rows = table(visit())
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
    assert at.session_state["asked for"] == (3, -1, 0.5, -2)
    assert codes(at)[5] == codes(at)[7] == "14.5\n-13.0"
    assert r"2 \cdot (3) \cdot (-2) + (-1)" in formula(at)
    assert r"\mathbf{-13}" in formula(at)
    rows = {row[0]: row[1:] for row in table(at)}
    assert rows["w"] == ["-2", "watch", "-13", "AccumulateGrad", "-13"]
    assert rows["w**2"] == ["4", "Pow", "3", "PowBackward0", "3"]
    at.number_input(key="tape_w").set_value(5).run()
    assert r"\mathbf{29}" in formula(at)


@pytest.mark.parametrize("hostile", ["nan", "-inf", "1e308", "101", "w"])
def test_hostile_numbers_are_refused_or_bounded(hostile):
    at = visit(tape_a=hostile, tape_w=hostile)
    assert all(abs(number) <= 100 for number in at.session_state["asked for"])
    assert {name for name, *_ in at.session_state["refused"]} == {"tape_a", "tape_w"}


def test_a_way_that_is_none_of_them_is_refused():
    at = visit(ask="<script>")
    assert at.session_state["refused"] == [("ask", "<script>", "none")]
    assert not at.segmented_control


# Other ways to ask


def test_every_way_is_a_listing_of_both_frameworks():
    for engine in FRAMEWORKS:
        assert set(engine.run_all(*E5)) == {*WAYS, "derivative", "two_and_four", "parabola"}


@pytest.mark.parametrize("way", WAYS)
def test_every_phrase_explained_is_in_a_message_and_every_message_is_explained(way):
    said = [engine.run_all(*E5)[way][1] for engine in FRAMEWORKS]
    messages = [text for text in said if text.startswith("RuntimeError")]
    phrases = WAYS[way].phrases
    assert all(any(phrase in message for message in messages) for phrase in phrases)
    assert all(any(phrase in message for phrase in phrases) for message in messages)


@pytest.mark.parametrize(
    ("way", "does"),
    [
        ("not_watched", "it answers with None"),
        ("variable", "it answers with the slope"),
        ("asked_twice", "it raises an error"),
        ("kept", "it answers with the slope"),
    ],
)
def test_a_way_is_told_once_somebody_has_said_what_happens(way, does):
    at = visit(ask=way)
    assert WAYS[way].story not in words(at)
    said = [engine.run_all(*E5)[way][1] for engine in FRAMEWORKS]
    assert not set(said) & set(codes(at))
    at.segmented_control[0].set_value("show").run()
    assert f"**{does}**" in words(at)
    assert codes(at)[-2:] == said
    assert WAYS[way].story in words(at)
    assert all(f"`{phrase}`" in words(at) for phrase in WAYS[way].phrases)


def test_in_lecture_mode_the_frameworks_stand_below_each_other():
    assert len(visit().columns) - len(visit(lecture="true").columns) == 2 * 3
