"""What an engine did: its steps, copied as they happened, to be played and stepped back."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from types import GeneratorType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NUMBERS = (float, np.generic)
CHECK_EVERY = 64  # steps between two checks whether the run is still finite


class Step(NamedTuple):
    """The state before one update, and what the listing computed from it.

    loss: a number. params, grads: by name, numbers or arrays (the gradient of the loss by each;
    there are none where a listing is not handed them, as by an optimizer that does it all).
    """

    loss: Any
    params: Mapping[str, Any]
    grads: Mapping[str, Any]

    @property
    def non_finite(self) -> tuple[str, ...]:
        """Names of what overflowed or is not a number, in the order of the listing."""
        grads = {f"grad_{name}": value for name, value in self.grads.items()}
        values = {**self.params, "loss": self.loss, **grads}
        return tuple(name for name, value in values.items() if not np.all(np.isfinite(value)))


class Drawn(NamedTuple):
    """A value given by how it was drawn: `by(*given)`, or the part of that at `place`."""

    by: Callable[..., Any]
    given: tuple[Any, ...]
    place: int | str | None = None

    def drawn(self) -> Any:
        """The value."""
        found = self.by(*self.given)
        return found if self.place is None else found[self.place]


class Named(NamedTuple):
    """A value given by its name in the module of the listing, such as `Designed.apply`."""

    expression: str

    def found(self, names: Mapping[str, Any]) -> Any:
        """The value."""
        name, *attributes = self.expression.split(".")
        return reduce(getattr, attributes, names[name])


class Made(NamedTuple):
    """What made a run. listing: the name of the generator. names: all that its module defines.

    arguments: what it was called with, by name; large arrays may be Drawn, others Named.
    """

    listing: str
    names: Mapping[str, Any]
    arguments: Mapping[str, Any]


def made_by(listing: Callable[..., Any], /, **arguments: Any) -> Made:
    """What made a run that was not recorded here. arguments: as for Made."""
    names: Mapping[str, Any] = getattr(listing, "__globals__", {})
    return Made(listing.__name__, names, arguments)


@dataclass(frozen=True, eq=False)
class Trace:
    """A recorded run. Row k of every array is step k: the state after k updates.

    losses: shape (steps + 1,). params, grads: by name, shape (steps + 1, *shape of the value).
    A run that overflowed ends with the step that did, so the last row may not be finite.
    made: by which listing, None where it was more than a listing alone.
    """

    losses: NDArray[Any]
    params: dict[str, NDArray[Any]]
    grads: dict[str, NDArray[Any]]
    made: Made | None = None

    def __len__(self) -> int:
        """The number of recorded states: one more than there were updates."""
        return len(self.losses)

    def __getitem__(self, k: int) -> Step:
        """Step k. Negative k counts from the end, as in a list."""
        params = {name: values[k] for name, values in self.params.items()}
        grads = {name: values[k] for name, values in self.grads.items()}
        return Step(self.losses[k], params, grads)

    @cached_property
    def key(self) -> str:
        """Equal for runs that went alike: what a cache may go by."""
        digest = hashlib.sha256()
        for name, values in self.columns().items():
            digest.update(f"{name} {values.dtype} {values.shape}".encode())
            digest.update(values.tobytes())
        return digest.hexdigest()

    @property
    def final(self) -> Step:
        """The last step; its `non_finite` says whether, and where, the run ended in overflow."""
        return self[-1]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Every recorded array under the listing's name for it: loss, w, …, grad_w, …"""
        grads = {f"grad_{name}": values for name, values in self.grads.items()}
        return {"loss": self.losses, **self.params, **grads}

    def to_frame(self) -> pd.DataFrame:
        """One row for each step, indexed by `step`. Raises ValueError where a value is an array."""
        frame = pd.DataFrame(self.columns())
        return frame.rename_axis("step")


def record(steps: Iterable[Step]) -> Trace:
    """Run an engine to its end and keep what it did.

    Values are copied as they come, so updates in place cannot change the past. The run ends with
    the first step that is not finite. Raises ValueError when there is no step at all.
    """
    made = _made(steps)
    losses: list[Any] = []
    params: defaultdict[str, list[Any]] = defaultdict(list)
    grads: defaultdict[str, list[Any]] = defaultdict(list)
    with np.errstate(over="ignore", invalid="ignore"):
        for k, step in enumerate(steps):
            # One list for each name, and numbers, which cannot change, taken as they are: this
            # loop runs beside listings whose whole step takes some ten microseconds.
            losses.append(step.loss)
            for lists, values in ((params, step.params), (grads, step.grads)):
                for name, value in values.items():
                    lists[name].append(value if isinstance(value, NUMBERS) else np.array(value))
            # Once a value has overflowed it stays so: check now and then, and cut what came after.
            if k % CHECK_EVERY == 0 and not math.isfinite(step.loss):
                break
    if not losses:
        raise ValueError("the engine took no step")
    trace = Trace(np.array(losses), _arrays(params), _arrays(grads), made)
    return _cut_after_first_non_finite(trace)


def thin(length: int, keep: int) -> NDArray[np.intp]:
    """Which of `length` steps a static curve shows: the first ones, and an even spread to the last.

    Returns increasing indices, at most `keep` (2 or more) of them, half of them spent on the
    first steps, where training moves fastest.
    """
    if length <= keep:
        return np.arange(length)
    first = keep // 2
    spread = np.linspace(length - 1, first, keep - first).round().astype(np.intp)
    return np.unique(np.concatenate([np.arange(first), spread]))


def relative_difference(one: Trace, other: Trace) -> NDArray[np.float64]:
    """How far two runs of one problem are apart at each step, shape (steps + 1,).

    The largest difference over loss, parameters and gradients, each measured against the largest
    size that quantity has had so far: a gradient near zero is noise, not a yardstick.
    """
    length = min(len(one), len(other))
    worst = np.zeros(length)
    others = other.columns()
    for name, column in one.columns().items():
        a = column[:length].astype(np.float64).reshape(length, -1)
        b = others[name][:length].astype(np.float64).reshape(length, -1)
        size = np.maximum.accumulate(np.maximum(np.abs(a), np.abs(b)).max(axis=1))
        with np.errstate(invalid="ignore"):  # two runs that overflowed alike are not apart
            gap = np.where(a == b, 0, np.abs(a - b)).max(axis=1)
        worst = np.maximum(worst, np.divide(gap, size, out=np.zeros(length), where=gap > 0))
    return worst


def _arrays(lists: Mapping[str, list[Any]]) -> dict[str, NDArray[Any]]:
    return {name: np.array(values) for name, values in lists.items()}


def _cut_after_first_non_finite(trace: Trace) -> Trace:
    length = len(trace)
    finite = np.ones(length, dtype=bool)
    for values in trace.columns().values():
        finite &= np.isfinite(values.reshape(length, -1)).all(axis=1)
    if finite.all():
        return trace
    end = int(np.argmin(finite)) + 1
    params = {name: values[:end] for name, values in trace.params.items()}
    grads = {name: values[:end] for name, values in trace.grads.items()}
    return Trace(trace.losses[:end], params, grads, trace.made)


def _made(steps: Iterable[Step]) -> Made | None:
    """What made a generator that has not begun: until then its locals are its arguments."""
    if not isinstance(steps, GeneratorType) or inspect.getgeneratorstate(steps) != "GEN_CREATED":
        return None
    names = steps.gi_frame.f_globals if steps.gi_frame else {}
    found = names.get(steps.__name__)
    if getattr(found, "__code__", None) is not steps.gi_code:  # defined within something else
        return None
    return Made(steps.__name__, names, inspect.getgeneratorlocals(steps))
