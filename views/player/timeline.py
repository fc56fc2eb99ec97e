"""The numbers that follow the player: recorded on the server, sent once, scrubbed in a browser."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEXT = "_next"


class Phase(IntEnum):
    """The phases of a step. Each has one or more moments, which slow motion goes through.

    Outside slow motion all of the step is known, and the update is still to come.
    """

    PREDICT = 0
    LOSS = 1
    GRADIENT = 2
    UPDATE = 3
    WHOLE = 4  # outside slow motion


# As expressions for charts: the step shown, its phase, its moment.
STEP = "toNumber(now[0])"
PHASE = "toNumber(now[1])"
MOMENT = "toNumber(now[2])"


WHOLE_STEPS = (1, 0, 0, 0)  # the parts of a step that is not taken apart


@dataclass(frozen=True, eq=False)
class Series:
    """One number over the steps of a run.

    values: shape (k,). Sent as float64 if they are float64, else as float32, which is half the
    bytes and shows six digits truly.
    at: the increasing steps at which the values hold, shape (k,); None where there is one for
    each step. Between two of them, and after the last, the earlier value stands.
    """

    values: NDArray[Any]
    at: NDArray[Any] | None = None

    def value_at(self, step: int) -> float:
        """The value that holds at a step."""
        if self.at is None:
            return float(self.values[min(step, len(self.values) - 1)])
        return float(self.values[max(0, int(np.searchsorted(self.at, step, side="right")) - 1)])

    def payload(self) -> tuple[str, str]:
        """What the browser decodes: a type, and the values as base64 numbers."""
        exact = self.values.dtype == np.float64
        values = np.ascontiguousarray(self.values, dtype="<f8" if exact else "<f4")
        return "f8" if exact else "f4", _base64(values)


@dataclass(frozen=True, eq=False)
class Timeline:
    """All series of a page, and how charts and texts name their value at the step shown.

    series: by name. last_step: the number of the last step.
    A name with `_next` behind it is that series one step later: what the update made of it. Only
    series with a value for each step have that.
    parts: how many moments each of the four phases has; a single one, as in WHOLE_STEPS, where a
    step is not taken apart and there is no slow motion. slow_at: the increasing steps that slow
    motion can go through, None for all. slow: whether a first visit starts in slow motion.
    """

    series: dict[str, Series]
    last_step: int
    parts: tuple[int, int, int, int] = (1, 1, 1, 1)
    slow_at: NDArray[Any] | None = None
    slow: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for timelines that a chart reads alike; the values themselves are the player's."""
        return self.names_key, self.last_step, *self.parts

    @cached_property
    def names_key(self) -> str:
        """All names in one string: hashing some hundred of them costs a millisecond or two."""
        return "\n".join(self.names)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What has a value at the step shown, in the order in which the player tells it."""
        complete = [name for name, one in self.series.items() if one.at is None]
        return (*self.series, *(name + NEXT for name in complete))

    def now(self, name: str, *, further: str = "0") -> str:
        """The Vega expression for this series' value at the step shown.

        further: an expression, counts on to the series added that many places later.
        """
        return f"toNumber(now[{3 + self.names.index(name)} + {further}])"

    def asked(
        self, query: Mapping[str, str], begin: tuple[int, int | None]
    ) -> tuple[int, int | None]:
        """The step and the moment that an address names, None outside slow motion.

        query: its parameters. begin: where a visit begins whose address names none. As in bar.js.
        """
        step, moment = query.get("step", ""), query.get("moment", "")
        at = int(step) if step.isdecimal() else begin[0]
        slowable = [at] if self.slow_at is None else self.slow_at.tolist()
        if sum(self.parts) <= 1 or moment == "all" or (step and at not in slowable):
            return min(at, self.last_step), None
        if moment.isdecimal():
            return min(at, self.last_step), min(int(moment), sum(self.parts) - 1)
        slow = begin[1] is not None
        return min(at, self.last_step), (0 if slow else None) if step.isdecimal() else begin[1]

    def told(self, step: int, moment: int | None) -> str:
        """What the player tells all who follow it there: "step,phase,moment,values…"."""
        moments = sum(self.parts)
        starts = np.cumsum((0, *self.parts[:-1]))
        phase = Phase.WHOLE if moment is None else int(np.flatnonzero(starts <= moment)[-1])
        numbers = [step, phase, moments if moment is None else moment]
        now = [one.value_at(step) for one in self.series.values()]
        complete = [one for one in self.series.values() if one.at is None]
        later = [one.value_at(step + 1) if step + 1 < len(one.values) else "" for one in complete]
        told = ",".join(map(str, [*numbers, *now, *later]))
        return told.replace("inf", "Infinity").replace("nan", "NaN")

    @cached_property
    def payload(self) -> dict[str, Any]:
        """What the player component is given."""
        # Many series hold at the same steps, and some are the same numbers: those are sent once,
        # and named by their position.
        arrays: dict[tuple[str, str], int] = {}
        steps: dict[str, int] = {}
        series: dict[str, tuple[int, int | None]] = {}
        for name, one in self.series.items():
            values = arrays.setdefault(one.payload(), len(arrays))
            at = None if one.at is None else steps.setdefault(_steps(one.at), len(steps))
            series[name] = values, at
        return {
            "lastStep": self.last_step,
            "series": series,
            "arrays": [{"type": kind, "values": values} for kind, values in arrays],
            "at": list(steps),
            "parts": self.parts,
            "slowAt": None if self.slow_at is None else _steps(self.slow_at),
        }


def every_step(columns: Mapping[str, NDArray[Any]]) -> dict[str, Series]:
    """Series with a value for each step, six digits each."""
    return {name: Series(_short(values)) for name, values in columns.items()}


def some_steps(columns: Mapping[str, NDArray[Any]], at: NDArray[Any]) -> dict[str, Series]:
    """Series with values only at the steps `at`, six digits each."""
    return {name: Series(_short(values), at) for name, values in columns.items()}


def _short(values: NDArray[Any]) -> NDArray[Any]:
    """As float32, unless that would make infinity or zero of a number."""
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    limits = np.finfo(np.float32)
    fits = bool(np.all((size >= limits.tiny) & (size <= limits.max)))
    return values.astype(np.float32) if fits else values


def _steps(at: NDArray[Any]) -> str:
    return _base64(np.ascontiguousarray(at, dtype="<i4"))


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()
