"""Variables that are read beside their assignments: which value a run prints, asked and counted."""

from __future__ import annotations

import html

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from engines.graphs.autograd import Graph
from engines.problem import Problem, preset
from engines.standalone import Called, calling
from engines.static_graph_and_sessions import race
from views.graphs.small_graph import draw_graph
from views.player import Drawing, Figure, Filling, cached, drawing, live, picture, say, show
from views.ui.controls import Controls
from views.ui.palette import MISTAKE, QUIET
from views.ui.prediction import predicted
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import html_table

FETCHES = "loss_value, w_value, b_value, _ = session.run([loss, w, b, [new_w, new_b]], feeds)"
ANSWERS = {
    "before": "always the value before the assignment",
    "after": "always the value after it",
    "either": "it depends, for nothing in the graph decides it",
}
READS = {
    "variables": "w and b, as in the article",
    "operations": "w.read_value() and b.read_value()",
    "operations_first": "the same, with the edge",
}
TITLES: dict[race.Reads, str] = {
    "variables": "As in the article",
    "operations_first": "With the edge that mends it",
}
THREADS = {"0": "the pool that all sessions share", "1": "one of its own", "8": "eight of its own"}
RUNS, MOST_RUNS = 1000, 2000
SHOWN = 200  # runs in the picture
EARLY = 100  # runs in which an executor still learns what its operations cost
TIMES = ("before its assignment", "after it (tall)")

around_w = cached(race.around_w)


@cached
def _early_runs() -> Called:
    """The listing whose w and b may be those before a run, or after it, to be taken home."""
    problem = preset("session_article").astype("float32")
    rate = problem.learning_rate
    return calling(race.train, varies=("w", "b"), problem=problem, steps=EARLY, learning_rate=rate)


def late_reads(
    problem: Problem, attempt: int, runs: int, reads: race.Reads, threads: int
) -> race.Late:
    """What was read too late. attempt: another one is another count."""
    rate = problem.learning_rate
    return race.late_reads(problem, runs=runs, learning_rate=rate, reads=reads, threads=threads)


def show_stage(here: Here) -> bool:
    """Ask which value a run prints; once answered, show the edge that is not there."""
    with stage(here) as play:
        say(
            f"<code>{html.escape(FETCHES)}</code> reads w and b, and assigns them, in one run. "
            "<b>No edge says which comes first.</b>"
        )
        question = "Each run also assigns a new w. Which value of w does it print?"
        answered = predicted(question, ANSWERS, "either", key="the race")
        for place, reads in zip(beside(2), TITLES if answered else ("variables",), strict=False):
            with place:
                show(_around(reads), key=f"race {reads}")
        if answered:
            play(ran={"": _early_runs()})
    return answered


def tell(controls: Controls, problem: Problem) -> None:
    """What follows from the graph, and a count on this problem."""
    st.caption(
        "Operations between w and what is fetched of it, which is bold. A dashed line hands "
        "nothing over; it only says what runs first. Read and Assign are TensorFlow's "
        "ReadVariableOp and AssignVariableOp, and Identity hands on what it is given. The "
        "gradient, which Sub subtracts, is not drawn."
    )
    st.markdown(
        "To fetch a variable is to run an operation that reads it. That operation and the "
        "assignment both take from w, and no path leads from one to the other: either may come "
        "first. The same is true of b, so a run may print the old w with the new b, a **mixed** "
        "pair that never was in the variables at one time. The training is not disturbed: the "
        "reads that the gradient and the update need lead on to the assignment, so they come "
        "first.\n\n"
        "With the edge each run must end the reads before the assignments begin. In the listing "
        "it is one line above the assignments: `with tf.control_dependencies([w_read, b_read]):`. "
        "There is another way, and the listing of this page takes it: fetch **new_w**, what "
        "`assign` returns. From Assign to that read there is an edge in both graphs, so it always "
        "comes after."
    )
    if controls.flag("Count it", "race"):
        _count(controls, problem)


# ---- The edge


def _around(reads: race.Reads) -> Figure:
    around = around_w(reads)
    return draw_graph(
        around.graph,
        key=("around w", reads),
        title=TITLES[reads],
        description=(
            "The operations from the variable w to what is fetched of it: at the left those "
            "that read it to be printed, at the right those that assign it. Dashed lines only "
            "say what runs first."
        ),
        labels=around.fetched,
        emphasised=around.fetched,
        only_order=around.only_order,
        places=places(around.graph, next(iter(around.fetched))),
    )


def places(graph: Graph, read: int) -> dict[int, tuple[float, float]]:
    """By id, column and layer: what leads to the node `read` at the left, all else at the right,
    and the variable between them.

    A layer is the longest path from the variable, so an edge always leads down.
    """
    left = {read}
    at: dict[int, tuple[float, float]] = {}
    for node in reversed(graph.nodes):
        if node.id in left:
            left |= {edge.source for edge in graph.inputs(node.id)}
    for node in graph.nodes:
        sources = [edge.source for edge in graph.inputs(node.id)]
        column = 0.0 if node.id in left else 2.0
        layer = 1 + max((at[source][1] for source in sources), default=-1.0)
        at[node.id] = (column if sources else 1.0, layer)
    return at


# ---- The count


def _count(controls: Controls, problem: Problem) -> None:
    """Let a visitor choose how to read, train, and tell what was printed."""
    reads = controls.pills("What is fetched", "reads", READS, "variables")
    threads = controls.pills("Threads of the session", "threads", THREADS, "0")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        runs = int(controls.number("Runs", "runs", RUNS, 10, MOST_RUNS, step=10, width=160))
        st.button("Count again", on_click=_again)
    attempt = st.session_state.get("race attempt", 0)
    with st.spinner("Training, run by run."):
        late = late_reads(problem, attempt, runs, reads, int(threads))  # type: ignore[arg-type]
    show(strip(late.w, late.b), key="strip", height=210, in_hall=380)
    live(_table(late), key="late")
    st.markdown(verdict(late, mended=reads == "operations_first"))


def _again() -> None:
    Controls.moved()
    st.session_state["race attempt"] = st.session_state.get("race attempt", 0) + 1


def verdict(reads: race.Late, *, mended: bool) -> str:
    """What follows from a count. mended: whether an edge forbids late reads."""
    late = reads.w | reads.b
    if mended and not late.any():
        return (
            "With the edge this is certain, and not only what was seen: an operation does not "
            "begin before those that lead to it have ended."
        )
    if not late.any():
        return (
            f"In each of these runs both were read first. None in {len(late)} runs is not never: "
            "no edge forbids it, and with `w.read_value()` or eight threads it can be seen."
        )
    if len(late) <= EARLY:
        return "No edge forbids a late read, and here it was seen. More runs show when it occurs."
    early = int(late[:EARLY].sum())
    seen = (
        "No edge forbids a late read, and here it was seen. Runs with one: "
        f"**{int(late.sum())}**, among the first {EARLY} runs: **{early}**."
    )
    if 2 * early <= late.sum():
        return f"{seen} Which runs these are changes from one count to the next."
    return (
        f"{seen} At first TensorFlow's executor takes every operation for an expensive one, and "
        "hands it on to be run later, perhaps by another thread. When it has seen it run some "
        "times it knows better, and runs it at once."
    )


def _table(late: race.Late) -> str:
    counts = {
        "runs": len(late.w),
        "w read after its assignment": int(late.w.sum()),
        "b read after its assignment": int(late.b.sum()),
        "mixed: one read after, the other before": int(np.sum(late.w ^ late.b)),
    }
    return html_table([], [(name, str(count)) for name, count in counts.items()])


@picture
def strip(w: NDArray[np.bool_], b: NDArray[np.bool_]) -> Filling:
    """For each of the first runs a mark for w and one for b, taller where it was read late."""
    parts = [
        pd.DataFrame({"run": np.arange(1, len(late) + 1), "variable": name, "late": late})
        for name, late in (("w", w[:SHOWN]), ("b", b[:SHOWN]))
    ]
    rows = pd.concat(parts)
    rows["read"] = np.where(rows.pop("late"), TIMES[1], TIMES[0])
    return {"reads": rows}, {"last": len(parts[0])}


@strip.drawing
def _() -> Drawing:
    legend = alt.Legend(symbolType="square", symbolSize=120, labelLimit=0)
    heights = [alt.ExprRef("lecture ? 10 : 6.5"), alt.ExprRef("lecture ? 40 : 26")]
    marks = (
        alt.Chart(alt.NamedData("reads"))
        .mark_tick(thickness=2.5, orient="vertical")
        .encode(
            x=alt.X(
                "run:Q",
                title="run",
                scale=alt.Scale(domain=[1, alt.ExprRef("last")], nice=False),
                axis=alt.Axis(tickCount=5, grid=False, labelFlush=True),
            ),
            y=alt.Y("variable:N", title=None, sort=["w", "b"]),
            size=alt.Size("read:N", legend=None, scale=alt.Scale(domain=TIMES, range=heights)),
            color=alt.Color(
                "read:N", legend=legend, scale=alt.Scale(domain=TIMES, range=[QUIET, MISTAKE])
            ),
            tooltip=["run:Q", "variable:N", "read:N"],
        )
    )
    return drawing(
        marks,
        title=alt.Title(
            text=alt.ExprRef("'When w and b were read, in the first ' + last + ' runs'")
        ),
        description=(
            "A mark for w and one for b in each of the first runs: short where it was read before "
            "its assignment, tall where it was read after it."
        ),
    )
