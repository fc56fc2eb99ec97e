"""Any graph, small and at rest: every node a box, what is computed first at the top.

Where a loop made the same nodes many times, `folded` draws the repetitions in the middle as one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from engines.graphs.autograd import Edge, Graph, Node, brief
from views.graphs.layered import positions
from views.player import STEP, Drawing, Figure, Filling, between, drawing, picture, show, sized
from views.ui.palette import MODEL, QUIET

FOLD = "Repetitions"  # the kind of the node that stands for many
TOLD = {  # when pointed at
    "kind": "operation",
    "expression": "written as",
    "repetition": "repetition",
    "shape": "shape",
    "value": "value",
    "gradient": "gradient",
}
HALF = 0.36  # of the distance between two layers is half of a box
KEPT = 3  # repetitions that are drawn in full at either end of a folded graph


# ---- Repeated parts


def repetitions(graph: Graph) -> int:
    """How often the expression ran that ran most often."""
    return 1 + max((node.repetition for node in graph.nodes), default=0)


def folded(graph: Graph) -> Graph:
    """The graph with the middle repetitions of its loop as one node, if there are more than 2·KEPT.

    That node is of the kind FOLD. Its settings say how many `repetitions` it stands for, of how
    many (`of`), and how many `nodes`. It takes the id of the oldest of them, and one edge for all
    between it and each node outside.
    """
    often = repetitions(graph)
    if often <= 2 * KEPT:
        return graph
    looped = {_place(node) for node in graph.nodes if node.repetition == often - 1}
    # Ids are in the order of making. What lies between two of them has no way out and in again.
    first, end = (
        min(node.id for node in graph.nodes if node.repetition == r and _place(node) in looped)
        for r in (KEPT, often - KEPT)
    )
    leaves = {leaf.id for leaf in graph.leaves}
    middle = [node for node in graph.nodes if first <= node.id < end and node.id not in leaves]
    hidden, number = {node.id for node in middle}, middle[0].id
    counts = {"repetitions": often - 2 * KEPT, "of": often, "nodes": len(middle)}
    fold = Node(number, FOLD, None, "", KEPT, middle[-1].outputs, {}, counts)
    nodes = [node for node in graph.nodes if node.id not in hidden]
    edges: dict[tuple[int, int, int], Edge] = {}
    for edge in graph.edges:
        source, target = (number if n in hidden else n for n in (edge.source, edge.target))
        if source != target:
            one_for_all = number in (source, target)
            key = source, target, 0 if one_for_all else edge.argument
            edges.setdefault(key, replace(edge, source=source, target=target))
    in_order = sorted([*nodes, fold], key=lambda node: node.id)
    return Graph(tuple(in_order), tuple(edges.values()))


def _place(node: Node) -> tuple[Any, ...]:
    return node.kind, node.line, node.text


# ---- The drawing


def draw_graph(
    graph: Graph,
    *,
    key: Any,
    title: str,
    description: str,
    labels: Mapping[int, str] | None = None,
    emphasised: Collection[int] = (),
    only_order: Collection[int] = (),
    places: Mapping[int, tuple[float, float]] | None = None,
    since: Mapping[int, int] | None = None,
    wide: float = 1.0,
    pointers: bool = False,
) -> Figure:
    """A graph whose boxes hold the short names of operations and the names of leaves.

    key: equal for equal graphs; it is what the cache goes by. labels: by id, more to write in a
    box. emphasised: ids of nodes to mark. only_order: the indices in `graph.edges` of those to draw
    dashed, which hand nothing over. places: by id, column and layer, where they are not to be found
    by `_positions`. since: by id, the step of the player from which a node is there; if not said,
    all are, always. wide: how much wider than usual boxes may be. pointers: whether arrows lead
    from each node to those it was made from, as PyTorch's pointers do, and not as the data go.
    """
    drawn = _picture(
        graph,
        key=key,
        labels=labels or {},
        emphasised=tuple(emphasised),
        only_order=tuple(only_order),
        places=places or {},
        since=since or {},
        follows=since is not None,
        wide=wide,
        pointers=pointers,
    )
    # Words of a visitor go in here, after the drawing, which is kept for all of them.
    return {
        **drawn,
        "title": {"text": title, "limit": {"expr": "width"}},
        "description": description,
    }


def show_graph(figure: Figure, *, key: str) -> None:
    """Show what `draw_graph` made. Each layer is as high in all, so the deeper graph is taller."""
    [bottom] = [param["value"] for param in figure["params"] if param["name"] == "bottom"]
    layers = bottom + 1
    show(figure, key=key, height=int(25 * layers + 50), in_hall=int(44 * layers + 80))


@picture
def _picture(
    _graph: Graph,
    *,
    key: Any,
    labels: Mapping[int, str],
    emphasised: tuple[int, ...],
    only_order: tuple[int, ...],
    places: Mapping[int, tuple[float, float]],
    since: Mapping[int, int],
    follows: bool,
    wide: float,
    pointers: bool,
) -> Filling:
    at = places or _positions(_graph)
    looks = dict.fromkeys(at, "operation") | {leaf.id: "leaf" for leaf in _graph.leaves}
    looks |= {node.id: "fold" for node in _graph.nodes if node.kind == FOLD}
    boxes = [
        {
            **_told(node, looks[node.id], labels.get(node.id, "")),
            "x": at[node.id][0],
            "y": at[node.id][1],
            "look": looks[node.id],
            "emphasised": node.id in emphasised,
            "since": since.get(node.id, 0),
        }
        for node in _graph.nodes
    ]
    edges = _lines(_graph, at, looks, down_first=bool(places))
    edges["only_order"] = edges["edge"].isin(only_order)
    edges["since"] = [since.get(_graph.edges[edge].target, 0) for edge in edges["edge"]]
    across, down = (max((place[i] for place in at.values()), default=0) for i in (0, 1))
    longest = max((len(str(box["name"])) for box in boxes if box["look"] != "fold"), default=1)
    values = {"right": float(across), "bottom": float(down), "wide": wide, "pointers": pointers}
    values |= {"longest": longest}
    return {"boxes": pd.DataFrame(boxes), "edges": edges}, values


def _lines(
    graph: Graph,
    at: Mapping[int, tuple[float, float]],
    looks: Mapping[int, str],
    *,
    down_first: bool,
) -> pd.DataFrame:
    """The points of each edge's line, from its source down to its target.

    down_first: whether a line to another column stays in its own up to the layer above.
    """
    right, bottom = (max((place[i] for place in at.values()), default=0) for i in (0, 1))
    points = []
    for i, edge in enumerate(graph.edges):
        (x, y), (x2, y2) = at[edge.source], at[edge.target]
        # A fold is as wide as the picture, so what leads to it and from it goes straight down.
        x = x2 if looks[edge.source] == "fold" else x
        x2 = x if looks[edge.target] == "fold" else x2
        path = [(x, y + HALF), (x2, y2 - HALF)]
        if x == x2 and y2 - y > 1:  # past other boxes of its column: round them, on the outside
            out = x + (1 if x > right / 2 else -1) * (0.35 + 0.25 * (y2 - y) / bottom)
            path[1:1] = [(out, y + min(1, (y2 - y) / 3)), (out, y2 - min(1, (y2 - y) / 3))]
        elif down_first and y2 - y > 1:
            path[1:1] = [(x, y2 - 1)]
        points += [(i, k, *point, k == len(path) - 1) for k, point in enumerate(path)]
    return pd.DataFrame(points, columns=["edge", "order", "x", "y", "end"])


def _positions(graph: Graph) -> dict[int, tuple[float, float]]:
    """By id, column and layer: the longest chain of operations straight, the oldest leaf left.

    Only its first use holds a leaf in place: a parameter that a loop uses again and again would
    pull every repetition out of line. So repetitions that are alike look alike.
    """
    leaves = {leaf.id for leaf in graph.leaves}
    linked = {number for edge in graph.edges for number in (edge.source, edge.target)}
    alone = [node.id for node in graph.nodes if node.id not in linked]
    first: dict[tuple[int, ...], Edge] = {}
    for edge in graph.edges:
        key = (edge.source,) if edge.source in leaves else (edge.source, edge.target, edge.argument)
        first.setdefault(key, edge)
    held = Graph(tuple(n for n in graph.nodes if n.id in linked), tuple(first.values()))
    at = positions(held)
    chains: dict[int, list[int]] = {}
    for node in held.nodes:
        before = [chains.get(edge.source, []) for edge in reversed(held.inputs(node.id))]
        chains[node.id] = [*max(before, key=len, default=[]), node.id]
    chain = max(chains.values(), key=len, default=[])
    middle = {at[n][1]: at[n][0] for n in chain}
    straight = {n: (x - middle.get(y, 0), y) for n, (x, y) in at.items()}
    side = -1 if straight and next(iter(straight.values()))[0] > 0 else 1
    left = min((side * x for x, _ in straight.values()), default=0)
    left -= bool(alone)  # what no edge leads to or from has a column of its own
    places = {n: (side * x - left, y) for n, (x, y) in straight.items()}
    return places | {n: (0.0, float(y)) for y, n in enumerate(alone)}


def short(kind: str) -> str:
    """The operation in a framework's name for its node: Mul for MulBackward0."""
    return re.sub(r"Backward\d*$", "", kind)


def more_times(count: float) -> str:
    """What stands on the box that is drawn for so many repetitions of a loop."""
    return f"{int(count)} more time{'s' * (count > 1)}"


def _told(node: Node, look: str, label: str) -> dict[str, str]:
    """What a box says of its node, and what it says when pointed at."""
    if look == "fold":
        counts = {name: int(count) for name, count in node.settings.items()}
        many = {"kind": "{nodes} nodes, drawn as one".format(**counts)}
        return dict.fromkeys(TOLD, "–") | many | {"name": more_times(counts["repetitions"])}
    again = str(node.repetition + 1) if look == "operation" else "–"
    name = short(node.kind) if look == "operation" else node.name
    return {
        "name": f"{name} {label}".rstrip(),
        "kind": node.kind,
        "expression": node.text or f"leaf {node.name}",
        "repetition": again,
        "shape": " × ".join(map(str, node.shape)) or "one number",
        "value": brief(node.value),
        "gradient": brief(node.gradient),
    }


@_picture.drawing
def _draw(*, follows: bool) -> Drawing:
    across, down = between("-0.6", "right + 0.6"), between("bottom + 0.5", "-0.5")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", axis=None, scale=across)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", axis=None, scale=down)

    def there(chart: alt.Chart) -> alt.Chart:
        return chart.transform_filter(f"datum.since <= {STEP}") if follows else chart

    edges = there(alt.Chart(alt.NamedData("edges"))).encode(x=x("x"), y=y("y"))

    def joined(which: str, **look: Any) -> alt.LayerChart:
        """The lines of some edges, each with a head where it ends."""
        some = edges.transform_filter(which)
        line = some.mark_line(interpolate="basis", tooltip=None, **look)
        shape = alt.ExprRef("pointers ? 'triangle-up' : 'triangle-down'")
        head = {"shape": shape, "filled": True, "opacity": 1, "color": look["color"]}
        ends = some.transform_filter("pointers ? datum.order === 0 : datum.end")
        heads = ends.mark_point(**head, tooltip=None, size=sized(36, 57))
        layers: alt.LayerChart = line.encode(detail="edge:N", order="order:Q") + heads
        return layers

    taken = joined("!datum.only_order", color=QUIET, strokeWidth=1.2)
    only_order = joined(
        "datum.only_order", color=alt.ExprRef("ink"), strokeWidth=3, strokeDash=[7, 4]
    )

    # A box is as wide as the widest name it may hold, where the columns leave room for that. Where
    # few boxes share the picture their names grow with them, up to half as large again.
    room, least = "(width < 400 ? 0.49 : 0.47)", "(lecture ? 23.5 : 12) * screen"
    fits = (
        f"min(2 * {room} * width / (right + 1.2) / longest / 0.62,"
        f" {2 * HALF} * height / (bottom + 1) / 3)"
    )
    letter = alt.param(name="letter", expr=f"clamp({fits}, {least}, 1.5 * {least})")
    reach = f"min({room}, 3.2 * letter * wide * (right + 1.2) / width)"
    boxes = there(alt.Chart(alt.NamedData("boxes"))).transform_calculate(
        x1=f"datum.look === 'fold' ? -0.55 : datum.x - {reach}",
        x2=f"datum.look === 'fold' ? right + 0.55 : datum.x + {reach}",
        middle="datum.look === 'fold' ? right / 2 : datum.x",
        y1=f"datum.y - {HALF}",
        y2=f"datum.y + {HALF}",
    )
    told = [alt.Tooltip(f"{field}:N", title=title) for field, title in TOLD.items()]
    outline = {"x": x("x1"), "x2": "x2:Q", "y": y("y1"), "y2": "y2:Q"}
    # Opaque first, so that an edge that passes behind a box does not cross its name.
    ground = boxes.mark_rect(
        fill=alt.ExprRef("background"), cornerRadius=alt.ExprRef("datum.look === 'leaf' ? 12 : 3")
    ).encode(**outline)
    rectangles = boxes.mark_rect(
        cornerRadius=alt.ExprRef("datum.look === 'leaf' ? 12 : 3"),
        fill=alt.ExprRef(f"datum.emphasised ? ink : '{MODEL}'"),
        fillOpacity=alt.ExprRef("datum.emphasised || datum.look === 'leaf' ? 0.25 : 0.07"),
        stroke=alt.ExprRef(f"datum.emphasised ? ink : '{MODEL}'"),
        strokeWidth=alt.ExprRef("datum.emphasised ? 3 : 1.2"),
        strokeDash=alt.ExprRef("datum.look === 'fold' ? [5, 4] : [1, 0]"),
    ).encode(**outline, tooltip=told)
    names = boxes.mark_text(
        fontSize=alt.ExprRef("letter"),
        color=alt.ExprRef("ink"),
        fontWeight=alt.ExprRef("datum.emphasised ? 600 : 400"),
        limit=alt.ExprRef("width * (datum.x2 - datum.x1) / (right + 1.2)"),
    ).encode(x=x("middle"), y=y("y"), text="name:N", tooltip=told)
    return drawing(
        alt.layer(taken, only_order, ground, rectangles, names).add_params(letter),
        title="",
        description="",
    )
