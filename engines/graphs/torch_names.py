"""The names by which a listing reaches its tensors: variables, items, attributes, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from types import FrameType, ModuleType
from typing import Any

import torch

from engines.graphs.torch_tensors import is_leaf, memory

Variables = list[tuple[str, Any]]
MOST = 32  # items of a container that are inspected
LIBRARIES = ("torch", "numpy", "builtins", "types", "functools")  # whose objects are not inspected


def variables_of(frame: FrameType) -> Variables:
    """The tensors that a listing can name: w, layers[0], p['a'], line.w, model.0.weight."""
    return [one for name, value in held_by(frame).items() for one in _within(name, value)]


def tensors_of(frame: FrameType) -> Variables:
    """As `variables_of`, but only what is a tensor itself or stands in a container of them."""
    named: Variables = []
    for name, value in held_by(frame).items():
        if isinstance(value, torch.Tensor):
            named.append((name, value))
        elif isinstance(value, list | tuple | dict):
            named += _within(name, value, 1)
    return named


def held_by(frame: FrameType) -> dict[str, Any]:
    """What a frame has names for: its variables, and the globals that its code reads."""
    held: dict[str, Any] = {}
    if frame.f_code.co_flags & CO_OPTIMIZED:  # a function's, which are not a module's or a class's
        local = frame.f_locals
        held = dict(local)
        if isinstance(local, dict):
            local.clear()  # up to Python 3.12 the frame keeps this copy, and every tensor in it
    read = [name for name in frame.f_code.co_names if name in frame.f_globals]
    return held | {name: frame.f_globals[name] for name in read if name not in held}


def _within(name: str, value: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """The tensors in a value and what leads to each: through items and attributes, so many deep."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, torch.nn.Module):
        yield from ((f"{name}.{inner}", tensor) for inner, tensor in value.named_parameters())
    elif depth:
        for inner, one in inside(value):
            yield from _within(name + inner, one, depth - 1)


def inside(value: Any) -> list[tuple[str, Any]]:
    """What a container or an object of the listing's own holds, and how it is written."""
    if isinstance(value, list | tuple | dict):
        if len(value) >= MOST:  # a whole history, or a file of data
            return []
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [(f"[{key!r}]", one) for key, one in pairs]
    own = getattr(value, "__dict__", None)
    kind = type(value)
    if (
        not isinstance(own, dict)
        or kind is ModuleType
        or kind.__module__.split(".")[0] in LIBRARIES
    ):
        return []
    return [(f".{inner}", one) for inner, one in [*own.items()][:MOST]]


def name_of(tensor: Any, variables: Variables) -> str:
    """The first name of a tensor; "" where it has none. A result's own, rather than a place's."""
    names = [name for name, variable in variables if variable is tensor]
    is_result = tensor._is_view() or not tensor.is_leaf
    own = [name for name in names if name.isidentifier() and is_result]
    return (own or names or [""])[0]


def parameter_of(tensor: Any, variables: Variables) -> str:
    """The leaf, or the gradient of a leaf, whose memory this is: w.data is w, too."""
    if (place := memory(tensor)) is not None:
        for name, leaf in variables:
            if is_leaf(leaf):
                if memory(leaf) == place:
                    return name
                if leaf.grad is not None and memory(leaf.grad) == place:
                    return f"{name}.grad"
    return ""
