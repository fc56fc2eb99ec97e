"""The data baked into a static graph: other data are fed, nothing changes, and the graph shows why.

Beside it stands the mended listing, whose graph has placeholders where the other has constants.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.listing import source_of
from engines.problem import Problem, preset
from engines.static_graph_and_sessions import baked_in_graph
from engines.static_graph_and_sessions.baked_in_graph import Found
from engines.trace import Trace
from views.graphs.small_graph import draw_graph
from views.player import (
    WHOLE_STEPS,
    Drawing,
    Figure,
    Filling,
    Series,
    Timeline,
    between,
    cached,
    drawing,
    every_step,
    listing,
    live,
    mark,
    now,
    part,
    picture,
    say,
    show,
)
from views.regression import sections
from views.ui.numbers import number
from views.ui.palette import DATA, MISTAKE, MODEL, QUIET
from views.ui.prediction import predicted
from views.ui.shell import Here, side_by_side
from views.ui.staging import beside, stage
from views.ui.table import html_table

PROBLEM = preset("session_article").astype("float32")
SETTINGS: Any = {"steps": 150, "learning_rate": 0.2}
OPENS = 40
LABELS = {"baked_in": "baked in", "mended": "mended"}
PREFIXES = {"baked_in": "", "mended": "mended_"}  # of the series
FILES = {"baked_in": "baked_in.py", "mended": "tf_session.py"}
LINES = {"baked_in": "x, y = problem.x", "mended": "graph = tf.Graph()"}  # from here to the loss
DESCRIPTIONS = {
    "baked_in": "The operations from which the loss is computed. Its placeholders stand alone: no "
    "line leads from them, and the data come from two constants.",
    "mended": "The operations from which the loss is computed, with lines from the placeholders to "
    "the operations that take from them.",
}
TOLD = {
    f"{what}, {LABELS[name]}": PREFIXES[name] + what
    for name in LABELS
    for what in ("w", "b", "loss")
} | {"loss of it on what is fed, baked in": "misfit"}
DATA_LABELS = ("its data", "fed")
ANSWERS = {
    "fits": "w and b that fit the data that are fed",
    "same": "the same numbers as before",
    "error": "an error",
}

train, graph_of = cached(baked_in_graph.train), cached(baked_in_graph.graph_of)


@cached
def upside_down(problem: Problem) -> Problem:
    """The same points turned upside down; where all are at one height, one higher."""
    low, high = problem.y.min(), problem.y.max()
    return replace(problem, y=low + high - problem.y if low < high else problem.y + 1)


def show_stage(here: Here) -> bool:
    """The listing at work; after a prediction, what it does with other data, and its graph.

    Returns whether somebody has said what they expect.
    """
    other = upside_down(PROBLEM)
    with stage(here) as play:
        story = st.container()
        answered = predicted(_question(other), ANSWERS, "same", key="baked in")
        fed = other if answered else PROBLEM
        runs = {name: train(name, PROBLEM, fed, **SETTINGS) for name in LABELS}
        drawn = tuple(LABELS) if answered else ("baked_in",)
        timeline = _timeline(runs, fed)
        whose = LABELS["baked_in"]
        table = TOLD if answered else {name: name for name in ("loss", "w", "b")}
        ran = {LABELS[name]: runs[name] for name in drawn}
        play(timeline, ran=ran, begin=(OPENS, None), stops=[1, 5, 20], whose=whose, table=table)
        with story:
            say(_told(fed=answered))
        picture, *places = beside([5, 5, 4] if answered else [5, 6])
        with picture:
            show(fit(PROBLEM, other, timeline, drawn=drawn), key="baked_in")
        if answered:
            for place, name in zip(places, LABELS, strict=True):
                with place:
                    show(_drawn(name), key=f"graph {name}")
        else:
            with places[0]:
                show_listing("baked_in")
    return answered


def _question(other: Problem) -> str:
    height = number(float(other.y.min() + other.y.max()), 4)
    return (
        "Now the same program is fed other data: the same points upside down, each y replaced by "
        f"{height} − y. What does it print?"
    )


def _told(*, fed: bool) -> str:
    """HTML: what the runs do at the step shown."""
    if not fed:
        return (
            "The program trains, and its loss, now "
            f"<b>{now('loss', digits=3)}</b>, goes down. But look at the marked lines: the "
            "placeholders are fed, and the model is written with the arrays."
        )
    return (
        "Both programs are fed the points upside down. <b>Baked in</b>, "
        f"w = {now('w', digits=4)} goes on as if nothing had been fed, and the loss it prints is "
        f"{now('loss', digits=3)}; on what is fed it is {now('misfit', digits=3)}. <b>Mended</b>, "
        f"w = {now('mended_w', digits=4)}: in its graph the placeholders lead to the loss."
    )


@cached
def _timeline(runs: Mapping[str, Trace], fed: Problem) -> Timeline:
    """Both runs; and of the first, the loss on the data that were fed."""
    series: dict[str, Series] = {}
    for name, run in runs.items():
        series |= sections.followed(run, run=PREFIXES[name])
    w, b = (runs["baked_in"].params[name] for name in "wb")
    misfit = np.array([float(fed.loss_at(*both)) for both in zip(w, b, strict=True)])
    series |= every_step({"misfit": misfit})
    return Timeline(series, len(w) - 1, parts=WHOLE_STEPS)


def show_listing(name: str) -> None:
    """From the data to the loss, and what is fed; where the data are baked in, the lines marked."""
    code = {one: _code(one) for one in LABELS}
    kept = {line.strip() for line in code["mended"].splitlines()}
    wrong = [line for line in code["baked_in"].splitlines() if line.strip() not in kept]
    changed = "\n".join(wrong) if name == "baked_in" else ""
    title = f"{FILES[name]}: {LABELS[name]}"
    listing(code[name], {}, title=title, key=f"listing {name}", changed=changed)


def _code(name: str) -> str:
    source = source_of(baked_in_graph.LISTINGS[name])
    feeding = part(source, "loss_value, *grads", "loss_value, *grads")
    return part(source, LINES[name], "loss = ") + feeding[feeding.index("session.run") :]


def tell() -> None:
    """For those who read: the mended listing, all numbers, and what is in both graphs."""
    left, right = side_by_side(2)
    with left:
        show_listing("baked_in")
    with right:
        show_listing("mended")
    st.markdown(
        "The lines that compute y_pred and the loss are the same, letter by letter. What differs "
        "is what x and y mean in them: placeholders, or arrays. NumPy has the numbers of an array "
        "at once, and TensorFlow copies them into the graph as a **constant** while the graph is "
        "written."
    )
    _numbers()
    _graphs()


def _numbers() -> None:
    other = upside_down(PROBLEM)
    runs = {
        (name, is_other): train(name, PROBLEM, other if is_other else PROBLEM, **SETTINGS)
        for name in LABELS
        for is_other in (False, True)
    }
    rows = []
    for (name, is_other), run in runs.items():
        w, b = run.final.params["w"], run.final.params["b"]
        misfit = float((other if is_other else PROBLEM).loss_at(w, b))
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
def fit(problem: Problem, other: Problem, timeline: Timeline, *, drawn: tuple[str, ...]) -> Filling:
    """The data in the graph, and the curve of each program at the step shown.

    drawn: the names of the programs. Where both are, the data that are fed are there too.
    """
    low, high = float(problem.y.min()), float(problem.y.max())
    margin = 0.15 * max(high - low, 0.1)
    shown = (problem, other) if len(drawn) > 1 else (problem,)
    points = [
        pd.DataFrame({"x": one.x, "y": one.y, "data": label})
        for one, label in zip(shown, DATA_LABELS, strict=False)
    ]
    grid = pd.DataFrame({"x": np.linspace(problem.x.min(), problem.x.max(), 61)})
    left, right = float(problem.x.min()), float(problem.x.max())
    beside_them = 0.03 * (right - left)
    values = {"low": low - margin, "high": high + margin, "power": problem.power}
    values |= {"left": left - beside_them, "right": right + beside_them}
    return {"points": pd.concat(points), "grid": grid}, values


@fit.drawing
def _(timeline: Timeline, *, drawn: tuple[str, ...]) -> Drawing:
    def legend(**more: Any) -> alt.Legend:
        return alt.Legend(labelLimit=0, columns=1, symbolSize=mark(120), **more)

    labels = [LABELS[name] for name in drawn]
    data = DATA_LABELS[: len(drawn)]
    x = alt.X("x:Q", title="x", axis=alt.Axis(format="~g"), scale=between("left", "right"))
    y = alt.Y("y:Q", title="y", scale=between("low", "high"))
    kinds = {
        "color": alt.Color("data:N", legend=legend()).scale(domain=data, range=[QUIET, DATA]),
        "shape": alt.Shape("data:N", legend=legend()).scale(domain=data, range=["cross", "circle"]),
    }
    dots = alt.Chart(alt.NamedData("points")).mark_point(
        filled=True, opacity=0.8, clip=True, size=mark(25)
    )
    looks = {
        "color": alt.Color("listing:N", legend=legend(symbolType="stroke")).scale(
            domain=labels, range=[MISTAKE, MODEL]
        ),
        "strokeDash": alt.StrokeDash("listing:N", legend=legend(symbolType="stroke")).scale(
            domain=labels, range=[[8, 5], [1, 0]]
        ),
    }
    curves = [
        alt.Chart(alt.NamedData("grid"))
        .transform_calculate(y=_curve(timeline, PREFIXES[name]), listing=f"'{LABELS[name]}'")
        .mark_line(clip=True)
        .encode(x=x, y=y, **looks)
        for name in drawn
    ]
    return drawing(
        alt.layer(dots.encode(x=x, y=y, **kinds), alt.layer(*curves)).resolve_scale(
            color="independent", shape="independent", strokeDash="independent"
        ),
        title="The fit",
        description=(
            "The data that are in the graph and the curve of the program with its data baked in; "
            "once other data are fed, these too, upside down, and the curve of the mended program. "
            "The first curve follows the data in its graph, the other the data that were fed."
        ),
    )


def _curve(timeline: Timeline, run: str) -> str:
    """The expression for a model's y, as far as a picture can hold it."""
    y = f"{timeline.now(run + 'w')} * pow(datum.x, power) + {timeline.now(run + 'b')}"
    return f"clamp({y}, 2 * low - high, 2 * high - low)"


# ---- The graphs


def _drawn(name: str) -> Figure:
    found = graph_of(name, PROBLEM)
    return draw_graph(
        found.graph,
        key=("baked in", name, PROBLEM.key),
        title=LABELS[name].capitalize(),
        description=DESCRIPTIONS[name],
        labels={node: f"({count})" for node, count in found.arrays.items()},
        emphasised=tuple(found.placeholders.values()),
        wide=1.3,
    )


def _graphs() -> None:
    graphs = {name: graph_of(name, PROBLEM) for name in LABELS}
    st.markdown(
        "In the graphs on the stage the fault can be seen. Each is what the loss is computed from, "
        "with the placeholders marked. A name with a number after it is a constant of that many "
        "numbers."
    )
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
