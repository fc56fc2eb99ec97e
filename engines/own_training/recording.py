"""What was recorded of somebody's own training: plain data, which knows no framework."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from engines.graphs.autograd import StepGraph
from engines.listing import Place

Kind = Literal["losses", "gradients", "parameters"]
Ended = Literal["finished", "enough", "interrupted", "error"]
MOST = 1000  # steps, if not said


@dataclass(frozen=True)
class Failure:
    """An exception that ended a program: its class, its message, and the line of the program.

    step: in which it came, of which no more was recorded; None where it came outside of all steps.
    told: all that Python says of it.
    """

    error: str
    message: str
    line: int | None
    step: int | None = None
    told: str = ""


@dataclass(frozen=True)
class Pass:
    """What is known of every step: losses by the program's names, and sizes of what is trained.

    losses: of what backward() was called on, of several of one name the last. backward: the name
    at each call of it. gradients, parameters: Euclidean norms when backward()
    returned, by the program's name for the parameter.
    """

    losses: dict[str, float] = field(default_factory=dict)
    gradients: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)
    backward: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Recording:
    """A program, and what it did.

    title: its name. source: its text; lines count from 1. loops: the lines in which the loops begin
    of which each pass is a step; empty where it was one step alone. graphs: of some steps, in their
    order, with at most SAMPLED numbers of each array. modules: by the program's name, the class.
    calls: by the same name, where the program called it first. too_many: as many nodes as a graph
    may have that is kept, where one had more; else 0. key: of this recording alone, which a cache
    may go by.
    """

    title: str
    source: str
    loops: Sequence[int]
    passes: Sequence[Pass]
    graphs: Sequence[StepGraph]
    modules: dict[str, str]
    calls: dict[str, Place]
    ended: Ended
    failure: Failure | None = None
    too_many: int = 0
    key: str = field(default_factory=lambda: uuid4().hex)

    def columns(self, kind: Kind) -> dict[str, NDArray[np.float64]]:
        """By name, one number for each step, shape (steps,); NaN where a step has none."""
        rows: list[dict[str, float]] = [getattr(one, kind) for one in self.passes]
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def save(recording: Recording, file: Path) -> None:
    """Write it to a file, which only those may read again who trust whoever wrote it."""
    file.write_bytes(pickle.dumps(recording))


def load(file: Path) -> Recording:
    """Read what `save` has written. It must be one's own: reading a pickle runs what it says."""
    recording: Recording = pickle.loads(file.read_bytes())
    return recording
