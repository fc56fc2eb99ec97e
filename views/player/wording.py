"""Words on a stage that no step changes: Streamlit's own elements, which are noted as parts of it.

    wording.markdown("**It passes.** …")

What is written with `st` itself is seen on the page alone, and is not taken home with the stage.
"""

from __future__ import annotations

import streamlit as st

from views.player.parts import note_words


def markdown(text: str) -> None:
    """Text in Markdown."""
    note_words(markdown=text)
    st.markdown(text)


def caption(text: str) -> None:
    """A line in Markdown about what stands below it or above."""
    note_words(markdown=text)
    st.caption(text)


def warning(text: str) -> None:
    """Text in Markdown that nobody should miss."""
    note_words(markdown=text)
    st.warning(text)


def code(text: str, *, language: str | None = None) -> None:
    """Lines of a program, or the message of one; long ones go on below."""
    note_words(code=text, language=language or "")
    st.code(text, language=language, wrap_lines=True)


def html(text: str) -> None:
    """HTML of our own."""
    note_words(html=text)
    st.html(text)
