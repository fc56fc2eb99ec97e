"""The controls of a regression: data, loss, learning rate, steps, start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from engines.problem import PRESETS, Loss, Problem, custom, preset
from views.ui.controls import Controls
from views.ui.numbers import number

LOSSES: dict[Loss, str] = {
    "half_sum": "½ · sum of squares",
    "mean": "mean of squares",
    "mean_half_squared": "mean of (½ error)²",
}
OWN = {"slope": 3.0, "offset": 2.0, "noise": 0.2, "points": 50, "power": 2, "seed": 1}


def _own_data(controls: Controls) -> dict[str, Any]:
    st.caption("Your own data: y = slope · x^power + offset + noise, at even distances of x.")
    return {
        "slope": controls.number("Slope", "slope", OWN["slope"], -10.0, 10.0),
        "offset": controls.number("Offset", "offset", OWN["offset"], -10.0, 10.0),
        "noise": controls.number("Noise", "noise", OWN["noise"], 0.0, 5.0, step=0.1),
        "points": controls.number("Points", "points", OWN["points"], 3, 500),
        "power": controls.number("Power of x", "power", OWN["power"], 1, 2),
        "seed": controls.number("Seed", "seed", OWN["seed"], 0, 9999),
    }


def choose_part_of_limit(
    controls: Controls,
    label: str,
    name: str,
    problem: Problem,
    *,
    parts: Sequence[str],
    start: str,
    numbered: bool = True,
    **looks: Any,
) -> float:
    """A learning rate on a slider, marked by what part of the largest stable one it is.

    numbered: whether the marks say the rate, too. Not where the problem changes under the slider:
    where its marks change, the browser forgets where it was.
    """
    limit = problem.largest_stable_learning_rate
    rates = {part: float(part) * limit for part in parts}
    labels = {part: f"{part} of the limit 2/λ" for part in parts}
    if numbered:
        labels = {part: f"{number(rate, 3)} = {part} of the limit" for part, rate in rates.items()}
    return rates[str(controls.choice(st.select_slider, label, name, labels, start, **looks))]


class Chosen(NamedTuple):
    """What a visitor asks to have trained."""

    problem: Problem
    learning_rate: float
    steps: int


def choose(controls: Controls, presets: Mapping[str, str], *, max_steps: int) -> Chosen:
    """The controls of a regression: data, loss, learning rate; below these steps, and the rest.

    presets: by name, or "own" for data freely made, what a visitor reads; the first is shown first.
    """
    rows = [st.columns([4, 4, 5], vertical_alignment="bottom") for _ in range(2)]
    places = [*rows[0], *rows[1][:2]]
    with places[0]:
        name = controls.choice(
            st.selectbox,
            "Data",
            "preset",
            presets,
            next(iter(presets)),
            on_choice=_take_settings,
            on_link=_take_settings_not_in_address,
        )
    with places[4], st.popover("More", width="stretch"):
        own: dict[str, Any] = _own_data(controls) if name == "own" else {}
        made = _problem(str(name), **own)
        st.caption("Where training starts.")
        how = {"step": 0.1, "format": "%.6g"}
        w = controls.number("w at the start", "w", float(made.w), -10.0, 10.0, **how)
        b = controls.number("b at the start", "b", float(made.b), -10.0, 10.0, **how)
    with places[1]:
        loss: Any = controls.choice(st.selectbox, "Loss", "loss", LOSSES, made.loss)
    problem = replace(made, loss=loss).starting_at(w, b)
    limit = problem.largest_stable_learning_rate
    with places[2]:
        rate = controls.rate(
            "Learning rate η",
            "lr",
            made.learning_rate,
            limit=limit,
            limit_label=f"stable below 2/λ = {number(limit, 3)}",
            help="How long a step is. λ is the largest curvature of the loss: where the valley "
            "is steepest, a rate above 2/λ jumps across it and lands higher.",
        )
    with places[3]:
        steps = controls.number("Steps", "steps", made.steps, 1, max_steps, step=100)
    return Chosen(problem, rate, int(steps))


def _problem(name: str, **own: Any) -> Problem:
    return custom(**own) if name == "own" else preset(name)


def _take_settings() -> None:
    """Another problem brings the settings it was published with."""
    st.session_state.update(_published_settings())


def _take_settings_not_in_address() -> None:
    settings = _published_settings()
    named = set(st.query_params)
    st.session_state.update({name: settings[name] for name in settings if name not in named})


def _published_settings() -> dict[str, Any]:
    name = st.session_state.get("preset")
    if name != "own" and name not in PRESETS:  # a browser can send what no control offers
        return {}
    made = _problem(name, **OWN)
    start = {"w": float(made.w), "b": float(made.b)}
    return {"loss": made.loss, "lr": made.learning_rate, "steps": made.steps, **start}
