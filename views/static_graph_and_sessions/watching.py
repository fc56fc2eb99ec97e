"""The same loss, fetched in three ways, and the three graphs that ran for it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engines.graphs.autograd import Graph, brief
from engines.graphs.static import to_graph
from engines.problem import preset
from engines.static_graph_and_sessions.one_run import Request, Run
from views.graphs.small_graph import draw_graph
from views.player import Figure, say, show
from views.static_graph_and_sessions import runs
from views.ui import texts
from views.ui.shell import Here
from views.ui.staging import beside, stage

WAYS = texts.read(__file__)
PROBLEM = preset("session_article").astype("float32")
REQUESTS = {
    "alone": Request("regression", ("loss",)),
    "watched": Request("regression", ("residual", "loss")),
    "as_written": Request("regression", ("loss",), rewrite=False),
}


def show_stage(here: Here) -> None:
    """The three ways in a row, and for the one chosen its executed graph."""
    labels = {way: told["label"] for way, told in WAYS.items()}
    with stage(here):
        way = here.controls.choice(
            st.segmented_control,
            "Fetch",
            "loss_fetched",
            labels,
            "alone",
            required=True,
            label_visibility="collapsed",
        )
        say(texts.as_html(WAYS[str(way)]["story"]))
        run = runs.run(REQUESTS[str(way)], PROBLEM, PROBLEM.learning_rate)
        for place in beside(1):
            with place:
                show(_drawn(run), key="watched")


def _drawn(run: Run) -> Figure:
    ops, fates = run.executed.ops, run.match.fates
    changed = {
        i for i, op in enumerate(ops) if op.name in fates and run.written[op.name].kind != op.kind
    }
    return draw_graph(
        _named(to_graph(ops), run),
        key=run.key,
        title=f"Executed: {len(ops)} operations",
        description=(
            "The operations that the session executed, what is fed at the top, what is fetched "
            "at the bottom; those that nobody wrote in this form are marked."
        ),
        wide=1.7,
        emphasised=tuple(changed),
    )


def _named(graph: Graph, run: Run) -> Graph:
    """The graph with names that a visitor knows: of what is fed, and of variables."""
    nodes = []
    for node, op in zip(graph.nodes, run.executed.ops, strict=True):
        name = f"feed {run.executed.fed[op.name]}" if op.name in run.executed.fed else op.name
        name = brief(op.value) if op.kind == "Const" else name
        first = replace(node.outputs[0], name=name)
        kind = {"ReadVariableOp": "Read", "_Retval": "fetch"}.get(node.kind, node.kind)
        nodes.append(replace(node, kind=kind, outputs=(first, *node.outputs[1:])))
    return Graph(tuple(nodes), graph.edges)
