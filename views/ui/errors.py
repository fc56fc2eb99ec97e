"""The errors of frameworks, explained: what each phrase means, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from views.player import wording
from views.ui import texts
from views.ui.table import markdown_table


class Known(NamedTuple):
    """A kind of message, as explained to a visitor.

    pattern: of its sentence, with names for its parts. phrases: by phrase, in Markdown, what it
    means; one that a sentence lacks is left out. mend: how to mend it, or "". The parts stand in
    all of these in braces.
    """

    pattern: str
    phrases: Mapping[str, str]
    mend: str = ""


KNOWN = tuple(Known(**known) for known in texts.read(__file__)["known"])


def explain(error: str, sentence: str, *, operation: str = "", refused: bool = False) -> None:
    """Show a framework's own sentence, what its phrases mean, and how to mend what it says.

    error: the class of the error. operation: the one that the run stopped at, if it is known.
    refused: whether nothing ran. What is not KNOWN is shown as it is.
    """
    if operation:
        wording.markdown(f"The run stopped at the operation `{operation}`, with these words:")
    elif refused:
        wording.markdown("It was refused before any operation ran, with these words:")
    wording.code(f"{error}: {sentence}")
    phrases, mend = explanation(sentence)
    explain_phrases(phrases)
    if mend:
        wording.markdown(f"**To mend it.** {mend}")


def explain_phrases(phrases: Mapping[str, str]) -> None:
    """A table of what a message says, and what that means. phrases: by phrase, in Markdown."""
    if phrases:
        rows = [(f"`{phrase}`", meaning) for phrase, meaning in phrases.items()]
        wording.markdown(markdown_table(("What it says", "What that means"), rows))


def up_to_explained(sentence: str, *, most: int | None = None) -> tuple[str, dict[str, str]]:
    """The sentences of a message up to the last that has a phrase which is explained, and "…".

    The whole of it where nothing follows them. Returns with them these phrases, as `explanation`
    does. most: so many phrases at most, the first; all if not said.
    """
    phrases = dict(list(explanation(sentence)[0].items())[:most])
    last = max((sentence.find(phrase) + len(phrase) for phrase in phrases), default=len(sentence))
    end = sentence.find(". ", last)
    return sentence if end < 0 else f"{sentence[: end + 1]} …", phrases


def explanation(sentence: str) -> tuple[dict[str, str], str]:
    """By phrase of a sentence, what it means; and how to mend it. Both empty if it is not KNOWN."""
    for known in KNOWN:
        if found := re.search(known.pattern, sentence):
            parts = found.groupdict()
            told = {
                phrase.format(**parts): meaning.format(**parts)
                for phrase, meaning in known.phrases.items()
            }
            phrases = {phrase: told[phrase] for phrase in told if phrase in sentence}
            return phrases, known.mend.format(**parts)
    return {}, ""
