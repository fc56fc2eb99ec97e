"""Mistakes people make with autograd.

Each is the listing of torch_autograd.py with some of its lines changed. It runs as that does: to
its end, or to the error in which it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.graphs import read_torch
from engines.graphs.autograd import StepGraph
from engines.listing import Edited, edited
from engines.problem import Problem
from engines.regression import torch_autograd
from engines.regression.gradient_check import check
from engines.trace import Step, Trace, record

LOOP = "    for _ in range(steps + 1):\n"
PREDICTION = "        y_pred = w * x**power + b\n"
LOSS = "        loss = factor * torch.sum((y_pred - y) ** 2)\n"
BACKWARD = "        loss.backward()\n"
UPDATE = """\
        with torch.no_grad():
            w -= learning_rate * w.grad
            b -= learning_rate * b.grad
"""
ZERO = """\
        w.grad.zero_()
        b.grad.zero_()
"""

# By name: which lines of the listing are changed, and what was written in their place.
MISTAKES: dict[str, dict[str, str]] = {
    "not_zeroed": {
        ZERO: """\
        # w.grad.zero_()
        # b.grad.zero_()
"""
    },
    "in_place_outside_no_grad": {
        UPDATE: """\
        w -= learning_rate * w.grad
        b -= learning_rate * b.grad
"""
    },
    "rebound_outside_no_grad": {
        UPDATE: """\
        w = w - learning_rate * w.grad
        b = b - learning_rate * b.grad
""",
        ZERO: "        # The new w and b have no .grad yet: nothing to zero.\n",
    },
    "backward_twice": {
        BACKWARD: BACKWARD + "        loss.backward()  # again\n",
    },
    "saved_changed_in_place": {
        LOSS: """\
        residual = y_pred - y
        loss = factor * torch.sum(residual**2)
        worst = residual.abs_().max()
"""
    },
    "changed_through_data": {
        LOSS: """\
        residual = y_pred - y
        loss = factor * torch.sum(residual**2)
        worst = residual.data.abs_().max()
"""
    },
    "detached": {
        PREDICTION: "        y_pred = (w * x**power).detach() + b\n",
    },
    "all_detached": {
        PREDICTION: "        y_pred = (w * x**power + b).detach()\n",
    },
    "integer": {
        "    w = torch.tensor(problem.w, requires_grad=True)\n": (
            "    w = torch.tensor(1, requires_grad=True)\n"
        )
    },
    "history": {
        LOOP: "    losses = []\n" + LOOP,
        BACKWARD: BACKWARD + "        losses.append(loss)\n",
    },
}

End = Literal["before", "first_step", "second_step", "grows", "right", "wrong"]
COUNTED = 40  # steps through which nodes are counted


@cache  # made once, for all visitors: a warning about one of its lines then comes once, too
def make(name: str) -> Edited:
    """The listing in which this mistake is made. Raises KeyError for a name not in MISTAKES."""
    return edited(torch_autograd.train, MISTAKES[name])


class Outcome(NamedTuple):
    """What became of a run with a mistake in it.

    listing: what ran. end: an error before the first step, in it, or in the second; or no error at
    all, and then: it has the numbers of the right run but more nodes with each step; those numbers;
    others.
    step: the last step that was read, of two: the one with the error, if there is one.
    trace: the whole run; None where it ended in an error.
    check: its gradients against central differences, see gradient_check.check, in a float64 run of
    the same listing, whose rounding is known. Empty where the run ended in an error.
    alive, alive_right: how many nodes exist at the end of each of the first steps, with the mistake
    and without, shape (COUNTED + 1,). Empty where the run ended in an error.
    """

    listing: Edited
    end: End
    step: StepGraph
    trace: Trace | None = None
    check: dict[str, NDArray[Any]] = {}  # noqa: RUF012 (never written to)
    alive: NDArray[Any] = np.array([])
    alive_right: NDArray[Any] = np.array([])


def run(name: str, problem: Problem, *, steps: int, learning_rate: float) -> Outcome:
    """Make this mistake and see what becomes of it. Raises KeyError for a name not in MISTAKES."""
    listing = make(name)
    train = listing.names["train"]
    *_, step = read_torch.record(
        train(problem, steps=1, learning_rate=learning_rate), source=listing.source
    )
    if step.error:
        end: End = "first_step" if step.step == 0 else "second_step"
        return Outcome(listing, end if step.graph.nodes else "before", step)

    trace = record(train(problem, steps=steps, learning_rate=learning_rate))
    right = record(torch_autograd.train(problem, steps=steps, learning_rate=learning_rate))
    exact = problem.astype(np.float64)
    exact_trace = record(train(exact, steps=len(trace) - 1, learning_rate=learning_rate))
    alive = _alive(train, problem, learning_rate, listing.source)
    alive_right = _alive(torch_autograd.train, problem, learning_rate)
    end = "right" if trace.key == right.key else "wrong"
    if end == "right" and alive[-1] > alive[0]:
        end = "grows"
    checked = check(exact, exact_trace, keep=401)
    return Outcome(listing, end, step, trace, checked, alive, alive_right)


def without_zeroing(problem: Problem) -> tuple[float, float]:
    """w.grad after one backward(), and after another that found it as the first had left it."""
    train = make("not_zeroed").names["train"]
    first, second = train(problem, steps=1, learning_rate=0.0)
    return float(first.grads["w"]), float(second.grads["w"])


def _alive(
    train: Callable[..., Iterator[Step]],
    problem: Problem,
    learning_rate: float,
    source: str | None = None,
) -> NDArray[Any]:
    steps = train(problem, steps=COUNTED, learning_rate=learning_rate)
    return np.array([step.events[-1].live for step in read_torch.record(steps, source=source)])
