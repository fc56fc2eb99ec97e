"""What slow motion goes through on a static graph: its lines build it, then a session runs it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray

from engines.graphs.autograd import brief
from engines.graphs.static import Op, Written, source_of
from engines.static_graph_and_sessions.one_run import Run
from views.ui.numbers import number

# There before anything is computed: what is fed, what is constant, and where variables are.
GIVEN = {"_Arg", "Const", "VarHandleOp"}
INITIALIZE = "init"  # what global_variables_initializer calls its operation

Kind = Literal["build", "open", "initialize", "given", "run", "fetch", "fail"]


class Event(NamedTuple):
    """One thing that happens.

    build: a line of the listing made these written operations. open: there is a session.
    initialize: it ran the initialiser, which is these written operations. given: these executed
    operations have their values from the start. run: this executed operation runs. fetch: these
    hand out what was fetched. fail: the run ended in an error instead.
    """

    kind: Kind
    ops: tuple[str, ...]


def events(run: Run) -> list[Event]:
    """All that happens, in order; what was executed, in the order in which it began."""
    lines: dict[int | None, list[str]] = {}
    for op in run.written.ops:
        lines.setdefault(op.line, []).append(op.name)
    built = [Event("build", tuple(names)) for names in lines.values()]
    first = tuple(initialiser(run.written)) if run.request.initializes else ()
    opened = [Event("open", ()), Event("initialize", first)]
    if run.message:
        return [*built, *opened, Event("fail", ()), Event("fetch", ())]
    kinds = {name: run.executed[name].kind for name in run.executed.order}
    given = tuple(name for name, kind in kinds.items() if kind in GIVEN)
    fetched = tuple(name for name, kind in kinds.items() if kind == "_Retval")
    runs = [Event("run", (name,)) for name in kinds if name not in {*given, *fetched}]
    return [*built, *opened, Event("given", given), *runs, Event("fetch", fetched)]


def initialiser(written: Written) -> list[str]:
    """The operations that give variables their first values, in the order of their creation."""
    needed = {INITIALIZE}
    for op in reversed(written.ops):
        if op.name in needed:
            needed |= {source_of(tensor)[0] for tensor in op.inputs}
    return [op.name for op in written.ops if op.name in needed]


def runs_as(run: Run, op: Op) -> str:
    """The executed operation that has the value of a written one, or took over its work, or ""."""
    fate = run.match.fates[op.name]
    if fate.status == "fed":
        return next((name for name, fed in run.executed.fed.items() if fed == op.name), "")
    return fate.into or (op.name if fate.status != "pruned" else "")


def range_of(value: NDArray[Any] | None, digits: int = 4) -> str:
    """A number, or an array from its smallest to its largest, as text for a page."""
    if value is None or value.size == 0:
        return brief(value)
    low, high = (number(float(end), digits) for end in (value.min(), value.max()))
    return low if low == high else f"{low} to {high}"
