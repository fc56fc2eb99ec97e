"""What the graphs of tf_cells.py look like, as written, and as a session really ran them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import tensorflow as tf

from engines.graphs.autograd import Graph
from engines.graphs.read_tensorflow import executed, written
from engines.graphs.static import Executed, Op, Ops, source_op, to_graph
from engines.recurrent.tf_cells import (
    Array,
    Cell,
    Learnt,
    feeds,
    learn,
    looped,
    rewritten,
    unrolled,
)

NAMED = {"t", "h"}  # constants that the listings give a name
SHORT = {  # fits a box
    "StatelessWhile": "While",
    "StatelessIf": "If",
    "NextIteration": "Next",
    "Identity": "Id",
    "GatherV2": "Gather",
}


def count(letters: int) -> tuple[int, int]:
    """How many operations the graph with the loop has written, and how many the unrolled one.

    Those inside the loop and the branches are counted, too.
    """
    return total(written(looped().graph)), total(written(unrolled(letters).graph))


def total(ops: Ops) -> int:
    """How many operations, with those inside them."""
    return sum(1 + sum(map(total, op.bodies.values())) for op in ops.ops)


class Ran(NamedTuple):
    """What one run of a session executed: how many operations, and how often they ran in all."""

    ops: int
    runs: int


class Group(NamedTuple):
    """Operations of one kind inside the executed loop: how many, and how often each ran."""

    kind: str
    ops: int
    runs: int


class Reading(NamedTuple):
    """A word, read by each of the graphs.

    learnt: by name, what came of it. ran: what a run of the loop's graph and one of the unrolled
    graph executed. groups: what the loop became. path: the operations that h passes in the
    loop, their kinds as in SHORT, without the edge back to the next iteration. runs: by id, how
    often each of these ran.
    branches: by "then" and "else", what is in it, with microseconds, None for what did not run.
    """

    learnt: Mapping[str, Learnt]
    ran: tuple[Ran, Ran]
    groups: Sequence[Group]
    path: Graph
    runs: Mapping[int, int]
    branches: Mapping[str, Sequence[tuple[str, float | None]]]


def in_every_graph(x_value: Array, *values: Array) -> Reading:
    """Read a word with each of the graphs, and say what a session made of the loop.

    x_value: as torch_cell.encode returns it, at least one letter. values: of u, w and b.
    """
    word, letters = (x_value, *values), len(x_value)
    learnt = {
        "loop": learn(looped(), *word),
        "unrolled": learn(unrolled(letters), *word),
        "rewritten": rewritten(*word),
    }
    loop, straight = _executed(looped(), *word), _executed(unrolled(letters), *word)
    path, names = _path_of_h(loop)
    passed = [op.name for op in loop.ops if op.name in path]
    return Reading(
        learnt,
        (_ran(loop), _ran(straight)),
        _groups(loop),
        _part(loop, path, names),
        {i: loop.timings[name].runs for i, name in enumerate(passed)},
        {name: _branch(loop, f"cond/{name}/") for name in ("then", "else")},
    )


def _executed(cell: Cell, *word: Array) -> Executed:
    with closing(tf.compat.v1.Session(graph=cell.graph)) as session:
        return executed(session, [cell.loss], feeds(cell, *word))


def _ran(run: Executed) -> Ran:
    return Ran(len(run.ops), sum(timing.runs for timing in run.timings.values()))


def _groups(run: Executed) -> list[Group]:
    """What is in the loop, those that began first before others."""
    names = [name for name in run.order if name.startswith("while/")]
    counts = Counter((run[name].kind, run.timings[name].runs) for name in names)
    return [Group(kind, ops, runs) for (kind, runs), ops in counts.items()]


def _path_of_h(run: Executed) -> tuple[set[str], dict[str, str]]:
    """What h passes between entering the loop and leaving it; and names for where it comes in."""
    [out] = [op for op in run.ops if op.kind == "Exit"]
    switch = run[source_op(out.data[0])]
    merge = run[source_op(switch.data[0])]
    starts = [source_op(merge.data[0]), source_op(switch.data[1])]
    after = {merge.name}
    for op in run.ops:  # each after those it takes from
        if op.name.startswith("while/") and after & {source_op(name) for name in op.data}:
            after.add(op.name)
    return {*starts, *after}, {name: run[name].kind for name in starts}


def _branch(run: Executed, prefix: str) -> list[tuple[str, float | None]]:
    """The operations whose names begin so, with microseconds, None for one that did not run."""
    ops = [op for op in run.ops if op.name.startswith(prefix)]
    times = [run.timings.get(op.name) for op in ops]
    return [(op.kind, time.total if time else None) for op, time in zip(ops, times, strict=True)]


# ---- As written, small enough to be drawn


def drawings(letters: int) -> dict[str, Graph]:
    """Small graphs: "loop", its "body", and "unrolled", up to the last h of so many letters.

    What leads to nothing is left out, and so are constants that have no name in the listing. Kinds
    are as in SHORT.
    """
    loop, straight = written(looped().graph), written(unrolled(letters).graph)
    body = loop["while"].bodies["body"]
    # What an iteration takes, in the same order as the loop, under the loop's names for it.
    taken = [op.name for op in body.ops if op.kind == "Placeholder"]
    names = dict(zip(taken, loop["while"].inputs, strict=True))
    ends = {
        "loop": (loop, "cond/Identity", {}),
        "body": (body, "Tanh", names),
        "unrolled": (straight, "Tanh" if letters == 1 else f"Tanh_{letters - 1}", {}),
    }
    return {name: _part(ops, _leading_to(end, ops), its) for name, (ops, end, its) in ends.items()}


def _leading_to(end: str, ops: Ops) -> set[str]:
    kept, waiting = {end}, [end]
    while waiting:
        for name in {source_op(tensor) for tensor in ops[waiting.pop()].inputs} - kept:
            if ops[name].kind != "Const" or name in NAMED:
                kept.add(name)
                waiting.append(name)
    return kept


def _part(ops: Ops, kept: Set[str], names: Mapping[str, str]) -> Graph:
    """Some of the operations, some under other names, without edges that lead backwards."""
    part: dict[str, Op] = {}
    for op in ops.ops:
        if op.name in kept:
            inputs = [names.get(name, name) for name in op.inputs if source_op(name) in part]
            name = names.get(op.name, op.name)
            kind = SHORT.get(op.kind, op.kind)
            part[op.name] = replace(op, name=name, kind=kind, inputs=tuple(inputs))
    return to_graph(list(part.values()))
