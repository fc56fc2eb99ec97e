"""The timed operations as programs, to be taken to a machine of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engines.benchmark import clock, operations_numpy
from engines.benchmark.own_timing import Timed, result_of, timed
from engines.standalone import Called, calling
from views.ui.take_home import Runs

SECONDS = 1.0
SIZES = {  # that a small machine computes in some milliseconds
    "row_by_column": 2**16,
    "square": 512,
    "elementwise": 2**16,
    "training_step": 100,
    "copy": 2**20,
}
VARIES = tuple(name for name in Timed._fields if name != "size_of_result")


def programs(operation: str) -> Runs:
    """An operation of the page, timed as it does it, in NumPy and in PyTorch."""
    return {
        "NumPy": lambda: _program(operations_numpy.prepare, clock.measure, operation),
        "PyTorch": lambda: in_torch(clock.measure, operation),
    }


def in_torch(measure: Callable[..., Any], operation: str) -> Called:
    """In PyTorch, on whatever device is then named in the program. measure: the clock."""
    from engines.benchmark import operations_torch  # noqa: PLC0415 (no page needs it)

    return _program(operations_torch.prepare, measure, operation)


def _program(prepare: Callable[..., Any], measure: Callable[..., Any], operation: str) -> Called:
    size = SIZES[operation]
    answer = {"size_of_result": result_of(operations_numpy.prepare, operation, size)}
    arguments: dict[str, Any] = {"prepare": prepare, "clock": measure}
    arguments |= {"operation": operation, "size": size, "device": "cpu", "seconds": SECONDS}
    return calling(timed, varies=VARIES, answer=answer, **arguments)
