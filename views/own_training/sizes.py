"""The sizes of gradients and parameters over the steps, of whole modules where there are many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engines.own_training.recording import Recording

MOST = 6  # lines in a chart
ROUNDING = 1e-6  # of the largest: what float32 leaves of a gradient that is zero


def summed(
    recording: Recording, kind: Literal["gradients", "parameters"]
) -> dict[str, NDArray[np.float64]]:
    """Euclidean norms by name, shape (steps,), of each parameter or of all in a module.

    The names are as long as there can be, with MOST of them; NaN where nothing is known of a step.
    """
    columns = recording.columns(kind)
    deepest = max((name.count(".") for name in columns), default=0)
    for depth in range(deepest + 1, 0, -1):
        names = {name: ".".join(name.split(".")[:depth]) for name in columns}
        if len(set(names.values())) <= MOST:
            break
    else:
        names = dict.fromkeys(columns, "all")
    squares: dict[str, list[NDArray[np.float64]]] = {}
    for name, values in columns.items():
        squares.setdefault(names[name], []).append(values**2)
    return {name: np.sqrt(_total(parts)) for name, parts in squares.items()}


def practically_zero(columns: Mapping[str, NDArray[np.float64]]) -> set[str]:
    """The names of what is at every step only what rounding left, beside the largest of all."""
    largest = {
        name: values[np.isfinite(values)].max(initial=0.0) for name, values in columns.items()
    }
    floor = ROUNDING * max(largest.values(), default=0.0)
    return {name for name, size in largest.items() if size < floor}


def _total(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Their sum, without those that are not known; NaN where none is."""
    known = [np.isfinite(part) | np.isinf(part) for part in parts]
    total = np.nansum(parts, axis=0)
    return np.where(np.any(known, axis=0), total, np.nan)
