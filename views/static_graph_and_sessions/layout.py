"""Where the operations of a static graph are drawn, and what is written in their boxes.

Band by band, a band for each line of the listing: left the operations that the line made, right
those that ran in their place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engines.graphs.static import Op, Timing, source_of
from engines.static_graph_and_sessions.one_run import Run
from views.static_graph_and_sessions.moments import events, range_of, runs_as
from views.ui import texts

Places = dict[tuple[str, str], tuple[float, float]]  # by side and name, column and row

ADDED = "added by TensorFlow"
SMALL = 12  # operations: so few that each box has room for a value
GAP = 0.3  # between the halves, in boxes
HALF = 0.38  # of the distance between two rows is half of a box

FATES = texts.read(Path(__file__).with_name("fates.toml"))
ORIGINS = {
    "written": "computes {written}",
    "lowered": "a part of {written}",
    "fed": "where the runtime hands in {written}",
    "fetched": "where the runtime hands out {written}",
    "reused": "added by TensorFlow, under a name that something else had",
    "added": "added by TensorFlow",
}


def columns_of(run: Run) -> int:
    """How many boxes are beside each other in either half."""
    return 1 if len(run.written.ops) <= SMALL else 5


def places_of(run: Run) -> tuple[Places, float]:
    """By side and name, column and row of each operation; and how many rows there are."""
    left: dict[int | None, list[str]] = {}
    for op in run.written.ops:
        left.setdefault(op.line, []).append(op.name)
    right: dict[int | None, list[str]] = {line: [] for line in left}
    line_of = {op.name: op.line for op in run.written.ops}
    for op in run.executed.ops:
        source = run.match.sources[op.name]
        line = line_of[source_of(source.written[0])[0]] if source.written else None
        right.setdefault(line, []).append(op.name)
    columns = columns_of(run)
    places: Places = {}
    row = 1.4  # under the heads of the two halves
    for line in {**left, **right}:
        top = row + 0.95
        for side, start, names in (
            ("written", 0.0, left.get(line, [])),
            ("executed", columns + GAP, right.get(line, [])),
        ):
            for i, name in enumerate(names):
                places[side, name] = (start + i % columns, top + i // columns)
                row = max(row, top + i // columns)
        places["line", str(line)] = (0.0, top - 0.85)
        row += 1.0
    return places, row


def tables_of(run: Run, places: Places) -> dict[str, list[dict[str, Any]]]:
    """The rows of boxes ("chips"), edges and lines, each with the moments at which it changes."""
    happened = events(run)
    never = len(happened) + 1
    made = {name: m for m, one in enumerate(happened) if one.kind == "build" for name in one.ops}
    started = {
        name: m for m, one in enumerate(happened) if one.kind == "initialize" for name in one.ops
    }
    running = {
        name: m
        for m, one in enumerate(happened)
        if one.kind in ("given", "run", "fetch")
        for name in one.ops
    }
    failed = run.message.operation if run.message else None
    chips: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    for op in run.written.ops:
        x, y = places["written", op.name]
        ran = running.get(runs_as(run, op), never)
        status = run.match.fates[op.name].status
        chips.append({
            "side": "written", "x": x, "y": y, "label": _label(op), "took": _value(run, op),
            "made": made[op.name], "ran": ran, "also": started.get(op.name, never),
            "failed": op.name == failed,
            "look": "kept" if status in ("kept", "fed") else "changed",
            **_told(run, op, written=True),
        })  # fmt: skip
        edges += _edges(op, "written", places, made[op.name])
    for op in run.executed.ops:
        x, y = places["executed", op.name]
        ran = running.get(op.name, never)
        chips.append({
            "side": "executed", "x": x, "y": y, "label": _label(op, run),
            "took": _took(run, run.executed.timings.get(op.name)),
            "made": ran, "ran": ran, "also": never, "failed": False,
            "look": _look(run, op),
            **_told(run, op, written=False),
        })  # fmt: skip
        edges += _edges(op, "executed", places, ran)
    lines = [
        {"x": 0.04, "y": places["line", str(line)][1], "text": text, "made": m}
        for m, (line, text) in enumerate(_lines(run))
    ]
    if ("line", "None") in places:  # there is no line that wrote these
        first = min(chip["made"] for chip in chips if chip["y"] > places["line", "None"][1])
        x, y = columns_of(run) + GAP + 0.04, places["line", "None"][1]
        lines.append({"x": x, "y": y, "text": ADDED, "made": first})
    return {"chips": chips, "edges": edges, "lines": lines}


def _lines(run: Run) -> list[tuple[int | None, str]]:
    """The lines that made something, in order."""
    texts = {op.line: op.text for op in run.written.ops}
    return list(texts.items())


def _look(run: Run, op: Op) -> str:
    """Whether an executed operation is one that was written, a changed one, or the runtime's."""
    source = run.match.sources[op.name]
    if source.origin != "written":
        return "runtime"
    as_written = source.written == (op.name,) and run.match.fates[op.name].status == "kept"
    return "kept" if as_written else "changed"


def _label(op: Op, run: Run | None = None) -> str:
    """What stands in a box: the kind of the operation, and a name where that says more."""
    if op.kind in ("Placeholder", "VarHandleOp"):
        return f"{op.kind} {op.name}"
    if run and op.kind in ("_Arg", "_Retval"):
        return f"{op.kind} {' '.join(run.match.sources[op.name].written)}"
    return op.kind


def _value(run: Run, op: Op) -> str:
    """What it computed, where a box has room for that."""
    value = range_of(run.values[op.name]) if op.name in run.values else ""
    room = 15 if columns_of(run) > 1 else 40
    return value if len(_label(op)) + len(value) < room else ""


def _took(run: Run, timing: Timing | None) -> str:
    """How long it ran; where boxes are small the head of the half says that these are µs."""
    if timing is None:
        return ""
    return f"{timing.total:.1f}" if columns_of(run) > 1 else f"{timing.total:.1f} µs"


def _told(run: Run, op: Op, *, written: bool) -> dict[str, str]:
    """What a box says when pointed at."""
    if written:
        fate = run.match.fates[op.name]
        became = FATES[fate.status]["one"].format(into=fate.into)
        value = range_of(run.values[op.name]) if op.name in run.values else "not computed"
    else:
        source = run.match.sources[op.name]
        became = ORIGINS[source.origin].format(written=", ".join(source.written))
        known = [name for name in source.written if name in run.values]
        value = range_of(run.values[known[-1]]) if known else "–"
    timing = None if written else run.executed.timings.get(op.name)
    shape = op.shapes[0] if op.shapes else None
    lengths = " × ".join("?" if n is None else str(n) for n in shape or ()) or "one number"
    line = f"line {op.line}: {op.text}" if op.line else "–"
    return {
        "operation": op.kind,
        "name": op.name,
        "written in": line,
        "takes": ", ".join(op.inputs) or "nothing",
        "value": value,
        "shape": lengths if op.shapes and shape is not None else "–",
        "time": f"{timing.total:.1f} µs, begun after {timing.start:.0f} µs" if timing else "–",
        "what became of it": became,
    }


def _edges(op: Op, side: str, places: Places, made: int) -> list[dict[str, Any]]:
    """The points of a line from each operation that hands something to this one."""
    x2, y2 = places[side, op.name]
    points: list[dict[str, Any]] = []
    for i, tensor in enumerate(op.inputs):
        name = source_of(tensor)[0]
        if (side, name) not in places:
            continue
        line = {"edge": f"{op.name} {i} {side}", "made": made}
        line |= {"from": f"{side} {name}", "to": f"{side} {op.name}"}
        way = _way(*places[side, name], x2, y2)
        turns = ["right", "down", "left", "up"]
        (xa, ya), (xb, yb) = way[-2:]
        heading = turns[0 if xb > xa and ya == yb else 2 if ya == yb else 1 if yb > ya else 3]
        points += [
            {**line, "x": x, "y": y, "order": k, "head": heading if k == len(way) - 1 else ""}
            for k, (x, y) in enumerate(way)
        ]
    return points


def _way(x: float, y: float, x2: float, y2: float) -> list[tuple[float, float]]:
    """From one box to another: past those between them, never through one of the same row."""
    if y == y2 and x2 == x + 1:
        return [(x + 0.96, y), (x2 + 0.04, y)]
    if y == y2:  # above the row
        over = y - HALF - 0.1
        return [(x + 0.6, y - HALF), (x + 0.6, over), (x2 + 0.4, over), (x2 + 0.4, y - HALF)]
    if x == x2 and abs(y2 - y) > 1:  # beside the column
        return [(x + 0.96, y), (x + 1.04, y), (x + 1.04, y2 - 0.15), (x + 0.96, y2 - 0.15)]
    down = 1 if y2 > y else -1
    return [(x + 0.5, y + HALF * down), (x2 + 0.5, y2 - HALF * down)]
