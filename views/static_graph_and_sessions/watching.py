"""The same loss, fetched in three ways, and the three graphs that ran for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from engines.graphs.autograd import Graph, brief
from engines.graphs.static import to_graph
from engines.problem import Problem
from engines.static_graph_and_sessions.one_run import Request, Run
from views.graphs.small_graph import draw_graph, show_graph
from views.static_graph_and_sessions import runs
from views.ui import texts
from views.ui.controls import Controls
from views.ui.prediction import predicted

WAYS = texts.read(__file__)
REQUESTS = {
    "alone": Request("regression", ("loss",)),
    "watched": Request("regression", ("residual", "loss")),
    "as_written": Request("regression", ("loss",), rewrite=False),
}
PREDICTION = Request("regression", ("y_pred",))


def predict(problem: Problem) -> None:
    """Ask how many operations run when only y_pred is fetched; once answered, tell."""
    run = runs.run(PREDICTION, problem, problem.learning_rate)
    written, ran = len(run.written.ops), len(run.executed.ops)
    fetched = run.executed.fetched.values()
    upto = 1 + max(i for i, op in enumerate(run.written.ops) if op.name in fetched)
    answers = {
        str(count): f"{count} operations" for count in sorted({ran, upto, written // 2, written})
    }
    question = (
        f"Before you look: the regression's graph has {written} operations. You fetch only y_pred. "
        "How many run?"
    )
    if predicted(question, answers, str(ran), key="operations of y_pred"):
        st.markdown(
            f"{upto} operations stand in the graph by the time y_pred has been written. A session "
            "does not go through the listing, though. It starts at what you fetch and walks back: "
            "y, the loss, the gradient and the update are not on that way, and neither is what w "
            "and b need only when they get their first values. Choose y_pred above to see it."
        )


def section(controls: Controls, problem: Problem) -> None:
    """The three ways in a row, and for the one chosen its executed graph and what it shows."""
    labels = {way: told["label"] for way, told in WAYS.items()}
    way = controls.choice(st.segmented_control, "Fetch", "loss_fetched", labels, "alone") or "alone"
    run = runs.run(REQUESTS[way], problem, problem.learning_rate)
    ops, fates = run.executed.ops, run.match.fates
    changed = {
        i for i, op in enumerate(ops) if op.name in fates and run.written[op.name].kind != op.kind
    }
    times: Mapping[str, float] = {n: one.total for n, one in run.executed.timings.items()}
    left, right = st.columns([3, 2])
    with left:
        figure = draw_graph(
            _named(to_graph(ops), run),
            key=run.key,
            title=f"Executed: {len(ops)} operations",
            description=(
                "The operations that the session executed, what is fed at the top, what is fetched "
                "at the bottom; those that nobody wrote in this form are marked."
            ),
            wide=1.7,
            labels={i: f"{times[op.name]:.1f} µs" for i, op in enumerate(ops) if op.name in times},
            emphasised=tuple(changed),
        )
        show_graph(figure, key="watched")
    with right:
        st.markdown(WAYS[way]["story"])


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
