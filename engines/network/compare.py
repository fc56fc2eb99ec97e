"""The network of E10 and E11 in any engine: its arrays, and what is kept of a run.

A run has 101 000 weights at each of 501 steps, 200 MB in float32. Of these only sizes, counts and
differences are kept, at some of the steps. Engines run one after the other, and nothing is
multiplied between their steps: NumPy, PyTorch and TensorFlow each have threads of their own, which
go on waiting for work for a while, and taking turns at every step makes all of them slow.

Source: experiments E10 and E11. The engines: torch_own_relu.py, numpy_by_hand.py, tf_own_relu.py
and tf_session.py.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engines.trace import Step

Floats = NDArray[np.float64]

STEPS, RATE = 500, 1e-6  # of both experiments: updates, and the learning rate
# Over such a run, rounding alone leaves no weight farther from that of another engine.
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


def draw(seed: int, dtype: DTypeLike = np.float32) -> tuple[NDArray[Any], ...]:
    """x (64, 1000), y (64, 10), w1 (1000, 100) and w2 (100, 10), all from a normal distribution."""
    random = np.random.default_rng(seed)
    shapes = (64, 1000), (64, 10), (1000, 100), (100, 10)
    return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)


class Run(NamedTuple):
    """What is kept of one run, next to the first of the runs it was compared with.

    At each step, shape (steps + 1,): losses; loss_apart, how far the loss is from that of the first
    run, over that run's first loss. It falls by twelve orders of magnitude: over itself, rounding
    alone would look large in the end.

    At the steps `at`, shape (k,): active, for how many hidden units h is positive, on the average
    over the batch; dead, for how many it is positive nowhere in the batch; shares, shape
    (k, hidden), by unit for which part of the batch it is positive; grad_w1 and grad_w2,
    the length (Euclidean norm) of each layer's gradient; weights_apart, the largest difference of
    a weight from that of the first run.

    A run that overflowed ends with the step whose loss did, and differences end with the shorter
    of the two runs.
    """

    losses: Floats
    loss_apart: Floats
    at: NDArray[np.intp]
    active: Floats
    dead: NDArray[np.intp]
    shares: Floats
    grad_w1: Floats
    grad_w2: Floats
    weights_apart: Floats


def run_and_compare(
    runs: Mapping[str, Iterable[Step]], x: NDArray[Any], *, at: Iterable[int]
) -> dict[str, Run]:
    """Run engines one after the other, and keep of each what says how it went.

    runs: by name; the first is what the others are compared with, and may be alone. x: the batch
    that all of them train on. at: the steps whose weights and gradients are inspected, such as
    trace.thin gives; the weights at all of them are in memory until the last run has ended.
    """
    at = frozenset(at)
    compared: dict[str, Run] = {}
    first = None
    with np.errstate(over="ignore", invalid="ignore"):
        for name, steps in runs.items():
            kept = _follow(steps, at)
            first = first or kept
            positive = [x @ w1 > 0 for w1, _ in kept.weights]
            compared[name] = Run(
                losses=np.array(kept.losses, np.float64),
                loss_apart=_loss_apart(kept, first),
                at=np.array(kept.at, np.intp),
                active=np.array([units.sum(axis=1).mean() for units in positive], np.float64),
                dead=np.array([np.sum(~units.any(axis=0)) for units in positive], np.intp),
                shares=np.array([units.mean(axis=0) for units in positive], np.float64),
                grad_w1=np.array([length for length, _ in kept.lengths], np.float64),
                grad_w2=np.array([length for _, length in kept.lengths], np.float64),
                weights_apart=_weights_apart(kept, first),
            )
    return compared


class _Kept(NamedTuple):
    """The loss of each step, and w1, w2 and the lengths of their gradients at some."""

    losses: list[Any]
    at: list[int]
    weights: list[tuple[NDArray[Any], NDArray[Any]]]
    lengths: list[tuple[float, float]]


def _follow(steps: Iterable[Step], at: Container[int]) -> _Kept:
    kept = _Kept([], [], [], [])
    for k, step in enumerate(steps):
        kept.losses.append(step.loss)
        if k in at:
            kept.at.append(k)
            kept.weights.append((step.params["w1"].copy(), step.params["w2"].copy()))
            kept.lengths.append((_length(step.grads["w1"]), _length(step.grads["w2"])))
        if not math.isfinite(step.loss):
            break
    return kept


def _length(gradient: NDArray[Any]) -> float:
    """The Euclidean norm, without a product of vectors, for which NumPy may use its threads."""
    return math.sqrt(np.square(gradient, dtype=np.float64).sum())


def _loss_apart(one: _Kept, first: _Kept) -> Floats:
    pairs = zip(one.losses, first.losses, strict=False)
    apart = [abs(float(loss) - float(other)) for loss, other in pairs]
    return np.array(apart) / float(first.losses[0])


def _weights_apart(one: _Kept, first: _Kept) -> Floats:
    apart = [
        max(np.abs(weights - others).max() for weights, others in zip(*layers, strict=True))
        for layers in zip(one.weights, first.weights, strict=False)
    ]
    return np.array(apart, np.float64)
