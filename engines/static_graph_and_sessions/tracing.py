"""A function that TensorFlow traces: when Python runs it, and when only its graph runs.

tf.function calls a Python function once to write down the graph of what it does to its argument.
Later calls of the same kind run that graph, and Python's lines do not run at all.

Source: experiment E9, static graphs today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import tensorflow as tf


class Call(NamedTuple):
    """One call of a traced function.

    call: as Python reads it. noted: what the function's argument was when Python ran its lines,
    "" where they did not run. traces: of the function so far. value: what came back, and dtype: as
    what. milliseconds: one measurement, in a process that does other things as well.
    """

    call: str
    noted: str
    traces: int
    value: Any
    dtype: str
    milliseconds: float


def call_each(arguments: Iterable[Any], **settings: Any) -> list[Call]:
    """Call one traced function with each argument."""
    noted = []

    def square(x: Any) -> Any:
        noted.append(x)  # Python does this, no operation
        return x * x

    traced = tf.function(square, **settings)

    calls = []
    for argument in arguments:
        noted.clear()
        start = perf_counter()
        value = traced(argument)
        seconds = perf_counter() - start
        traces = traced.experimental_get_tracing_count()
        calls.append(as_data(argument, noted, traces, value, seconds))
    return calls


def as_data(argument: Any, noted: list[Any], traces: int, value: Any, seconds: float) -> Call:
    """A call as plain data, without a tensor in it."""
    call = f"square({_text(argument)})"
    python = ", ".join(map(_noted, noted))
    return Call(call, python, traces, value.numpy().tolist(), value.dtype.name, 1000 * seconds)


def _text(argument: Any) -> str:
    """The argument as it would be written in a program."""
    tensor = isinstance(argument, tf.Tensor)
    return f"tf.constant({argument.numpy().tolist()})" if tensor else repr(argument)


def _noted(x: Any) -> str:
    """What stood for the argument while the function was traced."""
    if not isinstance(x, tf.Tensor):
        return f"the number {x!r}"
    return f"a tensor without a value, {x.dtype.name}, shape {x.shape}"


class Series(NamedTuple):
    """Arguments for one call after the other, as tensors or as Python has them."""

    values: Sequence[Any]
    tensors: bool
    settings: Mapping[str, Any] = {}


NUMBERS = range(1, 13)
SERIES = {
    "tensors": Series((1.0, 2.0, 3.0, [1.0, 2.0], [3.0, 4.0], 2, 3), tensors=True),
    "numbers": Series(NUMBERS, tensors=False),
    "reduced": Series(NUMBERS, tensors=False, settings={"reduce_retracing": True}),
    "mended": Series(NUMBERS, tensors=True),
    "signature": Series(
        (1.0, [1.0, 2.0], [1.0, 2.0, 3.0], 4.0),
        tensors=True,
        settings={"input_signature": [tf.TensorSpec(None, tf.float32)]},
    ),
    "equal": Series((2, 2.0, 3.0, 3), tensors=False),
}


def run(name: str) -> list[Call]:
    """Make the calls of one of SERIES, to a function of its own. Raises KeyError for others."""
    values, tensors, settings = SERIES[name]
    return call_each(map(tf.constant, values) if tensors else values, **settings)
