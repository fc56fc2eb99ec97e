"""An operation, computed and timed as the pages do it, for anybody's own machine.

What it computes is the same on every machine. How long that takes is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from engines.benchmark.operations import arrays


class Timed(NamedTuple):
    """size_of_result: its length (Euclidean norm). The rest in milliseconds a call, and samples."""

    size_of_result: Any
    first_call: float
    median: float
    samples: int


def result_of(prepare: Callable[..., Any], operation: str, size: int) -> Any:
    """The length of what the operation computes. prepare: of the module of a framework."""
    run, _ = prepare(operation, arrays(operation, size, "float32"), "cpu", transfer=False)
    return np.float32(np.linalg.norm(run()))


def timed(
    prepare: Callable[..., Any],
    clock: Callable[..., Any],
    operation: str,
    size: int,
    *,
    device: str,
    seconds: float,
) -> Timed:
    """Compute an operation once, then time it for so many seconds.

    prepare: of the module of a framework. clock: such as clock.measure. device: of the framework.
    """
    run, wait = prepare(operation, arrays(operation, size, "float32"), device, transfer=False)
    result = run()
    length = np.linalg.norm(result.cpu() if hasattr(result, "cpu") else result)
    run, wait = prepare(operation, arrays(operation, size, "float32"), device, transfer=False)
    measured = clock(run, wait, seconds=seconds)
    milliseconds = 1000 * float(np.median(measured.samples))
    return Timed(np.float32(length), 1000 * measured.first, milliseconds, len(measured.samples))
