"""The same loss, fetched in three ways, and the three graphs that ran for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from engines.graphs.autograd import Graph, brief
from engines.graphs.static import to_graph
from views.graphs.small_graph import height, small_graph
from views.player import show
from views.static_graph_and_sessions.ask import Asked
from views.static_graph_and_sessions.moments import Looked
from views.ui.controls import Controls
from views.ui.prediction import predicted

WAYS = {"alone": "loss", "watched": "loss and y_pred − y", "as_written": "loss, optimiser off"}
ASKED = {
    "alone": Asked("regression", (2.0, 4.0), ("loss",), "all", True),
    "watched": Asked("regression", (2.0, 4.0), ("residual", "loss"), "all", True),
    "as_written": Asked("regression", (2.0, 4.0), ("loss",), "all", False),
}
PREDICTION = Asked("regression", (2.0, 4.0), ("y_pred",), "all", True)
SAID = {
    "alone": "Only the square takes the difference. So TensorFlow makes both in one pass over the "
    "data: **SquaredDifference**. The power of 2 has become a **Square**, which is cheaper.",
    "watched": "Now the difference has to exist, because it is handed out. So the square is on its "
    "own again. The run that you look at is not the run that you would have had.",
    "as_written": "The optimiser is a choice of the session. Without it the graph is only pruned: "
    "what the loss does not need is left out, equal constants are shared, and everything else runs "
    "as it was written, both powers of 2 with it.",
}


def predict(look: Callable[[Asked], Looked]) -> None:
    """Ask how many operations run when only y_pred is fetched; once answered, tell."""
    looked = look(PREDICTION)
    written, ran = len(looked.written.ops), len(looked.ran.ops)
    fetched = looked.ran.fetched.values()
    upto = 1 + max(i for i, op in enumerate(looked.written.ops) if op.name in fetched)
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


def choose(controls: Controls, look: Callable[[Asked], Looked]) -> None:
    """The three ways in a row, and for the one chosen its executed graph and what it shows."""
    way = controls.choice(st.segmented_control, "Fetch", "watch", WAYS, "alone") or "alone"
    looked = look(ASKED[way])
    graph = _named(to_graph(looked.ran.ops), looked)
    fates = looked.match.fates
    changed = {
        i
        for i, op in enumerate(looked.ran.ops)
        if op.name in fates and looked.written[op.name].kind != op.kind
    }
    times: Mapping[str, float] = {n: one.total for n, one in looked.ran.timings.items()}
    picture, words = st.columns([3, 2])
    with picture:
        drawing = small_graph(
            graph,
            key=f"{way} {times}",
            title=f"Executed: {len(graph.nodes)} operations",
            description=(
                "The operations that the session executed, what is fed at the top, what is fetched "
                "at the bottom; those that nobody wrote in this form are marked."
            ),
            wide=1.7,
            labels={
                i: f"{times[op.name]:.1f} µs"
                for i, op in enumerate(looked.ran.ops)
                if op.name in times
            },
            emphasised=tuple(changed),
        )
        show(drawing, key="watched", height=height(drawing))
    with words:
        st.markdown(SAID[way])


def _named(graph: Graph, looked: Looked) -> Graph:
    """The graph with names that a visitor knows: of what is fed, and of variables."""
    nodes = []
    for node, op in zip(graph.nodes, looked.ran.ops, strict=True):
        name = f"feed {looked.ran.fed[op.name]}" if op.name in looked.ran.fed else op.name
        name = brief(op.value) if op.kind == "Const" else name
        first = replace(node.outputs[0], name=name)
        kind = {"ReadVariableOp": "Read", "_Retval": "fetch"}.get(node.kind, node.kind)
        nodes.append(replace(node, kind=kind, outputs=(first, *node.outputs[1:])))
    return Graph(tuple(nodes), graph.edges)
