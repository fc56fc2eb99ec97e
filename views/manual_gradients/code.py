"""Formulas and code: which line computes which number."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import streamlit as st

from engines.listing import source_of
from engines.problem import Problem
from engines.regression import numpy_loops, numpy_vectorized
from views.manual_gradients import one_step
from views.player import Phase, listing, live, now, paragraphs, show_story
from views.regression import sections
from views.regression.runs import trained
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.staging import beside, stage

LISTINGS: dict[str, Callable[..., Any]] = {
    "arrays": numpy_vectorized.train,
    "loops": numpy_loops.train,
}
LABELS = {"arrays": "arrays", "loops": "a loop"}
TOLD = paragraphs(
    [
        "<b>Predict:</b> one line of code, one formula, a hundred numbers.",
        "<b>The loss</b> is one number: how wrong all the predictions are together.",
        "<b>The gradient.</b> The chain rule multiplies two slopes, point by point, and adds up: "
        "how the loss changes with a prediction, and how the prediction changes with w, or with b.",
        "<b>The update.</b> w and b each take a step against their slope. η says how long it is.",
        "Each formula is a line of the listing. Slow motion goes through them one by one.",
    ]
)


def show_stage(here: Here) -> None:
    """The formulas with this step's numbers, beside the lines that compute them."""
    trace, timeline = one_step.run()
    with here.settings:
        chosen = here.controls.choice(
            st.segmented_control,
            "Listing",
            "listing",
            LABELS,
            "arrays",
            required=True,
            label_visibility="collapsed",
        )
    name = str(chosen or "arrays")
    ran = {"": trace}
    if name != "arrays":
        ran = {"": trained(name, LISTINGS[name], one_step.PROBLEM, **one_step.SETTINGS)}
    with stage(here, timeline, ran=ran, begin=(0, Phase.GRADIENT)):
        show_story(TOLD, key="story")
        formulas, code = beside([4, 5])
        with formulas:
            live(_formulas(one_step.PROBLEM, one_step.SETTINGS["rate"]), key="formulas")
        with code:
            title = f"The loop of {LISTINGS[name].__module__.split('.')[-1]}.py"
            listing(_loop(LISTINGS[name]), sections.COMPUTED, title=title, key=name)


def _loop(train: Callable[..., Any]) -> str:
    """The part of a listing that is repeated for each step, without its indentation."""
    lines = source_of(train).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    for _ in range"))
    return textwrap.dedent("\n".join(lines[first:])) + "\n"


def _formulas(problem: Problem, rate: float) -> str:
    """HTML: each formula, and below it what it comes to at the step shown."""
    x = "xᵢ²" if problem.power == 2 else "xᵢ"
    rows = [
        (Phase.PREDICT, f"ŷᵢ = w·{x} + b", f"{now('w')} · {x} {now('b', signed=True)}"),
        (Phase.LOSS, "L = ½ · Σ (ŷᵢ − yᵢ)²", now("loss", known=Phase.LOSS)),
        (Phase.GRADIENT, f"∂L/∂w = Σ (ŷᵢ − yᵢ) · {x}", now("grad_w", known=Phase.GRADIENT)),
        (Phase.GRADIENT, "∂L/∂b = Σ (ŷᵢ − yᵢ) · 1", now("grad_b", known=Phase.GRADIENT)),
        (Phase.UPDATE, "w ← w − η · ∂L/∂w", _update("w", rate)),
        (Phase.UPDATE, "b ← b − η · ∂L/∂b", _update("b", rate)),
    ]
    cells = "".join(
        f'<tr data-moments="{phase:d}"><td><b>{formula}</b><br>{value}</td></tr>'
        for phase, formula, value in rows
    )
    return f'<table class="digits formulas">{cells}</table>'


def _update(name: str, rate: float) -> str:
    gradient = now(f"grad_{name}", known=Phase.GRADIENT)
    result = now(f"{name}_next", known=Phase.UPDATE)
    return f"{now(name)} − {number(rate)} · ({gradient}) = <b>{result}</b>"
