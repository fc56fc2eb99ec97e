"""A room: a class follows its lecturer's page on phones, and answers predictions together.

The room itself is the server's (server/rooms/), and room.js is in it. From here come its words, and
the buttons below a stage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from views.ui.contents import PAGES, Page
from views.ui.scripts import constant, fetched

HERE = Path(__file__).parent
WORDS: dict[str, Any] = {
    "title": "Ask the class",
    "told": "Open a room, and the class follows this page on phones, each in its own size: the "
    "chapter, its settings, and every step. Predictions are answered there, and counted here.",
    "open": "Open a room",
    "join_title": "Join a class",
    "code": "Its code",
    "join": "Join",
    "name": "Room {code}",
    "dock": "The room of the class",
    "leads": "The class now follows this page. Where a question waits, answers are counted at the "
    "lower edge, and the key Enter shows what happens, on all screens. The key R hides this, and "
    "the room stays open.",
    "local": "Phones cannot reach this address. Open the page by the name or the number that this "
    "computer has in the network, and open the room there.",
    "by_itself": "This site runs on several servers that know nothing of each other’s rooms, so "
    "some phones may not find this one.",
    "qr": "QR code with the address of this room",
    "here": ["Nobody is here yet.", "One is here.", "{count} are here."],
    "close_room": "Close the room",
    "waits": "Your room is led from another window.",
    "lead": "Lead it from here",
    "connecting": "Connecting …",
    "follows": "You follow the lecture.",
    "not_begun": "The lecture has not begun yet.",
    "roams": "You look around by yourself.",
    "roam": "Look around",
    "back": "Back to the lecture",
    "leave": "Leave the room",
    "private": "The lecturer sees how many are here and how many gave each answer, but not who. "
    "Nothing of it is kept when the room closes.",
    "fine": "Understood",
    "yours": "Your answer, which counts once:",
    "given": "Your answer is counted. Soon you will see what happens.",
    "said": "What the class said:",
    "answered": "Answers so far: {all}. Enter shows what happens.",
    "close": "Close",
    "refused": {
        "unknown": "There is no room with this code. It may have been closed, or the code is "
        "another one.",
        "unknown_here": "There is no room with this code on this server. It may have been closed, "
        "the code may be another one, or the room is on another server of this site.",
        "full": "This room is full.",
        "ended": "The room has been closed.",
        "gone": "Your room has been closed.",
        "not_yours": "This room is led by somebody else.",
        "too_many_codes": "Too many wrong codes came from here. Wait a minute, and try again.",
        "most_rooms": "As many rooms are open as this server has. Try again later.",
        "too_many_openings": "Too many rooms were opened from here. Try again later.",
    },
}
# What stands below a stage for those who lead a class, or join one.
BUTTONS = (
    f'<button type="button" class="talk-button" data-room="open">{WORDS["title"]}</button>'
    f'<button type="button" class="talk-button" data-room="join">{WORDS["join_title"]}</button>'
)

_room = st.components.v2.component(
    "room",
    html=(HERE / "room.html").read_text(encoding="utf-8"),
    css=(HERE / "room.css").read_text(encoding="utf-8"),
    js=fetched(
        "room",
        constant("WORDS", WORDS)
        + (HERE / "room_line.js").read_text(encoding="utf-8")
        + (HERE / "room.js").read_text(encoding="utf-8"),
    ),
    isolate_styles=False,  # it hears the player, and its key is the document's
)


def mount(page: Page, *, lecture: bool) -> None:
    """Put the room on the page, where nothing of it is seen before somebody is in one."""
    paths = [one.path for one in PAGES]
    _room(data={"paths": paths, "page": PAGES.index(page), "lecture": lecture}, key="room")
