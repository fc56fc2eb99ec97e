"""The table that an article printed while it trained, digit by digit beside our run of the same."""

from __future__ import annotations

from itertools import takewhile
from operator import eq

import numpy as np

from engines.experiments import EXPERIMENTS
from engines.trace import Trace
from views.player import Series, cached, now, reached, some_steps
from views.ui.table import html_table

NAMES = ("loss", "w", "b")
# E7's second listing fetches the loss, w and b beside the assignments of w and b, and prints what
# they were before them. The last row is a sentence below that table.
_COLUMNS = EXPERIMENTS["E7"].printed
_ROWS = tuple(zip(*(_COLUMNS[name] for name in NAMES), strict=True))
PUBLISHED = {int(step): row for step, row in zip(_COLUMNS["step"][:-1], _ROWS[:-1], strict=True)}
END, IN_WORDS = 2000, _ROWS[-1]

SO_FAR = (
    f"Of the {now('printed_so_far', digits=0)} numbers that the article had printed by now, "
    f"<b>{now('agree_so_far', digits=0)}</b> agree to the last digit. "
)


def followed(trace: Trace) -> dict[str, Series]:
    """How many numbers were printed up to each step, and how many of them are this run's too.

    trace: E7's own run, in float32 and with 2000 steps.
    """
    agree = [sum(map(eq, row, printed(trace, step))) for step, row in PUBLISHED.items()]
    counts = {
        "printed_so_far": len(NAMES) * np.arange(1, len(PUBLISHED) + 1),
        "agree_so_far": np.cumsum(agree),
    }
    return some_steps(counts, np.array([*PUBLISHED]))


@cached
def table(trace: Trace) -> str:
    """HTML with a row for each printed step, in which this run's numbers wait for the player.

    Below them is one for the sentence about the end. trace: as for `followed`.
    """
    steps = [*PUBLISHED, END]
    published = [*PUBLISHED.values(), IN_WORDS]
    ours = [*(printed(trace, step) for step in PUBLISHED), in_words(trace, END)]
    rows = [
        (reached("end" if step == END else str(step), steps, i), *map(_cell, published[i], ours[i]))
        for i, step in enumerate(steps)
    ]
    heads = ("step", *(f"{name}: printed, here" for name in NAMES))
    return html_table(heads, rows)


def printed(trace: Trace, step: int) -> tuple[str, ...]:
    """Loss, w and b of a step as the article's program prints them."""
    loss, params, _ = trace[step]
    return f"{loss:.4f}", str(params["w"]), str(params["b"])


def in_words(trace: Trace, step: int) -> tuple[str, ...]:
    """Loss, w and b of a step, rounded as in the article's sentence about the end."""
    loss, params, _ = trace[step]
    return f"{loss:.4f}", f"{params['w']:.2f}", f"{params['b']:.2f}"


@cached
def about_the_end(trace: Trace) -> str:
    """How the three numbers of the article's sentence compare, and where in the run they are."""
    _, w, b = printed(trace, END)
    end = in_words(trace, END)
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


def _cell(published: str, own: str) -> str:
    """Both numbers: the article's, and this run's with what differs marked."""
    if published == own:
        return f'{published} <span class="own">{own}&nbsp;✓</span>'
    same = sum(takewhile(bool, map(eq, published, own)))
    differs = f"{own[:same]}<mark>{own[same:]}</mark>&nbsp;≠"
    return f'{published} <span class="own">{differs}</span>'
