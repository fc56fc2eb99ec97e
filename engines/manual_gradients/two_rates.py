"""A run whose learning rate changes on the way: the listing by hand, with two lines more."""

from __future__ import annotations

from engines.listing import edited
from engines.problem import Problem
from engines.regression import numpy_vectorized
from engines.trace import Trace, record

LOOP = "    for _ in range(steps + 1):\n"


def run(problem: Problem, steps: int, learning_rate: float, *, at: int, then: float) -> Trace:
    """Train, from step `at` on with the rate `then`."""
    changed = f"    for k in range(steps + 1):\n        if k == {at}:\n"
    changed += f"            learning_rate = {then!r}\n"
    listing = edited(numpy_vectorized.train, {LOOP: changed})
    return record(listing.names["train"](problem, steps=steps, learning_rate=learning_rate))
