"""Mistakes with sessions, and what Python cannot do while a static graph is built."""

from __future__ import annotations

import streamlit as st

from engines.recurrent import tf_cells, torch_cell
from engines.static_graph_and_sessions import adding
from views.player import cached
from views.ui import errors, mistakes
from views.ui.controls import Controls

TOLD = mistakes.told_in(__file__)
ENDS = {
    "fine": "it runs to its end",
    "refused": "it is refused before any operation runs",
    "stopped": "it stops while the operations run",
}
run = cached(adding.run)


def in_a_session(controls: Controls, a_value: float, b_value: float) -> None:
    """A row of mistakes to make. Of the one that is chosen: predict how it ends, and then read.

    a_value, b_value: the numbers that the listing adds.
    """
    chosen = mistakes.choose(controls, {name: TOLD[name] for name in adding.MISTAKES})
    if chosen is None:
        return
    broken = run(chosen, a_value, b_value)
    said = broken.message
    end = "fine" if said is None else "refused" if said.refused else "stopped"
    lines = broken.right, broken.wrong
    if not mistakes.predict(TOLD[chosen], *lines, ENDS, end, key=f"session {chosen}"):
        return
    if said is not None:
        errors.explain(said.error, said.sentence, operation=said.operation, refused=said.refused)
    mistakes.listing_that_ran(broken.source, *lines, key="session_mistake")


@cached
def refused(name: str, word: str) -> tf_cells.Refused:
    """What TensorFlow says of one of the mistakes of tf_cells, with this word."""
    return tf_cells.refused(name, *torch_cell.arrays(word))


def while_building(controls: Controls, word: str) -> None:
    """What Python cannot do while the graph is built: choose it, and read what TensorFlow says."""
    st.markdown("##### What Python cannot do while the graph is built")
    offered = {name: TOLD[name] for name in tf_cells.MISTAKES}
    name = mistakes.choose(controls, offered, name="build_mistake", label="A mistake")
    if name is None:
        return
    source, said = refused(name, word)[:2]
    st.code(source, language="python")
    errors.explain(said.error, said.sentence, operation=said.operation, refused=said.refused)
    st.markdown(TOLD[name].story)
