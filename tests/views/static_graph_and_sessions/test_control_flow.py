"""Control flow in a static graph and tf.function, as a visitor reads of them."""

import re

import altair as alt
import pytest
import streamlit as st

from engines.recurrent import torch_cell
from engines.static_graph_and_sessions import tracing
from tests.support.visit import charts, live_texts, visit_section, words
from views.static_graph_and_sessions import control_flow
from views.static_graph_and_sessions import tracing as traced

WORD, CALLS = "a longer word", "three calls"  # the two questions


def section():
    """A page that has nothing but these."""
    import streamlit as st

    from views.static_graph_and_sessions import control_flow, tracing
    from views.ui.controls import Controls

    controls = Controls("section")
    control_flow.section(controls)
    tracing.section(controls)
    st.session_state["refused"] = controls.refused


@pytest.fixture(scope="module", autouse=True)
def links():
    """Where the links of the section lead; the other pages are not there in a test of a section."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "page_link", lambda page, **more: seen.append((page, more)))
        yield seen


@pytest.fixture(scope="module")
def slope(links):
    """A visit with a word that takes the first branch."""
    return visit(WORD, word="slope", lecture="true")


def visit(*answered, guess="show", **query):
    """A visit by somebody who has given this guess as the answer to these questions."""
    state = {f"guess of {question}": guess for question in answered}
    return visit_section(section, state, **query)


def rows(at, first):
    """The rows of the table whose first head is `first`, as lists of texts."""
    [table] = [text for text in live_texts(at).split("\n") if f"<th>{first}</th>" in text]
    found = [
        re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", table)
    ]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in found]


def test_nothing_is_told_before_somebody_has_said_what_they_expect():
    at = visit()
    assert [control.label.split(":")[0] for control in at.segmented_control] == [
        "Before you look"
    ] * 2
    assert len(at.code) == 3  # the listings
    assert not charts(at)


@pytest.mark.parametrize(("guess", "opening"), [("same", "Yes:"), ("more", "Not quite:")])
def test_the_right_answer_comes_from_the_graphs(guess, opening):
    at = visit(WORD, guess=guess)
    assert f"{opening} **the same number**" in words(at)


def test_the_counts_are_those_of_the_graphs_for_the_visitors_word_too():
    head, loop, unrolled = rows(visit(WORD, word="slope!!"), "letters")
    assert head == ["letters", "1", "2", "5", "7"]
    counts = [control_flow.count(letters) for letters in (1, 2, 5, 7)]
    assert loop[1:] == [str(one) for one, _ in counts]
    assert unrolled[1:] == [str(one) for _, one in counts]


def test_the_sentence_says_from_how_many_letters_on_the_loop_is_the_smaller_graph(slope):
    said = re.search(r"\*\*5n \+ (\d+)\*\* operations: from (\d+) letters", words(slope))
    rest, longer = map(int, said.groups())
    assert control_flow.count(2)[1] == 10 + rest
    for letters, larger in ((longer - 1, False), (longer, True)):
        looped, unrolled = control_flow.count(letters)
        assert (unrolled > looped) == larger


def test_every_reader_of_the_word_has_pytorchs_loss(slope, links):
    _, *readers = rows(slope, "what reads")
    assert len(readers) == 4
    [loss] = {row[1] for row in readers}
    [exact] = torch_cell.read("slope", **torch_cell.parameters())
    assert loss == f"{exact:.15g}"
    assert all(float(row[2].replace("−", "-")) < 1e-12 for row in readers[1:])
    assert [row[3] for row in readers[:3]] == ["none", "StatelessWhile, StatelessIf", "StatelessIf"]
    [more] = [more for _, more in links if more["query_params"]["word"] == "slope"]
    assert more["query_params"] == {"word": "slope", "lecture": "true"}
    assert {page for page, _ in links} == {"pages/dynamic_graph.py"}


def test_the_pictures_are_charts_that_can_be_drawn(slope):
    shown = charts(slope)
    titles = [chart["title"]["text"] for chart in shown]
    assert titles == [
        "As written: the loop",
        "Inside the loop: one iteration",
        "As written: unrolled, 2 letters",
        "What h passes in the loop",
    ]
    for chart in shown:
        alt.Chart.from_dict(chart)


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
    at = visit(WORD, word=word)
    heading = "".join(f"&#{ord(letter)};" for letter in read)
    assert f"“{heading}” in every graph" in words(at)
    assert "<b>$" not in words(at) + live_texts(at)


# tf.function


def test_the_question_is_answered_by_the_calls_themselves():
    at = visit(CALLS, guess="1")
    assert "Yes: **once**" in words(at)


@pytest.mark.parametrize("name", tracing.SERIES)
def test_a_row_of_calls_is_told_with_its_table(name):
    at = visit(CALLS, calls=name)
    calls = traced.run(name)
    _, *shown = rows(at, "call")
    assert [row[0] for row in shown] == [call.call for call in calls]
    assert [row[2] for row in shown] == [str(call.traces) for call in calls]
    assert [row[1] for row in shown] == [
        call.noted.replace("<", "&lt;").replace(">", "&gt;") or "nothing: Python did not run"
        for call in calls
    ]
    assert (
        f"**Calls: {len(calls)}. Traces: {calls[-1].traces}.** {traced.TOLD[name]['story']}"
        in words(at)
    )


def test_what_tracing_costs_is_measured_and_said():
    said = re.search(
        r"took ([\d.]+) ms at the median.*took ([\d.]+) ms", words(visit(CALLS, calls="numbers"))
    )
    slow, fast = map(float, said.groups())
    assert slow > fast


def test_calls_that_are_none_of_them_are_refused():
    at = visit(CALLS, calls="nan")
    assert ("calls", "nan", "tensors") in at.session_state["refused"]
