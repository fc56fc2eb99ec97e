"""What the nodes of PyTorch's graph tell by themselves, and what can be reached from them."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from types import FrameType
from typing import Any

import torch

from engines.graphs.autograd import Array, Node
from engines.graphs.torch_tensors import Copy
from engines.listing import outward

SAVED = ("_saved_", "saved_tensors")  # attributes of nodes; the second is a custom Function's
APPLY = torch.autograd.Function.apply.__func__.__code__


def behind(nodes: list[Any], key: object, known: Container[int]) -> list[Any]:
    """These nodes and those they came from, oldest first, except known ones and what is behind.

    key: of a recorder, under which the metadata of a node that it has seen has its number.
    """
    found: dict[Any, None] = {}
    for node in nodes:  # which grows
        seen = node is None or (key in node.metadata and node.metadata[key].number in known)
        if not seen and node not in found:
            found[node] = None
            nodes += [origin for origin, _ in node.next_functions]
    # An accumulator has no place in the sequence. It is made for the first node that needs it.
    return sorted(found, key=lambda node: (not hasattr(node, "variable"), node._sequence_nr()))


def kept(node: Any, copied: Copy) -> tuple[dict[str, Any], dict[str, float]]:
    """What a node keeps for its backward and still has: tensors, and numbers."""
    found: dict[str, Any] = {}
    numbers: dict[str, float] = {}
    for attribute in [name for name in dir(node) if name.startswith(SAVED)]:
        try:
            value = getattr(node, attribute)
        except RuntimeError:  # freed, or changed in place
            continue
        name = attribute.removeprefix("_saved_")
        if isinstance(value, int | float) and not isinstance(value, bool):
            numbers[name] = value - 2**64 if value >= 2**63 else value  # the dimension -1
        for i, tensor in enumerate(tensors(value)):
            found[name if tensor is value else f"{name}[{i}]"] = copied(tensor)
    return found, numbers


def tensors(value: Any) -> Iterator[Any]:
    """Every tensor in nested lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from tensors(item)


def with_output(node: Node, number: int, name: str, value: Array | None) -> Node:
    """The node, with what is now known of one of its outputs."""
    outputs = list(node.outputs)
    outputs[number] = replace(outputs[number], name=outputs[number].name or name, value=value)
    return replace(node, outputs=tuple(outputs))


def function_caller(frame: FrameType) -> FrameType | None:
    """The frame that calls the custom Function within which this one runs; None where none does.

    Where one calls another, it is the outermost.
    """
    callers = [one.f_back for one in outward(frame) if one.f_code is APPLY]
    return callers[-1] if callers else None
