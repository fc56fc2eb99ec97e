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
from engines.trace import Trace, record, thin
from views.player import (
    WHOLE_STEPS,
    Figure,
    Series,
    Timeline,
    cached,
    every_step,
    listing,
    live,
    now,
    say,
    show,
    some_steps,
    wording,
)
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import DATA, MODEL, OTHER, Look
from views.ui.prediction import predicted
from views.ui.shell import Here, side_by_side
from views.ui.slow_run import Follow, slow
from views.ui.staging import beside, stage
from views.ui.table import html_table

PROBLEM = preset("update_styles_article")
SLOPE, OFFSET, NOISE, SIZE = 3.0, 1.0, 0.01, 8  # the law behind the data, and points in a batch
STEPS = 1000
OPENS = 30
LATE = 10_000  # steps at the end of the long run, when it no longer comes nearer
KEPT = 2000  # of a long run's steps are sent to the player
LIMIT = 20  # of the engine's `clip`
BETWEEN = {"nothing": "nothing", "clip": "clip it", "replace": "replace it"}
RUNS = {
    "nothing": Look("the gradient as it is", MODEL),
    "clip": Look("clipped to −20..20", OTHER, (8, 4)),
    "replace": Look("replaced by its sign", DATA, (3, 3)),
}
FIRST_STEPS = 5  # told one by one

build = cached(update_styles.build)


def show_stage(here: Here) -> None:
    """One way to update, as code and as operations, and where the run with it goes."""
    with here.settings, st.popover("Settings"):
        long = here.controls.flag(f"All {PROBLEM.steps:,} steps of the article", "all_steps")
    with stage(here) as play:
        between, style = _choose(here)
        refused = style == "minimize" and between != "nothing"
        changed = "nothing" if refused else between
        shown = {name: _run(style, name, long=long) for name in dict.fromkeys(("nothing", changed))}
        trace = shown[changed]
        timeline = _timeline(trace, shown["nothing"])
        stops = [1, 10, 100] if long else [1, 5, 50, 100, 300]
        whose = RUNS[changed].label
        play(
            timeline,
            ran={"": trace},
            begin=(OPENS, None),
            stops=stops,
            whose=whose,
            table=_table_of(trace),
        )
        say(NO_ROOM if refused else _told(changed, hands_out=bool(trace.grads)))
        picture, code, operations = beside([18, 16, 17])
        with picture:
            show(_distances(shown), key="distance of a style")
        with code:
            listing(_lines_of(style, changed), {}, title=style, key="update")
        with operations:
            wording.markdown("**To update w, a session runs**")
            wording.code(build(PROBLEM, style, changed).update)


def tell(here: Here) -> None:
    """For those who read: which two graphs are the same, the first steps, and how near it came."""
    built, same = _in_all_ways(PROBLEM)
    question = "Before you look: which two of them build the same graph?"
    answers, right = which_are_equal(built)
    if predicted(question, answers, right, key="update styles"):
        _graphs(built)
    st.markdown(same)
    style, between = (str(st.session_state[name]) for name in ("style", "between"))
    if style == "minimize" and between != "nothing":
        return
    long = here.controls.flagged("all_steps")
    trace = _run(style, between, long=long)
    st.markdown("### The first steps, one by one")
    live(_first_steps(trace), key="first steps of a style")
    st.markdown(_handed_out(trace, style))
    if long:
        st.markdown(how_near(trace, between, PROBLEM.learning_rate))


@cached
def _in_all_ways(problem: Problem) -> tuple[dict[str, Built], str]:
    """By name of each way its graph; and whether the runs are the same."""
    built = {name: build(problem, name, "nothing") for name in update_styles.STYLES}
    return built, same_numbers({name: trained(problem, name, "nothing", STEPS) for name in built})


def _choose(here: Here) -> tuple[str, str]:
    """What becomes of a gradient, and how the update is written, in one row."""
    with st.container(horizontal=True, gap="medium"):
        names = {name: name for name in update_styles.STYLES}
        style = here.controls.pills("The update", "style", names, "assign")
        between = here.controls.pills("With the gradient, do", "between", BETWEEN, "clip")
    return between, style


NO_ROOM = (
    "<b>minimize leaves no room between the gradient and the update.</b> It computes the gradients "
    "and applies them in one call. They are in the graph, but no line of the program holds them, "
    "so no line can change them. That is what the other two are for."
)


def _told(between: str, *, hands_out: bool) -> str:
    """HTML: what becomes of the gradient at the step shown, how far w moves, and where that is."""
    moves = f"w moves by <b>{now('move_w', digits=4)}</b>"
    if not hands_out:
        return (
            "<b>minimize</b> computes the gradients and applies them in one call, and hands none "
            f"out: a run can fetch nothing but the loss, w and b. At this step {moves}."
        )
    rate, length = number(PROBLEM.learning_rate), number(longest(between))
    after = {
        "nothing": f"It is multiplied by the rate, {rate}, and {moves}.",
        "clip": f"It is clipped to what lies between −{LIMIT} and {LIMIT}, and {moves}: no step is "
        f"longer than {LIMIT} times the rate, {length}.",
        "replace": f"Only its sign is kept, and {moves}: as far as the rate, {length}, however "
        "large or small the gradient is.",
    }[between]
    away = f"The line is {now('distance', digits=3)} from the truth"
    if between != "nothing":
        away += f"; with the gradient as it is, it would be {now('plain_distance', digits=3)}"
    return f"At this step the gradient of w is {now('grad_w', digits=4)}. {after} {away}."


def longest(between: str) -> float:
    """The longest step that w or b can take; infinite where the gradient is used as it is."""
    sizes = {"nothing": np.inf, "clip": float(LIMIT), "replace": 1.0}
    return sizes[between] * PROBLEM.learning_rate


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
    for place, (name, one) in zip(side_by_side(len(built)), built.items(), strict=True):
        with place:
            st.caption(name)
            st.code(one.update, language=None)


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


def _table(heads: list[str], rows: Mapping[str, list[str]]) -> str:
    """HTML whose names of operations may be broken where the screen is narrow."""
    return html_table(
        [f'<span style="overflow-wrap: anywhere">{head}</span>' for head in heads],
        [(f'<span style="overflow-wrap: anywhere">{n}</span>', *row) for n, row in rows.items()],
    )


def _lines_of(style: str, between: str) -> str:
    """The code of an update, and of what becomes of a gradient before it, without types."""
    listings = [source_of(update_styles.STYLES[style])]
    if between != "nothing":
        listings.insert(0, source_of(update_styles.BETWEEN[between]))
    code = "\n".join(listings)
    for kind in (" -> Any", ": Any", ": float", ": Between"):
        code = code.replace(kind, "")
    return "\n".join(line for line in code.splitlines() if '"""' not in line)


# ---- The runs


def _run(style: str, between: str, *, long: bool) -> Trace:
    return long_run(PROBLEM, style, between) if long else trained(PROBLEM, style, between, STEPS)


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


@cached
def _timeline(trace: Trace, plain: Trace) -> Timeline:
    """The run, with how far w moves at each step, and how far it is from the truth.

    plain: the run with the gradient as it is. Of long runs there are some steps.
    """
    w = trace.params["w"].astype(np.float64)
    columns = trace.columns() | {
        "move_w": np.append(np.diff(w), np.nan),
        "distance": _distance(trace),
        "plain_distance": _distance(plain),
    }
    at = thin(len(trace), KEPT)
    series: dict[str, Series] = every_step(columns)
    if len(trace) > KEPT:
        series = some_steps({name: column[at] for name, column in columns.items()}, at)
    return Timeline(series, len(trace) - 1, parts=WHOLE_STEPS)


def _table_of(trace: Trace) -> dict[str, str]:
    """By label, the series told at each step to those who cannot see the picture."""
    grads = {f"gradient of {name}": f"grad_{name}" for name in trace.grads}
    return {
        "loss": "loss",
        "w": "w",
        "b": "b",
        **grads,
        "w moves by": "move_w",
        "distance": "distance",
    }


def _distances(shown: Mapping[str, Trace]) -> Figure:
    """How far each run is from the truth: that with the gradient as it is, and the chosen one."""
    return lines(
        [Line(RUNS[name], _distance(run)) for name, run in shown.items()],
        title="Distance from the truth",
        y="distance",
        description=(
            "The distance of w and b from the values behind the data, against step, on a "
            "logarithmic axis: a line where the gradient is used as it is, and a dashed one where "
            "it is clipped or replaced."
        ),
        follows=True,
    )


@cached
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
