"""The table that an article printed while it trained, digit by digit beside our run of the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from operator import eq

import streamlit as st

from engines.experiments import EXPERIMENTS
from engines.trace import Trace
from views.player import cached, live
from views.ui.table import html_table

NAMES = ("loss", "w", "b")
# E7's second listing fetches the loss, w and b beside the assignments of w and b, and prints what
# they were before them. The last row is a sentence below that table.
_COLUMNS = EXPERIMENTS["E7"].printed
_ROWS = tuple(zip(*(_COLUMNS[name] for name in NAMES), strict=True))
PUBLISHED = {int(step): row for step, row in zip(_COLUMNS["step"][:-1], _ROWS[:-1], strict=True)}
END, IN_WORDS = 2000, _ROWS[-1]


def compare(trace: Trace) -> None:
    """Show each published number beside ours, and say how many agree to the last digit.

    trace: E7's own run, in float32 and with 2000 steps, whatever else the page plays.
    """
    table, verdict, end = _compared(trace)
    live(table, key="printed")
    st.markdown(
        "In each cell the number **published by the article** comes first, then that of a session "
        f"that ran here from the same start. {verdict}"
    )
    st.markdown(end)


@cached
def _compared(trace: Trace) -> tuple[str, str, str]:
    """The table in HTML, how many numbers agree, and what is to be said of its last row."""
    ours = {step: printed(trace, step) for step in PUBLISHED}
    end = in_words(trace, END)
    pairs = [pair for step in PUBLISHED for pair in zip(PUBLISHED[step], ours[step], strict=True)]
    agree = sum(published == own for published, own in pairs)
    verdict = f"**{agree} of {len(pairs)}** printed numbers agree to the last digit."
    return _table(ours, end), verdict, _of_the_sentence(trace, end)


def printed(trace: Trace, step: int) -> tuple[str, ...]:
    """Loss, w and b of a step as the article's program prints them."""
    loss, params, _ = trace[step]
    return f"{loss:.4f}", str(params["w"]), str(params["b"])


def in_words(trace: Trace, step: int) -> tuple[str, ...]:
    """Loss, w and b of a step, rounded as in the article's sentence about the end."""
    loss, params, _ = trace[step]
    return f"{loss:.4f}", f"{params['w']:.2f}", f"{params['b']:.2f}"


def _of_the_sentence(trace: Trace, end: Sequence[str]) -> str:
    """How the three numbers of the article's sentence compare, and where in the run they are."""
    _, w, b = printed(trace, END)
    said = (
        "The last row is not the program's. It is from a sentence below the table: after "
        f"{END} steps a loss of {IN_WORDS[0]}, w = {IN_WORDS[1]} and b = {IN_WORDS[2]}. Here the "
        f"run ends with a loss of {trace.losses[END]:.7f}, w = {w} and b = {b}."
    )
    if tuple(end) == IN_WORDS:
        return f"{said} Rounded, these are the same."
    steps = [step for step in range(len(trace)) if in_words(trace, step) == IN_WORDS]
    if not steps:
        return f"{said} Rounded, they are not the same, at this step or at any other."
    return (
        f"{said} Rounded, they are not all the same. At every step from **{steps[0]}** to "
        f"**{steps[-1]}** they are: the sentence fits a run that has not quite ended."
    )


def _table(ours: dict[int, tuple[str, ...]], end: Sequence[str]) -> str:
    """HTML with a row for each printed step, and one for the sentence about the end."""
    rows = [(str(step), *map(_cell, PUBLISHED[step], ours[step])) for step in PUBLISHED]
    return html_table(("step", *NAMES), [*rows, ("end", *map(_cell, IN_WORDS, end))])


def _cell(published: str, own: str) -> str:
    """Both numbers, side by side or one below the other, as there is room."""
    if published == own:
        return f"{published} {own}&nbsp;✓"
    same = sum(takewhile(bool, map(eq, published, own)))
    return f"{published} {own[:same]}<mark>{own[same:]}</mark>&nbsp;≠"
