"""Mistakes with sessions, and what Python cannot do while a static graph is built.

How TensorFlow's messages are taken apart stands in views/ui/errors.toml.
"""

from __future__ import annotations

from html import escape
from textwrap import dedent
from typing import NamedTuple

import streamlit as st

from engines.graphs.static import Message
from engines.listing import source_of
from engines.recurrent import tf_cells, torch_cell
from engines.standalone import Called, calling
from engines.static_graph_and_sessions import adding
from views.player import cached, listing, say, wording
from views.static_graph_and_sessions.programs import program
from views.ui import errors
from views.ui.mistakes import told_in
from views.ui.prediction import asked, opening, read_out
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.texts import as_html

TOLD = told_in(__file__)
OPENS = "not_initialized"
NUMBERS = 2.0, 4.0  # that are added, as in the chapter about them
WORD = "at"  # that is read
ENDS = {
    "fine": "it runs to its end",
    "refused": "it is refused before any operation runs",
    "stopped": "it stops while the operations run",
}
SAID = {
    "session": "Something is wrong in this program, where it is marked. Before you look: how does "
    "this run end?",
    "built": "These lines describe a graph that is to read a word, and Python runs them when there "
    "is no word yet. Before you look: how does this run end?",
}


class Broken(NamedTuple):
    """A program with a mistake. changed: its lines that are wrong; right: what belongs there.

    message: what TensorFlow says of it, None where it runs to its end.
    """

    code: str
    changed: str
    right: str
    message: Message | None

    @property
    def end(self) -> str:
        """The name of how it ends, see ENDS."""
        if self.message is None:
            return "fine"
        return "refused" if self.message.refused else "stopped"


@cached
def broken(mistake: str) -> Broken:
    """Really run a program with a mistake in it. Raises KeyError for a name that is none."""
    if mistake in adding.MISTAKES:
        listed, run = adding.MISTAKES[mistake][0], adding.run(mistake, *NUMBERS)
        return _compared(source_of(listed), run.source, run.message)
    refused = tf_cells.refused(mistake, *torch_cell.arrays(WORD))
    return _compared(source_of(tf_cells.unrolled), refused.source, refused.message)


def _compared(right: str, wrong: str, message: Message | None) -> Broken:
    """Both sources as programs, and in which lines they differ."""
    as_it_should_be, code = program(right), program(wrong)
    lines, kept = code.splitlines(), as_it_should_be.splitlines()
    changed = "\n".join(line for line in lines if line not in kept)
    missing = dedent("\n".join(line for line in kept if line not in lines))
    return Broken(code, changed, missing, message)


def show_stage(here: Here) -> None:
    """Choose a mistake and say how it ends; then TensorFlow's words, taken apart."""
    with stage(here) as play:
        labels = {mistake: told.label for mistake, told in TOLD.items()}
        mistake = here.controls.pills(
            "A mistake to make", "mistake", labels, OPENS, label_visibility="collapsed"
        )
        run = broken(mistake)
        kind = "session" if mistake in adding.MISTAKES else "built"
        story = read_out("mistake")
        guess = asked(SAID[kind], ENDS, key=mistake, label_visibility="collapsed")
        code, words = beside([5, 7])
        with code:
            listing(
                run.code,
                {},
                title="The program that ran",
                key="ran",
                changed=run.changed,
                follows=True,
            )
            if run.right.strip():
                wording.markdown("It should be:")
                wording.code(run.right, language="python")
        with words:
            if guess and run.message:
                said = f"{run.message.error}: {run.message.sentence}"
                shown, phrases = errors.up_to_explained(said)
                wording.code(shown)
                errors.explain_phrases(phrases)
        with story:
            say(_told(mistake, run, guess) if guess else SAID[kind])
        if guess:
            play(ran={"": _program(mistake, fails=run.message is not None)})
    if guess and run.message:
        st.markdown(f"**To mend it.** {errors.explanation(run.message.sentence)[1]}")
        if shown != said:
            st.markdown("**All that TensorFlow says:**")
            st.code(said, language=None, wrap_lines=True)


def _program(mistake: str, *, fails: bool) -> Called:
    """The listing with the mistake in it, to be taken home."""
    if mistake in adding.MISTAKES:
        add = adding.make(mistake).names[adding.MISTAKES[mistake][0].__name__]
        return calling(add, fails=fails, a_value=NUMBERS[0], b_value=NUMBERS[1])
    arrays = dict(zip(tf_cells.ARRAYS, torch_cell.arrays(WORD), strict=True))
    letters = len(WORD) + (mistake == "other_length")
    reads = tf_cells.make(mistake).names["read_unrolled"]
    return calling(reads, fails=fails, letters=letters, **arrays)


def _told(mistake: str, run: Broken, guess: str) -> str:
    """HTML: how it ended, why, and where it stopped."""
    told = f"{opening(guess, run.end)} <b>{ENDS[run.end]}</b>. {as_html(TOLD[mistake].story)}"
    if run.message and run.message.operation:
        told += f" It stopped at the operation <code>{escape(run.message.operation)}</code>."
    return told
