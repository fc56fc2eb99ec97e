"""What Python's own control flow cannot do while a static graph is built, and what is said then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from engines.recurrent import tf_cells, torch_cell
from views.player import cached
from views.ui.controls import Controls
from views.ui.errors import explain_phrases


class Told(NamedTuple):
    """What a visitor reads of a mistake.

    label: its name. story: why TensorFlow refuses, and what mends it. phrases: by phrase of its
    message, what that means.
    """

    label: str
    story: str
    phrases: Mapping[str, str]


MISTAKES = {
    "if": Told(
        "Python's if",
        "Python asks the comparison for True or False while the graph is being built, and there "
        "is no word yet, so there is nothing to compare. `tf.cond` mends it: both ways are "
        "described, and each run decides. So does `tf.function`, which reads the source of a "
        "function and turns an `if` like this one into a `tf.cond`. It calls that part of it "
        "AutoGraph.",
        {
            "Using a symbolic": "A tensor of a graph is a **symbol**: it has a name, a type and a "
            "shape, and no value before a session runs it.",
            "as a Python": "`if` calls `bool()` on its condition, which must be True or False at "
            "once.",
            "use Eager execution mode": "There each line is run as it is reached, as in PyTorch, "
            "and the comparison has a value.",
            "decorate this function with @tf.function": "Then the `if` is rewritten before the "
            "graph is built. The last row of the table above was read in this way.",
        },
    ),
    "any_length": Told(
        "A loop over a word of any length",
        "Python's loop runs while the graph is built, so it must know then how many rounds there "
        "are. The placeholder leaves that open. `tf.while_loop` mends it, because there the "
        "number of rounds is the result of an operation.",
        {
            "Cannot infer argument": "How many pieces there are to make, one for each letter, is "
            "not known.",
            "from shape (None, 1, 2)": "The shape of x. None stands for a length that only a run "
            "will tell.",
        },
    ),
    "other_length": Told(
        "A word of another length",
        "The unrolled graph was built for words that are one letter longer than yours, and has "
        "the copies of the cell for that. Nothing in it could leave one of them out, so the "
        "session refuses the word before anything runs. One graph for each length mends it, or "
        "words that are filled up to one length, or the loop.",
        {
            "Cannot feed value of shape": "The shape of the letters that were fed: how many there "
            "are comes first.",
            "for Tensor x:0, which has shape": "What the placeholder was built for.",
        },
    ),
}


@cached
def _refused(name: str, word: str) -> tf_cells.Refused:
    return tf_cells.refused(name, *torch_cell.arrays(word))


def while_building(controls: Controls, word: str) -> None:
    """What Python cannot do while the graph is built: choose it, and read what TensorFlow says."""
    labels = {name: told.label for name, told in MISTAKES.items()}
    st.markdown("##### What Python cannot do while the graph is built")
    name = controls.choice(
        st.pills, "A mistake", "cannot", labels, None, label_visibility="collapsed"
    )
    if name is None:
        return
    source, (error, _, sentence) = _refused(name, word)
    st.code(source, language="python")
    st.code(f"{error}: {sentence}", language=None, wrap_lines=True)
    st.markdown(MISTAKES[name].story)
    explain_phrases(MISTAKES[name].phrases)
