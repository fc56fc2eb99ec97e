"""A static graph in boxes: the session's walk back through it, what is rewritten, and what runs."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from engines.static_graph_and_sessions.one_run import Run
from views.player import (
    MOMENT,
    PHASE,
    Drawing,
    Filling,
    between,
    drawing,
    mark,
    picture,
    sized,
)
from views.static_graph_and_sessions.events import GIVEN, Course
from views.static_graph_and_sessions.story import range_of
from views.ui.numbers import number
from views.ui.palette import MODEL, OTHER, QUIET

SPANS = ((0.0, 0.2), (0.235, 0.54), (0.57, 0.815), (0.845, 1.0))  # of each column, of the width
HALF = 0.37  # a box, of the distance between two rows
# A number of its own, so that nothing is drawn anew while the moment stays the same. Outside slow
# motion everything has happened.
AT = alt.param(name="at", expr=f"{PHASE} == 4 ? last : {MOMENT}")
Row = dict[str, Any]


@picture
def graph(_course: Course, run: Run, *, built: bool) -> Filling:
    """Every box of a graph, and how it looks at each moment of a run. built: see Course."""
    course = _course
    events = course.events
    never = len(events) + 1
    when: dict[str, dict[str, int]] = {
        kind: {} for kind in ("build", "reach", "rewrite", "fuse", "run", "given")
    }
    left = never
    for m, event in enumerate(events):
        if event.kind == "leave":
            left = m
        for name in event.boxes if event.kind in when else ():
            when[event.kind].setdefault(name, m)
    merged = course.merged()
    gone = {name: when["fuse"][name] for name in merged}
    boxes: list[Row] = []
    for i, (name, box) in enumerate(course.boxes.items()):
        x, x2 = SPANS[box.x]
        changed = when["fuse"].get(name, when["rewrite"].get(name, never))
        joining = [course.boxes[one].y for one, into in merged.items() if into == name]
        ran = when["run"].get(name, when["given"].get(name, never))
        boxes.append({
            "i": i, "name": name, "x": x, "x2": x2, "y": box.y, "top": min([box.y, *joining]),
            "made": when["build"].get(name, -1), "reached": when["reach"].get(name, never),
            "gone": gone.get(name, never), "changed": changed, "ran": ran,
            "fetched": name in course.fetched,
            "says": _joined_name(course, name), "said": box.says,
            **_notes(course, name),
        })  # fmt: skip
    nows = [
        {"name": name, "now": m}
        for m, event in enumerate(events)
        for name in ({merged.get(one, one) for one in event.boxes} if event.kind != "leave" else ())
        if event.kind not in ("fetch", "fail") or name in course.fetched
    ]
    by_name = pd.DataFrame(boxes).set_index("name")
    marked = pd.DataFrame(nows).join(by_name, on="name")
    tables = {
        "boxes": pd.DataFrame(boxes),
        "nows": marked,
        "edges": pd.DataFrame(_edges(course, when, merged, never)),
    }
    bottom = float(max(box.y for box in course.boxes.values()))
    says = "says", "said", "note", "note_reached", "note_changed", "note_ran"
    crowd = max(len(box[text]) / (box["x2"] - box["x"]) for box in boxes for text in says)
    values = {"last": len(events) - 1, "left": left, "bottom": bottom, "crowd": crowd}
    return tables, values | {"heads": _heads(course)}


def _joined_name(course: Course, name: str) -> str:
    """What a box says when others have been fused into it."""
    return "(y_pred - y) ** 2" if name in course.merged().values() else course.boxes[name].says


def _notes(course: Course, name: str) -> Row:
    """The second line of a box: before anything is known of it, once reached, rewritten, run."""
    run, box = course.run, course.boxes[name]
    op = run.written[box.main]
    inside = [one for one in run.written.ops if course.inside[one.name] == name]
    several = len(inside) > 2
    kinds = {"Placeholder": "placeholder", "NoOp": "in order"}
    note = f"{len(inside)} ops" if several else kinds.get(op.kind, op.kind)
    if name in ("w", "b") and several:
        note = "variable"
    reached = note
    if several and note != "variable":
        reached = f"{course.needed.get(name, 0)} of {len(inside)}"
    if op.name in course.fed:
        reached = "fed"
    fate = run.match.fates[op.name]
    into = fate.into or op.name
    changed = (
        run.executed[into].kind
        if not run.message
        and fate.status != "pruned"
        and (into in {one.name for one in run.executed.ops})
        else note
    )
    value = run.values.get(op.name)
    has = (
        changed
        if value is None
        else (number(float(value), 4) if np.ndim(value) == 0 else f"{np.size(value)} numbers")
    )
    told = ", ".join(dict.fromkeys(one.kind for one in inside))
    return {
        "note": note, "note_reached": reached, "note_changed": changed, "note_ran": has,
        "operations": told, "value": "not computed" if value is None else range_of(value),
    }  # fmt: skip


def _heads(course: Course) -> list[str]:
    """The title at each moment: how many operations are written, needed, and have run."""
    written, ran = len(course.run.written.ops), len(course.run.executed.ops)
    heads, made, needed, done = [], 0, 0, 0
    counts = {name: list(course.inside.values()).count(name) for name in course.boxes}
    made = written if course.built else 0
    walked = False
    for event in course.events:
        if event.kind == "build":
            made += sum(counts[name] for name in event.boxes)
        if event.kind == "reach":
            walked = True
            needed += course.needed[event.boxes[0]]
        if event.kind in ("given", "run", "fetch"):
            done = ran if event.kind == "fetch" else _begun(course, event.into)
        head = f"{made} written" if made != 1 else "1 written"
        if walked:
            head += f" · {needed} needed"
        if event.kind in ("given", "run", "fetch"):
            head += f" · {done} of {ran} ran" if done < ran else f" · {ran} ran"
        elif event.kind == "fail":
            head += " · an error"
        elif not walked:
            head += " · none has run"
        heads.append(head)
    return heads


def _begun(course: Course, executed: str) -> int:
    """How many operations had begun when this one had; of nothing, those that need no work."""
    order, ops = course.run.executed.order, course.run.executed
    if executed:
        return order.index(executed) + 1
    work = [i for i, name in enumerate(order) if ops[name].kind not in GIVEN]
    return min(work, default=len(order))


def _edges(
    course: Course, when: dict[str, dict[str, int]], merged: dict[str, str], never: int
) -> list[Row]:
    """The points of a line from each box that hands something to another one."""
    rows: list[Row] = []
    made, reached = when["build"], when["reach"]
    walked = {
        (course.inside[source.partition(":")[0].removeprefix("^")], course.inside[op])
        for op in course.reached if op not in course.fed
        for source in course.run.written[op].inputs
    }  # fmt: skip
    for source, target in course.edges:
        line = {
            "edge": f"{source} {target}",
            "made": max(made.get(source, -1), made.get(target, -1)),
            "walked": reached.get(target, never) if (source, target) in walked else never,
            "gone": when["fuse"][source] if merged.get(source) == target else never,
        }
        way = _way(course, source, target)
        (xa, ya), (xb, yb) = way[-2:]
        angle = (90 if xb > xa else 270) if ya == yb else (180 if yb > ya else 0)
        if ya != yb and xa != xb:
            angle = 90
        rows += [
            {**line, "x": x, "y": y, "order": k, "head": k == len(way) - 1, "angle": angle}
            for k, (x, y) in enumerate(way)
        ]
    return rows


def _way(course: Course, source: str, target: str) -> list[tuple[float, float]]:
    """From one box to another: straight to a neighbour, else around what lies between."""
    one, other = course.boxes[source], course.boxes[target]
    (left, right), (left2, right2) = SPANS[one.x], SPANS[other.x]
    middle, middle2 = (left + right) / 2, (left2 + right2) / 2
    down = 1 if other.y > one.y else -1
    if one.x == other.x:
        if abs(other.y - one.y) == 1:
            return [(middle, one.y + HALF * down), (middle, other.y - HALF * down)]
        beside = left - 0.015
        return [(left, one.y), (beside, one.y), (beside, other.y), (left, other.y)]
    if abs(other.x - one.x) == 1:
        start, end = (right, left2) if other.x > one.x else (left, right2)
        return [(start, float(one.y)), (end, float(other.y))]
    beside, over = right - 0.03, other.y - 0.5
    return [(beside, one.y - HALF), (beside, over), (middle2, over), (middle2, other.y - HALF)]


@graph.drawing
def _draw() -> Drawing:
    across = between("-0.03", "1.01")
    down = between(f"bottom + {HALF} + 0.05", f"-{HALF} - 0.25")

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", axis=None, scale=across)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", axis=None, scale=down)

    there = "at >= datum.made && at < datum.gone"
    walked = "at >= datum.walked"
    dim = "at >= left"
    edges = alt.Chart(alt.NamedData("edges")).transform_filter(
        "at >= datum.made && at < datum.gone"
    )
    looks: dict[str, Any] = {
        "color": alt.ExprRef(f"{walked} ? '{MODEL}' : '{QUIET}'"),
        "opacity": alt.ExprRef(f"{walked} ? 1 : {dim} ? 0.25 : 0.7"),
    }
    lines = edges.mark_line(
        strokeWidth=alt.ExprRef(f"({walked} ? 3 : 1.3) * screen * (lecture ? 1.6 : 1)"), **looks
    ).encode(x=x("x"), y=y("y"), detail="edge:N", order="order:Q")
    heads = (
        edges.transform_filter("datum.head")
        .mark_point(shape="triangle-up", filled=True, size=mark(55), **looks)
        .encode(x=x("x"), y=y("y"), angle=alt.Angle("angle:Q", scale=None))
    )
    corners = {
        "upper": f"(at >= datum.changed ? datum.top : datum.y) - {HALF}",
        "lower": f"datum.y + {HALF}",
    }
    outline = {"x": x("x"), "x2": "x2:Q", "y": y("upper"), "y2": "lower:Q"}
    boxes = (
        alt.Chart(alt.NamedData("boxes"))
        .transform_filter(there)
        .transform_calculate(
            state="at >= datum.ran ? 'ran' : at >= datum.changed && datum.changed <= last ? "
            "'changed' : at >= datum.reached ? 'needed' : at >= left ? 'never' : 'waits'",
            title="at >= datum.changed ? datum.says : datum.said",
            second="at >= datum.ran ? datum.note_ran : at >= datum.changed ? datum.note_changed : "
            "at >= datum.reached ? datum.note_reached : datum.note",
            middle="(datum.x + datum.x2) / 2",
            center="((at >= datum.changed ? datum.top : datum.y) + datum.y) / 2",
            **corners,
        )
    )
    colors = {"ran": MODEL, "changed": OTHER, "needed": MODEL, "waits": QUIET, "never": QUIET}
    fills = {"ran": 0.3, "changed": 0.2, "needed": 0.1, "waits": 0.06, "never": 0.0}
    told = {
        "title": "what it computes",
        "operations": "operations",
        "second": "now",
        "value": "value",
    }
    rectangles = boxes.mark_rect(
        cornerRadius=5,
        cursor="pointer",
        fill=alt.ExprRef(f"({colors})[datum.state]"),
        fillOpacity=alt.ExprRef(f"({fills})[datum.state]"),
        stroke=alt.ExprRef(f"({colors})[datum.state]"),
        strokeWidth=alt.ExprRef("(datum.state === 'changed' ? 3 : 1.4) * screen"),
        strokeDash=alt.ExprRef("datum.state === 'never' ? [3, 3] : [1, 0]"),
        strokeOpacity=alt.ExprRef("datum.state === 'never' ? 0.6 : 1"),
    ).encode(
        **outline,
        tooltip=[alt.Tooltip(field=name, type="nominal", title=t) for name, t in told.items()],
    )
    chosen = boxes.transform_filter("datum.fetched").mark_rect(
        filled=False, stroke=alt.ExprRef("ink"), strokeWidth=sized(2.5, 4), strokeDash=[5, 4],
        cornerRadius=5,
    ).encode(**outline)  # fmt: skip
    now = (
        alt.Chart(alt.NamedData("nows"))
        .transform_filter("datum.now === at")
        .transform_calculate(**corners)
        .mark_rect(
            fill=alt.ExprRef("ink"), fillOpacity=0.16, stroke=alt.ExprRef("ink"),
            strokeWidth=sized(3.5, 6), cornerRadius=5,
        )
        .encode(**outline)
    )  # fmt: skip
    faint = alt.ExprRef("datum.state === 'never' ? 0.75 : 1")
    # Where few boxes share the picture, their texts grow with them, up to half as large again.
    room = f"min(1.04 * width / crowd / 0.66, {2 * HALF} * height / (bottom + 1.1) / 4)"
    least = "(lecture ? 23.5 : 11.5) * screen"
    letter = alt.param(name="letter", expr=f"clamp({room}, {least}, 1.5 * {least})")
    # In a lecture the two lines of a box have little more room than they need.
    apart = f"min(0.65 * letter, {0.46 * HALF} * height / (bottom + 1.1))"
    texts: dict[str, Any] = {"color": alt.ExprRef("ink"), "opacity": faint}
    titles = boxes.mark_text(
        fontWeight=700, fontSize=alt.ExprRef("letter * (width < 400 ? 1 : 1.05)"),
        dy=alt.ExprRef(f"-{apart}"), **texts,
    ).encode(x=x("middle"), y=y("center"), text="title:N")  # fmt: skip
    seconds = boxes.mark_text(
        fontSize=alt.ExprRef("letter"), dy=alt.ExprRef(apart), **texts
    ).encode(x=x("middle"), y=y("center"), text="second:N")
    picked = alt.selection_point("picked", fields=["name"], toggle=False)
    return drawing(
        alt.layer(
            lines, heads, rectangles.add_params(picked), now, chosen, titles, seconds
        ).add_params(AT, letter),
        title=alt.TitleParams(alt.ExprRef("heads[at]")),
        description=(
            "The graph of the listing, a box for each operation and for each part of the way back, "
            "with arrows along which values go: dashed what nothing needs, thick what is needed."
        ),
    )
