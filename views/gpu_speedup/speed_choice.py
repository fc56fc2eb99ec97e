"""What is to be measured against size: the operation, by what, how far, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from engines.benchmark.operations import OPERATIONS
from engines.benchmark.recording import Measurement, Recording
from views.gpu_speedup.contenders import LOOKS
from views.gpu_speedup.recordings import OWN
from views.gpu_speedup.this_machine import Here
from views.ui.controls import Controls

CHOICES = {
    "square": "square matrices",
    "row_by_column": "row by column",
    "elementwise": "elementwise",
    "training_step": "a training step",
}
ABOUT = {
    "square": "Two matrices of n × n numbers: 2n³ additions and multiplications.",
    "row_by_column": "A row of n numbers times a column of n numbers, as in the article: 2n "
    "additions and multiplications, and one number comes out.",
    "elementwise": "3x² + 2 for each of n numbers, in three operations, each of which reads and "
    "writes all of them. NumPy does this on one thread, however many it has.",
    "training_step": "One step of the two-layer network, with n hidden units: 64 inputs of 1000 "
    "numbers, forward, backward, update.",
}
PRECISIONS = {"float32": "32 bits", "float64": "64 bits"}
LARGEST = {"square": 2048, "row_by_column": 4**11, "elementwise": 4**11, "training_step": 1024}
SECONDS = 20, 3, 60  # of a run: by default, at least, at most


class Chosen(NamedTuple):
    """What is to be measured. contenders: framework, device and number of threads of each."""

    operation: str
    contenders: tuple[tuple[str, str, int], ...]
    sizes: tuple[int, ...]
    precision: str
    transfer: bool
    seconds: int
    recording: Recording | None

    def arguments(self) -> tuple[str, ...]:
        """For the command line of engines.benchmark."""
        return (
            *("sweep", "--operations", self.operation, "--precision", self.precision),
            *("--contenders", *(":".join(map(str, one)) for one in self.contenders)),
            *("--sizes", *map(str, self.sizes), "--seconds", str(self.seconds)),
            *("--transfer", "with" if self.transfer else "without"),
        )

    def of_recording(self) -> list[Measurement]:
        """What the recording has of the same question: of its GPUs, and with all its threads.

        Only of the sizes that are asked for here: what is compared is what the picture shows.
        """
        frameworks = {framework for framework, *_ in self.contenders}
        same = [
            one
            for one in (self.recording.measurements if self.recording else ())
            if (one.operation, one.precision) == (self.operation, self.precision)
            and one.transfer == self.transfer
            and one.framework in frameworks
            and self.sizes[0] <= one.size <= self.sizes[-1]
        ]
        most = max((one.threads for one in same), default=0)
        return [one for one in same if one.device != "cpu" or one.threads == most]

    @property
    def size_name(self) -> str:
        """What n is."""
        return "hidden units" if self.operation == "training_step" else "n"


def choose(controls: Controls, machine: Here, recordings: Mapping[str, Recording]) -> Chosen:
    """The controls, with what is on this machine and the recordings to compare with."""
    first, second, third = st.columns([5, 3, 4])
    with first:
        operation = controls.choice(
            st.pills, "Operation", "operation", CHOICES, "square", required=True
        )
    with second:
        frameworks = controls.several(
            "Frameworks",
            "frameworks",
            {name: look.label for name, look in LOOKS.items()},
            ("torch",),
        )
    with third:
        processors = controls.several(
            "Processors", "processors", _processors(machine), tuple(_processors(machine))
        )
    assert operation
    more, elsewhere = st.columns([7, 5])
    with more, st.expander("Sizes, time, precision, transfer"):
        largest, seconds, precision, transfer = _more(controls, operation)
    with elsewhere:
        recording = controls.choice(
            st.selectbox,
            "Compare with",
            "recording",
            _named(recordings),
            "none",
            label_visibility="collapsed",
        )
    if transfer and "numpy" in frameworks:
        st.caption("NumPy is left out: its numbers are in main memory, and stay there.")
    contenders = tuple(
        (framework, device, threads)
        for framework in frameworks
        for device, threads in (_processor(one, machine) for one in processors)
        if device in machine.found(framework) and not (transfer and framework == "numpy")
    )
    small = tuple(size for size in OPERATIONS[operation].sizes if size <= largest)
    return Chosen(
        operation,
        contenders,
        small,
        precision,
        transfer,
        int(seconds),
        recordings.get(str(recording)),
    )


def _more(controls: Controls, operation: str) -> tuple[int, float, str, bool]:
    """What is seldom changed: largest n, seconds, precision, transfer."""
    columns = st.columns(4, vertical_alignment="bottom")
    sizes = OPERATIONS[operation].sizes
    with columns[0]:
        largest = controls.choice(
            st.selectbox,
            "Largest n",
            f"largest_{operation}",
            {str(size): f"{size:,}" for size in sizes[2:]},
            str(LARGEST[operation]),
        )
    with columns[1]:
        seconds = controls.number("Time budget in seconds", "seconds", *SECONDS)
    with columns[2]:
        precision = controls.choice(
            st.segmented_control, "Precision", "precision", PRECISIONS, "float32", required=True
        )
    with columns[3]:
        transfer = controls.flag(
            "Transfer",
            "transfer",
            help="Whether each call also brings the data to the device and the result back.",
        )
    return int(str(largest)), seconds, str(precision), transfer


def _processors(machine: Here) -> dict[str, str]:
    """The devices of all frameworks, the CPU with one thread and with all it has."""
    found = {"cpu-1": "CPU, 1 thread"}
    if machine.cores > 1:
        found["cpu"] = f"CPU, all {machine.cores} threads"
    for framework in LOOKS:
        found |= {kind: name for kind, name in machine.found(framework).items() if kind != "cpu"}
    return found


def _processor(name: str, machine: Here) -> tuple[str, int]:
    return ("cpu", 1) if name == "cpu-1" else (name, machine.cores)


def _named(recordings: Mapping[str, Recording]) -> dict[str, str]:
    named = {name: f"Compare with {one.machine.name}" for name, one in recordings.items()}
    if OWN in named:
        named[OWN] = f"Compare with your own recording, {recordings[OWN].machine.name}"
    return {"none": "Compare with no recording", **named}
