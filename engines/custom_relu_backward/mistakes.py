"""Mistakes people make when they write a backward.

Each is the listing of network/torch_own_relu.py, the ReLU and the network that trains with it, with
some of its lines changed. It is judged, and trained to its end or to the error in which it ends.

Source: experiment E10; the documentation page "Extending PyTorch".
"""

from __future__ import annotations

import inspect
import traceback
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from textwrap import dedent
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from engines.custom_relu_backward import gradcheck
from engines.custom_relu_backward.gradcheck import Check
from engines.network import torch_own_relu
from engines.network.torch_own_relu import MyReLU
from engines.trace import Step

Floats = NDArray[np.float64]
MY_RELU = inspect.getsource(MyReLU).replace("  # type: ignore[misc]", "")
LISTING = MY_RELU + "\n\n" + inspect.getsource(torch_own_relu.train)

SAVE = """\
        ctx.save_for_backward(x)
"""
SAVED = """\
        (x,) = ctx.saved_tensors
"""
FORWARD = """\
        return x.clamp(min=0)
"""
MASK = """\
        grad_x[x < 0] = 0
"""
RETURN = """\
        return grad_x
"""
USE = """\
        h_relu = relu(h)
"""

# By name: which lines of the listing are changed, and what somebody wrote in their place.
MISTAKES: dict[str, dict[str, str]] = {
    "mask_forgotten": {
        MASK: """\
        # grad_x[x < 0] = 0
"""
    },
    "mask_from_gradient": {
        MASK: """\
        grad_x[grad_output < 0] = 0
"""
    },
    "overwritten": {
        MASK: """\
        grad_x[x < 0] = 0
        grad_x[x >= 0] = 1
"""
    },
    "too_many": {
        RETURN: """\
        return grad_x, x
"""
    },
    "wrong_shape": {
        RETURN: """\
        return grad_x.sum(dim=0)
"""
    },
    "saved_in_place": {
        USE: """\
        h_relu = relu(h)
        largest = h.abs_().max()
"""
    },
    "in_place_in_forward": {
        FORWARD: """\
        return x.clamp_(min=0)
"""
    },
    "attribute": {
        SAVE: """\
        ctx.x = x
""",
        SAVED: """\
        x = ctx.x
""",
    },
    "closure": {
        MY_RELU: """\
def my_relu(x: Any) -> Any:
    class MyReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, _: Any) -> Any:
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            grad_x = grad_output.clone()
            grad_x[x < 0] = 0
            return grad_x

    return MyReLU.apply(x)
""",
        """\
    relu: Callable[[Any], Any] = MyReLU.apply,
""": """\
    relu: Callable[[Any], Any] = my_relu,
""",
    },
}

JUDGED = [[-2.0, -0.5, 1.5], [0.7, -1.2, 3.0]]  # inputs away from 0, where ReLU has its kink


class Made(NamedTuple):
    """A listing with a mistake in it.

    right, wrong: the lines as they should be and as they are. source: the whole wrong listing.
    relu: the ReLU it defines. train: the training it defines, as torch_function.train.
    """

    right: str
    wrong: str
    source: str
    relu: Callable[[Any], Any]
    train: Callable[..., Iterator[Step]]


@cache
def make(name: str) -> Made:
    """The listing in which this mistake is made. Raises KeyError for a name not in MISTAKES."""
    changes = MISTAKES[name]
    source = LISTING
    for right, wrong in changes.items():
        source = source.replace(right, wrong)
    namespace: dict[str, Any] = dict(vars(torch_own_relu))
    exec(compile(source, "<wrong backward>", "exec"), namespace)
    train = namespace["train"]
    relu = inspect.signature(train).parameters["relu"].default
    return Made(_joined(changes.keys()), _joined(changes.values()), source, relu, train)


class Crash(NamedTuple):
    """An error, as Python tells it: its type, its message, and the line of the listing."""

    kind: str
    message: str
    line: int
    text: str


class Ran(NamedTuple):
    """What became of a wrong backward.

    right, wrong, source: as in Made.
    crash: the error in which the training ended, if it did.
    check: gradcheck's verdict on its ReLU alone, at JUDGED.
    losses: of the training, up to the first that is not finite, shape (steps + 1,) or less; empty
    where it crashed. right_losses: of the right listing from the same arrays.
    gradient_off: how far the first gradient of w1 is from the right one, over the size of the
    right one. None where it crashed.
    """

    right: str
    wrong: str
    source: str
    crash: Crash | None
    check: Check
    losses: Floats
    right_losses: Floats
    gradient_off: float | None

    @property
    def learns(self) -> bool:
        """Whether the loss went down, from its first value to its last."""
        return len(self.losses) > 1 and bool(self.losses[-1] < self.losses[0])


def follow(
    train: Callable[..., Iterator[Step]], *arrays: NDArray[Any], **settings: Any
) -> tuple[Floats, NDArray[Any]]:
    """The losses of a run, up to one that is not finite, and its first gradient of w1."""
    engine = train(*arrays, **settings)
    first = next(engine)
    gradient, losses = first.grads["w1"].copy(), [first.loss]
    for step in engine:
        losses.append(step.loss)
        if not np.isfinite(step.loss):
            break
    return np.array(losses), gradient


def run(
    name: str,
    x_value: NDArray[Any],
    y_value: NDArray[Any],
    w1_value: NDArray[Any],
    w2_value: NDArray[Any],
    *,
    steps: int,
    learning_rate: float,
    without: tuple[Floats, NDArray[Any]] | None = None,
) -> Ran:
    """Make this mistake and see what becomes of it. Raises KeyError for a name not in MISTAKES.

    The arrays are those of torch_function.train. without: what `follow` returns of the right
    listing with these settings, if that is known already.
    """
    right, wrong, source, relu, train = make(name)
    arrays = x_value, y_value, w1_value, w2_value
    settings: dict[str, Any] = {"steps": steps, "learning_rate": learning_rate}
    right_losses, right_gradient = without or follow(torch_own_relu.train, *arrays, **settings)
    crash, losses, gradient_off = None, np.array([]), None
    try:
        losses, gradient = follow(train, *arrays, **settings)
        apart = np.linalg.norm(gradient - right_gradient)
        gradient_off = float(apart / np.linalg.norm(right_gradient))
    except RuntimeError as error:
        crash = _crash(error, source)
    check = gradcheck.check(relu, JUDGED)
    return Ran(right, wrong, source, crash, check, losses, right_losses, gradient_off)


class Kept(NamedTuple):
    """How many of the inputs to a ReLU are still in memory, and how many bytes each has.

    after_backward: at the end of each step, shape (steps,), while that step's loss is still there.
    after_loss: when the last loss is gone, too; what is left waits for the garbage collector.
    """

    after_backward: NDArray[np.intp]
    after_loss: int
    bytes_each: int


def kept(name: str | None, *, steps: int = 10, shape: tuple[int, int] = (64, 100)) -> Kept:
    """Use the ReLU of a listing in one step after another, and count the inputs it still holds.

    name: of a mistake that does not crash; None is the right listing.
    An input lives in memory that NumPy lent to PyTorch, and a weak reference to that array tells
    when PyTorch has given it back. The garbage collector runs when Python wants it to.
    """
    relu = MyReLU.apply if name is None else make(name).relu
    lent, counts = [], []
    bytes_each = 0
    for k in range(steps):
        memory = np.random.default_rng(k).standard_normal(shape, dtype=np.float32)
        bytes_each = memory.nbytes
        lent.append(weakref.ref(memory))
        x = torch.ones(shape, requires_grad=True) * 1  # a result, as h is one
        x.data = torch.from_numpy(memory)
        loss = relu(x).sum()
        del x, memory
        loss.backward()
        counts.append(_alive(lent))
    del loss
    return Kept(np.array(counts), _alive(lent), bytes_each)


def _alive(references: list[weakref.ref[NDArray[Any]]]) -> int:
    return sum(reference() is not None for reference in references)


def _crash(error: RuntimeError, source: str) -> Crash:
    frames = traceback.extract_tb(error.__traceback__)
    line = next(frame.lineno for frame in reversed(frames) if frame.filename == "<wrong backward>")
    assert line is not None
    text = source.splitlines()[line - 1].strip()
    return Crash(type(error).__name__, str(error), line, text)


def _joined(blocks: Any) -> str:
    return dedent("".join(blocks)).rstrip("\n")
