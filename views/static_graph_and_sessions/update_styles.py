"""Three ways to write one update: the graphs they build, the steps they take, what they let in."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.listing import source_of
from engines.problem import Problem, preset
from engines.static_graph_and_sessions import update_styles
from engines.static_graph_and_sessions.update_styles import Built
from engines.trace import Trace, record
from views.player import cached, live, show
from views.ui.controls import Controls
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import BEST, ENGINES, GRADIENT, Look
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.slow_run import Follow, slow
from views.ui.table import html_table

SLOPE, OFFSET, NOISE, SIZE = 3.0, 1.0, 0.01, 8  # the law behind the data, and points in a batch
STEPS = 1000
FIRST_STEPS = 5  # told one by one
LATE = 10_000  # steps at the end of the long run, when it no longer comes nearer
BETWEEN = {"nothing": "nothing", "clip": "clip it", "replace": "replace it"}
RUNS = {
    "nothing": Look("the gradient as it is", ENGINES["tf_session"].color),
    "clip": Look("clipped to −20..20", BEST, (8, 4)),
    "replace": Look("replaced by its sign", GRADIENT, (3, 3)),
}

build = cached(update_styles.build)


def section(controls: Controls) -> None:
    """The listings, which of their graphs are the same, and what can be done to a gradient."""
    problem, styles = preset("update_styles_article"), update_styles.STYLES
    _side_by_side({name: source_of(style) for name, style in styles.items()})
    built = {name: build(problem, name, "nothing") for name in styles}
    question = "Before you look: which two of them build the same graph?"
    answers, right = which_are_equal(built)
    if predicted(question, answers, right, key="update styles"):
        _graphs(built)
    if controls.flag("Train in all three ways", "update_styles"):
        _train(controls, problem)


# ---- The graphs


def which_are_equal(built: Mapping[str, Built]) -> tuple[dict[str, str], str]:
    """What can be answered, and which of it is right: by their graphs as written."""
    pairs = {" ".join(pair): "{} and {}".format(*pair) for pair in combinations(built, 2)}
    equal = [
        f"{one} {other}"
        for one, other in combinations(built, 2)
        if built[one].text == built[other].text
    ]
    return {**pairs, "none": "no two of them"}, equal[0] if len(equal) == 1 else "none"


def _graphs(built: Mapping[str, Built]) -> None:
    live(_kinds(built), key="kinds of operations")
    st.markdown(
        "Each row counts operations; the kinds that are not listed run equally often in all three. "
        "`minimize` is a shorthand: it calls `compute_gradients` and then `apply_gradients`. So "
        "the graphs of these two are equal to the last name. For each variable the first listing "
        "has five operations (a constant, a read, a product, a difference, an assignment) where an "
        "optimiser has one. This is how a session updates w, read from the bottom up:"
    )
    _side_by_side({name: one.update for name, one in built.items()})


def _kinds(built: Mapping[str, Built]) -> str:
    """HTML: how many operations each style has, and of which kinds not as many as the others."""
    rows = {
        "operations as written": [sum(one.written.values()) for one in built.values()],
        "operations one update runs": [sum(one.ran.values()) for one in built.values()],
    }
    for kind in sorted(set().union(*(one.ran for one in built.values()))):
        counts = [one.ran.get(kind, 0) for one in built.values()]
        if len(set(counts)) > 1:
            rows[f"of them <code>{kind}</code>"] = counts
    return _table(["", *built], {name: list(map(str, counts)) for name, counts in rows.items()})


def _side_by_side(listings: Mapping[str, str]) -> None:
    """Listings, and what is indented like them, each under its name."""
    for place, (name, text) in zip(side_by_side(len(listings)), listings.items(), strict=True):
        with place:
            st.caption(name)
            st.code(text, language="python" if text.startswith("def ") else None)


def _table(heads: list[str], rows: Mapping[str, list[str]]) -> str:
    """HTML whose names of operations may be broken where the screen is narrow."""
    return html_table(
        [f'<span style="overflow-wrap: anywhere">{head}</span>' for head in heads],
        [(f'<span style="overflow-wrap: anywhere">{n}</span>', *row) for n, row in rows.items()],
    )


# ---- The runs


@cached
def trained(problem: Problem, style: str, between: str, steps: int) -> Trace:
    """A run of a style, with this between the gradient and the update."""
    return record(
        update_styles.train(
            problem,
            steps=steps,
            learning_rate=problem.learning_rate,
            style=style,
            between=between,
        )
    )


@slow
def long_run(follow: Follow, problem: Problem, style: str, between: str) -> Trace:
    """As many steps as the article took."""
    steps = update_styles.train(
        problem,
        steps=problem.steps,
        learning_rate=problem.learning_rate,
        style=style,
        between=between,
    )
    return record(follow(steps, problem.steps, "Step {:,} of {:,}. To stop, switch it off."))


def _train(controls: Controls, problem: Problem) -> None:
    """Train in all three ways, and in one that a visitor chooses, a long run if asked for."""
    runs = {name: trained(problem, name, "nothing", STEPS) for name in update_styles.STYLES}
    st.markdown(same_numbers(runs))
    st.markdown(
        "#### Between the gradient and the update\n"
        "A gradient may have to be limited, inspected, or exchanged for something else before it "
        "is used. Choose what becomes of it, and how the update is written."
    )
    with st.container(horizontal=True, gap="large"):
        between = controls.choice(
            st.pills, "With the gradient, do", "between", BETWEEN, "nothing", required=True
        )
        names = {name: name for name in runs}
        style = controls.choice(st.pills, "The update", "style", names, "assign", required=True)
    between, style = str(between), str(style)
    try:
        trace = trained(problem, style, between, STEPS)
    except ValueError as refused:
        st.warning(
            f"The engine answers: {refused}.\n\n`minimize` computes the gradients and applies "
            "them in one call, and hands out nothing but the update. The gradients are in the "
            "graph, but no line of the listing holds them, so no line can change them. This is "
            "what the other two are for."
        )
        return

    listed = {
        f"{between}: what becomes of a gradient": source_of(update_styles.BETWEEN[between]),
        f"{style}: how a session updates w": build(problem, style, between).update,
    }
    _side_by_side(listed)
    live(_first_steps(trace), key="first steps of a style")
    st.markdown(_handed_out(trace, style))
    if between != "nothing":
        ends = [float(_distance(run)[-1]) for run in (trace, runs[style])]
        st.markdown(
            f"No step of w or b is longer than the rate now, {number(problem.learning_rate)}. That "
            f"is safe, and it is slow: after {STEPS:,} steps the line is **{number(ends[0], 2)}** "
            f"away from the truth, and **{number(ends[1], 2)}** where the gradient is used as it "
            "is."
        )
    shown = {"nothing": runs[style], between: trace}
    if controls.flag(f"Run all {problem.steps:,} steps of the article", "all_steps"):
        trace = long_run(problem, style, between)
        shown = {between: trace}
        st.markdown(how_near(trace, between, problem.learning_rate))
    elif (stopped := long_run.stopped()) is not None:
        st.markdown(f"Stopped at step {stopped:,}. The session is closed, and nothing was kept.")
    figure = lines(
        [Line(RUNS[name], _distance(run)) for name, run in shown.items()],
        title="How far w and b are from the truth",
        y="distance",
        description=(
            "The distance of w and b from the values behind the data, against step, on a "
            "logarithmic axis; a dashed line where the gradient is clipped or replaced."
        ),
    )
    show(figure, key="distance of a style", height=300, in_hall=520)


def _distance(trace: Trace) -> NDArray[np.float64]:
    """The distance of (w, b) from the truth at each step."""
    w, b = (trace.params[name].astype(np.float64) for name in "wb")
    return np.hypot(w - SLOPE, b - OFFSET)


@cached
def _first_steps(trace: Trace) -> str:
    """HTML: the first steps of a run, with its gradients where it hands them out."""
    rows = {}
    for k in range(min(FIRST_STEPS, len(trace) - 1)):
        step, after = trace[k], trace[k + 1]
        grads = [number(step.grads[name]) if step.grads else "none" for name in "wb"]
        moves = [float(after.params[name]) - float(step.params[name]) for name in "wb"]
        told = [f"{move:+.6f}".replace("-", "−") for move in moves]
        rows[str(k)] = [number(step.loss), *grads, *told]
    heads = ["step", "loss", "gradient of w", "gradient of b", "w moves by", "b moves by"]
    return _table(heads, rows)


def _handed_out(trace: Trace, style: str) -> str:
    if trace.grads:
        return (
            f"`{style}` holds the gradients as tensors, so a run can fetch them beside the loss. "
            "The table has them as they were before anything was done to them."
        )
    return (
        f"`{style}` hands no gradients out, so a run has nothing to fetch but the loss, w and b. "
        "How far they move gives a gradient away, but only after the update."
    )


@cached
def same_numbers(runs: Mapping[str, Trace]) -> str:
    """Whether the runs are the same to the last bit, at every step."""
    first = next(iter(runs.values()))
    bits = {
        b"".join(values.tobytes() for values in (run.losses, *run.params.values()))
        for run in runs.values()
    }
    ends = [f"{float(run.final.params['w']):.9g}" for run in runs.values()]
    return (
        "The data are drawn inside the graph: each run of the session draws new points. All three "
        "have the same seeds, so they draw the same points.\n\n"
        f"w after {len(first) - 1:,} steps: {', '.join(ends)}. Loss, w and b at every step, the "
        f"same to the last bit: **{'yes' if len(bits) == 1 else 'no'}**."
    )


@cached
def how_near(trace: Trace, between: str, rate: float) -> str:
    """How near a long run came to the truth, and what keeps it away."""
    w, b = (float(trace.final.params[name]) for name in "wb")
    late = number(float(_distance(trace)[-LATE:].mean()), 2)
    told = (
        f"After {len(trace) - 1:,} steps w = **{w:.6f}** and b = **{b:.6f}**; the truth is "
        f"{SLOPE:g} and {OFFSET:g}. Over the last {LATE:,} steps the distance is **{late}** on "
        "average. "
    )
    if between == "replace":
        return told + (
            f"A sign has no size, so w and b move by {number(rate)} at every step, however small "
            "the gradient is. They cannot come nearer than such steps allow."
        )
    level = number(NOISE * float(np.sqrt(rate / (2 * SIZE))), 2)
    told += (
        "Even at the true line the gradient of a batch is not zero, for its points have noise of "
        f"their own. With noise of {NOISE:g}, batches of {SIZE} and a rate of {number(rate)}, that "
        f"keeps the line about {NOISE:g} · √({number(rate)} / {2 * SIZE}) = **{level}** away. "
    )
    if between == "clip":
        told += (
            "While the gradients are larger than 20 the clipped run takes short steps, so it comes "
            "to that level later."
        )
    return told
