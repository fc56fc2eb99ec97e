"""What is told beside a picture: one paragraph for each moment, or one sentence for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from views.player.listings import Computed
from views.player.text import live


class Moment(NamedTuple):
    """Something that happens. phase: which of the player's four it belongs to, counted from 0.

    text: HTML. line: how the line of the listing begins that does it, if one does. series: of what
    that line computes, if that is a number.
    """

    phase: int
    text: str
    line: str = ""
    series: str = ""


class Story:
    """All that happens in one step, in order. Phases follow each other; some may be empty."""

    def __init__(self, moments: Sequence[Moment], *, whole: str) -> None:
        """whole: what is told outside slow motion, as HTML."""
        self.moments = moments
        self.whole = whole

    @property
    def parts(self) -> tuple[int, int, int, int]:
        """How many moments each phase has, for a Timeline."""
        phases = [moment.phase for moment in self.moments]
        return phases.count(0), phases.count(1), phases.count(2), phases.count(3)

    @property
    def computed(self) -> dict[str, Computed]:
        """At which moments to mark which line, and what it computes, for a listing."""
        lines: dict[str, Computed] = {}
        for m, moment in enumerate(self.moments):
            if moment.line:
                before = lines.get(moment.line, Computed([]))
                series = before.series or moment.series
                lines[moment.line] = Computed([*before.moments, m], series)
        return lines

    def show(self, *, key: str) -> None:
        """The paragraph of the moment that the player is at."""
        show_story(paragraphs([*(moment.text for moment in self.moments), self.whole]), key=key)


def paragraphs(told: Iterable[str]) -> str:
    """HTML: what is told at each moment, in their order, and then outside slow motion."""
    return "".join(f'<p data-moments="{m}">{text}</p>' for m, text in enumerate(told))


def show_story(told: str, *, key: str) -> None:
    """Show the one of these `paragraphs` that belongs to the moment the player is at."""
    live(f'<div class="story" aria-live="polite">{told}</div>', key=key)


def say(told: str) -> None:
    """Show these words, HTML, as the story: the same at every moment, with the numbers of each."""
    live(f'<div class="story"><p class="on">{told}</p></div>', key="story")
