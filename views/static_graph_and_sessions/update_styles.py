"""Three ways to write one update: the graphs they build, the steps they take, what they let in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.problem import Problem
from engines.trace import Trace, record
from views.player import Figure, cached, live, show, source_of
from views.ui.controls import Controls
from views.ui.lines import curves
from views.ui.palette import BEST, ENGINES, GRADIENT, Look
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.slow_run import Steps, watched

# By name, the functions that are the listings; and the engine that trains with them.
Listings = Mapping[str, Callable[..., Any]]
Train = Callable[..., Steps]
# Of a style, and what is in between: the graph as text, its operations by kind as written and as
# executed, and how w is updated, as the engine update_graphs returns them.
Built = tuple[str, Mapping[str, int], Mapping[str, int], str]
Build = Callable[..., Built]

SLOPE, OFFSET, NOISE, SIZE = 3.0, 1.0, 0.01, 8  # the law behind the data, and points in a batch
STEPS = 1000
FIRST = 5  # steps told one by one
LATE = 10_000  # steps at the end of the long run, when it no longer comes nearer
BETWEEN = {"nothing": "nothing", "clip": "clip it", "replace": "replace it"}
RUNS = {
    "nothing": Look("the gradient as it is", ENGINES["tf_session"].color),
    "clip": Look("clipped to −20..20", BEST, (8, 4)),
    "replace": Look("replaced by its sign", GRADIENT, (3, 3)),
}


def ask(problem: Problem, styles: Listings, build: Build) -> None:
    """The listings side by side, which of their graphs are the same, and what they run."""
    _side_by_side({name: source_of(style) for name, style in styles.items()})
    built = {name: build(problem, name, "nothing") for name in styles}
    pairs = {" ".join(pair): "{} and {}".format(*pair) for pair in combinations(styles, 2)}
    same = [
        pair for pair in pairs if len({built[name][0] for name in pair.split(" ")}) == 1
    ]  # by their graphs as written
    right = same[0] if len(same) == 1 else "none"
    question = "Before you look: which two of them build the same graph?"
    if not predicted(question, {**pairs, "none": "no two of them"}, right, key="update styles"):
        return
    live(_kinds(built), key="kinds of operations")
    st.markdown(
        "Each row counts operations; the kinds that are not listed run equally often in all three. "
        "`minimize` is a shorthand: inside it, TensorFlow calls `compute_gradients` and then "
        "`apply_gradients`. So the graphs of these two are equal to the last name. For "
        "each variable the first listing has five operations (a constant, a read, a product, a "
        "difference, an assignment) where an optimiser has one. This is how a session updates w, "
        "read from the bottom up:"
    )
    _side_by_side({name: one[3] for name, one in built.items()})


def compare(
    controls: Controls,
    problem: Problem,
    styles: Listings,
    *,
    between: Listings,
    train: Train,
    build: Build,
) -> None:
    """Train in all three ways, and in one that a visitor chooses, a long run if it is asked for.

    train: the engine, with a start, a rate, steps, a style and what is in between.
    """
    if not controls.flag("Train in all three ways", "update_styles"):
        return
    runs = {name: _run(train, problem, name, "nothing") for name in styles}
    st.markdown(_same_numbers(runs))
    st.markdown(
        "#### Between the gradient and the update\n"
        "A gradient may have to be limited, looked at, or exchanged for something else before it "
        "is used. Choose what becomes of it, and who writes the update."
    )
    with st.container(horizontal=True, gap="large"):
        what = controls.choice(
            st.pills, "With the gradient, do", "between", BETWEEN, "nothing", required=True
        )
        names = {name: name for name in styles}
        style = controls.choice(st.pills, "The update", "style", names, "assign", required=True)
    what, style = str(what), str(style)
    try:
        trace = _run(train, problem, style, what)
    except ValueError as refused:
        st.warning(
            f"The engine answers: {refused}.\n\n`minimize` computes the gradients and applies "
            "them in one call, and hands out nothing but the update. The gradients are in the "
            "graph, but no line of the listing holds them, so no line can change them. This is "
            "what the other two are for."
        )
        return

    listed = {
        f"{what}: what becomes of a gradient": source_of(between[what]),
        f"{style}: how a session updates w": build(problem, style, what)[3],
    }
    _side_by_side(listed)
    live(_first_steps(trace), key="first steps of a style")
    st.markdown(_looked_at(trace, style))
    if what != "nothing":
        ends = [float(_away(run)[-1]) for run in (trace, runs[style])]
        st.markdown(
            f"No step of w or b is longer than the rate now, {problem.learning_rate:g}. That is "
            f"safe, and it is slow: after {STEPS:,} steps the line is **{ends[0]:.2g}** away from "
            f"the truth, and **{ends[1]:.2g}** where the gradient is used as it is."
        )
    shown = {"nothing": runs[style], what: trace}
    if controls.flag(f"Run all {problem.steps:,} steps of the article", "long"):
        longer = _long_run(train, problem, style, what)
        shown = {what: longer}
        st.markdown(_how_near(longer, what, problem.learning_rate))
    elif stopped := st.session_state.pop("update stopped", None):
        st.markdown(f"Stopped at step {stopped:,}. The session is closed, and nothing was kept.")
    drawing = _distance(tuple(shown), tuple(shown.values()))
    show(drawing, key="distance of a style", height=300, in_hall=520)


# ---- Runs


@cached
def _run(_train: Train, problem: Problem, style: str, between: str) -> Trace:
    settings = {"learning_rate": problem.learning_rate, "style": style, "between": between}
    return record(_train(problem, steps=STEPS, **settings))


def _long_run(train: Train, problem: Problem, style: str, between: str) -> Trace:
    """The article's number of steps, run with a progress bar unless it is already known."""
    known = _finished(problem, style, between)
    if not known:
        settings = {"learning_rate": problem.learning_rate, "style": style, "between": between}
        steps = train(problem, steps=problem.steps, **settings)
        said = "Step {:,} of {:,}. To stop, switch it off."
        known.append(record(watched(steps, problem.steps, said, key="update stopped")))
    return known[0]


@cached
def _finished(problem: Problem, style: str, between: str) -> list[Trace]:
    """Where a long run is kept for all visitors, once it has come to its end."""
    return []


# ---- In tables and words


def _side_by_side(texts: Mapping[str, str]) -> None:
    """Listings, and what is indented like them, each under its name."""
    places = side_by_side(len(texts))
    for place, (name, text) in zip(places, texts.items(), strict=True):
        with place:
            st.caption(name)
            language = "python" if text.startswith("def ") else None
            st.code(text, language=language)


def _kinds(built: Mapping[str, Built]) -> str:
    """HTML: how many operations each style has, and of which kinds not as many as the others."""
    _, written, ran, _ = zip(*built.values(), strict=True)
    rows = {
        "operations as written": [sum(kinds.values()) for kinds in written],
        "operations one update runs": [sum(kinds.values()) for kinds in ran],
    }
    for kind in sorted(set().union(*ran)):
        counts = [kinds.get(kind, 0) for kinds in ran]
        if len(set(counts)) > 1:
            rows[f"of them <code>{kind}</code>"] = counts
    return _table(["", *built], [[name, *counts] for name, counts in rows.items()])


@cached
def _first_steps(trace: Trace) -> str:
    """HTML: the first steps of a run, with its gradients where it hands them out."""
    rows = []
    for k in range(min(FIRST, len(trace) - 1)):
        step, after = trace[k], trace[k + 1]
        grads = [f"{step.grads[name]:.6g}" if step.grads else "none" for name in "wb"]
        moves = [f"{float(after.params[name]) - float(step.params[name]):+.6f}" for name in "wb"]
        rows.append([k, f"{step.loss:.6g}", *grads, *moves])
    heads = ["step", "loss", "gradient of w", "gradient of b", "w moves by", "b moves by"]
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    breaks = '<th style="overflow-wrap: anywhere">'
    head = "".join(f"{breaks}{text}</th>" for text in heads)
    body = "".join(
        f"<tr>{breaks}{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, *cells in rows
    )
    return f'<table class="digits"><tr>{head}</tr>{body}</table>'


def _looked_at(trace: Trace, style: str) -> str:
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
def _same_numbers(runs: Mapping[str, Trace]) -> str:
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
def _how_near(trace: Trace, between: str, rate: float) -> str:
    w, b = (float(trace.final.params[name]) for name in "wb")
    late = float(_away(trace)[-LATE:].mean())
    told = (
        f"After {len(trace) - 1:,} steps w = **{w:.6f}** and b = **{b:.6f}**; the truth is "
        f"{SLOPE:g} and {OFFSET:g}. Over the last {LATE:,} steps the distance is **{late:.2g}** on "
        "average. "
    )
    if between == "replace":
        return told + (
            f"A sign has no size, so w and b move by {rate:g} at every step, however small the "
            "gradient is. They cannot come nearer than such steps allow."
        )
    level = NOISE * float(np.sqrt(rate / (2 * SIZE)))
    told += (
        "Even at the true line the gradient of a batch is not zero, for its points have noise of "
        f"their own. With noise of {NOISE:g}, batches of {SIZE} and a rate of {rate:g}, that keeps "
        f"the line about {NOISE:g} · √({rate:g} / {2 * SIZE}) = **{level:.2g}** away. "
    )
    if between == "clip":
        told += (
            "While the gradients are larger than 20 the clipped run takes short steps, so it comes "
            "to that level later."
        )
    return told


# ---- In a picture


def _away(trace: Trace) -> NDArray[np.float64]:
    """The distance of (w, b) from the truth at each step."""
    w, b = (trace.params[name].astype(np.float64) for name in "wb")
    return np.hypot(w - SLOPE, b - OFFSET)


@cached
def _distance(names: tuple[str, ...], traces: tuple[Trace, ...]) -> Figure:
    return curves(
        {RUNS[name]: _away(trace) for name, trace in zip(names, traces, strict=True)},
        title="How far w and b are from the truth",
        of="distance",
        description=(
            "The distance of w and b from the values behind the data, against step, on a "
            "logarithmic axis; a dashed line where the gradient is clipped or replaced."
        ),
    )
