"""The stage of a chapter: one screen, with the player, a sentence of story, pictures and code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, TypeAlias

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from views.player import Timeline, columns, in_lecture, noting, player
from views.ui import room, take_home, talk
from views.ui.shell import Here
from views.ui.take_home import Runs

Play: TypeAlias = Callable[..., None]


@contextmanager
def stage(
    here: Here, timeline: Timeline | None = None, *, ran: Runs | None = None, **playing: Any
) -> Iterator[Play]:
    """What is put into the page in it fills the screen, whatever its size, and no more.

    timeline: what the player plays. ran: the runs of listings behind it, by name, to be taken home
    as programs. playing: what else the player is told. Where that depends on controls which are on
    the stage, it is given later to what this yields: `play(timeline, ran=ran, **playing)`, or
    `play(ran=ran)` where nothing is played.
    """
    played, runs = timeline, dict(ran or {})

    def play(timeline: Timeline | None = None, *, ran: Runs | None = None, **playing: Any) -> None:
        nonlocal played
        runs.update(ran or {})
        if timeline is None:
            return
        played = timeline
        ways: dict[str, Any] = {"then": then(here), "at_end": here.backwards}
        ways["on_asked"] = here.controls.moved
        with bar:
            player(timeline, **(ways | playing), key=f"player {here.name}")

    with noting() as parts, st.container(key="stage"):
        if here.question and in_lecture():  # where the heading is out of sight
            st.html(f'<p class="question">{escape(here.question)}</p>')
        bar, refused = st.container(), st.container()
        if timeline:
            play(timeline, **playing)
        yield play
        with refused:
            here.controls.say_refused(played)
    if here.file:
        with st.container(key="after-stage", horizontal=True):
            take_home.offer(here, parts, played, runs)
            if not in_lecture():
                st.html(f'<div class="after-stage">{talk.BUTTONS}{room.BUTTONS}</div>')


def asked_step(here: Here) -> int | None:
    """The step at which a button with `data-asks-step` has just been pressed, if one has."""
    step = (st.session_state.get(f"player {here.name}") or {}).get("asked")
    return step if isinstance(step, int) else None


def then(here: Here) -> str:
    """What the player's last button says."""
    return f"Next: {here.then}" if here.then else ""


def beside(widths: int | Sequence[int]) -> list[DeltaGenerator]:
    """Places beside each other that share the height that is left. On a phone, below each other.

    widths: how many, or how wide they are, as for st.columns.
    """
    with st.container(key="beside"):
        return columns(widths)
