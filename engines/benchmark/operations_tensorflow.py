"""The timed operations in TensorFlow, eager; the training step is traced by tf.function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from engines.benchmark.operations import LEARNING_RATE, OPERATIONS


def product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """A row by a column, or two square matrices."""
    return a @ b


def parabola(x: tf.Tensor) -> tf.Tensor:
    """Three operations, one number at a time."""
    return 3 * (x * x) + 2


def training_step(x: tf.Tensor, y: tf.Tensor, w1: tf.Variable, w2: tf.Variable) -> tf.Tensor:
    """Predict, ask the tape, update w1 and w2 in place; returns the loss."""
    with tf.GradientTape() as tape:
        h_relu = tf.nn.relu(x @ w1)
        y_pred = h_relu @ w2
        loss = tf.reduce_sum(tf.square(y_pred - y))

    grad_w1, grad_w2 = tape.gradient(loss, [w1, w2])

    w1.assign_sub(LEARNING_RATE * grad_w1)
    w2.assign_sub(LEARNING_RATE * grad_w2)
    return loss


LISTINGS: dict[str, Callable[..., tf.Tensor]] = {
    "row_by_column": product,
    "square": product,
    "elementwise": parabola,
    "training_step": training_step,
}

OUT_OF_MEMORY = tf.errors.ResourceExhaustedError


def use(device: str, *, ahead: bool = False) -> None:
    """Have this process work on `device`; call it before anything else runs.

    ahead: give operations back before they are done, as is usual on a GPU, on the CPU too. Raises
    ValueError where there is no GPU to work on.
    """
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif not tf.config.list_physical_devices("GPU"):  # TensorFlow would use the CPU, and not tell
        raise ValueError(f"TensorFlow finds no {device} device")
    tf.config.experimental.enable_tensor_float_32_execution(False)  # 32 bits, not 19
    tf.config.experimental.set_synchronous_execution(not ahead)


def prepare(
    operation: str, arrays: Sequence[NDArray[Any]], device: str, *, transfer: bool
) -> tuple[Callable[[], object], Callable[[], None]]:
    """The operation as a function without arguments, and one that waits until the device has done.

    transfer: bring the data from NumPy to the device and the result back in each call. The
    parameters stay on the device.
    """
    parameters = OPERATIONS[operation].parameters
    # Only a step that is made of many operations gains from being traced.
    listing = tf.function(LISTINGS[operation]) if parameters else LISTINGS[operation]
    data = arrays[: len(arrays) - parameters]
    variables = [tf.Variable(array) for array in arrays[len(data) :]]
    there = [tf.constant(array) for array in data]

    def run() -> tf.Tensor:
        return listing(*there, *variables)

    def run_with_transfer() -> NDArray[Any]:
        fresh = [tf.constant(array) for array in data]
        result: NDArray[Any] = listing(*fresh, *variables).numpy()
        return result

    return run_with_transfer if transfer else run, tf.test.experimental.sync_devices
