"""A word that a visitor types, for a recurrent cell to read letter by letter."""

from __future__ import annotations

import streamlit as st

from views.ui.controls import Controls

FIRST_WORD = "abracadabra"  # until somebody types another


def readable(text: str, longest: int) -> str:
    """The part of a text that can be read as a word: what is visible of it, up to a length."""
    visible = "".join(letter for letter in text[: 10 * longest] if letter.isprintable())
    return visible.strip()[:longest].rstrip()


def own_word(controls: Controls, longest: int) -> str:
    """A word that somebody types; where it cannot be read as it is, a sentence says what is.

    longest: how many letters the cell reads at most.
    """
    word, asked = controls.text(
        "A word of your own",
        "word",
        FIRST_WORD,
        clean=lambda text: readable(text, longest),
        max_chars=longest,
        help="Letters of other alphabets, digits and signs work too.",
    )
    letters = len(asked.strip())
    if letters > longest:
        st.caption(
            f"A word can have {longest} letters here. Yours has {letters}, so only its beginning "
            "is read."
        )
    elif word != asked.strip():
        st.caption(
            f"There is no letter to read in that, so the word is “{FIRST_WORD}”."
            if not readable(asked, longest)
            else "What cannot be seen in your word is left out."
        )
    return word
