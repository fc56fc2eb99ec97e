"""Are the gradients right? A handful, drawn at random, against central differences.

All of it is in float64, and what is differentiated is the loss of the listing itself: it is run
with one weight moved a little up, and a little down.

Source: engines/differences.py; the listing: torch_autograd.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.differences import central_difference, relative_error
from engines.digit_classifier.digits import BATCH, Digits
from engines.digit_classifier.layers import answer
from engines.trace import Step

Floats = NDArray[np.float64]
WIDTH = 1e-6  # how far a weight is moved, where it is not larger than 1


class Checked(NamedTuple):
    """n weights, each with its gradient found in two ways.

    names: of the arrays, shape (n,). places: of the weight in its array. by_backward,
    by_differences: its gradient, shape (n,). kinks: whether a ReLU was switched on or off between
    the two ends of the difference, shape (n,): there the loss has a kink, and a difference over it
    is no derivative.
    """

    names: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    by_backward: Floats
    by_differences: Floats
    kinks: NDArray[np.bool_]

    @property
    def error(self) -> Floats:
        """How far the two are apart, over the larger one, shape (n,); 0 for two zeros."""
        error: Floats = relative_error(self.by_backward[None], self.by_differences[None])
        return error


def check(
    train: Callable[..., Iterator[Step]],
    digits: Digits,
    params: Mapping[str, NDArray[Any]],
    *,
    each: int = 4,
    seed: int = 0,
    batch: int = BATCH,
    **settings: Any,
) -> Checked:
    """Check some gradients of the first batch.

    train: the listing. params: where, by name; taken as float64. each: how many of every array.
    settings: of the listing, such as loss_of.
    """
    exact = {name: values.astype(np.float64) for name, values in params.items()}
    # The listing scales all the images that it is given, each time that it is asked for a loss.
    digits = replace(digits, images=digits.images[:batch], labels=digits.labels[:batch])
    x = digits.scaled(digits.images, np.float64)

    def step_at(moved: Mapping[str, NDArray[Any]]) -> Step:
        return next(train(digits, moved, steps=0, learning_rate=0.0, batch=batch, **settings))

    random = np.random.default_rng(seed)
    grads = {name: values.copy() for name, values in step_at(exact).grads.items()}
    rows = []
    for name, values in exact.items():
        for flat in random.choice(values.size, min(each, values.size), replace=False):
            place = tuple(int(i) for i in np.unravel_index(flat, values.shape))
            moved = values.copy()
            h = WIDTH * max(1.0, abs(values[place]))
            masks = []

            def loss(value: float) -> float:
                moved[place] = value  # noqa: B023 (called before the next one is drawn)
                there = {**exact, name: moved}  # noqa: B023
                h1, h2, _ = answer(x, there)
                masks.append((h1 > 0, h2 > 0))  # noqa: B023
                return float(step_at(there).loss)

            slope = central_difference(loss, values[place], h)
            kink = any((one != two).any() for one, two in zip(*masks, strict=True))
            rows.append((name, place, grads[name][place], slope, kink))
    names, places, by_backward, by_differences, kinks = zip(*rows, strict=True)
    return Checked(names, places, np.array(by_backward), np.array(by_differences), np.array(kinks))
