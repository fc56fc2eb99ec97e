"""Control flow is Python: each word that is read builds a graph of its own."""

from __future__ import annotations

import streamlit as st

from views.dynamic_graph import recurrent, runs
from views.player import part, say, wording
from views.ui.shell import Here
from views.ui.staging import beside, stage

LINES = "h = torch.zeros", "loss.backward()"
SEEN = (
    "Python runs the <code>for</code> and the <code>if</code>. PyTorch sees neither: it hangs an "
    "object on each result, with pointers back to those that it was computed from. Count how often "
    "the line with <code>tanh</code> ran."
)


def show_stage(here: Here) -> tuple[str, ...]:
    """The listing and a question; once it is answered, three words with the graphs they built.

    Returns the words that may be told of: none before the answer.
    """
    with here.settings, st.popover("A word of your own"):
        words = recurrent.words(here.controls)
    with stage(here) as play:
        story = st.container()
        answered = recurrent.predict_nodes()
        with story:
            say(recurrent.told_of_nodes() if answered else SEEN)
        shown = words if answered else recurrent.SHORT
        code, *places = beside([5, *[3] * len(shown)])
        with code:
            wording.code(part(runs.CELL, *LINES), language="python")
        play(ran={word: recurrent.reading(word) for word in shown})
        recurrent.draw_words(shown, places)
    return words if answered else ()
