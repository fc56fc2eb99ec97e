"""Variables that are read beside their assignments: which value a run prints, asked and counted."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from views.player import (
    Drawing,
    Figure,
    Filling,
    drawing,
    live,
    picture,
    show,
    sized,
)
from views.static_graph_and_sessions.race_graph import Around, height, race_graph
from views.ui.controls import Controls
from views.ui.palette import MISTAKE, QUIET
from views.ui.prediction import predicted
from views.ui.shell import side_by_side

# For each run, whether w, and whether b, was read after its assignment; both of shape (runs,).
Late = tuple[NDArray[np.bool_], NDArray[np.bool_]]

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
THREADS = {"0": "the pool that all sessions share", "1": "one of its own", "8": "eight of its own"}
RUNS, MOST_RUNS = 1000, 2000
SHOWN = 200  # runs in the picture
EARLY = 100  # runs in which an executor still learns what its operations cost
TIMES = ("before its assignment", "after it (tall)")


def tell(controls: Controls, around: Callable[[str], Around], watch: Callable[..., Late]) -> None:
    """Ask which value a run prints, show the edge that is not there, and count.

    around: what is around w, for one of READS. watch: trains, and says what was read too late; it
    is called with the number of the attempt, and with `runs`, `reads` and `threads`.
    """
    st.code(FETCHES, language="python", wrap_lines=True)
    question = "Each run also assigns a new w. Which value of w does it print?"
    if not predicted(question, ANSWERS, "either", key="the race"):
        return
    st.markdown(
        "To fetch a variable is to run an operation that reads it. That operation and the "
        "assignment both take from w, and no way leads from one to the other: each may be the "
        "first. The same is true of b, so a run may print the old w with the new b, a **mixed** "
        "pair that never was in the variables at one time. The training is not disturbed: the "
        "reads that the gradient and the update need lead on to the assignment, so they come first."
    )
    _two_graphs(around)
    if controls.flag("Count it", "race"):
        _count(controls, watch)


# ---- The edge


def _two_graphs(around: Callable[[str], Around]) -> None:
    titles = {"variables": "As in the article", "operations_first": "With the edge that mends it"}
    places = side_by_side(2)
    for place, (reads, title) in zip(places, titles.items(), strict=True):
        drawing = race_graph(around(reads), key=reads, title=title)
        with place:
            show(drawing, key=f"race {reads}", height=height(drawing))
    st.caption(
        "Operations between w and what is fetched of it, which is bold. A dashed line hands "
        "nothing over; it only says what runs first. Read and Assign are TensorFlow's "
        "ReadVariableOp and AssignVariableOp, and Identity hands on what it is given. The "
        "gradient, which Sub subtracts, is not drawn."
    )
    st.markdown(
        "With that edge each run must end the reads before the assignments begin. In the listing "
        "it is one line above the assignments: `with tf.control_dependencies([w_read, b_read]):`. "
        "There is another way, and the listing of this page takes it: fetch **new_w**, what "
        "`assign` returns. From Assign to that read there is an edge in both graphs, so it always "
        "comes after."
    )


# ---- The count


def _count(controls: Controls, watch: Callable[..., Late]) -> None:
    """Let a visitor choose how to read, train, and tell what was printed."""
    reads = controls.choice(st.pills, "What is fetched", "reads", READS, "variables", required=True)
    threads = controls.choice(
        st.pills, "Threads of the session", "threads", THREADS, "0", required=True
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        runs = int(controls.number("Runs", "runs", RUNS, 10, MOST_RUNS, step=10, width=160))
        st.button("Count again", on_click=_again)
    attempt = st.session_state.get("attempt", 0)
    with st.spinner("Training, run by run."):
        w, b = watch(attempt, runs=runs, reads=reads, threads=int(threads or 0))
    show(strip(w, b), key="strip", height=210, in_hall=380)
    live(_table(w, b), key="late")
    st.markdown(verdict(w, b, mended=reads == "operations_first"))


def _again() -> None:
    Controls.moved()
    st.session_state["attempt"] = st.session_state.get("attempt", 0) + 1


def verdict(w: NDArray[np.bool_], b: NDArray[np.bool_], *, mended: bool) -> str:
    """What follows from a count. mended: whether an edge forbids late reads."""
    late = w | b
    if mended and not late.any():
        return (
            "With the edge this is certain, and not only what was seen: an operation does not "
            "begin before those that lead to it have ended."
        )
    if not late.any():
        return (
            f"In each of these runs both were read first. None in {len(w)} runs is not never: no "
            "edge forbids it, and with `w.read_value()` or eight threads it can be seen."
        )
    if len(w) <= EARLY:
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


def _table(w: NDArray[np.bool_], b: NDArray[np.bool_]) -> str:
    counts = {
        "runs": len(w),
        "w read after its assignment": int(w.sum()),
        "b read after its assignment": int(b.sum()),
        "mixed: one read after, the other before": int(np.sum(w ^ b)),
    }
    rows = "".join(f"<tr><th>{name}</th><td>{n}</td></tr>" for name, n in counts.items())
    return f'<table class="digits">{rows}</table>'


def strip(w: NDArray[np.bool_], b: NDArray[np.bool_]) -> Figure:
    """For each of the first runs a mark for w and one for b, taller where it was read late."""
    return _filled_strip(w, b, w.tobytes() + b.tobytes())


@picture
def _filled_strip(_w: NDArray[np.bool_], _b: NDArray[np.bool_], content: bytes) -> Filling:
    parts = [
        pd.DataFrame({"run": np.arange(1, len(late) + 1), "variable": name, "late": late})
        for name, late in (("w", _w[:SHOWN]), ("b", _b[:SHOWN]))
    ]
    rows = pd.concat(parts)
    rows["read"] = np.where(rows.pop("late"), TIMES[1], TIMES[0])
    return {"reads": rows}, {"last": len(parts[0])}


@_filled_strip.drawing
def _() -> Drawing:
    legend = alt.Legend(symbolType="square", symbolSize=120, labelLimit=0)
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
            size=alt.Size(
                "read:N",
                legend=None,
                scale=alt.Scale(domain=TIMES, range=[sized(6.5, 10), sized(26, 40)]),
            ),
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
