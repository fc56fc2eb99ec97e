"""The code that measures, as it ran, and its results beside those of PyTorch's own timer."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engines.benchmark import clock
from engines.listing import source_of
from views.gpu_speedup.contenders import written
from views.gpu_speedup.roofline import OPERATIONS
from views.ui.measuring import Event, Measuring
from views.ui.table import markdown_table

SECONDS = 20
CLOSE = 0.1  # how far apart two timers may be and still agree, relative to theirs


def code() -> None:
    """The two functions that measure."""
    st.markdown(
        "This is what measured every honest number on this page, as it ran. **The first call** is "
        "timed and kept apart (`first`). **`wait()`** stands before the clock starts and before it "
        "is read: a GPU hands an operation back before it is done. **One sample is a block of "
        f"calls**: `calls` doubles until a block takes {1000 * clock.BLOCK_SECONDS:.0f} ms, or "
        "a twentieth of the time there is, next to which a clock and a loop cost nothing. The "
        "shorter blocks before that are the warm-up, and are thrown away. **It stops when the "
        f"answer is known**: `known` wants at least {clock.LEAST_SAMPLES} samples, and more "
        "until an interval that holds the true median most of the time (the notch of a box plot) "
        f"reaches no farther than {100 * clock.CLOSE_ENOUGH:g} % to either side; it ends at "
        f"{clock.MOST_SAMPLES} samples, and when the time is over. What you read is the "
        "**median** with the quartiles around it: one disturbed sample moves a mean, and hardly a "
        "median."
    )
    listing = f"{source_of(clock.measure)}\n\n{source_of(clock.known)}"
    st.code(listing, language="python", wrap_lines=True)


def check(measuring: Measuring) -> None:
    """Offer to compare with PyTorch's own timer, and say what came of it."""
    label = "Compare with PyTorch's own timer"
    found = measuring.offer("check", label, ("check",), seconds=SECONDS)
    if not found:
        return
    found.warn()
    rows = [event for event in found.events if event["event"] == "compared"]
    if rows:
        st.markdown(f"{_table(rows)}\n\n{told(rows)}")
    said = f"Measured {found.age()} on this machine, in 32 bits, on one thread of the CPU."
    st.caption(said)


def told(rows: Sequence[Event]) -> str:
    """Whether the two timers agree, and if not, where, and what that may mean."""
    apart = [row for row in rows if abs(_difference(row)) > CLOSE]
    text = f"**{len(rows) - len(apart)} of {len(rows)} medians agree** within {100 * CLOSE:.0f} %. "
    if not apart:
        most = max(abs(_difference(row)) for row in rows)
        return text + f"The largest difference is {100 * most:.1f} %."
    named = "; ".join(_name(row) for row in apart)
    return text + (
        f"Further apart: {named}. The two are measured one after the other. If something else "
        "computes on this machine meanwhile, it slows the one and not the other. Compare again: a "
        "difference that changes its sign is noise, one that stays would be a mistake of one of "
        "the timers."
    )


def _difference(row: Event) -> float:
    """Ours against theirs, relative to theirs."""
    return float(row["ours"] / row["theirs"] - 1)


def _name(row: Event) -> str:
    return f"{OPERATIONS[row['operation']].label}, n = {row['size']:,}"


def _table(rows: Sequence[Event]) -> str:
    table = []
    for row in rows:
        percent = 100 * _difference(row)
        apart = f"{percent:+,.1f} %" if abs(percent) < 99.95 else f"{percent:+,.0f} %"
        apart = apart.replace("-0.0", "0.0").replace("+0.0", "0.0")
        times = written(row["ours"], "time"), written(row["theirs"], "time")
        table.append([_name(row), *times, apart.replace("-", "−")])
    heads = "", "ours", "PyTorch's timer", "difference"
    return markdown_table(heads, table, numbers=True)
