"""The data baked into a static graph: other data are fed, nothing changes, and the graph shows why.

Beside it stands the mended listing, whose graph has placeholders where the other has constants.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import replace
from textwrap import dedent
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.listing import source_of
from engines.problem import Problem
from engines.static_graph_and_sessions import baked_in_graph
from engines.static_graph_and_sessions.baked_in_graph import Found
from engines.trace import Trace
from views.graphs.small_graph import draw_graph, show_graph
from views.player import (
    Drawing,
    Filling,
    between,
    cached,
    drawing,
    listing,
    live,
    mark,
    picture,
    show,
)
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.palette import DATA, ENGINES, MISTAKE, QUIET
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.table import html_table

LABELS = {"baked_in": "baked in", "mended": "mended"}
FILES = {"baked_in": "baked_in.py", "mended": "tf_session.py"}
DESCRIPTIONS = {
    "baked_in": "The operations from which the loss is computed. Its placeholders stand alone: no "
    "line leads from them, and the data come from two constants.",
    "mended": "The operations from which the loss is computed, with lines from the placeholders to "
    "the operations that take from them.",
}
DATA_LABELS = ("in the graph", "fed")
ANSWERS = {
    "fits": "w and b that fit the data that are fed",
    "same": "the same numbers as before",
    "error": "an error",
}


train, graph_of = cached(baked_in_graph.train), cached(baked_in_graph.graph_of)


def upside_down(problem: Problem) -> Problem:
    """The same points turned upside down; where all are at one height, one higher."""
    low, high = problem.y.min(), problem.y.max()
    return replace(problem, y=low + high - problem.y if low < high else problem.y + 1)


def section(controls: Controls, problem: Problem, *, steps: int, learning_rate: float) -> None:
    """Both listings; after a prediction, what each does with other data, and what is in its graph.

    problem: in float32. steps, learning_rate: of all runs.
    """
    if not controls.flag("Bake the data into the graph", "baked_in"):
        return
    _listings()
    other = upside_down(problem)
    low, high = other.y.min(), other.y.max()
    question = (
        f"The first listing is written for its data, and then it is fed other data: the same "
        f"points upside down, each y replaced by {number(float(low + high), 4)} − y. What "
        "does it print?"
    )
    if not predicted(question, ANSWERS, "same", key="baked in"):
        return
    runs: dict[tuple[str, bool], Trace] = {}
    for name in LABELS:
        for is_other in (False, True):
            # A spinner for each, so that a control that is moved stops the rest.
            with st.spinner(f"Training, {len(runs) + 1} of {2 * len(LABELS)} runs"):
                fed = other if is_other else problem
                run = train(name, problem, fed, steps=steps, learning_rate=learning_rate)
                runs[name, is_other] = run
    _numbers(problem, other, runs)
    ends = {name: runs[name, True].final.params for name in LABELS}
    lines = {name: (float(end["w"]), float(end["b"])) for name, end in ends.items()}
    show(fit(problem, other, lines), key="baked_in", height=320, in_hall=520)
    _graphs(problem, {name: graph_of(name, problem) for name in LABELS})


def _listings() -> None:
    """Both of them without their headings, with the code marked that the other one has not."""
    bodies = {
        name: dedent(source_of(baked_in_graph.LISTINGS[name]).rpartition('"""')[2].lstrip("\n"))
        for name in LABELS
    }
    places = side_by_side(2)
    for place, (name, body) in zip(places, bodies.items(), strict=True):
        [other] = [body for one, body in bodies.items() if one != name]
        known = {line.strip() for line in other.splitlines()}
        code = [line for line in body.splitlines() if not line.strip().startswith("#")]
        changed = "\n".join(line for line in code if line.strip() not in known)
        with place:
            title = f"{FILES[name]}: {LABELS[name]}"
            listing(body, {}, title=title, key=f"listing {name}", changed=changed, follows=True)
    st.markdown(
        "The lines that compute y_pred and the loss are the same, letter by letter. What differs "
        "is what x and y mean in them: placeholders, or arrays. NumPy has the numbers of an array "
        "at once, and TensorFlow copies them into the graph as a **constant** while the graph is "
        "written."
    )


def _numbers(problem: Problem, other: Problem, runs: Mapping[tuple[str, bool], Trace]) -> None:
    rows = []
    for (name, is_other), run in runs.items():
        w, b = run.final.params["w"], run.final.params["b"]
        misfit = float((other if is_other else problem).loss_at(w, b))
        fed = "data upside down" if is_other else "its own data"
        losses = number(run.final.loss, 3), number(misfit, 3)
        rows.append((f"{LABELS[name]}, {fed}", number(w), number(b), *losses))
    heads = ["listing, and what it is fed", "w", "b", "loss it prints", "loss on what is fed"]
    live(html_table(heads, rows), key="baked_in_numbers")
    once, again = (runs["baked_in", is_other] for is_other in (False, True))
    differ = sum(
        not np.array_equal(column, again.columns()[name], equal_nan=True)
        for name, column in once.columns().items()
    )
    st.markdown(
        f"With its data baked in, the listing printed {len(once)} steps twice, and of its "
        f"{len(once.columns())} columns **{differ or 'none'}** changed. No error, no warning: to "
        "feed a placeholder that nothing takes from is allowed. Even the loss that it prints is "
        "that of the data in the graph. The last column asks the data that were fed."
    )


# ---- The fit


@picture
def fit(problem: Problem, other: Problem, lines: Mapping[str, tuple[float, float]]) -> Filling:
    """The data in the graph, the data fed, and the curve with which each listing ends.

    lines: by name of a listing, its last w and b; one that is not finite is left out.
    """
    grid = np.linspace(problem.x.min(), problem.x.max(), 61)
    low, high = float(problem.y.min()), float(problem.y.max())
    margin = 0.15 * max(high - low, 0.1)
    values = {"low": low - margin, "high": high + margin}
    points = [
        pd.DataFrame({"x": one.x, "y": one.y, "data": label})
        for one, label in zip((problem, other), DATA_LABELS, strict=True)
    ]
    curves = [
        pd.DataFrame({"x": grid, "y": w * grid**problem.power + b, "listing": LABELS[name]})
        for name, (w, b) in lines.items()
        if math.isfinite(w) and math.isfinite(b)
    ]
    empty = pd.DataFrame({"x": [], "y": [], "listing": []})
    tables = {"points": pd.concat(points), "curves": pd.concat(curves) if curves else empty}
    return tables, values


@fit.drawing
def _() -> Drawing:
    def legend(**more: Any) -> alt.Legend:
        return alt.Legend(columns=1, labelLimit=0, symbolSize=mark(120), **more)

    axis = alt.Axis(tickCount=5, format="~g")
    x = alt.X("x:Q", title="x", axis=axis, scale=alt.Scale(nice=False, zero=False))
    y = alt.Y("y:Q", title="y", scale=between("low", "high"))
    kinds = {
        "color": alt.Color("data:N", legend=legend()).scale(
            domain=DATA_LABELS, range=[QUIET, DATA]
        ),
        "shape": alt.Shape("data:N", legend=legend()).scale(
            domain=DATA_LABELS, range=["cross", "circle"]
        ),
    }
    dots = alt.Chart(alt.NamedData("points")).mark_point(
        filled=True, opacity=0.8, clip=True, size=mark(25)
    )
    names = list(LABELS.values())
    looks = {
        "color": alt.Color("listing:N", legend=legend(symbolType="stroke")).scale(
            domain=names, range=[MISTAKE, ENGINES["tf_session"].color]
        ),
        "strokeDash": alt.StrokeDash("listing:N", legend=legend(symbolType="stroke")).scale(
            domain=names, range=[[8, 5], [1, 0]]
        ),
    }
    lines = alt.Chart(alt.NamedData("curves")).mark_line(clip=True)
    return drawing(
        (dots.encode(x=x, y=y, **kinds) + lines.encode(x=x, y=y, **looks)).resolve_scale(
            color="independent", shape="independent", strokeDash="independent"
        ),
        title="The fit, after other data were fed",
        description=(
            "The data that are in the graph, the data that were fed, which are the same upside "
            "down, and the curve of each listing. That of the listing with its data baked in "
            "follows the data in its graph, and that of the mended one the data that were fed."
        ),
    )


# ---- The graphs


def _graphs(problem: Problem, graphs: Mapping[str, Found]) -> None:
    st.markdown(
        "In the graph the fault can be seen. This is what the loss is computed from, in both, with "
        "the placeholders marked. A name with a number after it is a constant of that many numbers."
    )
    for place, (name, found) in zip(side_by_side(2), graphs.items(), strict=True):
        figure = draw_graph(
            found.graph,
            key=("baked in", name, problem.key),
            title=LABELS[name].capitalize(),
            description=DESCRIPTIONS[name],
            labels={node: f"({count})" for node, count in found.arrays.items()},
            emphasised=tuple(found.placeholders.values()),
        )
        with place:
            show_graph(figure, key=f"graph {name}")
    live(_table(graphs), key="graphs_baked_in")
    found, mended = graphs["baked_in"], graphs["mended"]
    st.markdown(
        f"The session runs only what the loss needs: **{found.ran}** operations, where "
        f"{found.written} were written. The placeholders were **pruned**, which means left out "
        "because nothing that is needed takes from them, and what was fed went nowhere. The data "
        f"in the graph are {found.data_size:,} of its {found.size:,} bytes. Here that is little, "
        "but it grows with each point, and TensorFlow does not save a graph of more than 2 GB. The "
        f"graph of the mended listing has {mended.size:,} bytes for any number of points."
    )


def _table(graphs: Mapping[str, Found]) -> str:
    """HTML with a column for each listing: its placeholders, its constants, its size."""

    def row(heading: str, cell: Any) -> list[str]:
        return [heading, *(str(cell(found)) for found in graphs.values())]

    rows = [
        row("takes from the placeholder of x", lambda found: _takers(found, 0)),
        row("takes from the placeholder of y", lambda found: _takers(found, 1)),
        row(
            "what became of these two in the run",
            lambda found: ", ".join(dict.fromkeys(found.fates.values())),
        ),
        row("bytes of data in the graph", lambda found: f"{found.data_size:,}"),
        row("bytes of the graph", lambda found: f"{found.size:,}"),
        row("operations written", lambda found: found.written),
        row("operations run for the loss", lambda found: found.ran),
    ]
    return html_table(["", *(LABELS[name] for name in graphs)], rows)


def _takers(found: Found, index: int) -> str:
    takers = list(found.takers.values())[index]
    if not takers:
        return "<b>nothing</b>"
    return f'<span style="overflow-wrap: anywhere">{html.escape(", ".join(takers))}</span>'
