"""What is timed: five operations, how much each computes, and how much memory it touches.

Source: experiment E12 (a row by a column) and the two-layer network of E10 and E11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BATCH, INPUTS, OUTPUTS = 64, 1000, 10  # of the two-layer network
LEARNING_RATE = 1e-5  # small enough for every width offered: test_operations.py holds it
ITEM_BYTES = {"float32": 4, "float64": 8}


class Operation(NamedTuple):
    """An operation at size n. For the training step n is the number of hidden units.

    flops: additions and multiplications. moved: numbers read from memory and written to it, if
    every operation of the framework reads its operands and writes its result once. held: numbers
    that must fit into memory at a time. shapes: of the arrays it takes. parameters: how many of
    them, the last ones, stay where they are from call to call. sizes: the ones measured by default.
    largest: the largest one that is offered.
    """

    flops: Callable[[int], int]
    moved: Callable[[int], int]
    held: Callable[[int], int]
    shapes: Callable[[int], tuple[tuple[int, ...], ...]]
    parameters: int
    sizes: tuple[int, ...]
    largest: int


def _step_flops(n: int) -> int:
    """The five products of a step: two forward, three backward (x needs no gradient)."""
    return 2 * BATCH * n * (2 * INPUTS + 3 * OUTPUTS)


def _step_moved(n: int) -> int:
    """Operands and results of the five products, and the update of both parameters."""
    x, y, h, w1, w2 = BATCH * INPUTS, BATCH * OUTPUTS, BATCH * n, INPUTS * n, n * OUTPUTS
    return 2 * (x + h + w1) + 3 * (h + y + w2) + 3 * (w1 + w2)


def _powers(base: int, first: int, last: int) -> tuple[int, ...]:
    return tuple(base**exponent for exponent in range(first, last + 1))


OPERATIONS = {
    "row_by_column": Operation(
        flops=lambda n: 2 * n,
        moved=lambda n: 2 * n + 1,
        held=lambda n: 2 * n + 1,
        shapes=lambda n: ((1, n), (n, 1)),
        parameters=0,
        sizes=_powers(4, 2, 13),
        largest=2**28,
    ),
    "square": Operation(
        flops=lambda n: 2 * n**3,
        moved=lambda n: 3 * n**2,
        held=lambda n: 3 * n**2,
        shapes=lambda n: ((n, n), (n, n)),
        parameters=0,
        sizes=_powers(2, 4, 13),
        largest=2**14,
    ),
    "elementwise": Operation(  # 3x² + 2, in three operations: each reads and writes all of it
        flops=lambda n: 3 * n,
        moved=lambda n: 6 * n,
        held=lambda n: 3 * n,
        shapes=lambda n: ((n,),),
        parameters=0,
        sizes=_powers(4, 2, 13),
        largest=2**28,
    ),
    "training_step": Operation(
        flops=_step_flops,
        moved=_step_moved,
        held=lambda n: 3 * (INPUTS + OUTPUTS) * n + 4 * BATCH * (n + INPUTS),
        shapes=lambda n: ((BATCH, INPUTS), (BATCH, OUTPUTS), (INPUTS, n), (n, OUTPUTS)),
        parameters=2,
        sizes=_powers(2, 4, 14),
        largest=2**15,
    ),
    "copy": Operation(  # nothing is computed: how fast memory can be read and written
        flops=lambda n: 0,
        moved=lambda n: 2 * n,
        held=lambda n: 2 * n,
        shapes=lambda n: ((n,), (n,)),
        parameters=0,
        sizes=_powers(4, 10, 13),
        largest=2**28,
    ),
}


def arrays(operation: str, size: int, precision: str) -> tuple[NDArray[Any], ...]:
    """What the operation takes: numbers around zero, the same ones for the same size.

    A layer's weights are divided by the square root of its inputs, so that no layer makes the
    numbers larger and a training step with LEARNING_RATE goes downhill at every width.
    """
    rng = np.random.default_rng(size)
    dtype = np.dtype(precision)
    drawn = []
    for shape in OPERATIONS[operation].shapes(size):
        array = rng.random(shape, dtype=dtype)
        array -= 0.5
        drawn.append(array)
    data = len(drawn) - OPERATIONS[operation].parameters
    weights = [w * np.sqrt(12 / len(w)).astype(dtype) for w in drawn[data:]]
    return (*drawn[:data], *weights)


def held_bytes(operation: str, size: int, precision: str) -> int:
    """Memory that the operation needs at a time, its operands included."""
    return OPERATIONS[operation].held(size) * ITEM_BYTES[precision]
