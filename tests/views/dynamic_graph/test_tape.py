"""The tape and the graph side by side, as a visitor reads of them."""

import re

import pytest

from engines.dynamic_graph import tape, torch_listings
from tests.support.visit import live_texts, words
from tests.support.visit import table as boxes
from tests.support.visit import visit as visit_page
from views.dynamic_graph.tape import WAYS, _local, _recorded, in_both
from views.ui.errors import explanation
from views.ui.texts import as_html

E5 = (1.0, 2.0, 3.0, 4.0)
FRAMEWORKS = (tape, torch_listings)


def visit(**query):
    return visit_page("dynamic_graph", chapter="tape", **query)


def as_in_the_article(**query):
    return visit(tape_a="1", **query)


def table(at):
    """The rows of the table of what was recorded, as lists of texts."""
    rows = re.findall("<tr>(.*?)</tr>", live_texts(at).replace("&nbsp;", " "))
    cells = [re.findall("<t[hd]>(.*?)</t[hd]>", row.replace("<br>", ", ")) for row in rows]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in cells]


def codes(at):
    return [element.value for element in at.code]


def slope(at):
    """What the sentence on the stage says of dy/dw."""
    return re.search("2aw [+] b = <b>(.*?)</b>", live_texts(at))[1]


@pytest.fixture(scope="module")
def article():
    return as_in_the_article()


def test_the_articles_numbers_come_out_in_both_frameworks(article):
    shown = codes(article)
    assert [shown[1], shown[3]] == ["tf.Tensor(6, shape=(), dtype=int32)", "tensor(6)"]
    assert [shown[5], shown[7]] == ["27.0\n10.0", "27.0\n10.0"]
    assert slope(article) == "10"
    assert "prints **10.0**" in words(article)
    assert not article.warning


def test_the_table_has_each_operation_with_what_both_recorded(article):
    head, *rows = table(article)
    assert head == ["what ran", "value", "tape", "graph", "slope", "hands on"]
    assert rows == [
        ["w", "4", "watch", "AccumulateGrad", "10", ""],
        ["a * b", "2", "nothing", "nothing", "none", ""],
        ["w**2", "16", "Pow", "PowBackward0", "1", "1 · 2w = 8 to w"],
        ["a * …", "16", "Mul", "MulBackward0", "1", "1 · a = 1 to Pow"],
        ["b * w", "8", "Mul", "MulBackward0", "1", "1 · b = 2 to w"],
        ["… + …", "24", "AddV2", "AddBackward0", "1", "1 · 1 = 1 to Mul, 1 · 1 = 1 to Mul"],
        ["y = … + c", "27", "AddV2", "AddBackward0", "1", "1 · 1 = 1 to Add"],
    ]


@pytest.mark.parametrize("numbers", [(3.0, 2.0, 3.0, 4.0), (-2.5, 0.5, 1.0, -3.0)])
def test_what_is_handed_on_adds_up_to_the_slopes_that_both_frameworks_found(numbers):
    arrived = {}
    answers = in_both(*numbers)
    for recorded in (_recorded(answer.recorded) for answer in answers):
        for text, way in _local(*numbers).items():
            for to, (_, by) in way.items():
                arrived[to] = arrived.get(to, 0) + float(recorded[text].gradient) * by
        for to, slope in arrived.items():
            assert slope == pytest.approx(float(recorded[to].gradient))
        arrived.clear()


def test_other_numbers_change_every_answer():
    at = visit(tape_a="3", tape_b="-1", tape_c="0.5", tape_w="-2")
    assert codes(at)[5] == codes(at)[7] == "14.5\n-13.0"
    assert slope(at) == "−13"
    rows = {row[0]: row[1:] for row in table(at)}
    assert rows["w"] == ["−2", "watch", "AccumulateGrad", "−13", ""]
    assert rows["w**2"] == ["4", "Pow", "PowBackward0", "3", "3 · 2w = −12 to w"]
    assert set(boxes(at, 0, "boxes")["name"]) >= {"w (−13)", "Pow (3)", "Mul (1)"}
    at.number_input(key="tape_w").set_value(5).run()
    assert slope(at) == "29"


def test_hostile_numbers_are_refused_or_bounded():
    at = visit(tape_a="nan", tape_b="-inf", tape_c="1e308", tape_w="w")
    assert all(abs(one.value) <= 100 for one in at.number_input)
    assert all(f"for tape_{name} = " in at.warning[0].value for name in "abcw")


def test_a_way_that_is_none_of_them_is_refused():
    at = visit(tape_question="<script>")
    assert "for tape_question = `<script>`" in at.warning[0].value
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
        ("not_watched", "None"),
        ("variable", "the slope"),
        ("asked_again", "an error"),
        ("persistent", "the slope"),
    ],
)
def test_a_way_is_told_once_somebody_has_said_what_happens(way, does):
    at = as_in_the_article(tape_question=way)
    short, rest = WAYS[way].story.partition("\n\n")[::2]
    assert as_html(short) not in live_texts(at)
    said = [engine.run_all(*E5)[way][1] for engine in FRAMEWORKS]
    assert not set(said) & set(codes(at))
    at.segmented_control[0].set_value("show").run()
    assert f"The answer: <b>{does}</b>. {as_html(short)}" in live_texts(at)
    assert [said[i].startswith(codes(at)[i].removesuffix(" …")) for i in (0, 1)] == [True, True]
    assert set(said) <= set(codes(at))  # all of each, on the stage or below
    assert rest in words(at)
    messages = [text for text in said if text.startswith("RuntimeError")]
    phrases = [phrase for message in messages for phrase in explanation(message)[0]]
    assert all(f"`{phrase}`" in words(at) for phrase in phrases)
