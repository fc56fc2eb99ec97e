"""How the contenders of a benchmark look in every picture, and how their numbers are written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from engines.benchmark.recording import Measurement
from views.ui.palette import ENGINES

Unit = Literal["time", "gflops"]
UNITS = {"time": "time for one call", "gflops": "GFLOP/s"}
SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}

# For each framework: its name, its colour, the shape of its marks on a CPU and on any other device.
LOOKS = {
    "numpy": ("NumPy", ENGINES["numpy_vectorized"].color, "circle", "circle"),
    "torch": ("PyTorch", ENGINES["torch_autograd"].color, "triangle", "square"),
    "tensorflow": ("TensorFlow", ENGINES["tf_tape"].color, "diamond", "cross"),
}
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
    """One contender in a chart. shape: of SHAPES. dash: of STROKES. hollow: its marks are."""

    label: str
    color: str
    shape: str
    dash: tuple[int, int] = SOLID
    width: float = 2.5
    hollow: bool = False
    measurements: tuple[Measurement, ...] = ()


# ---- What a contender looks like


def look_of(
    framework: str, device: str, threads: int, *, transfer: bool = False, recorded: bool = False
) -> Line:
    """The line of a contender, with nothing measured yet. recorded: on another machine."""
    name, color, on_cpu, elsewhere = LOOKS[framework]
    if device == "cpu":
        where = f"{threads} thread" if threads == 1 else f"{threads} threads"
    else:
        where = DEVICES.get(device.split(":", maxsplit=1)[0], device)
    said = [name, where, *["with transfer"] * transfer]
    said += ["recorded"] * recorded
    dash = DASHED if device == "cpu" and threads == 1 else DOTTED if transfer else SOLID
    shape, width = (on_cpu, 2.5) if device == "cpu" else (elsewhere, 4.5)
    if recorded:
        width /= 2
    return Line(", ".join(said), color, shape, dash, width, recorded)


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
        look = look_of(framework, device, threads, transfer=transfer, recorded=recorded)
        lines.append(look._replace(measurements=tuple(found)))
    return lines


# ---- Numbers as they are written


def number(value: float) -> str:
    """Three digits, or all that stand before the point."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def written(value: float, unit: Unit) -> str:
    """A time in the unit that suits it, given in seconds, or a speed."""
    if unit == "gflops":
        return f"{number(value)} GFLOP/s"
    name = next((name for name, size in SECONDS.items() if value < 999.5 * size), "s")
    return f"{number(value / SECONDS[name])} {name}"


def plain(unit: Unit) -> str:
    """The same for the ticks of an axis, as an expression of Vega."""
    if unit == "gflops":
        return "format(datum.value, ',~g')"
    told = "datum.value == 0 ? '0' : format(datum.value / 1e-9, '~g') + ' ns'"
    for name, size in list(SECONDS.items())[1:]:  # 0.99, for a tick may be rounded down
        in_it = f"format(datum.value / {size}, ',~g') + ' {name}'"
        told = f"datum.value >= {0.99 * size} ? {in_it} : {told}"
    return told
