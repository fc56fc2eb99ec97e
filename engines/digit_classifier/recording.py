"""What is kept of a run of the digit classifier, in either framework.

A run of 300 steps goes through 60 MB of weights. All numbers that fit into a picture are kept for
each step; the weights themselves at a few moments, and in 16 bits: enough digits to see and to ask
them, too few to go on training.

Source: experiment E13. The runs: torch_autograd.py and tf_tape.py.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.digit_classifier.digits import DIGITS, Digits
from engines.digit_classifier.layers import SIZES, Params, answer
from engines.trace import Step, thin

Floats = NDArray[np.float64]
EVALUATED = 1500  # training images, at most, of which accuracy is counted
MOMENT_BYTES = 2_500_000  # for the weights of one run, where that is enough for
LEAST_MOMENTS = 8
AT_A_TIME = 256  # images that are evaluated


class Run(NamedTuple):
    """What is kept of a run, which ends with the first step whose loss is not finite.

    For each of k steps: losses, of the batch that the step learns from, shape (k,). train_accuracy,
    test_accuracy: shares of 1, shape (k,). dead: how many units of either hidden layer let nothing
    pass for any of the test images, shape (k, 2). outputs: for one test image of each digit,
    `shown`, the ten outputs, shape (k, 10, 10), float32. predicted: what is read in each test
    image, shape (k, tested), uint8.

    At m moments `at`, shape (m,): weights, by name, shape (m, *shape of the value), float16.
    """

    losses: Floats
    train_accuracy: Floats
    test_accuracy: Floats
    dead: NDArray[np.intp]
    shown: NDArray[np.intp]
    outputs: NDArray[np.float32]
    predicted: NDArray[np.uint8]
    at: NDArray[np.intp]
    weights: dict[str, NDArray[np.float16]]

    @property
    def key(self) -> str:
        """Equal for runs that went alike: what a cache may go by."""
        return hashlib.sha256(self.losses.tobytes()).hexdigest()

    def params(self, i: int) -> dict[str, NDArray[np.float32]]:
        """The weights at moment `at[i]`, in float32."""
        return {name: values[i].astype(np.float32) for name, values in self.weights.items()}


def one_of_each(digits: Digits) -> NDArray[np.intp]:
    """Where the first test image of each digit is, shape (10,)."""
    return np.array([np.argmax(digits.test_labels == digit) for digit in range(DIGITS)], np.intp)


def moments(last: int, weights: int) -> NDArray[np.intp]:
    """The steps at which that many weights are kept, increasing, the last among them."""
    return thin(last + 1, max(LEAST_MOMENTS, MOMENT_BYTES // (2 * weights)))


class Recorder:
    """Keeps what a Run has while an engine runs, and can be asked for it before that has ended."""

    def __init__(
        self,
        digits: Digits,
        *,
        at: Iterable[int],
        learnt: tuple[NDArray[Any], NDArray[Any]] | None = None,
        tested: NDArray[Any] | None = None,
    ) -> None:
        """at: the steps whose weights are kept, such as `moments` gives.

        learnt: inputs of the network, shape (n, pixels), and labels, shape (n,), for the accuracy
        in training; if not said, the first of the training images. tested: the test images as the
        network is given them; if not said, scaled.
        """
        some = slice(EVALUATED)
        self._learnt = learnt or (digits.scaled(digits.images[some]), digits.labels[some])
        self._tested = digits.scaled(digits.test_images) if tested is None else tested
        self._right = digits.test_labels
        self._shown = one_of_each(digits)
        self._at = frozenset(at)
        self._rows: list[tuple[Any, ...]] = []
        self._kept: dict[int, dict[str, NDArray[np.float16]]] = {}

    def watch(self, steps: Iterable[Step]) -> Run:
        """Run an engine to its end, or to the first loss that is not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            for k, step in enumerate(steps):
                self._keep(k, step)
                if not math.isfinite(step.loss):
                    break
        return self.run()

    def _keep(self, k: int, step: Step) -> None:
        inputs, labels = self._learnt
        learnt, _ = _asked(inputs, step.params)
        outputs, active = _asked(self._tested, step.params)
        predicted = np.argmax(outputs, axis=1).astype(np.uint8)
        if k in self._at:
            self._kept[k] = {n: value.astype(np.float16) for n, value in step.params.items()}
        self._rows.append(
            (
                float(step.loss),
                np.mean(np.argmax(learnt, axis=1) == labels),
                np.mean(predicted == self._right),
                [int(np.sum(~units)) for units in active],
                outputs[self._shown].astype(np.float32),
                predicted,
            )
        )

    def run(self) -> Run:
        """What there is so far. Raises ValueError before the first step."""
        rows = list(self._rows)  # another thread may be adding to them
        if not rows:
            raise ValueError("the engine took no step")
        kept = {k: params for k, params in sorted(self._kept.items()) if k < len(rows)}
        losses, trained, tested, dead, outputs, predicted = zip(*rows, strict=True)
        names = next(iter(kept.values()), {})
        return Run(
            np.array(losses, np.float64),
            np.array(trained, np.float64),
            np.array(tested, np.float64),
            np.array(dead, np.intp),
            self._shown,
            np.array(outputs),
            np.array(predicted),
            np.array(list(kept), np.intp),
            {name: np.array([params[name] for params in kept.values()]) for name in names},
        )


def _asked(x: NDArray[Any], params: Params) -> tuple[NDArray[Any], list[NDArray[np.bool_]]]:
    """The outputs for n images, shape (n, 10), and by hidden unit whether any lets it be active.

    A few at a time: megabytes that are asked for and given back at each step stay with the thread
    of a visitor, also when that has ended.
    """
    outputs, active = [], [np.zeros(size, np.bool_) for size in SIZES[:2]]
    for i in range(0, len(x), AT_A_TIME):
        *hidden, some = answer(x[i : i + AT_A_TIME], params)
        outputs.append(some)
        for units, h in zip(active, hidden, strict=True):
            np.logical_or(units, (h > 0).any(axis=0), out=units)
    return np.concatenate(outputs), active


def watch(steps: Iterable[Step], digits: Digits, **how: Any) -> Run:
    """Run an engine to its end, and keep what a Run has. how: as for a Recorder."""
    return Recorder(digits, **how).watch(steps)
