"""A graph of any size in few boxes: the nodes of a module are one, until it is opened.

What a box stands for ran in one piece: nodes one after another in the order of their making. So
nothing leads out of a box and back into it, and a module that ran twice is two boxes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from engines.graphs.autograd import Edge, Graph, Node
from views.graphs.small_graph import FOLD, KEPT, folded, repetitions

LEAF = "AccumulateGrad"  # PyTorch's name for what adds up a parameter's gradient
MODULE, LINE = "Module", "Line"  # kinds of nodes that stand for several
FEW = 30  # boxes that can be read at once
NEAR = 3  # boxes on either side of what is open
TRIES = 80  # modules that are opened to see whether there is room


class Boxes(NamedTuple):
    """A graph to be drawn. graph: its boxes as nodes, each with the id of the oldest node in it.

    of: by id of a node, that of its box. closed: by id of a box that is a module, its path.
    """

    graph: Graph
    of: Mapping[int, int]
    closed: Mapping[int, str]


def in_boxes(graph: Graph, modules: Mapping[str, str], within: str = "") -> Boxes:
    """The graph in a few boxes, with modules opened as far as there is room.

    modules: by path, their classes. within: a module that is open in any case, with all around it.
    Modules of one class that are equally deep are opened together, or none of them.
    """
    paths = {node.id: _above(node.module, modules) for node in graph.nodes}
    opened = {within, *_above(within, modules)}
    groups, tried = _near(_groups(graph, paths, opened), within), set[Any]()
    best = _drawn(graph, groups, folds=not within)

    def rank(path: str) -> Any:
        return path.count("."), modules[path]

    while len(tried) < TRIES:
        closed = {path for path, _, nodes in groups if path and len(nodes) > 1}
        if within:  # what is around it stays as it is
            closed = {path for path in closed if path.startswith(f"{within}.")}
        ranks = sorted({rank(path) for path in closed} - tried)
        if not ranks:
            break
        tried.add(ranks[0])
        alike = {path for path in closed if rank(path) == ranks[0]}
        more = _near(_groups(graph, paths, opened | alike), within)
        drawn, by_lines = _drawn(graph, more, folds=not within), any(line for _, line, _ in more)
        if len(drawn.graph.nodes) <= FEW and (by_lines <= any(line for _, line, _ in groups)):
            opened, groups, best = opened | alike, more, drawn
    return best


def _above(path: str, modules: Mapping[str, str]) -> tuple[str, ...]:
    """A module and those that it is in, the outermost first."""
    ends = [i for i, letter in enumerate(path) if letter == "."] + [len(path)] * bool(path)
    return tuple(path[:end] for end in ends if path[:end] in modules)


Group = tuple[str, str, list[Node]]  # the path of a closed module or "", the line or "", its nodes


def _groups(
    graph: Graph, paths: Mapping[int, tuple[str, ...]], opened: Collection[str]
) -> list[Group]:
    """The operations, in their order, in pieces. Each that belongs to no closed module is one."""
    operations = [node for node in graph.nodes if node.kind != LEAF]

    def closed(node: Node) -> str:
        return next((path for path in paths[node.id] if path not in opened), "")

    groups: list[Group] = []
    for path, run in groupby(operations, key=closed):
        nodes = list(run)
        groups += [(path, "", nodes)] if path else [("", "", [node]) for node in nodes]
    loose = sum(not path for path, _, _ in groups)
    return _by_lines(groups) if loose > 3 * FEW else groups


def _near(groups: list[Group], within: str) -> list[Group]:
    """The same pieces; where there are many, those far from what is open are two, before and after.

    Else the repetitions of a model's layers would be folded, and what is open among them.
    """
    inside = [
        i
        for i, (_, _, nodes) in enumerate(groups)
        if any(f"{node.module}.".startswith(f"{within}.") for node in nodes)
    ]
    if not within or not inside or len(groups) <= 2 * FEW:
        return groups
    first, end = max(0, inside[0] - NEAR), inside[-1] + 1 + NEAR
    before, after = (
        [("", f"{len(some)} boxes {where}", [node for one in some for node in one[2]])]
        if len(some) > 1
        else some
        for some, where in ((groups[:first], "before"), (groups[end:], "after"))
    )
    return [*before, *groups[first:end], *after]


def _by_lines(groups: list[Group]) -> list[Group]:
    """The same pieces, and what belongs to no module in one piece for each line that ran."""
    lines: list[Group] = []
    for (path, line), some in groupby(
        groups, key=lambda one: (one[0], "" if one[0] else f"line {one[2][0].line}")
    ):
        found = list(some)
        lines += found if path else [("", line, [node for one in found for node in one[2]])]
    return lines


def _homes(graph: Graph, groups: Iterable[Group]) -> dict[int, int]:
    """By id of a node, that of its box. A leaf is in the one box that uses it, if that is several.

    Else it is a box of its own.
    """
    of: dict[int, int] = {}
    several: set[int] = set()
    for path, line, nodes in groups:
        number = min(node.id for node in nodes)
        of |= dict.fromkeys((node.id for node in nodes), number)
        if path or line:
            several.add(number)
    users: dict[int, set[int]] = {}
    for edge in graph.edges:
        if edge.source not in of:
            users.setdefault(edge.source, set()).add(of[edge.target])
    for node in graph.nodes:
        if node.id not in of:
            using = users.get(node.id, set())
            alone = len(using) != 1 or not using <= several
            of[node.id] = node.id if alone else next(iter(using))
    return of


def _drawn(graph: Graph, groups: Iterable[Group], *, folds: bool) -> Boxes:
    """The boxes as a graph of their own.

    folds: whether the repetitions of a loop in the middle become one.
    """
    of = _homes(graph, groups)
    sizes, again = Counter(of.values()), Counter[Any]()
    nodes: dict[int, Node] = {}
    closed: dict[int, str] = {}
    for path, line, run in groups:
        number, last = of[run[0].id], run[-1]
        box = last
        if sizes[number] > 1:
            closed |= {number: path} if path else {}
            kind, counts = MODULE if path else LINE, {"nodes": sizes[number]}
            # Of layers that are numbered each is one more repetition.
            text = re.sub(r"\d+", "n", path) if path else line
            box = replace(last, id=number, kind=kind, text=text, saved={}, settings=counts)
        nodes[number] = replace(box, repetition=again[box.kind, box.line, box.text])
        again[box.kind, box.line, box.text] += 1
    nodes |= {n.id: n for n in graph.nodes if of[n.id] == n.id and n.id not in nodes}
    edges: dict[tuple[int, int, int], Edge] = {}
    for edge in graph.edges:
        source, target = of[edge.source], of[edge.target]
        if source != target:
            single = nodes[target].kind not in (MODULE, LINE)
            key = source, target, edge.argument if single else 0
            edges.setdefault(key, replace(edge, source=source, target=target))
    whole = Graph(tuple(nodes[n] for n in sorted(nodes)), tuple(edges.values()))
    if not folds or len(whole.nodes) <= FEW or repetitions(whole) <= 2 * KEPT:
        return Boxes(whole, of, closed)
    part = folded(whole)
    drawn = {n.id for n in part.nodes}
    [fold] = [n.id for n in part.nodes if n.kind == FOLD]
    inside = {one: box if box in drawn else fold for one, box in of.items()}
    counts = {"nodes": sum(box == fold for box in inside.values())}
    parts = [
        replace(n, settings={**n.settings, **counts}) if n.id == fold else n for n in part.nodes
    ]
    shown = {number: path for number, path in closed.items() if number in drawn - {fold}}
    return Boxes(Graph(tuple(parts), part.edges), inside, shown)
