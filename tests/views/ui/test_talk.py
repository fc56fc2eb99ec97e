"""The server's part of a talk: where a browser may ask to go, and what is prepared."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit as st

from tests.support.visit import visit, words
from views.ui import talk, texts
from views.ui.contents import PAGES

VIEWS = Path(talk.__file__).parents[1]
PLACES = sorted({stop["at"] for one in talk.PREPARED.values() for stop in one["stops"]})
OF_A_PLACE = {"chapter", "step", "moment"}
# With settings of the chapter's own; each page's mistakes stand in a file of theirs.
SETTLED = {at: dict(parse_qsl(urlsplit(at).query)) for at in PLACES}
MISTAKES = {at: query["mistake"] for at, query in SETTLED.items() if "mistake" in query}
OTHERS = [at for at, query in SETTLED.items() if set(query) - OF_A_PLACE - {"mistake"}]


@pytest.mark.parametrize("at", MISTAKES)
def test_a_prepared_mistake_is_one_of_its_page(at):
    page = urlsplit(at).path.removeprefix("/")
    assert MISTAKES[at] in texts.read(VIEWS / page / "mistakes.toml")


@pytest.mark.parametrize("at", OTHERS)
def test_a_prepared_setting_can_be_had(at):
    there = urlsplit(at)
    page = visit(there.path.removeprefix("/"), **dict(parse_qsl(there.query)))
    assert not page.exception
    assert "The address asks for" not in words(page)


def asked(sent, monkeypatch):
    monkeypatch.setattr(st, "session_state", {talk.KEY: {"go": sent}})
    return talk.asked()


def test_a_stop_is_a_page_and_its_settings(monkeypatch):
    query = {"chapter": "rate", "of_limit": "1.05", "step": "4"}
    stop = asked({"page": 1, "query": query}, monkeypatch)
    assert stop == (PAGES[1], query, True)
    asked_plainly = asked({"page": 1, "query": query, "lecture": False}, monkeypatch)
    assert asked_plainly == (PAGES[1], query, False)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "x",
        [],
        {"page": 99, "query": {}},
        {"page": "1", "query": {}},
        {"page": 1},
        {"page": 1, "query": ["a"]},
        {"page": 1, "query": {str(i): "" for i in range(talk.MOST + 1)}},
    ],
)
def test_what_is_no_stop_is_nothing(sent, monkeypatch):
    assert asked(sent, monkeypatch) is None


def test_of_the_settings_only_texts_of_a_bounded_length_are_kept(monkeypatch):
    query = {"a": "1", "b": 2, "c": "x" * (talk.LONGEST + 1), "lecture": "false"}
    assert asked({"page": 0, "query": query}, monkeypatch).query == {"a": "1", "lecture": "false"}
