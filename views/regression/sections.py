"""What a page shows of a regression in training: pictures, how it ended, formulas, the check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.problem import Problem
from engines.trace import Trace, thin
from views.player import (
    Computed,
    Phase,
    Series,
    Timeline,
    cached,
    every_step,
    live,
    now,
    some_steps,
)
from views.ui.numbers import number
from views.ui.table import html_table

# What the lines of the family's listings compute, by how they begin, where each phase is a single
# moment; see views/player/timeline.py. The lines of an update compute the state of the next step.
COMPUTED = {
    "y_pred =": Computed([Phase.PREDICT]),
    "loss = factor": Computed([Phase.LOSS], "loss"),
    "loss = loss +": Computed([Phase.LOSS], "loss"),
    "grad_y_pred =": Computed([Phase.GRADIENT]),
    "grad_w = ": Computed([Phase.GRADIENT], "grad_w"),
    "grad_b = ": Computed([Phase.GRADIENT], "grad_b"),
    "w = w -": Computed([Phase.UPDATE], "w_next"),
    "b = b -": Computed([Phase.UPDATE], "b_next"),
}


def followed(
    trace: Trace,
    *checks: Mapping[str, NDArray[Any]],
    run: str = "",
    keep: int | None = None,
) -> dict[str, Series]:
    """The series of a run, and of checks of its gradients if there are any, for a Timeline.

    checks: columns, of which the first are the steps that were checked. run: a prefix for the
    names. keep: at most so many of the steps, None for all of them.
    """
    columns = trace.columns()
    if keep is None or len(trace) <= keep:
        series = every_step(columns)
    else:
        at = thin(len(trace), keep)
        series = some_steps({name: column[at] for name, column in columns.items()}, at)
    for check in checks:
        series |= some_steps(check, next(iter(check.values())))
    return {run + name: one for name, one in series.items()}


@cached
def played_together(runs: Mapping[str, Trace]) -> Timeline:
    """What the player plays of several runs at once. runs: by the prefix of their series."""
    series: dict[str, Series] = {}
    for prefix, trace in runs.items():
        series |= followed(trace, run=prefix)
    return Timeline(series, max(map(len, runs.values())) - 1)


def sign_changes(*columns: NDArray[Any], at_most: int | None = None) -> list[int]:
    """The steps at which one of these columns has the other sign than at the step before.

    at_most: so many of each column, the first; None for all.
    """
    signs = [np.sign(column) for column in columns]
    turned = [1 + np.flatnonzero(one[:-1] * one[1:] < 0)[:at_most] for one in signs]
    return sorted({int(step) for step in np.concatenate(turned)})


@cached
def turning_points(trace: Trace) -> list[int]:
    """Where the loss is first halved, and where the slope along w or b changes its sign."""
    halved = np.flatnonzero(trace.losses < trace.losses[0] / 2)[:1].tolist()
    return sorted({*halved, *sign_changes(*trace.grads.values(), at_most=3)})


def verdict(problem: Problem, trace: Trace, learning_rate: float) -> None:
    """Say how the run ended, and where it did not end well, why."""
    end, limit = trace.final, number(problem.largest_stable_learning_rate, 4)
    last = len(trace) - 1
    growth = abs(1 - learning_rate * problem.lambda_max)
    if end.non_finite:
        st.error(
            f"The run ended at step {last}: {', '.join(end.non_finite)} grew past the largest "
            f"number that {8 * problem.x.itemsize} bits can hold. The steepest curvature of this "
            f"loss is λ = {number(problem.lambda_max, 4)}. Along it each step multiplies the "
            f"error by |1\u00a0−\u00a0η·λ| = {number(growth, 3)}, and what is multiplied by more "
            f"than 1 again and again overflows."
        )
    elif learning_rate > problem.largest_stable_learning_rate and end.loss > trace.losses[0]:
        st.warning(
            f"The learning rate is beyond 2/λ = {limit}, where λ is the largest curvature of the "
            f"loss. Along the steepest direction each step multiplies the error by "
            f"|1\u00a0−\u00a0η·λ| = {number(growth, 4)}: it jumps across the valley and lands "
            f"higher. At step {last} the loss is {number(end.loss, 4)}."
        )
    else:
        w, b = number(end.params["w"], 9), number(end.params["b"], 9)
        best_w, best_b = (number(best, 9) for best in problem.least_squares())
        st.markdown(
            f"At step **{last}** w is **{w}** and b is **{b}**. The best there is, by least "
            f"squares: {best_w} and {best_b}."
        )


def check_in_numbers(*, run: str = "") -> None:
    """The gradient by hand and by central differences at the step shown, and how far apart."""

    def measured(name: str, digits: int = 6) -> str:
        return now(run + name, known=Phase.GRADIENT, digits=digits)

    heads = [f"step {now(run + 'checked', digits=0)}", "by hand", "central difference"]
    slopes = [
        ["grad_w", measured("hand_w"), measured("numeric_w")],
        ["grad_b", measured("hand_b"), measured("numeric_b")],
    ]
    errors = [
        ["relative error", f"<b>{measured('error', 2)}</b>"],
        ["rounding alone explains", measured("allowed", 2)],
    ]
    live(html_table(heads, slopes) + html_table([], errors), key=f"{run}check")
