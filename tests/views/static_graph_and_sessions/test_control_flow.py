"""Control flow in a static graph, as a visitor meets it."""

import re
from functools import cache

import altair as alt
import numpy as np
import pytest

from engines.recurrent import torch_cell
from tests.support.visit import charts, live_texts, player, plays, series, table, titles, words
from tests.support.visit import visit as visit_page
from views.static_graph_and_sessions import control_flow


def visit(guess="show", **query):
    """A visit by somebody who has given this guess as the answer; None for no answer yet."""
    at = visit_page("static_graph_and_sessions", chapter="control_flow", **query)
    if guess:
        at.segmented_control(key="guess of a longer word").set_value(guess).run()
    assert not at.exception
    return at


slope = pytest.fixture(scope="module", name="slope")(lambda: visit(word="slope"))
unanswered = cache(lambda: visit(None))


def rows(at, first):
    """The rows of the table whose first head is `first`, as lists of texts."""
    [table] = [text for text in live_texts(at).split("\n") if f"<th>{first}</th>" in text]
    found = [
        re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", table)
    ]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in found]


def test_before_the_answer_both_listings_are_there_and_no_picture():
    html = live_texts(unanswered())
    assert "tf.while_loop" in re.sub("<.*?>", "", html)
    assert "tf.unstack" in re.sub("<.*?>", "", html)
    assert not charts(unanswered())


@pytest.mark.parametrize(("guess", "opening"), [("same", "Yes:"), ("more", "Not quite:")])
def test_the_right_answer_comes_from_the_graphs(guess, opening):
    assert f"{opening} **the same number**" in words(visit(guess))


def test_the_player_goes_from_letter_to_letter_and_counts_what_is_written(slope):
    assert player(slope)["begin"] == [5, None]
    counts = [control_flow.count(letters) for letters in range(control_flow.MOST + 1)]
    loop, unrolled = zip(*counts, strict=True)
    plays(slope, "loop", np.array(loop))
    plays(slope, "unrolled", np.array(unrolled))
    assert len(set(loop)) == 1
    assert series(slope)["letters"].tolist() == [*range(control_flow.MOST + 1)]
    assert player(slope)["words"]["step"] == "letters in the word: {step}"


def test_the_sentence_adds_up_to_the_count_and_says_where_the_loop_is_the_smaller(slope):
    each, rest = map(int, re.search(r"takes (\d+)·.*? \+ (\d+) =", live_texts(slope)).groups())
    for letters in (0, 1, 7):
        assert control_flow.count(letters)[1] == letters * each + rest
    longer = int(re.search(r"From (\d+) letters on", words(slope))[1])
    for letters, larger in ((longer - 1, False), (longer, True)):
        looped, unrolled = control_flow.count(letters)
        assert (unrolled > looped) == larger


def test_every_reader_of_the_word_has_pytorchs_loss(slope):
    _, *readers = rows(slope, "what reads")
    assert len(readers) == 4
    [loss] = {row[1] for row in readers}
    [exact] = torch_cell.read("slope", **torch_cell.parameters())
    assert loss == f"{exact:.15g}"
    assert all(float(row[2].replace("−", "-")) < 1e-12 for row in readers[1:])
    assert [row[3] for row in readers[:3]] == ["none", "StatelessWhile, StatelessIf", "StatelessIf"]
    links = [one.proto for one in slope.get("page_link")]
    [link] = [one for one in links if one.label == "This word on the dynamic page"]
    assert "chapter=control_flow" in link.query_string
    assert "word=slope" in link.query_string


def test_the_pictures_are_charts_that_can_be_drawn(slope):
    graphs = ["The loop", "One iteration", "Unrolled, up to 3 letters"]
    assert titles(slope) == ["Operations written", *graphs, "What h passes in the loop"]
    for chart in charts(slope):
        alt.Chart.from_dict(chart)


def test_each_letter_adds_a_copy_of_the_cell_below_the_last(slope):
    boxes = table(slope, 3, "boxes")
    copies = boxes[boxes["since"] > 0].groupby("since")
    assert (
        copies["kind"].apply(sorted).tolist()
        == [["AddV2", "AddV2", "MatMul", "MatMul", "Tanh"]] * 3
    )
    assert (copies["y"].min().diff().dropna() == 4).all()
    assert boxes.groupby(["x", "y"]).size().max() == 1  # none lies on another
    assert "datum.since <= toNumber(now[0])" in str(charts(slope)[3])
    assert "now[0]" not in str(charts(slope)[1])  # the loop stays as it is


def test_in_a_hall_the_boxes_have_room_because_one_picture_is_left_out():
    shown = titles(visit(lecture="true"))
    assert shown[:3] == ["Operations written", "One iteration", "Unrolled, up to 3 letters"]


def test_the_table_of_the_executed_loop_explains_every_kind_and_says_how_often_it_ran(slope):
    _, *kinds = rows(slope, "in the executed loop")
    assert all(len(name.split(" ", 1)) == 2 and name.split(" ", 1)[1] for name, *_ in kinds)
    ran = {name.split()[0]: runs for name, _, runs in kinds}
    assert (ran["Enter"], ran["Merge"], ran["MatMul"], ran["Exit"]) == ("1", "6", "5", "1")
    assert {name.split()[0] for name, *_ in kinds} == {*control_flow.DOES}


def test_what_goes_round_is_what_the_sentence_names(slope):
    merge = next(row for row in rows(slope, "in the executed loop") if row[0].startswith("Merge"))
    assert merge[1] == str(len(("h", "two", "counters", "x", "u", "w", "b")))
    assert f"{merge[1]} values go round: besides h and the two counters" in words(slope)


def test_the_branch_that_is_not_taken_has_no_time(slope):
    _, *branches = rows(slope, "branch")
    assert [name for name, *_ in branches] == ["then", "else"]
    assert [ran == "–" for _, ran, _ in branches] == [False, True]
    assert [did_not == "–" for *_, did_not in branches] == [True, False]


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("<b>$x$*`", "<b>$x$*`"),
        ("w" * 80, "w" * 59),
        ("\u202e\n", "abracadabra"),
        ("é漢🙂", "é漢🙂"),
    ],
)
def test_hostile_words_are_read_or_cut_and_never_understood_as_markup(word, read):
    at = visit(word=word)
    heading = "".join(f"&#{ord(letter)};" for letter in read)
    assert f"“{heading}” in every graph" in words(at)
    assert "<b>$" not in words(at) + live_texts(at)
