"""A mistake that is really made: choose it, say how it ends, see right beside wrong, read why."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import NamedTuple

import streamlit as st

from views.player import listing, wording
from views.ui import texts
from views.ui.controls import Controls
from views.ui.prediction import GUESS, predicted


class Told(NamedTuple):
    """What a visitor reads of a mistake: its name, and once it has run, what it did."""

    label: str
    story: str


def told_in(file: str) -> dict[str, Told]:
    """The mistakes of a page by name, from the TOML file beside the module `file`."""
    return {name: Told(**text) for name, text in texts.read(file).items()}


def choose(
    controls: Controls,
    mistakes: Mapping[str, Told],
    *,
    name: str = "mistake",
    label: str = "A mistake to make",
) -> str | None:
    """The row of mistakes, of which one or none is made. name: in the address."""
    labels = {mistake: told.label for mistake, told in mistakes.items()}
    return controls.choice(st.pills, label, name, labels, None, label_visibility="collapsed")


def predict(
    told: Told, right: str, wrong: str, ends: Mapping[str, str], end: str, *, key: str
) -> bool:
    """The lines that differ, and the question how the run ends; once answered, the answer.

    right, wrong: these lines as they should be and as they were written. ends: what may happen, by
    name, each the end of a sentence; `end` is the name of what did. Returns whether it is answered.
    """
    show_edit(right, wrong)
    answered = ask(ends, end, key=key)
    if answered:
        wording.markdown(told.story)
    return answered


def answered(key: str) -> bool:
    """Whether the question of `predict` with this key has been answered."""
    return st.session_state.get(f"{GUESS}{key}") is not None


def ask(ends: Mapping[str, str], end: str, *, key: str) -> bool:
    """The question of `predict` alone, where it does not stand below the lines."""
    return predicted("Before you look: how does this run end?", ends, end, key=key)


def show_edit(right: str, wrong: str) -> None:
    """The lines as they should be, and as they were written."""
    blocks = {"As it should be": right, "As it was written": wrong}
    lines = "".join(
        f'<figure class="edit"><figcaption>{caption}</figcaption><pre>{escape(code)}</pre></figure>'
        for caption, code in blocks.items()
    )
    wording.html(lines)


def listing_that_ran(source: str, right: str, wrong: str, *, key: str) -> None:
    """The whole listing, with the lines marked in which it differs from the right one."""
    kept = right.splitlines()
    changed = "\n".join(line for line in wrong.splitlines() if line not in kept)
    listing(source, {}, title="The listing that ran", key=key, changed=changed)
