"""A talk: stops anywhere in the app, named and in an order, and walked with one key.

It is the browser's: talk.js tells how. From here come the talks that are prepared (talk.toml), the
words, and the way to a stop that somebody asks for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from views.ui import texts
from views.ui.contents import PAGES, Page
from views.ui.scripts import constant, fetched

HERE = Path(__file__).parent
KEY = "talk"
OPENED = "stops opened"  # how many, for the browser to know that its last one has been
MOST, LONGEST = 30, 4000  # parameters of an address, and characters of one
PREPARED = texts.read(__file__)
WORDS: dict[str, Any] = {
    "title": "A talk",
    "told": "Stops are moments of any page, with all their settings. While the talk is given, "
    "PageDown and PageUp, or a clicker, go from one to the next.",
    "name": "Name",
    "prepared": "Prepared",
    "choose": "choose one …",
    "add": "Add this moment",
    "added": "Added: stop {count} of the talk.",
    "at_step": "{title}, step {step}",
    "start": "Start",
    "end": "End the talk",
    "speaker": "Speaker’s view",
    "copy": "Copy its link",
    "link": "Its link",
    "link_copied": "Its link, copied",
    "replaces": "This takes the place of your own talk of {count} stops. Go on?",
    "save": "Save as a file",
    "load": "Open a file",
    "handout": "Handout",
    "clear": "Clear",
    "up": "↑",
    "down": "↓",
    "show": "Show",
    "remove": "Remove",
    "notes": "Notes for the speaker",
    "stop_name": "Name of the stop",
    "close": "Close",
    "ready": "The next stop, made ready",
    "making": "Stop {i} of {count} is being drawn …",
    "with_notes": "With the notes",
    "print": "Print",
    "same": "This moment is the last stop already.",
    "full": "A talk has no room for more stops.",
    "first": "This is the first stop.",
    "last": "This is the last stop.",
    "unknown": "There is no such page.",
    "not_a_talk": "This is not a talk of this app.",
    "blocked": "The browser has not allowed a second window.",
    "no_full": "The browser does not allow the full screen.",
    "keys": "Keys",
    "key_list": [
        ["PageDown, PageUp", "the next stop of a talk, and the one before; else the next moment"],
        ["→, ←, space", "a step on, a step back, play and pause"],
        ["R", "a room for the class: its code, and the way to open one"],
        ["A", "add this moment to the talk"],
        ["T", "the talk: its stops, links and files"],
        ["S", "the speaker’s view, in a window of its own"],
        ["1 to 5, Enter", "answer a prediction, or only show what happens"],
        ["B or .", "a black screen, and back"],
        ["P", "point: what the pointer rests on grows, and the rest grows faint; and no more"],
        ["F", "full screen"],
        ["H", "hide the player’s bar, and show it"],
        ["+ and −", "larger and smaller"],
        ["O or Esc", "all chapters"],
        ["?", "these keys; all but A, R, T and ? are those of lecture mode"],
    ],
}

# What stands below a stage for those who prepare a talk.
BUTTONS = (
    '<button type="button" class="talk-button" data-talk="add">Add this moment to a talk</button>'
    '<button type="button" class="talk-button" data-talk="plan">'
    "The talk <span data-talk-count></span></button>"
)


_talk = st.components.v2.component(
    KEY,
    html=(HERE / "talk.html").read_text(encoding="utf-8"),
    css=(HERE / "talk.css").read_text(encoding="utf-8"),
    js=fetched(
        KEY,
        constant("PREPARED", PREPARED)
        + constant("WORDS", WORDS)
        + constant("SPEAKER", (HERE / "speaker.html").read_text(encoding="utf-8"))
        + "".join(
            (HERE / name).read_text(encoding="utf-8")
            for name in ("pointing.js", "stops.js", "talk.js")
        ),
    ),
    isolate_styles=False,  # it hears the player, and its keys are the document's
)


class Stop(NamedTuple):
    """Where a talk goes: a page, and the settings in its address. lecture: in that mode, or not."""

    page: Page
    query: dict[str, str]
    lecture: bool = True


def asked() -> Stop | None:
    """The stop that this visitor's browser asks for just now, if it does. It may send anything."""
    go = (st.session_state.get(KEY) or {}).get("go")
    if not isinstance(go, dict) or go.get("page") not in range(len(PAGES)):
        return None
    query = go.get("query")
    if not isinstance(query, dict) or len(query) > MOST:
        return None
    kept = {str(name): text for name, text in query.items() if isinstance(text, str)}
    settings = {name: text for name, text in kept.items() if len(text) <= LONGEST}
    return Stop(PAGES[go["page"]], settings, go.get("lecture") is not False)


def mount(page: Page, chapter: str, *, lecture: bool) -> None:
    """Put the talk on the page, where nothing of it is seen before it is asked for."""
    data = {
        "paths": [one.path for one in PAGES],
        "page": PAGES.index(page),
        "title": f"{page.title} · {chapter}",
        "lecture": lecture,
        "opened": st.session_state.get(OPENED, 0),
    }
    _talk(data=data, key=KEY, on_go_change=lambda: None)
