"""A recording as one file that plays without a server: the graph, the program and the losses."""

from __future__ import annotations

import streamlit as st

from engines.own_training.recording import Recording
from views.own_training import the_graph, the_training
from views.own_training.played import play
from views.player import noting, player
from views.ui import offline


def page(recording: Recording) -> str:
    """The file."""
    shown = play(recording) if recording.graphs else None
    with noting(on_page=False) as parts:
        if shown:
            player(shown.timeline, **the_graph.playing(recording, shown))
            the_graph.tell(recording, shown)
            the_graph.draw(recording, shown)
            the_graph.show_code(recording, shown)
        else:
            timeline, how = the_training.played(recording)
            player(timeline, **how)
        the_training.losses(recording)
        the_training.gradients(recording)
    return offline.page(parts, title=recording.title, told="Backstep · Your own training")


def offer(recording: Recording) -> None:
    """The button that makes the file."""
    st.download_button(
        "All of it as one file that plays offline",
        lambda: page(recording),
        f"{recording.title.removesuffix('.py')}.html",
        "text/html",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
