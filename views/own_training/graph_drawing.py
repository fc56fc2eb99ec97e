"""The graph of one's own step in boxes, as slow motion goes through it: made, and gone back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from engines.graphs.autograd import Edge, Graph, Node
from views.graphs.layered import positions
from views.graphs.small_graph import FOLD, more_times, short
from views.own_training.boxes import LEAF, LINE, MODULE, Boxes
from views.own_training.moments import Moment
from views.player import MOMENT, PHASE, Drawing, Filling, between, drawing, picture, sized
from views.ui.numbers import extent
from views.ui.palette import GRADIENT, MODEL, QUIET

LONG = 16  # letters of a name for which there is room in any case
HALF = 0.36  # of the distance between two layers is half of a box
NOW = f"({PHASE} == 4 ? 1e9 : {MOMENT})"  # outside slow motion all is done
TOLD = {"told": "box", "written": "written as", "shape": "shape", "value": "value"}


@picture
def graph(
    _boxes: Boxes, _happened: Sequence[Moment], _classes: Mapping[str, str], *, key: Any, title: str
) -> Filling:
    """The boxes of a step. key: equal for equal graphs. title: of the picture.

    _classes: of modules, by their paths.
    """
    held = _held(_boxes.graph)
    at = positions(Graph(_boxes.graph.nodes, tuple(held)), late=True)
    never = len(_happened) + 1
    made: dict[int, int] = {}
    ran: dict[int, int] = {}
    for m, moment in enumerate(_happened):
        for box in moment.made:
            made.setdefault(box, m)
        if moment.kind == "backward" and moment.box is not None:
            ran.setdefault(moment.box, m)
    several = len({path.partition(".")[0] for path in _boxes.closed.values()}) > 1
    rows = []
    for node in _boxes.graph.nodes:
        x, y = at[node.id]
        begin = {"x": x, "y": y, "made": made.get(node.id, 0), "ran": ran.get(node.id, never)}
        path = _boxes.closed.get(node.id, "")
        mine = [m for m, one in enumerate(_happened) if _changes(one, node, path)]
        more = {"moved": mine[0] if mine else never}
        rows.append({**begin, **more, **_told(node, _boxes, several, _classes)})
    of = {row["id"]: row for row in rows}
    lines = [
        {
            "edge": i,
            "x": at[edge.source][0],
            "y": at[edge.source][1] + HALF,
            "x2": at[edge.target][0],
            "y2": at[edge.target][1] - HALF,
            "again": edge not in held,
            "made": of[edge.target]["made"],
            "ran": of[edge.target]["ran"],
        }
        for i, edge in enumerate(_boxes.graph.edges)
    ]
    columns = ["edge", "x", "y", "x2", "y2", "again", "made", "ran"]
    values = {
        "right": max((x for x, _ in at.values()), default=0.0),
        "bottom": max((y for _, y in at.values()), default=0.0),
        "longest": min(LONG, max(len(row["name"]) for row in rows)),
        "named": title,
    }
    return {"boxes": pd.DataFrame(rows), "edges": pd.DataFrame(lines, columns=columns)}, values


def _changes(moment: Moment, node: Node, path: str) -> bool:
    """Whether a moment changes the parameter that a box is, or one of the module that it is."""
    if moment.kind != "update":
        return False
    if path:
        return any(name.startswith(f"{path}.") for name in moment.names)
    return node.kind == LEAF and node.name in moment.names


def _held(graph: Graph) -> list[Edge]:
    """The edges that say where boxes are: of a leaf only that to its first use.

    A parameter that a loop uses again and again would pull every repetition out of line.
    """
    leaves, first = {leaf.id for leaf in graph.leaves}, dict[Any, Edge]()
    for edge in graph.edges:
        first.setdefault(edge.source if edge.source in leaves else edge, edge)
    return list(first.values())


def _told(node: Node, boxes: Boxes, several: bool, classes: Mapping[str, str]) -> dict[str, Any]:
    """What a box says, and what it says when pointed at. several: whether there are more models."""
    path = boxes.closed.get(node.id, "")
    count = int(node.settings.get("nodes", 1))

    def short_of(name: str) -> str:
        return name if several else name.partition(".")[2] or name

    if node.kind == FOLD:
        name = more_times(node.settings["repetitions"])
        told = f"{count} nodes, drawn as one"
    elif path:
        numbered = f" {classes[path]}" if path.rpartition(".")[2].isdecimal() else ""
        name, told = short_of(path) + numbered, f"{path}, {count} nodes"
    elif node.kind in (MODULE, LINE):
        name, told = node.text, f"{count} nodes of {node.text}"
    else:
        leaf = node.kind == LEAF
        name = short_of(node.name) if leaf else short(node.kind)
        told = f"leaf {node.name}" if leaf else node.kind
    look = "leaf" if node.kind == LEAF else "several" if count > 1 else "one"
    return {
        "id": node.id,
        "name": name,
        "path": path,
        "look": look,
        "told": told,
        "written": node.text or "–",
        "shape": " × ".join(map(str, node.shape)) or "one number",
        "value": extent(node.value),
    }


@graph.drawing
def _draw() -> Drawing:
    across, down = between("-0.6", "right + 0.6"), between("bottom + 0.5", "-0.5")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", axis=None, scale=across)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", axis=None, scale=down)

    line = {"x": x("x"), "x2": "x2:Q", "y": y("y"), "y2": "y2:Q"}
    there = alt.Chart(alt.NamedData("edges")).transform_filter(f"{NOW} >= datum.made")
    back = there.transform_filter(f"{NOW} >= datum.ran")
    faint = alt.ExprRef("datum.again ? 0.3 : 1")
    looks = ((there, QUIET, sized(1.2, 2)), (back, GRADIENT, sized(2.4, 4)))
    edges, gone = (
        some.mark_rule(tooltip=None, color=color, strokeWidth=width, opacity=faint).encode(**line)
        for some, color, width in looks
    )

    # As in small_graph: as wide as the longest name needs, where the columns leave room for it.
    room, least = "(width < 400 ? 0.49 : 0.47)", "(lecture ? 20 : 11.5) * screen"
    fits = (
        f"min(2 * {room} * width / (right + 1.2) / longest / 0.62,"
        f" {2 * HALF} * height / (bottom + 1) / 1.5)"
    )
    letter = alt.param(name="letter", expr=f"clamp({fits}, 0.8 * {least}, 1.4 * {least})")
    reach = f"min({room}, (0.33 * longest + 0.8) * letter * (right + 1.2) / width)"
    boxes = alt.Chart(alt.NamedData("boxes")).transform_calculate(
        x1=f"datum.x - {reach}",
        x2=f"datum.x + {reach}",
        y1=f"datum.y - {HALF}",
        y2=f"datum.y + {HALF}",
        there=f"{NOW} >= datum.made || datum.look === 'leaf' ? 1 : 0.25",
        now=f"{PHASE} != 4 && ({MOMENT} == datum.made && datum.look !== 'leaf'"
        f" || {MOMENT} == datum.ran || {MOMENT} == datum.moved)",
        back=f"{NOW} >= datum.ran",
    )
    outline = {"x": x("x1"), "x2": "x2:Q", "y": y("y1"), "y2": "y2:Q"}
    round_ = alt.ExprRef("datum.look === 'leaf' ? 12 : 3")
    ground = boxes.mark_rect(fill=alt.ExprRef("background"), cornerRadius=round_).encode(**outline)
    color = f"datum.back ? '{GRADIENT}' : '{MODEL}'"
    told = [alt.Tooltip(f"{field}:N", title=title) for field, title in TOLD.items()]
    rectangles = (
        boxes.mark_rect(
            cornerRadius=round_,
            fill=alt.ExprRef(color),
            opacity=alt.ExprRef("datum.there"),
            fillOpacity=alt.ExprRef("datum.now ? 0.45 : datum.look === 'one' ? 0.08 : 0.2"),
            stroke=alt.ExprRef(color),
            strokeWidth=alt.ExprRef("datum.now ? 3.5 : 1.2"),
            strokeDash=alt.ExprRef("datum.look === 'several' ? [6, 3] : [1, 0]"),
            cursor=alt.ExprRef("datum.path === '' ? 'default' : 'pointer'"),
        )
        .encode(**outline, tooltip=told)
        .add_params(alt.selection_point("picked", fields=["path"], toggle=False))
    )
    names = boxes.mark_text(
        opacity=alt.ExprRef("datum.there"),
        fontSize=alt.ExprRef("letter"),
        color=alt.ExprRef("ink"),
        fontWeight=alt.ExprRef("datum.now ? 600 : 400"),
        limit=alt.ExprRef("width * (datum.x2 - datum.x1) / (right + 1.2)"),
    ).encode(x=x("x"), y=y("y"), text="name:N", tooltip=told)
    return drawing(
        alt.layer(edges, gone, ground, rectangles, names).add_params(letter),
        title=alt.TitleParams(alt.ExprRef("named")),
        description=(
            "One box for each operation of the step or for a whole module, what is computed first "
            "at the top and the loss at the bottom. Lines lead from each to those that use it; "
            "where backward() has gone, they and the boxes are orange."
        ),
    )
