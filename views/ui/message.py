"""A framework's error message, explained phrase by phrase."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st


def explain(phrases: Mapping[str, str]) -> None:
    """A table of what a message says, and what that means. phrases: by phrase, in Markdown."""
    if phrases:
        rows = "".join(f"| `{phrase}` | {meaning} |\n" for phrase, meaning in phrases.items())
        st.markdown(f"| What it says | What that means |\n|---|---|\n{rows}")
