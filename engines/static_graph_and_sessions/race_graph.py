"""The part of a graph in which w is read and assigned, for the listing of race.py.

Source: experiment E7, its second listing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engines.graphs.autograd import Graph
from engines.graphs.read_tensorflow import written
from engines.graphs.static import source_of, to_graph
from engines.listing import waiting
from engines.problem import preset
from engines.static_graph_and_sessions.race import Reads, train


def around(reads: Reads) -> tuple[Graph, Mapping[int, str], Sequence[int]]:
    """TensorFlow's operations from the variable w to what is fetched of it, as they were written.

    The way through the gradient is left out, and what belongs to b.
    Returns the graph, whose first node is w; by id, the name of what is fetched there, w or new_w;
    and the places in `graph.edges` of those that hand nothing over and only say what runs first.
    """
    listing: Any = train(preset("session_article"), steps=0, learning_rate=0.01, reads=reads)
    with waiting(listing) as held:

        def operation(name: str) -> str:
            return str(held["graph"].as_graph_element(held[name]).op.name)

        fetched = {operation("w_read"): "w", operation("new_w"): "new_w"}
        grad_w, ops = operation("grad_w"), written(held["graph"], train).ops

    def sources(tensors: Sequence[str]) -> set[str]:
        return {source_of(tensor)[0] for tensor in tensors}

    # Each operation is written after those it takes from: once down, once up.
    from_w = {"w"}
    for op in ops:
        if op.name != grad_w and sources(op.data) & from_w:
            from_w.add(op.name)
    needed = set(fetched)
    for op in reversed(ops):
        if op.name in needed:
            needed |= sources(op.inputs) & from_w
    kept = [
        replace(op, inputs=tuple(one for one in op.inputs if source_of(one)[0] in needed))
        for op in ops
        if op.name in needed
    ]
    number = {op.name: i for i, op in enumerate(kept)}
    inputs = [tensor for op in kept for tensor in op.inputs]
    only_order = [place for place, tensor in enumerate(inputs) if tensor.startswith("^")]
    return to_graph(kept), {number[op]: name for op, name in fetched.items()}, only_order
