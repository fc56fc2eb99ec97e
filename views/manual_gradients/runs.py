"""The runs of the page on manual gradients, with and without a mistake, and what the player has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from engines.manual_gradients.mistakes import Variant, with_mistake
from engines.problem import Problem
from engines.regression.gradient_check import check, check_widths
from engines.trace import Trace, record
from views.player import Timeline, cached
from views.regression import sections


class Checked(NamedTuple):
    """A run and the checks of its gradients; see engines.regression.gradient_check."""

    variant: Variant
    trace: Trace
    check: Mapping[str, NDArray[Any]]
    check_widths: Mapping[str, NDArray[Any]]


@cached
def run(problem: Problem, steps: int, learning_rate: float, mistake: str | None = None) -> Checked:
    """The run by hand, with this mistake or without any."""
    variant = with_mistake(mistake, problem, learning_rate)
    learnt, rate = variant.problem, variant.learning_rate
    trace = record(variant.train(learnt, steps=steps, learning_rate=rate))
    checks = check(learnt, trace, keep=801), check_widths(learnt, trace, keep=80)
    return Checked(variant, trace, *checks)


@cached
def timeline(problem: Problem, steps: int, learning_rate: float, mistake: str | None) -> Timeline:
    """What the player plays: the right run, and beside it the one with the mistake, if there is."""
    _, trace, *checks = run(problem, steps, learning_rate)
    series = sections.followed(trace, *checks)
    last_step = len(trace) - 1
    if mistake:
        wrong = run(problem, steps, learning_rate, mistake)
        series |= sections.followed(wrong.trace, wrong.check, run="wrong_", keep=2001)
        last_step = max(last_step, len(wrong.trace) - 1)
    return Timeline(series, last_step)
