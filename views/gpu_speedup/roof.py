"""Which of two limits an operation meets, memory or arithmetic: its roofline, and in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

import streamlit as st

from engines.benchmark.operations import ITEM_BYTES
from engines.benchmark.recording import Measurement, Recording
from views.gpu_speedup.contenders import line_of
from views.gpu_speedup.events import measured, provenance
from views.gpu_speedup.recordings import as_text, made_elsewhere
from views.gpu_speedup.roof_words import limits_of, told
from views.gpu_speedup.roofline import under_the_roof
from views.gpu_speedup.this_machine import Here
from views.player import show
from views.ui.controls import Controls
from views.ui.measuring import Event, Measuring
from views.ui.shell import side_by_side

ASKED = ("copy", "square", "row_by_column", "elementwise", "training_step")  # the roofs first
# Of each operation those it has: few, so that each has time, and for memory one that is LARGE.
SIZES = (16, 64, 256, 1024, 4096, 2**16, 2**20, 2**22, 2**24)
SECONDS = 20
HERE = "here"  # in the address: the machine that the app runs on


def section(
    controls: Controls,
    measuring: Measuring,
    here: Here,
    recordings: Mapping[str, Recording],
) -> None:
    """Offer to measure the limits of this machine; show them, or those of a recording."""
    usable = {name: fastest(one.measurements) for name, one in recordings.items()}
    named = {
        name: as_text(f"recorded on {recordings[name].machine.name}")
        for name, found in usable.items()
        if found and name != HERE
    }
    chosen = HERE
    if named:
        machines = {HERE: "This machine", **named}
        chosen = str(
            controls.choice(st.pills, "The roof of", "roof", machines, HERE, required=True)
        )
    if chosen != HERE:
        _show(usable[chosen])
        st.caption(made_elsewhere(recordings[chosen]))
        return
    # NumPy is loaded at once, and reads a row and a column as fast as memory hands them over.
    framework = "numpy" if here.device == "cpu" else "torch"
    contender = f"{framework}:{here.device}:{here.cores}"
    arguments: tuple[str, ...] = ("sweep", "--operations", *ASKED, "--contenders", contender)
    arguments += ("--sizes", *map(str, SIZES), "--transfer", "without", "--seconds", str(SECONDS))

    def draw(events: list[Event]) -> None:
        so_far = measured(events)
        if all(limits_of(so_far)):
            with again().container():
                _show(so_far)

    found = measuring.offer("roof", "Measure the roof", arguments, seconds=SECONDS, draw=draw)
    place = st.container()
    again = cache(place.empty)  # once, and no sooner: what stands there would be gone for a moment
    if not found:
        place.markdown(
            "A row of n numbers times a column of n numbers: 2n flops, for which 2n numbers are "
            "read. **Which of the two limits will it meet, and how far below the other one?**"
        )
        return
    with place.container():
        found.warn()
        _show(measured(found.events))
        st.caption(provenance(found))


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


# ---- The picture, and what it says


def _show(found: tuple[Measurement, ...]) -> None:
    limits = limits_of(found)
    text = "\n\n".join(told(found))
    if not (limits.copy and limits.product):
        st.markdown(text)
        return
    words, picture = side_by_side([2, 3])
    with picture:
        drawing = under_the_roof(found, limits.product.gflops, limits.bytes_per_second)
        show(drawing, key="roofline", height=480, in_hall=700)
        one = found[0]
        line = line_of(one.framework, one.device, one.threads)
        st.caption(
            f"{line.label}, numbers of {8 * ITEM_BYTES[one.precision]} bits. A chain of points is "
            "one operation, from its smallest size to its largest. The data lies on the device "
            "already; transfer time is not included."
        )
    words.markdown(text)
