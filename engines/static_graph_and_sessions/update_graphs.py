"""The graphs that three ways to write an update build: as written, and as a session runs them.

Source: experiment E8. The listings: update_styles.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from engines.graphs.autograd import brief
from engines.graphs.read_tensorflow import executed, written
from engines.graphs.static import Executed, Op, source_of
from engines.listing import waiting
from engines.problem import Problem
from engines.static_graph_and_sessions.update_styles import train


class Built(NamedTuple):
    """The graph of one way to write the update.

    text: all of it, as written: equal texts are equal graphs. written, ran: how many operations
    there are of each kind, as written and when a session runs the update alone.
    update: how w is updated, see `update_of`.
    """

    text: str
    written: Mapping[str, int]
    ran: Mapping[str, int]
    update: str


def build(problem: Problem, style: str, between: str = "nothing") -> Built:
    """Build the graph and run it a few times. Raises what `tf_update_styles.train` raises."""
    rate = problem.learning_rate
    listing: Any = train(problem, steps=1, learning_rate=rate, style=style, between=between)
    with waiting(listing) as held:  # the session is open, and its variables have values
        whole = written(held["graph"])
        ran = executed(held["session"], held["update"], {})
    return Built(whole.to_text(), _kinds(whole.ops), _kinds(ran.ops), update_of(ran, "w"))


def update_of(ran: Executed, variable: str) -> str:
    """What writes to a variable, and below it, further in, what each operation takes, as a text.

    The way back ends at the variable, at constants, and at the gradient.
    """
    [writer] = (
        op for op in ran.ops if variable in op.data and not op.kind.startswith("ReadVariable")
    )
    return "\n".join(_tree(ran, writer))


def _tree(ran: Executed, op: Op) -> list[str]:
    if op.kind == "Const":
        return [brief(op.value)]
    if op.name.startswith("gradients/"):  # where TensorFlow puts what computes a gradient
        return ["the gradient"]
    if op.kind == "VarHandleOp":
        return [f"variable {op.name}"]
    lines = [op.kind]
    *others, last = [_tree(ran, ran[source_of(tensor)[0]]) for tensor in op.data]
    for first, *below in others:
        lines += [f"├─ {first}", *(f"│  {line}" for line in below)]
    first, *below = last
    return [*lines, f"└─ {first}", *(f"   {line}" for line in below)]


def _kinds(ops: Iterable[Op]) -> Mapping[str, int]:
    return Counter(op.kind for op in ops)
