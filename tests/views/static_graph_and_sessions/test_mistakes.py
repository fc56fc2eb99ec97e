"""Mistakes with sessions, and while a graph is built, as a visitor reads of them."""

import re

import pytest

from engines.recurrent import tf_cells
from engines.static_graph_and_sessions import adding
from tests.support.visit import live_texts, visit, words
from views.static_graph_and_sessions.mistakes import ENDS, OPENS, TOLD, broken
from views.ui.errors import explanation
from views.ui.texts import as_html

ENDED = {
    "not_fed": "stopped",
    "wrong_shape": "refused",
    "not_initialized": "stopped",
    "closed": "refused",
    "if": "refused",
    "any_length": "refused",
    "other_length": "refused",
}
MARKED = {
    "not_fed": "print(session.run(c, {a: a_value}))",
    "wrong_shape": "print(session.run(c, {a: [a_value, a_value], b: b_value}))",
    "not_initialized": "# session.run(initialize)",
    "closed": "session.close()  # too early",
    "any_length": "x, u, w, b = inputs(letters=None)",
}


def opened(mistake, guess=None):
    at = visit("static_graph_and_sessions", chapter="mistakes", mistake=mistake)
    if guess:
        at.segmented_control(key=f"guess of {mistake}").set_value(guess).run()
    assert not at.exception
    return at


def test_every_mistake_is_told():
    assert [*TOLD] == [*adding.MISTAKES, *tf_cells.MISTAKES] == [*ENDED]


@pytest.mark.parametrize(("mistake", "end"), ENDED.items())
def test_a_mistake_is_told_once_somebody_has_said_how_it_ends(mistake, end):
    at = opened(mistake)
    said = broken(mistake).message
    assert broken(mistake).end == end
    assert as_html(TOLD[mistake].story) not in live_texts(at)
    assert said.sentence not in "\n".join(code.value for code in at.code)
    at.segmented_control(key=f"guess of {mistake}").set_value(end).run()
    assert f"Yes: <b>{ENDS[end]}</b>" in live_texts(at)
    assert as_html(TOLD[mistake].story) in live_texts(at)
    assert (
        at.code[-1].value == f"{said.error}: {said.sentence}"
    )  # all of it, below where it is long
    phrases, mend = explanation(said.sentence)
    assert phrases
    assert all(f"`{phrase}`" in words(at) for phrase in phrases)
    assert f"**To mend it.** {mend}" in words(at)


def test_where_the_run_stopped_stands_before_its_words():
    assert "stopped at the operation <code>ReadVariableOp</code>" in live_texts(
        opened("not_initialized", "show")
    )
    refused = live_texts(opened("closed", "show"))
    assert "refused before any operation runs" in refused
    assert "at the operation" not in refused


@pytest.mark.parametrize(("mistake", "line"), MARKED.items())
def test_the_program_is_shown_whole_and_the_wrong_line_marked(mistake, line):
    html = live_texts(opened(mistake))
    [marked] = re.findall('<li class="changed">(.*?)</li>', html)
    assert re.sub("<.*?>", "", marked).strip() == line
    assert "yield" not in html
    assert not re.search(r"<code>\W*(<.*?>)?return", html)


def test_what_should_stand_there_is_said_where_something_is_missing():
    assert broken("closed").right.strip() == ""
    assert "session.run(initialize)\nsession.close()  # too early\nprint(" in broken("closed").code
    assert broken("not_fed").right.strip() == "print(session.run(c, {a: a_value, b: b_value}))"


def test_a_mistake_that_is_none_of_them_is_refused():
    at = opened("<script>")
    assert any("mistake = `<script>`" in warning.value for warning in at.warning)
    assert at.button_group(key="mistake").value == OPENS
