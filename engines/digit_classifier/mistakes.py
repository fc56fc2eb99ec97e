"""Mistakes people make when they train a classifier.

Each is the listing of torch_autograd.py with some of its lines changed. It runs as that does, to
its end or to the error in which it ends.

Source: experiment E13.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from functools import cache
from itertools import chain
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from engines.digit_classifier import torch_autograd
from engines.digit_classifier.digits import Digits
from engines.digit_classifier.recording import Run, watch
from engines.listing import Crash, Edited, crash_of, edited
from engines.trace import Step

Steps = Generator[Step, None, None]

LISTING = (
    torch_autograd.mean_squared_error,
    torch_autograd.gradient_descent,
    torch_autograd.train,
)

START = "        torch.tensor(value, requires_grad=True) for value in start.values()\n"
OPTIMIZER = "    update = optimizer(params, learning_rate)\n"
PIXELS = "    pixels = 2 * torch.tensor(digits.images).to(w1.dtype) / digits.brightest - 1\n"
ONE_HOT = "    one_hot = torch.eye(10, dtype=w1.dtype)[torch.tensor(digits.labels).long()]\n"
RESHAPE = "        x = images.reshape(-1, digits.side * digits.side)\n"

# By name: which lines of the listing are changed, and what was written in their place.
MISTAKES: dict[str, dict[str, str]] = {
    "not_scaled": {PIXELS: "    pixels = torch.tensor(digits.images).to(w1.dtype)\n"},
    "rate": {OPTIMIZER: "    update = optimizer(params, 100 * learning_rate)\n"},
    "zeros": {
        START: "        torch.tensor(0 * value, requires_grad=True) for value in start.values()\n"
    },
    "dead": {OPTIMIZER: "    b1.data -= 3\n" + OPTIMIZER},
    "reshape": {RESHAPE: "        x = images.reshape(-1, 28 * 28)\n"},
    "shuffled": {
        ONE_HOT: ONE_HOT
        + "    mixed = torch.Generator().manual_seed(1)\n"
        + "    one_hot = one_hot[torch.randperm(len(one_hot), generator=mixed)]\n"
    },
    "no_test_set": {ONE_HOT: ONE_HOT + "    pixels, one_hot = pixels[:60], one_hot[:60]\n"},
}

End = Literal["crash", "overflow", "stuck", "by_heart", "learns"]
CHANCE, APART = 0.3, 0.1  # accuracies: one that is hardly more than a guess, and a telling gap


class Settings(NamedTuple):
    """How a listing is trained: the updates, the rate, and the name of the optimizer."""

    steps: int = 300
    learning_rate: float = 0.5
    optimizer: str = "gradient_descent"


# To learn by heart takes long: Adam is faster at that.
PATIENT = Settings(300, 0.002, "adam")
SETTINGS = {name: PATIENT if name == "shuffled" else Settings() for name in MISTAKES}


class Outcome(NamedTuple):
    """What became of a run with a mistake in it.

    listing: what ran. crash: the error in which it ended, if it did. run: what is kept of it, None
    where it crashed; its train_accuracy is counted on the images and labels that it learnt from, as
    it was given them, and its weights are the last ones.
    """

    listing: Edited
    crash: Crash | None = None
    run: Run | None = None

    @property
    def different(self) -> int:
        """How many of the 256 columns of w1, one for each hidden unit, differ at the end."""
        if self.run is None or not len(self.run.at):
            return 0
        return len(np.unique(self.run.weights["w1"][-1], axis=1).T)

    @property
    def end(self) -> End:
        """An error; numbers that overflow; no better than a guess; what was seen alone; or well."""
        if self.run is None:
            return "crash"
        if not np.isfinite(self.run.losses[-1]):
            return "overflow"
        learnt, tested = self.run.train_accuracy[-1], self.run.test_accuracy[-1]
        if learnt < CHANCE and tested < CHANCE:
            return "stuck"
        return "by_heart" if learnt - tested > APART else "learns"


@cache
def make(name: str) -> Edited:
    """The listing in which this mistake is made. Raises KeyError for a name not in MISTAKES."""
    return edited(LISTING, MISTAKES[name])


def begin(
    train: Callable[..., Any], digits: Digits, start: dict[str, NDArray[Any]], settings: Settings
) -> Steps:
    """The steps of a listing with these settings, none of them taken yet."""
    steps: Steps = train(
        digits,
        start,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        optimizer=getattr(torch_autograd, settings.optimizer),
    )
    return steps


def run(
    name: str,
    digits: Digits,
    start: dict[str, NDArray[Any]],
    *,
    follow: Callable[[Steps], Steps] = lambda steps: steps,
) -> Outcome:
    """Make this mistake and see what becomes of it. Raises KeyError for a name not in MISTAKES.

    follow: is handed the steps before they are run, and returns them, as to tell how far they are.
    """
    listing, settings = make(name), SETTINGS[name]
    steps = begin(listing.names["train"], digits, start, settings)
    raw = digits.test_images.reshape(len(digits.test_images), -1).astype(np.float32)
    followed = follow(steps)
    try:
        first = next(followed)
        found = watch(
            chain([first], followed),
            digits,
            at=[settings.steps],
            learnt=_learnt(steps),
            tested=raw if name == "not_scaled" else None,
        )
    except RuntimeError as error:
        return Outcome(listing, crash=crash_of(error, listing.source))
    finally:
        steps.close()
    return Outcome(listing, run=found)


def _learnt(steps: Steps) -> tuple[NDArray[Any], NDArray[Any]]:
    """The inputs and labels that a listing trains on, as it has them where it waits."""
    batches = inspect.getgeneratorlocals(steps)["batches"]
    x, y = (torch.cat(one).numpy() for one in zip(*batches, strict=True))
    return x.reshape(len(x), -1), y.argmax(axis=1)
