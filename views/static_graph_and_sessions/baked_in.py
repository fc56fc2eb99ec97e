"""The data baked into a static graph: other data are fed, nothing changes, and the graph shows why.

Beside it stands the mended listing, whose graph has placeholders where the other has constants.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from textwrap import dedent
from typing import Any, Protocol

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.graphs.autograd import Graph
from engines.problem import Problem
from engines.trace import Trace
from views.graphs.small_graph import height, small_graph
from views.player import (
    Drawing,
    Filling,
    between,
    drawing,
    listing,
    live,
    mark,
    picture,
    show,
    source_of,
)
from views.ui.palette import DATA, ENGINES, MISTAKE, QUIET
from views.ui.prediction import predicted
from views.ui.shell import side_by_side


class Inside(Protocol):
    """What is in a graph: baked_in_graph.Inside in the engines."""

    graph: Graph
    placeholders: Mapping[str, int]
    takers: Mapping[str, tuple[str, ...]]
    fates: Mapping[str, str]
    arrays: Mapping[int, int]
    data_size: int
    size: int
    written: int
    ran: int


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


def upside_down(problem: Problem) -> Problem:
    """The same points turned upside down; where all are at one height, one higher."""
    low, high = problem.y.min(), problem.y.max()
    return replace(problem, y=low + high - problem.y if low < high else problem.y + 1)


def tell(
    problem: Problem,
    listings: Mapping[str, Callable[..., Any]],
    train: Callable[..., Trace],
    inside: Callable[[str, Problem], Inside],
    *,
    steps: int,
    learning_rate: float,
) -> None:
    """Both listings; after a prediction, what each does with other data, and what is in its graph.

    listings, train, inside: LISTINGS, train and look_inside of the engine baked_in_graph.
    """
    sources = {name: source_of(listings[name]) for name in LABELS}
    _listings(sources)
    other = upside_down(problem)
    low, high = other.y.min(), other.y.max()
    question = (
        f"The first listing is written for its data, and then it is fed other data: the same "
        f"points upside down, each y replaced by {low + high:.4g} − y. What does it print?"
    )
    if not predicted(question, ANSWERS, "same", key="baked in"):
        return
    runs: dict[tuple[str, bool], Trace] = {}
    settings = {"steps": steps, "learning_rate": learning_rate}
    for name in LABELS:
        for is_other in (False, True):
            # A spinner for each, so that a control that is moved stops the rest.
            with st.spinner(f"Training, {len(runs) + 1} of {2 * len(LABELS)} runs"):
                fed = other if is_other else problem
                runs[name, is_other] = train(name, problem, fed, **settings)
    _numbers(problem, other, runs)
    ends = {name: runs[name, True].final.params for name in LABELS}
    lines = {name: (float(end["w"]), float(end["b"])) for name, end in ends.items()}
    show(fit(problem, other, lines), key="baked_in", height=320, in_hall=520)
    _inside(problem, {name: inside(name, problem) for name in LABELS})


def _listings(sources: Mapping[str, str]) -> None:
    """Both of them without their headings, with the code marked that the other one has not."""
    bodies = {
        name: dedent(source.rpartition('"""')[2].lstrip("\n")) for name, source in sources.items()
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
    rows = ""
    for (name, is_other), run in runs.items():
        _, params, _ = run.final
        w, b, loss = params["w"], params["b"], run.final.loss
        misfit = (other if is_other else problem).loss_at(w, b)
        fed = "data upside down" if is_other else "its own data"
        cells = [f"{w:.6g}", f"{b:.6g}", f"{loss:.3g}", f"{misfit:.3g}"]
        rows += f"<tr><th>{LABELS[name]}, {fed}</th>"
        rows += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    heads = ["listing, and what it is fed", "w", "b", "loss it prints", "loss on what is fed"]
    head = "".join(f"<th>{text}</th>" for text in heads)
    live(f'<table class="digits"><tr>{head}</tr>{rows}</table>', key="baked_in_numbers")
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


def _inside(problem: Problem, inside: Mapping[str, Inside]) -> None:
    st.markdown(
        "In the graph the fault can be seen. This is what the loss is computed from, in both, with "
        "the placeholders marked. A name with a number behind it is a constant with so many "
        "numbers."
    )
    places = side_by_side(2)
    for place, (name, seen) in zip(places, inside.items(), strict=True):
        drawing = small_graph(
            seen.graph,
            key=("baked in", name, problem),
            title=LABELS[name].capitalize(),
            description=DESCRIPTIONS[name],
            labels={node: f"({count})" for node, count in seen.arrays.items()},
            emphasised=tuple(seen.placeholders.values()),
        )
        with place:
            show(drawing, key=f"graph {name}", height=height(drawing))
    live(_table(inside), key="inside_baked_in")
    seen, mended = inside["baked_in"], inside["mended"]
    st.markdown(
        f"The session runs only what the loss needs: **{seen.ran}** operations, where "
        f"{seen.written} were written. The placeholders were **pruned**, which means left out "
        "because nothing that is needed takes from them, and what was fed went nowhere. The data "
        f"in the graph are {seen.data_size:,} of its {seen.size:,} bytes. Here that is little, but "
        "it grows with each point, and TensorFlow does not save a graph of more than 2 GB. The "
        f"graph of the mended listing has {mended.size:,} bytes for any number of points."
    )


def _table(inside: Mapping[str, Inside]) -> str:
    """HTML with a column for each listing: its placeholders, its constants, its size."""
    rows: dict[str, list[str]] = {
        "takes from the placeholder of x": [_takers(seen, 0) for seen in inside.values()],
        "takes from the placeholder of y": [_takers(seen, 1) for seen in inside.values()],
        "what became of these two in the run": [
            ", ".join(dict.fromkeys(seen.fates.values())) for seen in inside.values()
        ],
        "bytes of data in the graph": [f"{seen.data_size:,}" for seen in inside.values()],
        "bytes of the graph": [f"{seen.size:,}" for seen in inside.values()],
        "operations written": [str(seen.written) for seen in inside.values()],
        "operations run for the loss": [str(seen.ran) for seen in inside.values()],
    }
    head = "".join(f"<th>{LABELS[name]}</th>" for name in inside)
    body = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in rows.items()
    )
    return f'<table class="digits"><tr><th></th>{head}</tr>{body}</table>'


def _takers(seen: Inside, which: int) -> str:
    takers = list(seen.takers.values())[which]
    if not takers:
        return "<b>nothing</b>"
    return f'<span style="overflow-wrap: anywhere">{html.escape(", ".join(takers))}</span>'
