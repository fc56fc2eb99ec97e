"""A graph with its data baked in beside the mended one: what each does when other data are fed.

Source: experiment E7, its first listing (baked_in.py) and the mended one (tf_session.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engines.graphs.autograd import Graph
from engines.graphs.matching import match
from engines.graphs.read_tensorflow import executed, written
from engines.graphs.static import Written, source_op, to_graph
from engines.listing import waiting
from engines.problem import Problem
from engines.regression import tf_session
from engines.static_graph_and_sessions import baked_in
from engines.trace import Step, Trace, record

LISTINGS = {"baked_in": baked_in.train, "mended": tf_session.train}
READ = "ReadVariableOp"
PLACEHOLDERS = {"baked_in": ("x1", "y1"), "mended": ("x", "y")}


def train(name: str, problem: Problem, fed: Problem, *, steps: int, learning_rate: float) -> Trace:
    """Run one of LISTINGS, written for the data of `problem`, with the data of `fed`.

    fed: like problem, but for x and y. Raises KeyError for any other name.
    """
    return record(_steps(name, problem, fed, steps=steps, learning_rate=learning_rate))


def _steps(name: str, problem: Problem, fed: Problem, **settings: Any) -> Iterator[Step]:
    if name == "baked_in":
        return baked_in.train(problem, fed=fed, **settings)
    return LISTINGS[name](fed, **settings)


@dataclass(frozen=True, eq=False)
class Found:
    """The graph of a listing, and what a session makes of it for the loss.

    graph: what the loss is computed from, and the placeholders; a variable and the operations that
    read it are one node. placeholders: by name, the id in that graph.
    takers: by name of a placeholder, the operations of the whole graph that take from it.
    fates: by name of a placeholder, as engines.graphs.matching.Fate says.
    arrays: by id in that graph, how many numbers a constant holds, if it is more than one.
    data_size, size: of these constants, and of the whole graph as TensorFlow saves it, in bytes.
    written, ran: how many operations were written, and how many ran for the loss.
    """

    graph: Graph
    placeholders: Mapping[str, int]
    takers: Mapping[str, tuple[str, ...]]
    fates: Mapping[str, str]
    arrays: Mapping[int, int]
    data_size: int
    size: int
    written: int
    ran: int


def graph_of(name: str, problem: Problem) -> Found:
    """Build one of LISTINGS for the data of `problem`, and fetch its loss once.

    Raises KeyError for any other name.
    """
    placeholders = PLACEHOLDERS[name]
    listing: Any = _steps(name, problem, problem, steps=0, learning_rate=0.0)
    with waiting(listing) as names:
        as_written = written(names["graph"])
        feeds = dict(zip((names[one] for one in placeholders), (problem.x, problem.y), strict=True))
        ran = executed(names["session"], names["loss"], feeds)
        fates = match(as_written, ran).fates
        needed = _needed(as_written, names["loss"].op.name) | set(placeholders)
        size = names["graph"].as_graph_def().ByteSize()
    # A variable is drawn as one node with the operations that read it.
    reads = {op.name: source_op(op.inputs[0]) for op in as_written.ops if op.kind == READ}
    drawn = [
        replace(op, inputs=tuple(reads.get(source_op(tensor), tensor) for tensor in op.inputs))
        for op in as_written.ops
        if op.name in needed and op.kind != READ
    ]
    number = {op.name: i for i, op in enumerate(drawn)}
    arrays = {op.name: op.value for op in drawn if op.value is not None and op.value.size > 1}
    return Found(
        graph=to_graph(drawn),
        placeholders={one: number[one] for one in placeholders},
        takers={
            one: tuple(op.name for op in as_written.ops if one in map(source_op, op.data))
            for one in placeholders
        },
        fates={one: fates[one].status for one in placeholders},
        arrays={number[one]: value.size for one, value in arrays.items()},
        data_size=sum(value.nbytes for value in arrays.values()),
        size=size,
        written=len(as_written.ops),
        ran=len(ran.ops),
    )


def _needed(graph: Written, name: str) -> set[str]:
    """The names of an operation and of all that its value is computed from."""
    return {name}.union(*(_needed(graph, source_op(tensor)) for tensor in graph[name].data))
