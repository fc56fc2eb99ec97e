"""The graph of the listing in boxes that can be read: an operation in each, with what serves it.

A gradient takes dozens of operations. Those that lead back through one operation are one box.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from engines.graphs.static import Op, Written, source_op


class Box(NamedTuple):
    """A box in the picture. main: the operation whose result it is named after, and that is
    fetched with it. x, y: its column and its row. says: what it computes, as a reader would.
    """

    main: str
    x: int
    y: int
    says: str


# By name in the address. What is fed and the variables stand at the left, then the way forward,
# down to the loss; beside it the way back, up to the gradients; and what updates at the right.
REGRESSION = {
    "x": Box("x", 0, 0, "x"),
    "w": Box("w/Read/ReadVariableOp", 0, 1, "w"),
    "b": Box("b/Read/ReadVariableOp", 0, 2, "b"),
    "y": Box("y", 0, 3, "y"),
    "power": Box("pow", 1, 0, "x**power"),
    "product": Box("mul", 1, 1, "w * x**power"),
    "y_pred": Box("add", 1, 2, "y_pred"),
    "residual": Box("sub", 1, 3, "y_pred - y"),
    "squared": Box("pow_1", 1, 4, "(…) ** 2"),
    "sum": Box("Sum", 1, 5, "reduce_sum"),
    "loss": Box("mul_1", 1, 6, "loss"),
    "grad_sum": Box("gradients/mul_1_grad/Mul_1", 2, 6, "grad_sum"),
    "grad_squared": Box("gradients/Sum_grad/Tile", 2, 5, "grad_squared"),
    "grad_residual": Box("gradients/pow_1_grad/mul_1", 2, 4, "grad_residual"),
    "grad_y_pred": Box("gradients/sub_grad/Reshape", 2, 3, "grad_y_pred"),
    "grad_b": Box("gradients/add_grad/Reshape", 2, 2, "grad_b"),
    "grad_w": Box("gradients/mul_grad/Reshape", 2, 1, "grad_w"),
    "new_w": Box("ReadVariableOp_2", 3, 1, "new_w"),
    "new_b": Box("ReadVariableOp_4", 3, 2, "new_b"),
    "initialize": Box("init", 0, 5, "initialize"),
}
SUM = {
    "a": Box("a", 0, 0, "a"),
    "b": Box("b", 2, 0, "b"),
    "c": Box("c", 1, 1, "c"),
    "initialize": Box("init", 2, 2, "initialize"),
}
BOXES: Mapping[str, Mapping[str, Box]] = {"sum": SUM, "regression": REGRESSION}
SERVES = {"Const", "ReadVariableOp"}  # belongs to the operation that takes from it


def box_of(written: Written, boxes: Mapping[str, Box]) -> dict[str, str]:
    """By name of each operation, the box that it is in."""
    named = {box.main: name for name, box in boxes.items()}
    by_line = {written[main].line: name for main, name in named.items()}
    back = {written[box.main].forward: name for name, box in boxes.items()}
    first_user: dict[str, Op] = {}
    for op in written.ops:
        for tensor in op.data:
            first_user.setdefault(source_op(tensor), op)
    found: dict[str, str] = {}
    for op in reversed(written.ops):  # those that take from it come later
        user = first_user.get(op.name)
        if op.name in named:
            found[op.name] = named[op.name]
        elif op.forward in back and op.forward:
            found[op.name] = back[op.forward]
        elif op.kind in SERVES and user and user.line == op.line and user.name in found:
            found[op.name] = found[user.name]
        else:
            found[op.name] = found[user.name] if user and user.line == op.line else by_line[op.line]
    return found


def edges(written: Written, inside: Mapping[str, str]) -> list[tuple[str, str]]:
    """From which box to which something is handed, or an order is kept."""
    between = {
        (inside[source_op(tensor)], inside[op.name]): None
        for op in written.ops
        for tensor in op.inputs
    }
    return [(source, target) for source, target in between if source != target]
