"""Text that follows the player: numbers in a sentence, and parts that are marked at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from views.player.parts import component

# Its style is text.css, which the page has once for all.
_live = component("live", __file__, html='<div class="live"></div>\n', css="")


def now(
    name: str,
    *,
    to: str = "",
    known: int = 0,
    unknown: str = "…",
    digits: int = 6,
    like: str = "",
    signed: bool = False,
) -> str:
    """HTML for the value that a series has at the step shown, from the moment `known` on.

    to: a series that ends a range, which is written where its end is not its beginning. unknown:
    what stands there before `known`. digits: how many significant ones, 0 for a whole number.
    like: a series of which it should be the equal; digits that are not are marked. signed: whether
    it is added to what stands before it, as in “2·x − 3” and “2·x + 3”.
    """
    data = {"now": name, "known": known, "unknown": unknown, "digits": digits}
    data |= {"to": to} if to else {}
    data |= {"like": like} if like else {}
    data |= {"signed": ""} if signed else {}
    attributes = " ".join(f'data-{key}="{value}"' for key, value in data.items())
    return f"<span {attributes}></span>"


def during(moments: Iterable[int]) -> str:
    """The value of `data-moments`, for HTML that is to be marked while slow motion is there."""
    return " ".join(map(str, moments))


def reached(text: str, steps: Sequence[int], i: int) -> str:
    """HTML for the heading of a row of a table that the player reaches at the step `steps[i]`.

    Before that, what is `.own` in the row is not shown. The last row that is reached is marked.
    """
    until = steps[i + 1] if i + 1 < len(steps) else "Infinity"
    return f'<span data-from="{steps[i]}" data-until="{until}">{text}</span>'


def live(content: str, *, key: str) -> None:
    """Show HTML of our own whose `now(…)` parts follow the player."""
    _live(data={"html": content}, key=key)
