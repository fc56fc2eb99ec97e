"""The code of the clock, why its answer is a median, and its results beside PyTorch's own timer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

import streamlit as st

from engines.benchmark.clock import (
    BLOCK_SECONDS,
    CLOSE_ENOUGH,
    LEAST_SAMPLES,
    MOST_SAMPLES,
    known,
    measure,
)
from engines.listing import body, source_of
from views.gpu_speedup import timings
from views.gpu_speedup.clock_charts import both_timers, three_numbers
from views.gpu_speedup.contenders import written
from views.gpu_speedup.roofline import OPERATIONS
from views.gpu_speedup.traps import read
from views.gpu_speedup.verdicts import as_html
from views.player import cached, listing, say, show
from views.ui.measuring import Event, Measuring
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import markdown_table

SECONDS = 20
CLOSE = 0.1  # how far apart two timers may be and still agree, relative to theirs
NEAR = 0.05  # of the shortest call: within it another one is as short
CALLS = Path(__file__).parents[2] / "recordings" / "calls" / "two_core_server.json"
ASKS = {"median": "Why the median", "timer": "Beside PyTorch’s timer"}
CODE = (
    "One sample is a block of calls: `calls` doubles until a block takes "
    f"{1000 * BLOCK_SECONDS:.0f} ms, or a twentieth of the time there is, next to which a clock "
    "and a loop cost nothing. The shorter blocks before that are the warm-up, and are thrown away. "
    f"`known` wants at least {LEAST_SAMPLES} samples, and more until an interval that holds the "
    "true median most of the time (the notch of a box plot) reaches no farther than "
    f"{100 * CLOSE_ENOUGH:g} % to either side; it ends at {MOST_SAMPLES} samples, and when the "
    "time is over."
)


def show_stage(here: Here, measuring: Measuring) -> str:
    """The listing beside the calls that it times, or beside the results of another timer.

    Returns what is to be read below.
    """
    with stage(here, ran=timings.programs("square")):
        asks = here.controls.choice(
            st.segmented_control,
            "What to see",
            "clock",
            ASKS,
            "median",
            required=True,
            label_visibility="collapsed",
        )
        story = st.container()
        left, right = beside([1, 1])
        with left:
            code = f"{body(source_of(measure))}\n\n{source_of(known)}"
            listing(code, {}, title="The clock of this page, as it ran", key="clock code")
        with right:
            said, more = (_calls if asks == "median" else _check)(measuring)
        with story:
            say(as_html(said))
    return f"{CODE}\n\n{more}"


# ---- Why the median


def _calls(measuring: Measuring) -> tuple[str, str]:
    """Every call of a run, with three numbers that might stand for all of them."""
    arguments = ("traps", "--trap", "once", "--device", "cpu")
    found = measuring.offer("calls", "Time 300 calls", arguments, seconds=SECONDS)
    samples: Sequence[float] = read(found.events)[2] if found else ()
    where = f"Measured {found.age()} on the server that runs this page." if found else ""
    if not samples:
        samples, where = recorded_calls()
    show(three_numbers(samples), key="three numbers")
    if found:
        found.warn()
    return why_the_median(samples), where


@cached
def recorded_calls() -> tuple[tuple[float, ...], str]:
    """Seconds of each call of a run that comes with the app, and where and when it was made."""
    recorded: dict[str, Any] = json.loads(CALLS.read_text(encoding="utf-8"))
    told = "The calls shown were recorded on {machine}, {made}, with PyTorch {torch}."
    return tuple(recorded["seconds"]), told.format(**recorded)


def why_the_median(samples: Sequence[float]) -> str:
    """What the shortest call, the mean and the median of these calls say, and what moves them."""
    least, most, middle, mean = min(samples), max(samples), median(samples), fmean(samples)
    near = sum(one <= (1 + NEAR) * least for one in samples) - 1
    rest = sorted(samples)[:-1]
    by_mean, by_median = mean / fmean(rest) - 1, middle / median(rest) - 1
    return (
        f"The **shortest** of {len(samples)} calls took {written(least, 'time')}, and {near} "
        "others came within 5 % of it: it says what is possible"
        f"{', not what is usual' * (2 * near < len(samples))}. The **mean** is "
        f"{written(mean, 'time')}: the longest call alone, {written(most, 'time')}, moves it by "
        f"{by_mean:.1%}. The **median** is {written(middle, 'time')}: half of the calls took less, "
        f"and the longest moves it by {by_median:.1%}."
    ).replace("%.", " %.")


# ---- Another timer


def _check(measuring: Measuring) -> tuple[str, str]:
    """The same operations by both timers, in the same process, in turn."""
    found = measuring.offer("check", "Compare both timers", ("check",), seconds=SECONDS)
    rows = [event for event in found.events if event["event"] == "compared"] if found else []
    if not (found and rows):
        return (
            "PyTorch has a timer of its own, torch.utils.benchmark. Both time the same operations "
            "in the same process, in turn. **How far apart will they be?**",
            "",
        )
    show(both_timers([(_name(row), row["ours"], row["theirs"]) for row in rows]), key="timers")
    found.warn()
    said = told(rows)
    if found.starved:
        said = "The server was busy: the points are drawn, and no verdict is given of them."
    when = f"Measured {found.age()} on the server that runs this page, in 32 bits, on one thread."
    return said, f"{_table(rows)}\n\n{when}"


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
        "computes on the server meanwhile, it slows the one and not the other. Compare again: a "
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
