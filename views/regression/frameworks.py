"""The regression in PyTorch and TensorFlow. To be imported only where a visitor asks for it."""

from __future__ import annotations

from engines.problem import Problem
from engines.regression import tf_session, tf_tape, torch_autograd
from engines.trace import Trace
from views.regression.runs import trained

LISTINGS = {
    "torch_autograd": torch_autograd.train,
    "tf_tape": tf_tape.train,
    "tf_session": tf_session.train,
}


def runs(problem: Problem, *, steps: int, rate: float) -> dict[str, Trace]:
    """By engine, its run of this problem."""
    return {
        engine: trained(engine, train, problem, steps=steps, rate=rate)
        for engine, train in LISTINGS.items()
    }
