"""Which of two limits an operation meets, memory or arithmetic: its roofline, and in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engines.benchmark.operations import ITEM_BYTES
from engines.benchmark.recording import Measurement, Recording
from views.gpu_speedup import recordings as recorded
from views.gpu_speedup import timings
from views.gpu_speedup.contenders import line_of
from views.gpu_speedup.events import measured, provenance
from views.gpu_speedup.recordings import made_elsewhere
from views.gpu_speedup.roof_words import limits_of, told
from views.gpu_speedup.roofline import under_the_roof
from views.gpu_speedup.this_machine import Server
from views.gpu_speedup.verdicts import as_html
from views.player import say, show
from views.ui.measuring import Event, Found, Measuring
from views.ui.shell import Here
from views.ui.staging import beside, stage

ASKED = ("copy", "square", "row_by_column", "elementwise", "training_step")  # the roofs first
# Of each operation those it has: few, so that each has time, and for memory one that is LARGE.
SIZES = (16, 64, 256, 1024, 4096, 2**16, 2**20, 2**22, 2**24)
SECONDS = 20


def show_stage(
    here: Here, measuring: Measuring, server: Server, recordings: Mapping[str, Recording]
) -> None:
    """The roofline of a recording or of the server; below, what the measurements say."""
    usable = {name: one for name, one in recordings.items() if fastest(one.measurements)}
    found = None
    with stage(here, ran=timings.programs("square")):
        story = st.container()
        recording = recorded.choose(
            here.controls, usable, widget=st.pills, none="The server that runs this page"
        )
        places = list[DeltaGenerator]()
        if recording:
            shown = fastest(recording.measurements)
        else:
            found = _offer(measuring, server, lambda events: _draw(measured(events), places))
            shown = measured(found.events) if found else ()
        places += beside(1)
        _draw(shown, places)
        said = told(shown) if shown and not (found and found.starved) else []
        with story:
            say(as_html(_story(said, shown, found)))
    st.markdown("\n\n".join(said))
    if shown:
        one = shown[0]
        line = line_of(one.framework, one.device, one.threads)
        st.caption(
            f"{line.label}, in {8 * ITEM_BYTES[one.precision]} bits. A chain of points is one "
            "operation, from its smallest size to its largest. The data lies on the device "
            "already; transfer time is not included."
        )
    if found:
        found.warn()
        st.caption(provenance(found))
    if recording:
        st.caption(made_elsewhere(recording))


def _offer(
    measuring: Measuring, server: Server, draw: Callable[[list[Event]], None]
) -> Found | None:
    # NumPy is loaded at once, and reads a row and a column as fast as memory hands them over.
    framework = "numpy" if server.device == "cpu" else "torch"
    contender = f"{framework}:{server.device}:{server.cores}"
    arguments: tuple[str, ...] = ("sweep", "--operations", *ASKED, "--contenders", contender)
    arguments += ("--sizes", *map(str, SIZES), "--transfer", "without", "--seconds", str(SECONDS))
    about = f"Up to {SECONDS} s on the server that runs this page."
    return measuring.offer(
        "roof", "Measure the roof", arguments, seconds=SECONDS, about=about, draw=draw
    )


def _story(said: Sequence[str], shown: Sequence[Measurement], found: Found | None) -> str:
    """The sentence of a row by a column, or what is to be done."""
    if not shown:
        return (
            "A row of n numbers times a column of n numbers: 2n flops, for which 2n numbers are "
            "read. **Which of the two limits will it meet, and how far below the other one?** "
            "Measure, and see."
        )
    if found and found.starved:
        return "The server was busy: the points are drawn, and what they say may be noise."
    rows = [one for one in said if one.startswith("**A row by a column**")]
    return rows[0] if rows else said[0]


# ---- What was measured


def fastest(found: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """What was measured of the one whose arithmetic is fastest, of all that have both limits."""
    by_contender = defaultdict(list)
    for one in found:
        if not one.transfer:
            by_contender[one.framework, one.device, one.threads, one.precision].append(one)
    best: tuple[float, tuple[Measurement, ...]] = (0.0, ())
    for measured_of_it in by_contender.values():
        limits = limits_of(measured_of_it)
        if limits.copy and limits.product and limits.product.gflops > best[0]:
            best = limits.product.gflops, tuple(measured_of_it)
    return best[1]


# ---- The picture


def _draw(found: Sequence[Measurement], places: list[DeltaGenerator]) -> None:
    """places: where the picture goes, and then the picture, to be replaced."""
    limits = limits_of(found)
    figure = under_the_roof(
        tuple(found),
        limits.product.gflops if limits.product else 0.0,
        limits.bytes_per_second if limits.copy else 0.0,
    )
    places[0] = show(figure, key="roofline", place=places[0])
