"""What the pages on regression share: controls, pictures, verdict, formulas, the check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st
from numpy.typing import NDArray

from engines.problem import PRESETS, Loss, Problem, custom, preset
from engines.trace import Trace, thin
from views.player import Computed, Series, Timeline, every_step, live, now, show, some_steps
from views.regression import charts
from views.regression.surface import surface
from views.ui.controls import Controls
from views.ui.palette import MISTAKE, MODEL

# What the lines of the family's listings compute, by how they begin, where each phase is a single
# moment; see views/player/timeline.py. The lines of an update compute the state of the next step.
COMPUTED = {
    "y_pred =": Computed([0]),
    "loss = factor": Computed([1], "loss"),
    "loss = loss +": Computed([1], "loss"),
    "grad_y_pred =": Computed([2]),
    "grad_w = ": Computed([2], "grad_w"),
    "grad_b = ": Computed([2], "grad_b"),
    "w = w -": Computed([3], "w_next"),
    "b = b -": Computed([3], "b_next"),
}

# What the loss puts before the sum, and what is left of it in the gradient.
FACTORS: dict[Loss, tuple[str, str]] = {
    "half_sum": (r"\tfrac{1}{2}\sum_{i=1}^{%d} (\hat y_i - y_i)^2", ""),
    "mean": (r"\tfrac{1}{%d}\sum_{i} (\hat y_i - y_i)^2", r"\tfrac{2}{%d}"),
    "mean_half_squared": (
        r"\tfrac{1}{%d}\sum_{i} \left(\tfrac{\hat y_i - y_i}{2}\right)^2",
        r"\tfrac{1}{2 \cdot %d}",
    ),
}


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


class Chosen(NamedTuple):
    """What a visitor asks to have trained."""

    problem: Problem
    learning_rate: float
    steps: int


def choose(controls: Controls, presets: Mapping[str, str], *, max_steps: int) -> Chosen:
    """The controls of a regression in one row: data, loss, learning rate, steps, and the rest.

    presets: by name, or "own" for data freely made, what a visitor reads; the first is shown first.
    """
    places = st.columns([4, 4, 5, 2, 2], vertical_alignment="bottom")
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
        how = {"step": 0.1, "format": "%.4f"}
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
            limit_label=f"stable below 2/λ_max = {limit:.3g}",
            help="How long a step is. λ_max is the largest curvature of the loss: where the valley "
            "is steepest, a rate above 2/λ_max jumps across it and lands higher.",
        )
    with places[3]:
        steps = controls.number("Steps", "steps", made.steps, 1, max_steps, step=100)
    return Chosen(problem, rate, int(steps))


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


def overview(problem: Problem, trace: Trace, timeline: Timeline, *, run: str = "") -> None:
    """The three pictures of a run side by side: the fit, the path over (w, b), the loss.

    run: the prefix of its series, for a run with a mistake beside the right one.
    """
    color = MISTAKE if run else MODEL
    left, middle, right = st.columns([5, 6, 5])
    with left:
        fit = charts.fit(problem, timeline, run=run, color=color)
        show(fit, key=f"{run}fit", height=330)
    with middle:
        landscape = surface(problem, trace, timeline, run=run, color=color)
        show(landscape, key=f"{run}surface", height=330)
    with right:
        loss = charts.loss(problem, trace, timeline, run=run, color=color)
        show(loss, key=f"{run}loss_curve", height=330)


def verdict(problem: Problem, trace: Trace, learning_rate: float) -> None:
    """Say how the run ended, and where it did not end well, why."""
    end, limit = trace.final, problem.largest_stable_learning_rate
    last = len(trace) - 1
    grows = abs(1 - learning_rate * problem.lambda_max)
    if end.non_finite:
        st.error(
            f"The run ended at step {last}: {', '.join(end.non_finite)} grew past the largest "
            f"number that {8 * problem.x.itemsize} bits can hold. The steepest curvature of this "
            f"loss is λ_max = {problem.lambda_max:.4g}. Along it each step multiplies the error by "
            f"|1 − η·λ_max| = {grows:.3g}, and what is multiplied by more than 1 again and again "
            f"overflows."
        )
    elif learning_rate > limit and end.loss > trace.losses[0]:
        st.warning(
            f"The learning rate is beyond 2/λ_max = {limit:.4g}. Along the steepest direction each "
            f"step multiplies the error by |1 − η·λ_max| = {grows:.4g}: it jumps across the valley "
            f"and lands higher. At step {last} the loss is {end.loss:.4g}."
        )
    else:
        best_w, best_b = problem.least_squares()
        st.markdown(
            f"At step **{last}** w is **{end.params['w']:.9g}** and b is "
            f"**{end.params['b']:.9g}**. The best there is, by least squares: {best_w:.9g} and "
            f"{best_b:.9g}."
        )


def check_in_numbers(*, run: str = "") -> None:
    """The gradient by hand and by central differences at the step shown, and how far apart."""
    rows = "".join(
        f"<tr><th>grad_{name}</th><td>{now(f'{run}hand_{name}', known=2)}</td>"
        f"<td>{now(f'{run}numeric_{name}', known=2)}</td></tr>"
        for name in ("w", "b")
    )
    head = f"step {now(run + 'checked', digits=0)}"
    error, allowed = (now(run + name, known=2, digits=2) for name in ("error", "allowed"))
    live(
        f'<table class="digits"><tr><th>{head}</th><th>by hand</th><th>central difference</th></tr>'
        f"{rows}<tr><th>relative error</th><td><b>{error}</b></td>"
        f"<td>rounding excuses {allowed}</td></tr></table>",
        key=f"{run}check",
    )


def formulas(problem: Problem, learning_rate: float) -> None:
    """Show loss, gradient and update: each formula, and what it comes to at the step shown."""
    n, x = len(problem.x), "x_i" if problem.power == 1 else "x_i^2"
    loss, factor = (text.replace("%d", str(n)) for text in FACTORS[problem.loss])
    chain = r"\sum_i \frac{\partial L}{\partial \hat y_i} \frac{\partial \hat y_i}{\partial %s}"
    lines = [rf"\hat y_i &= w\,{x} + b", rf"L &= {loss}"]
    for name, by in (("w", x), ("b", "1")):
        slope = rf"\frac{{\partial L}}{{\partial {name}}}"
        sum_of_terms = rf"{factor}\sum_i (\hat y_i - y_i) \cdot {by}"
        lines.append(rf"{slope} &= {chain % name} = {sum_of_terms}")
    for name in ("w", "b"):
        slope = rf"\frac{{\partial L}}{{\partial {name}}}"
        lines.append(rf"{name} &\leftarrow {name} - \eta\,{slope}")

    numbers = [
        ("ŷ =", f"{now('w')} · {'x' if problem.power == 1 else 'x²'} + {now('b')}", 0),
        ("L =", now("loss", known=1), 1),
        ("∂L/∂w =", now("grad_w", known=2), 2),
        ("∂L/∂b =", now("grad_b", known=2), 2),
        *((f"{name} ←", _update_in_numbers(name, learning_rate), 3) for name in ("w", "b")),
    ]
    rows = "".join(
        f'<tr data-moments="{phase}"><th>{name}</th><td>{value}</td></tr>'
        for name, value, phase in numbers
    )
    left, right = st.columns(2, vertical_alignment="center")
    with left:
        st.latex(r"\begin{aligned}" + r" \\[0.6em] ".join(lines) + r"\end{aligned}")
    with right:
        live(f'<table class="digits">{rows}</table>', key="formulas")


def _update_in_numbers(name: str, learning_rate: float) -> str:
    gradient, result = now(f"grad_{name}", known=2), now(f"{name}_next", known=3)
    return f"{now(name)} − {learning_rate:g} · ({gradient}) = <b>{result}</b>"


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
    name = st.session_state["preset"]
    if name != "own" and name not in PRESETS:  # a browser can send what no control offers
        return {}
    made = _problem(name, **OWN)
    start = {"w": float(made.w), "b": float(made.b)}
    return {"loss": made.loss, "lr": made.learning_rate, "steps": made.steps, **start}
