"""The digit classifier in PyTorch: predict, loss, gradient, update, with thousands of weights.

The model is  out = relu(relu(x @ w1 + b1) @ w2 + b2) @ w3 + b3,  ten numbers for an image, of which
the largest says the digit.

Source: experiment E13. The same from the same arrays, as the article has it: tf_tape.py. What
digits there are: digits.py. A start: layers.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from engines.digit_classifier.digits import BATCH, Digits
from engines.trace import Step


def mean_squared_error(out: Any, y: Any) -> Any:
    """The article's loss: how far the ten outputs are from nine zeros and a one."""
    return torch.mean((out - y) ** 2)


def cross_entropy(out: Any, y: Any) -> Any:
    """The outputs become ten shares of 1; the loss is −log of the share of the right digit."""
    log_shares = out - torch.logsumexp(out, dim=1, keepdim=True)
    return -torch.mean(torch.sum(y * log_shares, dim=1))


def gradient_descent(params: Sequence[Any], learning_rate: float) -> Callable[..., None]:
    """A small step against the gradient: the update of all other pages."""

    def update(grads: Sequence[Any]) -> None:
        for p, grad in zip(params, grads, strict=True):
            p -= learning_rate * grad

    return update


def momentum(params: Sequence[Any], learning_rate: float) -> Callable[..., None]:
    """A step along a velocity, which keeps nine tenths of itself and adds the gradient."""
    velocities = [torch.zeros_like(p) for p in params]

    def update(grads: Sequence[Any]) -> None:
        for p, velocity, grad in zip(params, velocities, grads, strict=True):
            velocity.copy_(0.9 * velocity + grad)
            p -= learning_rate * velocity

    return update


def adam(params: Sequence[Any], learning_rate: float) -> Callable[..., None]:
    """The mean of the gradients so far, over the root of the mean of their squares."""
    means = [torch.zeros_like(p) for p in params]
    squares = [torch.zeros_like(p) for p in params]
    k = 0

    def update(grads: Sequence[Any]) -> None:
        nonlocal k
        k += 1
        for p, mean, square, grad in zip(params, means, squares, grads, strict=True):
            mean.copy_(0.9 * mean + 0.1 * grad)
            square.copy_(0.999 * square + 0.001 * grad**2)
            # Both began at 0: what that takes from them is given back.
            root = torch.sqrt(square / (1 - 0.999**k)) + 1e-8
            p -= learning_rate * mean / (1 - 0.9**k) / root

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
    learns from. The arrays of a Step change with the next one: copy to keep.
    """
    w1, b1, w2, b2, w3, b3 = params = [
        torch.tensor(value, requires_grad=True) for value in start.values()
    ]
    update = optimizer(params, learning_rate)

    # Pixels from -1 to 1; a label becomes ten numbers, a 1 at its place among zeros.
    pixels = 2 * torch.tensor(digits.images).to(w1.dtype) / digits.brightest - 1
    one_hot = torch.eye(10, dtype=w1.dtype)[torch.tensor(digits.labels).long()]
    batches = list(zip(pixels.split(batch), one_hot.split(batch), strict=True))

    for k in range(steps + 1):
        # Forward: flatten a batch of images, go through three layers, measure the misfit.
        images, y = batches[k % len(batches)]
        x = images.reshape(-1, digits.side * digits.side)
        h1 = torch.relu(x @ w1 + b1)
        h2 = torch.relu(h1 @ w2 + b2)
        out = h2 @ w3 + b3
        loss = loss_of(out, y)

        # Backward: autograd fills in .grad of all six.
        loss.backward()
        grads = [p.grad for p in params]

        values = [p.detach().numpy() for p in params], [grad.numpy() for grad in grads]
        yield Step(loss.item(), *(dict(zip(start, one, strict=True)) for one in values))

        # Update: no part of the graph.
        with torch.no_grad():
            update(grads)

        # backward() adds to .grad, so the next step must find it empty.
        for p in params:
            p.grad.zero_()
