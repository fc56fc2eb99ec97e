"""The network trained, with MyReLU between its layers: at the article's rate, and faster."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from engines.network import torch_own_relu
from engines.network.compare import RATE, STEPS, Run, draw, run_and_compare
from engines.trace import Trace, thin
from views.custom_relu_backward.runs import network
from views.custom_relu_backward.units import UNITS, names, squares
from views.player import (
    WHOLE_STEPS,
    Figure,
    Series,
    Timeline,
    cached,
    every_step,
    now,
    say,
    show,
    some_steps,
)
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import MODEL, OTHER, Look
from views.ui.shell import Here
from views.ui.slow_run import Follow, slow
from views.ui.staging import beside, stage

INSPECTED = thin(STEPS + 1, 60)  # the steps whose weights and gradients are inspected
DTYPES = {"float64": "64 bits", "float32": "32 bits"}
FASTER = {
    "2": ("Twice the rate", "Twice"),
    "3": ("Three times", "Three times"),
    "5": ("Five times", "Five times"),
}
SECOND = "faster_"  # the prefix of the second run's series
KEPT = ("active", "dead", "grad_w1", "grad_w2")
PICTURES = {"losses": ("The loss", "loss"), "dead": ("Dead units", "units, of 100")}  # of a Run
OPENS = 100


def show_stage(here: Here) -> None:
    """Every hidden unit of both runs, their losses, and how many units are dead."""
    labels = {times: label for times, (label, _) in FASTER.items()}
    with here.settings, st.popover("Settings"):
        dtype = here.controls.pills("Precision", "dtype", DTYPES, "float64")
    with stage(here) as play:
        times = here.controls.pills(
            "A second run, faster", "times", labels, "2", label_visibility="collapsed"
        )
        looks = (
            Look(f"η = {number(RATE, 1)}", MODEL),
            Look(f"η = {number(int(times) * RATE, 1)}", OTHER, (6, 4)),
        )
        article, faster = trained(1, dtype), trained(int(times), dtype)
        both = (article, faster)
        timeline = _timeline(both)
        play(
            timeline,
            ran=_programs(looks, int(times), dtype, both),
            begin=(OPENS, None),
            stops=_stops(both),
            readout={"loss": (0, None)},
            whose=looks[0].label,
            table=_table(looks),
        )
        say(_told(faster, FASTER[times][1]))
        every_unit, losses, dead = beside([5, 4, 4])
        with every_unit:
            show(squares(looks, ("", SECOND), timeline), key="units")
        with losses:
            show(_picture("losses", looks, both), key="losses")
        with dead:
            show(_picture("dead", looks, both), key="dead")


@slow
def trained(follow: Follow, times: int, dtype: str) -> Run:
    """The network of E10 with MyReLU, at so many times the article's rate."""
    arrays = draw(0, dtype)
    steps: Any = torch_own_relu.train(*arrays, steps=STEPS, learning_rate=times * RATE)
    said = f"Rate {number(times * RATE, 1)}: step {{:,}} of {{:,}}."
    return run_and_compare({"": follow(steps, STEPS, said)}, arrays[0], at=INSPECTED)[""]


def _programs(
    looks: tuple[Look, Look], times: int, dtype: str, both: tuple[Run, Run]
) -> dict[str, Trace]:
    """By its label each run, of which only the losses are kept, with what made it."""
    programs = {}
    for look, run, rate in zip(looks, both, (RATE, times * RATE), strict=True):
        programs[look.label] = network(
            torch_own_relu.train, run.losses, dtype=dtype, steps=STEPS, rate=rate
        )
    return programs


@cached
def _timeline(both: tuple[Run, Run]) -> Timeline:
    series: dict[str, Series] = {}
    for prefix, run in zip(("", SECOND), both, strict=True):  # all units, without a gap
        series |= some_steps(dict(zip(names(prefix), run.shares.T, strict=True)), run.at)
    for prefix, run in zip(("", SECOND), both, strict=True):
        columns = {prefix + name: np.asarray(getattr(run, name), np.float64) for name in KEPT}
        series |= every_step({f"{prefix}loss": run.losses}) | some_steps(columns, run.at)
    series |= some_steps({"counted": both[0].at.astype(np.float64)}, both[0].at)
    return Timeline(series, STEPS, parts=WHOLE_STEPS)


@cached
def _stops(both: tuple[Run, Run]) -> list[int]:
    """Where the loss is first a thousandth, where units first die, where half of them are dead."""
    thousandth = np.flatnonzero(both[0].losses < both[0].losses[0] / 1000)[:1]
    died = [both[1].at[both[1].dead >= some][:1] for some in (1, UNITS / 2)]
    return sorted({int(k) for k in np.concatenate([thousandth, *died])})


def _table(looks: tuple[Look, Look]) -> dict[str, str]:
    names = {
        "loss": "loss",
        "active": "active units",
        "dead": "dead units",
        "grad_w1": "length of the gradient of w1",
        "grad_w2": "length of the gradient of w2",
    }
    return {
        f"{label}, {look.label}": prefix + name
        for prefix, look in zip(("", SECOND), looks, strict=True)
        for name, label in names.items()
    }


def _told(faster: Run, times: str) -> str:
    """HTML: what became of the units of both runs."""
    first = (
        "Each square is a hidden unit, and an empty one is <b>dead</b>: active for no input. By "
        f"this step {now('dead', digits=0)} are dead at the article's rate"
    )
    if not np.isfinite(faster.losses[-1]):
        return (
            f"{first}. {times} the rate is too far: the loss overflows at step "
            f"<b>{len(faster.losses) - 1}</b>."
        )
    return (
        f"{first}, and <b>{now(SECOND + 'dead', digits=0)}</b> at the other. No gradient reaches a "
        "dead unit, so it never comes back: in the end "
        f"<b>{faster.dead[-1]}</b> are dead, and the loss is "
        f"{number(float(faster.losses[-1]), 3)}."
    )


def _picture(name: str, looks: tuple[Look, Look], both: tuple[Run, Run]) -> Figure:
    title, y = PICTURES[name]
    counts = name != "losses"
    return lines(
        [
            Line(look, getattr(run, name), run.at if counts else None)
            for look, run in zip(looks, both, strict=True)
        ],
        title=title,
        y=y,
        description=f"{title} of both runs, against step; a dot on each line at the step shown.",
        log=not counts,
        highest=UNITS if counts else None,
        follows=True,
    )
