"""What is measured against size: the operation, by what, how far, for how long; a recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from engines.benchmark.contender import Contender
from engines.benchmark.operations import OPERATIONS
from engines.benchmark.recording import Measurement, Recording
from engines.benchmark.sweep import Plan
from views.gpu_speedup import recordings as recorded
from views.gpu_speedup.contenders import LOOKS
from views.gpu_speedup.this_machine import Server
from views.ui.controls import Controls

CHOICES = {
    "square": "square matrices",
    "row_by_column": "row by column",
    "elementwise": "elementwise",
    "training_step": "a training step",
}
TASKS = {  # what one call does, in a question
    "square": "multiply two n × n matrices",
    "row_by_column": "multiply a row of n numbers by a column",
    "elementwise": "compute 3x² + 2 for n numbers",
    "training_step": "do a training step with n hidden units",
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
    frameworks: tuple[str, ...]
    contenders: tuple[tuple[str, str, int], ...]
    sizes: tuple[int, ...]
    precision: str
    seconds: int
    recording: Recording | None

    @property
    def transfer(self) -> str:
        """Whether it is measured with the transfer: where something is elsewhere, both ways."""
        return "both" if any(device != "cpu" for _, device, _ in self.contenders) else "without"

    def arguments(self) -> tuple[str, ...]:
        """For the command line of engines.benchmark."""
        return (
            *("sweep", "--operations", self.operation, "--precision", self.precision),
            *("--contenders", *(":".join(map(str, one)) for one in self.contenders)),
            *("--sizes", *map(str, self.sizes), "--seconds", str(self.seconds)),
            *("--transfer", self.transfer),
        )

    def needed_bytes(self) -> int:
        """Memory of the server that measuring takes, about."""
        transfers = (False, True) if self.transfer == "both" else (False,)
        contenders = tuple(Contender(*one) for one in self.contenders)
        sizes = {self.operation: self.sizes}
        return Plan(contenders, sizes, self.precision, transfers, self.seconds).needed_bytes()

    def of_recording(self) -> list[Measurement]:
        """All that the recording has of the same question; of a CPU, without transfer."""
        return [
            one
            for one in (self.recording.measurements if self.recording else ())
            if (one.operation, one.precision) == (self.operation, self.precision)
            and one.framework in self.frameworks
            and not (one.transfer and one.device == "cpu")
        ]

    def shown(self) -> tuple[int, ...]:
        """The sizes of the picture: those to measure, and those that the recording has."""
        return tuple(sorted({*self.sizes, *(one.size for one in self.of_recording())}))

    @property
    def size_name(self) -> str:
        """What n is."""
        return "hidden units" if self.operation == "training_step" else "n"


def choose(controls: Controls, server: Server, recordings: Mapping[str, Recording]) -> Chosen:
    """The controls, with what is on the server and the recordings there are."""
    recording = recorded.choose(
        controls, recordings, widget=st.selectbox, none="No recording, only this server"
    )
    operation = controls.pills("Operation", "operation", CHOICES, "square")
    frameworks = controls.several(
        "Frameworks",
        "frameworks",
        {name: look.label for name, look in LOOKS.items()},
        ("torch",),
    )
    processors = controls.several(
        "Processors of the server", "processors", _processors(server), tuple(_processors(server))
    )
    largest, seconds, precision = _more(controls, operation)
    contenders = tuple(
        (framework, device, threads)
        for framework in frameworks
        for device, threads in (_processor(one, server) for one in processors)
        if device in server.found(framework)
    )
    small = tuple(size for size in OPERATIONS[operation].sizes if size <= largest)
    return Chosen(operation, frameworks, contenders, small, precision, int(seconds), recording)


def _more(controls: Controls, operation: str) -> tuple[int, float, str]:
    """What is seldom changed: largest n, seconds, precision."""
    sizes = OPERATIONS[operation].sizes
    largest = controls.choice(
        st.selectbox,
        "Largest n to measure",
        f"largest_{operation}",
        {str(size): f"{size:,}" for size in sizes[2:]},
        str(LARGEST[operation]),
    )
    seconds = controls.number("Time budget in seconds", "seconds", *SECONDS)
    precision = controls.choice(
        st.segmented_control, "Precision", "precision", PRECISIONS, "float32", required=True
    )
    return int(str(largest)), seconds, str(precision)


def _processors(server: Server) -> dict[str, str]:
    """The devices of all frameworks, the CPU with one thread and with all it has."""
    found = {"cpu-1": "CPU, 1 thread"}
    if server.cores > 1:
        found["cpu"] = f"CPU, all {server.cores} threads"
    for framework in LOOKS:
        found |= {kind: name for kind, name in server.found(framework).items() if kind != "cpu"}
    return found


def _processor(name: str, server: Server) -> tuple[str, int]:
    return ("cpu", 1) if name == "cpu-1" else (name, server.cores)
