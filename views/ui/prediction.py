"""A question before the answer: what a visitor expects is said aloud, and then it is shown."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from views.ui.controls import Controls


def predicted(question: str, answers: Mapping[str, str], right: str, *, key: str) -> bool:
    """Ask; once answered, say what is right. Returns whether it has been.

    answers: by name, each the end of a sentence. right: the name of the right one. key: a name of
    the question.
    """
    offered = {**answers, "show": "just show me"}
    guess = st.segmented_control(
        question,
        offered,
        format_func=lambda answer: offered[answer],
        key=f"guess of {key}",
        on_change=Controls.moved,
    )
    if guess is None:
        return False
    opening = {"show": "The answer:", right: "Yes:"}.get(guess, "Not quite:")
    st.markdown(f"{opening} **{answers[right]}**.")
    return True
