"""w.grad adds up: the same run with and without the two lines that empty it."""

from __future__ import annotations

from typing import Any

import numpy as np

from engines.trace import Trace
from views.dynamic_graph import one_step, runs
from views.player import Phase, Timeline, cached, every_step, live, now, say, show
from views.regression import sections
from views.regression.charts import Drawn, losses
from views.regression.surface import paths
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import html_table

STEPS = 120
RIGHT, WRONG = Look("zeroed", MODEL), Look("not zeroed", MISTAKE, (6, 4))


def show_stage(here: Here) -> None:
    """What backward() finds, what it adds and what is left, in both runs; and where they go."""
    settings: Any = {"steps": STEPS, "learning_rate": one_step.PROBLEM.learning_rate}
    right = runs.trained(one_step.PROBLEM, **settings)
    wrong = runs.with_mistake("not_zeroed", one_step.PROBLEM, **settings).trace
    assert wrong, "this mistake trains"
    timeline = _timeline(right, wrong)
    drawn = [
        Drawn("", RIGHT, right, one_step.PROBLEM),
        Drawn("wrong_", WRONG, wrong, one_step.PROBLEM),
    ]
    stops = sections.sign_changes(wrong.grads["w"])  # of what w.grad holds
    ran = {RIGHT.label: right, WRONG.label: wrong}
    with stage(here, timeline, ran=ran, begin=(1, None), stops=stops, whose=RIGHT.label):
        say(
            "Where nothing empties it, backward() finds "
            f"{now('found_w')} in w.grad, adds this step's own gradient, {added('own_w')}, and "
            f"leaves <b>{added('wrong_grad_w')}</b>. The update subtracts all of it."
        )
        picture, loss = beside([1, 1])
        with picture:
            show(paths(drawn, timeline), key="paths")
        with loss:
            show(losses(drawn, timeline), key="losses")
            rows = [
                ["w.grad before backward()", "0", now("found_w")],
                ["what backward() adds", added("grad_w"), added("own_w")],
                ["<b>w.grad after it</b>", added("grad_w"), f"<b>{added('wrong_grad_w')}</b>"],
            ]
            live(html_table(["", RIGHT.label, WRONG.label], rows), key="sums")


def added(name: str) -> str:
    """What backward() makes of it: in slow motion not known before it has run."""
    return now(name, known=Phase.GRADIENT)


@cached
def _timeline(right: Trace, wrong: Trace) -> Timeline:
    held = wrong.grads["w"].astype(np.float64)
    found = np.concatenate([[0.0], held[:-1]])
    sums = {"found_w": found, "own_w": held - found}
    both = sections.played_together({"": right, "wrong_": wrong})
    return Timeline(both.series | every_step(sums), both.last_step)
