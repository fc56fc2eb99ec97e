"""Mistakes people make when they write a backward.

Each is the listing of network/torch_own_relu.py, the ReLU and the network that trains with it, with
some of its lines changed. The ReLU is checked, and the network trained to its end or to the error
in which it ends.

Source: experiment E10; the documentation page "Extending PyTorch".
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from engines.custom_relu_backward import gradcheck
from engines.custom_relu_backward.gradcheck import Check
from engines.listing import Crash, Edited, crash_of, edited, source_of
from engines.network import torch_own_relu
from engines.network.torch_own_relu import MyReLU
from engines.trace import Step

Floats = NDArray[np.float64]
LISTING = (MyReLU, torch_own_relu.train)

SAVE = "        ctx.save_for_backward(x)\n"
SAVED = "        (x,) = ctx.saved_tensors\n"
FORWARD = "        return x.clamp(min=0)\n"
MASK = "        grad_x[x < 0] = 0\n"
RETURN = "        return grad_x\n"
USE = "        h_relu = relu(h)\n"

# By name: which lines of the listing are changed, and what was written in their place.
MISTAKES: dict[str, dict[str, str]] = {
    "mask_forgotten": {MASK: "        # grad_x[x < 0] = 0\n"},
    "mask_from_gradient": {MASK: "        grad_x[grad_output < 0] = 0\n"},
    "overwritten": {MASK: MASK + "        grad_x[x >= 0] = 1\n"},
    "too_many": {RETURN: "        return grad_x, x\n"},
    "wrong_shape": {RETURN: "        return grad_x.sum(dim=0)\n"},
    "saved_in_place": {USE: USE + "        largest = h.abs_().max()\n"},
    "in_place_in_forward": {FORWARD: "        return x.clamp_(min=0)\n"},
    "attribute": {SAVE: "        ctx.x = x\n", SAVED: "        x = ctx.x\n"},
    "closure": {
        source_of(MyReLU): """\
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
        "    relu: Callable[[Any], Any] = MyReLU.apply,\n": (
            "    relu: Callable[[Any], Any] = my_relu,\n"
        ),
    },
}

CHECKED_AT = [[-2.0, -0.5, 1.5], [0.7, -1.2, 3.0]]  # away from 0, where ReLU has its kink
ROUNDING = 1e-6  # a gradient that is off by less has the right numbers

End = Literal["crash", "stuck", "trains", "memory"]


@cache
def make(name: str) -> Edited:
    """The listing in which this mistake is made. Raises KeyError for a name not in MISTAKES."""
    return edited(LISTING, MISTAKES[name])


def relu_of(listing: Edited) -> Callable[[Any], Any]:
    """The ReLU that the listing trains with."""
    relu: Callable[[Any], Any] = (
        inspect.signature(listing.names["train"]).parameters["relu"].default
    )
    return relu


class Training(NamedTuple):
    """A run. losses: up to the first that is not finite, shape (steps + 1,) or less.

    gradient: the first of w1.
    """

    losses: Floats
    gradient: NDArray[Any]


class Outcome(NamedTuple):
    """What became of a run with a mistake in it.

    listing: what ran. check: gradcheck's, of its ReLU alone, at CHECKED_AT.
    crash: the error in which the training ended, if it did.
    losses: see Training; empty where it crashed. right_losses: those of the right listing.
    gradient_off: how far the first gradient of w1 is from the right one, over the length of the
    right one. None where it crashed.
    """

    listing: Edited
    check: Check
    right_losses: Floats
    crash: Crash | None = None
    losses: Floats = np.array([])
    gradient_off: float | None = None

    @property
    def end(self) -> End:
        """An error; the right numbers; wrong ones, and a loss that falls; or one that does not."""
        if self.gradient_off is None:
            return "crash"
        if self.gradient_off < ROUNDING:
            return "memory"
        return "trains" if self.losses[-1] < self.losses[0] else "stuck"


def trained(steps: Iterator[Step]) -> Training:
    """What is kept of a run, which is followed to its end."""
    first = next(steps)
    gradient, losses = first.grads["w1"].copy(), [first.loss]
    for step in steps:
        losses.append(step.loss)
        if not np.isfinite(step.loss):
            break
    return Training(np.array(losses), gradient)


def run(listing: Edited, steps: Iterator[Step], right: Training) -> Outcome:
    """See what becomes of a mistake.

    steps: the listing's own `train`, not begun. right: the right listing trained from the same
    arrays, as often and at the same rate.
    """
    outcome = Outcome(listing, gradcheck.check(relu_of(listing), CHECKED_AT), right.losses)
    try:
        losses, gradient = trained(steps)
    except RuntimeError as error:
        return outcome._replace(crash=crash_of(error, listing.source))
    apart = np.linalg.norm(gradient - right.gradient) / np.linalg.norm(right.gradient)
    return outcome._replace(losses=losses, gradient_off=float(apart))


class InMemory(NamedTuple):
    """How many of the inputs to a ReLU are still in memory, and how many bytes each has.

    after_backward: at the end of each step, shape (steps,), while that step's loss is still there.
    after_loss: when the last loss is gone, too; what is left waits for the garbage collector.
    """

    after_backward: NDArray[np.intp]
    after_loss: int
    bytes_each: int


def inputs_in_memory(
    name: str | None, *, steps: int = 10, shape: tuple[int, int] = (64, 100)
) -> InMemory:
    """Use the ReLU of a listing in one step after another, and count the inputs still in memory.

    name: of a mistake that does not crash; None is the right listing. Raises KeyError for others.
    An input lives in memory that NumPy lent to PyTorch, and a weak reference to that array tells
    when PyTorch has given it back. The garbage collector runs when Python wants it to.
    """
    relu = MyReLU.apply if name is None else relu_of(make(name))
    lent: list[weakref.ref[NDArray[Any]]] = []
    counts = []
    for k in range(steps):
        memory = np.random.default_rng(k).standard_normal(shape, dtype=np.float32)
        lent.append(weakref.ref(memory))
        x = torch.ones(shape, requires_grad=True) * 1  # a result, as h is one
        x.data = torch.from_numpy(memory)
        loss = relu(x).sum()
        del x, memory
        loss.backward()
        counts.append(_alive(lent))
    del loss
    return InMemory(np.array(counts), _alive(lent), 4 * shape[0] * shape[1])


def _alive(references: list[weakref.ref[NDArray[Any]]]) -> int:
    return sum(reference() is not None for reference in references)
