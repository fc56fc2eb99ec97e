"""What a variable leads to, in two columns: what is printed of it, and how it is assigned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from engines.graphs.autograd import Edge, Graph, Node
from views.player import Figure, between, cached, drawn, figure, in_lecture, sized, template
from views.ui.palette import BEST, MODEL, QUIET

# What is around w: the graph, whose first node is w; by id the name of what is fetched there, of
# which the first is read beside the assignment; the places of edges that only say what runs first.
Around = tuple[Graph, Mapping[int, str], Sequence[int]]

WIDE, HIGH = 0.34, 0.3  # half of a box, in columns and in layers
NEAR = 0.02, 0.09  # from the end of an edge to its box, so that its head can be seen
MIDDLE = 0.5  # where w stands, between the columns 0 and 1


@cached
def race_graph(_around: Around, *, key: str, title: str) -> Figure:
    """The graph with what is fetched in bold, and the edges that only say what runs first dashed.

    key: equal for equal graphs; it is what the cache goes by.
    """
    graph, fetched, only_order = _around
    at = places(graph, next(iter(fetched)))
    boxes = [
        {
            "name": _name(node, fetched),
            "x": x,
            "y": y,
            "fetched": node.id in fetched,
            "leaf": y == 0,
        }
        for node, (x, y) in zip(graph.nodes, at.values(), strict=True)
    ]
    lines = [_line(edge, at) for edge in graph.edges]
    edges = pd.DataFrame(lines, columns=["x", "y", "x2", "y2", "head"])
    edges["only_order"] = edges.index.isin(only_order)
    tables = {"boxes": pd.DataFrame(boxes), "edges": edges}
    values = {"bottom": max(y for _, y in at.values())}
    return {**figure(_draw(), tables, values), "title": title}


def places(graph: Graph, read: int) -> dict[int, tuple[float, float]]:
    """By id, column and layer: the way to the node `read` at the left, all other ways at the right.

    A layer is the longest way from the variable, so an edge always leads down.
    """
    left = {read}
    at: dict[int, tuple[float, float]] = {}
    for node in reversed(graph.nodes):
        if node.id in left:
            left |= {edge.source for edge in graph.inputs(node.id)}
    for node in graph.nodes:
        sources = [edge.source for edge in graph.inputs(node.id)]
        column = 0.0 if node.id in left else 1.0
        layer = 1 + max((at[source][1] for source in sources), default=-1.0)
        at[node.id] = (column if sources else MIDDLE, layer)
    return at


def _line(
    edge: Edge, at: Mapping[int, tuple[float, float]]
) -> tuple[float, float, float, float, str]:
    """An edge from its source to its target, straight down or into the side of a box."""
    (x, y), (x2, y2) = at[edge.source], at[edge.target]
    if x == x2 and y2 - y == 1:
        return x, y + HIGH, x2, y2 - HIGH - NEAR[1], "triangle-down"
    side, head = (1, "triangle-left") if x2 == 0 else (-1, "triangle-right")
    start = (x, y + HIGH) if x == MIDDLE else (x - side * WIDE, y)
    return *start, x2 + side * (WIDE + NEAR[0]), y2, head


def _name(node: Node, fetched: Mapping[int, str]) -> str:
    """What stands in a box: an operation's short kind, and what is fetched there; or a variable."""
    if node.kind == "VarHandleOp":
        return node.name
    return f"{node.kind.removesuffix('VariableOp')} {fetched.get(node.id, '')}".strip()


def height(drawing: Figure) -> int:
    """Pixels for `show`: the same for each layer, so of two graphs the deeper is the taller."""
    [bottom] = [param["value"] for param in drawing["params"] if param["name"] == "bottom"]
    layer, margin = (72, 70) if in_lecture() else (46, 45)
    return int((bottom + 1) * layer + margin)


@drawn
def _draw() -> Figure:
    across = between("-0.5", "1.5")
    down = between("bottom + 0.5", "-0.5")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", axis=None, scale=across)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", axis=None, scale=down)

    edges = alt.Chart(alt.NamedData("edges"))
    color = alt.ExprRef(f"datum.only_order ? '{BEST}' : '{QUIET}'")
    lines = edges.mark_rule(
        color=color,
        strokeWidth=alt.ExprRef("datum.only_order ? 3.5 : 1.5"),
        strokeDash=alt.ExprRef("datum.only_order ? [7, 4] : [1, 0]"),
    ).encode(x=x("x"), x2="x2:Q", y=y("y"), y2="y2:Q")
    heads = edges.mark_point(filled=True, color=color, size=sized(104, 160), opacity=1).encode(
        x=x("x2"), y=y("y2"), shape=alt.Shape("head:N", scale=None)
    )
    boxes = alt.Chart(alt.NamedData("boxes"))
    rectangles = (
        boxes.transform_calculate(
            x1=f"datum.x - {WIDE}",
            x2=f"datum.x + {WIDE}",
            y1=f"datum.y - {HIGH}",
            y2=f"datum.y + {HIGH}",
        )
        .mark_rect(
            cornerRadius=alt.ExprRef("datum.leaf ? 12 : 3"),
            fill=alt.ExprRef(f"datum.fetched ? '{BEST}' : '{MODEL}'"),
            fillOpacity=alt.ExprRef("datum.fetched || datum.leaf ? 0.25 : 0.07"),
            stroke=alt.ExprRef(f"datum.fetched ? '{BEST}' : '{MODEL}'"),
            strokeWidth=alt.ExprRef("datum.fetched ? 3 : 1.2"),
        )
        .encode(x=x("x1"), x2="x2:Q", y=y("y1"), y2="y2:Q")
    )
    names = boxes.mark_text(
        fontSize=sized(13, 20),
        color=alt.ExprRef("ink"),
        fontWeight=alt.ExprRef("datum.fetched ? 700 : 400"),
    ).encode(x=x("x"), y=y("y"), text="name:N")
    return template(
        alt.layer(lines, heads, rectangles, names),
        ("bottom",),
        title="",
        description=(
            "The operations from the variable w to what is fetched of it: at the left those that "
            "read it to be printed, at the right those that assign it. Dashed lines only say what "
            "runs first."
        ),
    )
