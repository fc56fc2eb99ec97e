"""Inside a Function, while autograd calls it: what forward saves, what arrives, and what leaves.

MyReLU runs as it stands, in a graph, forward and backward. It is called from another Function,
which gives it a context that notes what is saved and what is read again; a TorchFunctionMode,
which belongs to its thread, notes each operation in between.

Source: experiment E10, and the documentation page "Extending PyTorch".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode

from engines.listing import Listing, Place, source_lines
from engines.network.torch_own_relu import MyReLU

MOST = 6  # rows, and columns, of a matrix whose numbers are all shown
Half = Literal["forward", "backward"]
Kind = Literal["arrives", "saves", "operation", "reads", "leaves"]
Note = Callable[[Kind, Any], None]
Array = NDArray[Any]


class Moment(NamedTuple):
    """Something that happened in forward or in backward, and a copy of the matrix it was about.

    kind: the argument arrives; it is saved; an operation has run, also one in place; what was saved
    is read; the result leaves. line: of the Function's source, counted from 1, and text: the part
    of that line which had run by then.
    """

    half: Half
    kind: Kind
    line: int
    text: str
    value: Array


class Watched(NamedTuple):
    """One pass through MyReLU, forward and backward. Every matrix has the shape of x.

    source: the Function that ran. moments: in the order in which they happened.
    x, output: what went into forward and what came out. saved: what the node in the graph kept.
    grad_output: the gradient that arrived. mask: what the listing's comparison found, True where
    the gradient is cut. grad_x: what left, as x.grad received it.
    """

    source: str
    moments: tuple[Moment, ...]
    x: Array
    saved: Array
    output: Array
    grad_output: Array
    mask: Array
    grad_x: Array


def watch(x_value: Sequence[Sequence[float]], grad_value: Sequence[Sequence[float]]) -> Watched:
    """Send a matrix forward through MyReLU and a gradient back, and note what happens inside.

    x_value, grad_value: rows of finite numbers, both of one shape, at most 6 by 6. The pass is in
    float64, so that they stay as they were given. Raises ValueError for anything else.
    """
    x = torch.tensor(_matrix(x_value), requires_grad=True)
    grad_output = torch.tensor(_matrix(grad_value))
    if x.shape != grad_output.shape:
        raise ValueError("the gradient must have the shape of x")

    notes = _Notes()
    output = _Noted.apply(x, notes)
    saved = _copy(output.grad_fn.saved_tensors[0])
    output.backward(grad_output)

    [mask] = [moment.value for moment in notes.moments if moment.value.dtype == np.bool_]
    forward = _copy(x), saved, _copy(output)
    backward = _copy(grad_output), mask, _copy(x.grad)
    return Watched(notes.source, tuple(notes.moments), *forward, *backward)


def through(x_value: Array, grad_value: Array) -> tuple[Any, Any]:
    """What leaves MyReLU forward, and what leaves it backward."""
    x = torch.tensor(x_value, requires_grad=True)
    output = MyReLU.apply(x)
    output.backward(torch.tensor(grad_value))
    return output, x.grad


class _Noted(torch.autograd.Function):  # type: ignore[misc]
    """What autograd calls. Both halves are MyReLU's."""

    @staticmethod
    def forward(ctx: Any, x: Any, notes: _Notes) -> Any:
        ctx.notes = notes
        return notes.run("forward", ctx, x)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return ctx.notes.run("backward", ctx, grad_output), None


class _Notes:
    """What has happened in MyReLU so far."""

    def __init__(self) -> None:
        lines, self._first_line = source_lines(MyReLU)
        self.source = "".join(lines)
        self.moments: list[Moment] = []

    def run(self, half: Half, ctx: Any, given: Any) -> Any:
        """Run one half of MyReLU as it stands, and note what happens in it."""
        function = getattr(MyReLU, half)
        code = function.__code__
        listing = Listing(code, None)

        def note_at(place: Place, kind: Kind, value: Any) -> None:
            line = code.co_firstlineno - self._first_line + (place.line or 0)
            self.moments.append(Moment(half, kind, line, place.text, _copy(value)))

        def note(kind: Kind, value: Any) -> None:
            note_at(listing.place(listing.frame(sys._getframe(1)).f_lasti), kind, value)

        note_at(Place(2, f"def {half}"), "arrives", given)  # line 1 is the decorator
        with _Operations(code, note):
            result = function(_Context(ctx, note), given)
        note_at(listing.place(len(code.co_code) - 2), "leaves", result)  # its last instruction
        return result


class _Context:
    """Passes on to autograd's own context what MyReLU asks of it."""

    def __init__(self, ctx: Any, note: Note) -> None:
        self._ctx, self._note = ctx, note

    def save_for_backward(self, x: Any) -> None:
        self._ctx.save_for_backward(x)
        self._note("saves", x)

    @property
    def saved_tensors(self) -> Any:
        (x,) = self._ctx.saved_tensors
        self._note("reads", x)
        return (x,)


class _Operations(TorchFunctionMode):  # type: ignore[misc]
    """While it is entered, torch gives it every operation, and it notes those of the listing."""

    def __init__(self, code: CodeType, note: Note) -> None:
        super().__init__()
        self._code, self._note = code, note

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if sys._getframe(1).f_code is self._code:  # not where a note is being taken
            self._note("operation", args[0] if result is None else result)  # x[i] = v returns None
        return result


def _matrix(rows: Sequence[Sequence[float]]) -> Array:
    """The rows as an array of float64. Raises ValueError for what `watch` refuses."""
    values = np.array(rows, dtype=np.float64)
    if values.ndim != 2 or not 1 <= values.shape[0] <= MOST or not 1 <= values.shape[1] <= MOST:
        raise ValueError(f"a matrix of 1 to {MOST} rows and columns is needed")
    if not np.isfinite(values).all():
        raise ValueError("all numbers must be finite")
    return values


def _copy(tensor: Any) -> Array:
    copy: Array = tensor.detach().numpy().copy()
    return copy
