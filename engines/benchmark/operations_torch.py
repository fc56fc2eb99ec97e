"""The timed operations in PyTorch, on whatever device it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from engines.benchmark.operations import LEARNING_RATE, OPERATIONS


def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """A row by a column, or two square matrices."""
    return a @ b


def parabola(x: torch.Tensor) -> torch.Tensor:
    """Three operations, one number at a time."""
    return 3 * (x * x) + 2


def training_step(
    x: torch.Tensor, y: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor
) -> torch.Tensor:
    """Predict, call backward, update w1 and w2 in place; returns the loss."""
    h_relu = (x @ w1).relu()
    y_pred = h_relu @ w2
    loss = (y_pred - y).square().sum()

    loss.backward()

    with torch.no_grad():
        w1 -= LEARNING_RATE * w1.grad
        w2 -= LEARNING_RATE * w2.grad
    w1.grad = w2.grad = None
    return loss.detach()


def copy(x: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    """Read all of x and write it to memory that is there already."""
    return to.copy_(x)


LISTINGS: dict[str, Callable[..., torch.Tensor]] = {
    "row_by_column": product,
    "square": product,
    "elementwise": parabola,
    "training_step": training_step,
    "copy": copy,
}

OUT_OF_MEMORY = torch.OutOfMemoryError


def use(device: str) -> None:
    """Prepare this process for `device`; call it before anything else runs."""
    if device != "cpu":
        torch.set_float32_matmul_precision("highest")  # 32 bits, not 19


def prepare(
    operation: str, arrays: Sequence[NDArray[Any]], device: str, *, transfer: bool
) -> tuple[Callable[[], object], Callable[[], None]]:
    """The operation as a function without arguments, and one that waits until the device has done.

    transfer: bring the data from NumPy to the device and the result back in each call, as a
    training run does with its batches. The parameters stay on the device. On the CPU both ways are
    copies too, as in TensorFlow; torch.from_numpy and Tensor.numpy alone would make none there.
    """
    listing = LISTINGS[operation]
    data = arrays[: len(arrays) - OPERATIONS[operation].parameters]
    parameters = [
        torch.tensor(array, device=device, requires_grad=True) for array in arrays[len(data) :]
    ]
    there = [torch.tensor(array, device=device) for array in data]

    def run() -> torch.Tensor:
        return listing(*there, *parameters)

    def run_with_transfer() -> NDArray[Any]:
        fresh = [torch.tensor(array, device=device) for array in data]
        result: NDArray[Any] = listing(*fresh, *parameters).to("cpu", copy=True).numpy()
        return result

    # torch.cuda, torch.mps and torch.xpu each have it, and torch.cpu too, where it does nothing.
    return run_with_transfer if transfer else run, getattr(torch, device).synchronize
