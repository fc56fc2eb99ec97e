"""What a browser may send to a room. Anything else is refused, and changes nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema

from server.rooms.bounds import ALPHABET, LENGTH
from views.ui import talk
from views.ui.contents import PAGES

WHOLE = 1_000_000  # above any step that a page has
MOST_PARTS = 5000  # lines of code, or cells of tables, on a stage
SETTING = re.compile(r"[a-z][a-z0-9_]{0,39}")
NOT_LED = {"room", "talk", "lecture", "embed", "embed_options"}  # how somebody sees it is theirs

_CODE = {"type": "string", "pattern": f"^[{ALPHABET}]{{{LENGTH}}}$"}
_TOKEN = {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"}
_THOUSANDTHS = {"type": "integer", "minimum": 0, "maximum": 1000}
_COUNT = {"type": "integer", "minimum": 0, "maximum": WHOLE}
_PART = {
    "box": {"type": "string", "pattern": "^st-key-[A-Za-z0-9_-]{1,120}$"},
    "part": {"type": "integer", "minimum": 0, "maximum": MOST_PARTS},
}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        "minProperties": 1,
    }


_SCHEMAS = {
    # The first message: to open a room, to lead one (politely: unless somebody does), to join one.
    "first": {
        "oneOf": [
            _object(("open",), open={"const": True}),
            _object(("lead", "secret"), lead=_CODE, secret=_TOKEN, politely={"type": "boolean"}),
            _object(("join",), join=_CODE, me=_TOKEN),
        ]
    },
    "lecturer": _object(
        place=_object(
            ("page", "query"),
            page={"type": "integer", "minimum": 0, "maximum": len(PAGES) - 1},
            query={
                "type": "object",
                "maxProperties": talk.MOST,
                "additionalProperties": {"type": "string"},
            },
        ),
        at=_object(("step", "moment"), step=_COUNT, moment={"anyOf": [_COUNT, {"type": "null"}]}),
        # A part of the stage that has a name, or a place in one of its pictures, in thousandths.
        points={
            "anyOf": [
                {"type": "null"},
                _object(("box", "part"), **_PART),
                _object(("box", "part", "x", "y"), **_PART, x=_THOUSANDTHS, y=_THOUSANDTHS),
            ]
        },
        asks={
            "anyOf": [
                {"type": "null"},
                _object(
                    ("question", "answers"),
                    question={"type": "string", "pattern": "^[A-Za-z0-9_-]{1,120}$"},
                    answers={"type": "integer", "minimum": 1, "maximum": 8},
                ),
            ]
        },
        shows={"const": True},
        close={"const": True},
    ),
    "member": _object(
        ("answer", "round"), answer={"type": "integer", "minimum": 0, "maximum": 7}, round=_TOKEN
    ),
}
_VALID = {who: jsonschema.Draft202012Validator(schema) for who, schema in _SCHEMAS.items()}


def read(text: str, who: str) -> dict[str, Any] | None:
    """What the message says, or None where it is not what these may send.

    who: "first", before anything is known of somebody; "lecturer"; or "member".
    """
    try:
        message: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not _VALID[who].is_valid(message):
        return None
    said: dict[str, Any] = message
    if place := said.get("place"):
        query = {name: text for name, text in place["query"].items() if _is_led(name, text)}
        said["place"] = place | {"query": query}
    return said


def _is_led(name: str, text: str) -> bool:
    """Whether it may be a setting of a page: an address can hold anything else, too."""
    return bool(SETTING.fullmatch(name)) and name not in NOT_LED and len(text) <= talk.LONGEST
