"""A question before the answer: what a visitor expects is said aloud, and then it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from views.player import wording
from views.player.parts import note_words
from views.ui.controls import Controls

GUESS = "guess of "  # how the key of an answer begins
WORDS = {
    "waits": "*Answer it on the page, and take this home again: what comes after it is here then.*",
}


def asked(question: str, answers: Mapping[str, str], *, key: str, **more: Any) -> str | None:
    """Ask; the name of the answer, "show" of those who only want to see, None before it is given.

    answers: by name, each the end of a sentence. key: a name of the question. more: for the
    widget.
    """
    offered = {**answers, "show": "just show me"}
    guess: str | None = st.segmented_control(
        question,
        offered,
        format_func=lambda answer: offered[answer],
        key=f"{GUESS}{key}",
        on_change=Controls.moved,
        **more,
    )
    if guess is None:
        note_words(markdown=f"{question} {WORDS['waits']}")
    return guess


def waits() -> bool:
    """Whether a question on the stage has no answer yet."""
    held = st.session_state
    return any(held[key] is None for key in map(str, held) if key.startswith(GUESS))


def forget() -> None:
    """Forget every answer of this visitor: all questions wait for one again."""
    for key in [str(one) for one in st.session_state if str(one).startswith(GUESS)]:
        del st.session_state[key]


def read_out(key: str) -> DeltaGenerator:
    """A container in which what appears is read out by screen readers; contents.js sees to it.

    It holds what is pressed for that: a region has to be there before what it is to say.
    """
    return st.container(key=f"read out {key}")


def opening(guess: str, right: str) -> str:
    """How what is right is told to those who have guessed: the beginning of a sentence."""
    return {"show": "The answer:", right: "Yes:"}.get(guess, "Not quite:")


def predicted(question: str, answers: Mapping[str, str], right: str, *, key: str) -> bool:
    """Ask; once answered, say what is right. Returns whether it has been.

    answers, key: as for `asked`. right: the name of the right one.
    """
    with read_out(key):
        guess = asked(question, answers, key=key)
        if guess is not None:
            wording.markdown(f"{opening(guess, right)} **{answers[right]}**.")
    return guess is not None
