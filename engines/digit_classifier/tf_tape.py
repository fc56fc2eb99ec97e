"""The digit classifier in TensorFlow: Keras' layers make the model, a tape finds the gradient.

The model is  out = relu(relu(x @ w1 + b1) @ w2 + b2) @ w3 + b3,  ten numbers for an image, of which
the largest says the digit.

Source: experiment E13. The same from the same arrays: torch_autograd.py. What digits there are:
digits.py. A start: layers.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.keras import Input, Sequential
from tensorflow.keras.layers import Dense

from engines.digit_classifier.digits import BATCH, Digits
from engines.trace import Step


def mean_squared_error(out: Any, y: Any) -> Any:
    """The article's loss: how far the ten outputs are from nine zeros and a one."""
    return tf.reduce_mean((out - y) ** 2)


def cross_entropy(out: Any, y: Any) -> Any:
    """The outputs become ten shares of 1; the loss is −log of the share of the right digit."""
    log_shares = out - tf.reduce_logsumexp(out, axis=1, keepdims=True)
    return -tf.reduce_mean(tf.reduce_sum(y * log_shares, axis=1))


def gradient_descent(params: Sequence[Any], learning_rate: float) -> Callable[..., None]:
    """A small step against the gradient: the update of all other pages."""

    def update(grads: Sequence[Any]) -> None:
        for p, grad in zip(params, grads, strict=True):
            p.assign_sub(learning_rate * grad)

    return update


def momentum(params: Sequence[Any], learning_rate: float) -> Callable[..., None]:
    """A step along a velocity, which keeps nine tenths of itself and adds the gradient."""
    velocities = [tf.Variable(tf.zeros_like(p)) for p in params]

    def update(grads: Sequence[Any]) -> None:
        for p, velocity, grad in zip(params, velocities, grads, strict=True):
            velocity.assign(0.9 * velocity + grad)
            p.assign_sub(learning_rate * velocity)

    return update


def adam(params: Sequence[Any], learning_rate: float) -> Callable[..., None]:
    """The mean of the gradients so far, over the root of the mean of their squares."""
    means = [tf.Variable(tf.zeros_like(p)) for p in params]
    squares = [tf.Variable(tf.zeros_like(p)) for p in params]
    k = 0

    def update(grads: Sequence[Any]) -> None:
        nonlocal k
        k += 1
        for p, mean, square, grad in zip(params, means, squares, grads, strict=True):
            mean.assign(0.9 * mean + 0.1 * grad)
            square.assign(0.999 * square + 0.001 * grad**2)
            # Both began at 0: what that takes from them is given back.
            root = tf.sqrt(square / (1 - 0.999**k)) + 1e-8
            p.assign_sub(learning_rate * mean / (1 - 0.9**k) / root)

    return update


def train(
    digits: Digits,
    start: dict[str, NDArray[Any]],
    *,
    steps: int,
    learning_rate: float,
    batch: int = BATCH,
    loss_of: Callable[[Any, Any], Any] = mean_squared_error,
    optimizer: Callable[..., Callable[..., None]] = gradient_descent,
) -> Iterator[Step]:
    """Yield step 0, 1, … steps: the state before each update, and the one after the last.

    start: w1, b1, w2, b2, w3, b3, all in float32 or all in float64. batch: how many images a step
    learns from.
    """
    dtype = start["w1"].dtype.name
    model = Sequential(
        [
            Input((digits.side * digits.side,), dtype=dtype),
            Dense(256, activation="relu", dtype=dtype),
            Dense(128, activation="relu", dtype=dtype),
            Dense(10, dtype=dtype),
        ]
    )
    model.set_weights(list(start.values()))
    params = [variable.value for variable in model.trainable_variables]
    update = optimizer(params, learning_rate)

    # Pixels from -1 to 1; a label becomes ten numbers, a 1 at its place among zeros.
    pixels = 2 * tf.cast(digits.images, dtype) / digits.brightest - 1
    one_hot = tf.one_hot(digits.labels, 10, dtype=dtype)
    batches = tf.data.Dataset.from_tensor_slices((pixels, one_hot)).batch(batch).repeat()

    for images, y in batches.take(steps + 1):
        # Forward: flatten a batch of images, go through three layers, measure the misfit.
        with tf.GradientTape() as tape:
            x = tf.reshape(images, (-1, digits.side * digits.side))
            out = model(x)
            loss = loss_of(out, y)

        # Backward: the tape is read from its end.
        grads = tape.gradient(loss, params)

        values = [p.numpy() for p in params], [grad.numpy() for grad in grads]
        yield Step(loss.numpy(), *(dict(zip(start, one, strict=True)) for one in values))

        # Update: a step of our own, in place.
        update(grads)
