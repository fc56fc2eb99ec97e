"""How the contenders of a benchmark look in every picture, and how times are written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from engines.benchmark.recording import Measurement
from views.ui.numbers import number
from views.ui.palette import ENGINES, Look

Unit = Literal["time", "gflops"]
UNITS = {"time": "time for one call", "gflops": "GFLOP/s"}
SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}

# Each framework, and the shape of its marks where it does not compute on the CPU.
LOOKS = {
    "numpy": Look("NumPy", ENGINES["numpy_vectorized"].color, shape="circle"),
    "torch": Look("PyTorch", ENGINES["torch_autograd"].color, shape="triangle"),
    "tensorflow": Look("TensorFlow", ENGINES["tf_tape"].color, shape="diamond"),
}
ELSEWHERE = {"numpy": "circle", "torch": "square", "tensorflow": "cross"}
DEVICES = {"cuda": "GPU", "mps": "GPU (MPS)", "xpu": "GPU (XPU)"}
# Paths in a box from -1 to 1: marks, and what a legend draws through each for the line.
SHAPES = {
    "circle": "M.8,0A.8,.8,0,1,1,-.8,0A.8,.8,0,1,1,.8,0Z",
    "triangle": "M0,-.9L.9,.7H-.9Z",
    "diamond": "M0,-1L1,0L0,1L-1,0Z",
    "square": "M-.75,-.75H.75V.75H-.75Z",
    "cross": "M-1,-.35H-.35V-1H.35V-.35H1V.35H.35V1H-.35V.35H-1Z",
}
SOLID, DASHED, DOTTED = (1, 0), (8, 5), (2, 4)
STROKES = {SOLID: "M-2.4,0H2.4", DASHED: "M-2.6,0H-2.1M-1.6,0H-1.1M1.1,0H1.6M2.1,0H2.6"}
STROKES[DOTTED] = "M-2.4,0H-2.2M-1.8,0H-1.6M-1.2,0H-1M1,0H1.2M1.6,0H1.8M2.2,0H2.4"


class Line(NamedTuple):
    """One contender in a chart. look: with a shape of SHAPES. hollow: its marks are."""

    look: Look
    width: float = 2.5
    hollow: bool = False
    measurements: tuple[Measurement, ...] = ()

    @property
    def label(self) -> str:
        """Its name in a legend."""
        return self.look.label


# ---- What a contender looks like


def line_of(
    framework: str, device: str, threads: int, *, transfer: bool = False, recorded: bool = False
) -> Line:
    """The line of a contender, with nothing measured yet. recorded: not on the server."""
    look, on_cpu = LOOKS[framework], device == "cpu"
    if on_cpu:
        where = f"{threads} thread" if threads == 1 else f"{threads} threads"
    else:
        where = DEVICES.get(device.split(":", maxsplit=1)[0], device)
    said = [look.label, where, *["with transfer"] * transfer]
    said += ["recorded"] * recorded
    dash = DASHED if on_cpu and threads == 1 else DOTTED if transfer else SOLID
    shape, width = (look.shape, 2.5) if on_cpu else (ELSEWHERE[framework], 4.5)
    look = Look(", ".join(said), look.color, dash, shape)
    return Line(look, width / 2 if recorded else width, recorded)


def lines_of(measurements: Sequence[Measurement], *, recorded: bool = False) -> list[Line]:
    """A line for each contender among measurements of one operation, in the order of their names.

    Precision is not told apart: two of the same size and contender would stand above each other.
    """

    def contender(one: Measurement) -> tuple[str, str, int, bool]:
        return one.framework, one.device, one.threads, one.transfer

    lines = []
    for (framework, device, threads, transfer), found in groupby(
        sorted(measurements, key=contender), contender
    ):
        line = line_of(framework, device, threads, transfer=transfer, recorded=recorded)
        lines.append(line._replace(measurements=tuple(found)))
    return lines


# ---- Numbers as they are written


def digits(value: float) -> str:
    """Three digits, or all that stand before the point."""
    return f"{value:,.0f}" if value >= 99.95 else number(value, 3)


def written(value: float, unit: Unit) -> str:
    """A time in the unit that suits it, given in seconds, or a speed."""
    if unit == "gflops":
        return f"{digits(value)} GFLOP/s"
    name = next((name for name, size in SECONDS.items() if value < 999.5 * size), "s")
    return f"{digits(value / SECONDS[name])} {name}"


def tick_labels(unit: Unit) -> str:
    """The same for the ticks of an axis, as an expression of Vega."""
    if unit == "gflops":
        return "format(datum.value, ',~g')"
    told = "datum.value == 0 ? '0' : format(datum.value / 1e-9, '~g') + ' ns'"
    for name, size in list(SECONDS.items())[1:]:  # 0.99, for a tick may be rounded down
        in_it = f"format(datum.value / {size}, ',~g') + ' {name}'"
        told = f"datum.value >= {0.99 * size} ? {in_it} : {told}"
    return told
