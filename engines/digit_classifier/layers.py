"""The network of E13 in NumPy: the arrays that it starts from, and what it answers with any.

x (n, pixels) → relu(x @ w1 + b1), 256 → relu(… @ w2 + b2), 128 → … @ w3 + b3, 10.

No framework is needed to ask a network that has been trained. The training: torch_autograd.py and
tf_tape.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

SIZES = 256, 128, 10  # of the layers' outputs
NAMES = "w1", "b1", "w2", "b2", "w3", "b3"
Params = Mapping[str, NDArray[Any]]


class Answer(NamedTuple):
    """What each layer makes of n images: h1 (n, 256), h2 (n, 128), and the ten outputs (n, 10)."""

    h1: NDArray[Any]
    h2: NDArray[Any]
    outputs: NDArray[Any]


def start(pixels: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> dict[str, NDArray[Any]]:
    """Weights as Keras' Dense draws them (Glorot, uniform), and biases of 0, by name.

    pixels: how many inputs. Weights have the shape (inputs, outputs), biases (outputs,).
    """
    random = np.random.default_rng(seed)
    params: dict[str, NDArray[Any]] = {}
    inputs = pixels
    for i, outputs in enumerate(SIZES, 1):
        limit = np.sqrt(6 / (inputs + outputs))
        params[f"w{i}"] = random.uniform(-limit, limit, (inputs, outputs)).astype(dtype)
        params[f"b{i}"] = np.zeros(outputs, dtype)
        inputs = outputs
    return params


def count(params: Params) -> int:
    """How many numbers are learnt: 235,146 for 784 pixels, 50,826 for 64."""
    return sum(values.size for values in params.values())


def answer(x: NDArray[Any], params: Params) -> Answer:
    """x: images as the network is given them, shape (n, pixels)."""
    h1 = _relu(x @ params["w1"] + params["b1"])
    h2 = _relu(h1 @ params["w2"] + params["b2"])
    return Answer(h1, h2, h2 @ params["w3"] + params["b3"])


def _relu(values: NDArray[Any]) -> NDArray[Any]:
    np.maximum(values, 0, out=values)  # in place: a copy would be megabytes, at each step
    return values
