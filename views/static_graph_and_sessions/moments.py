"""What slow motion goes through on a static graph: its lines build it, then a session runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

from numpy.typing import NDArray

from engines.graphs.autograd import brief
from engines.graphs.matching import Match
from engines.graphs.static import Executed, Message, Op, Written, source_of

# There before anything is computed: what is fed, what is constant, and where variables are.
GIVEN = {"_Arg", "Const", "VarHandleOp"}
INITIALIZE = "init"  # what global_variables_initializer calls its operation

PHASES = ("build", "open", "run")  # a run is not followed by an update


class Looked(Protocol):
    """One run of a session, looked at; see engines.static_graph_and_sessions.one_run.Looked."""

    written: Written
    ran: Executed
    match: Match
    message: Message | None
    values: Mapping[str, NDArray[Any]]


Kind = Literal["build", "open", "initialize", "given", "run", "fetch", "fail"]


class Moment(NamedTuple):
    """One thing that happens.

    build: a line of the listing made these written operations. open: there is a session.
    initialize: it ran the initialiser, which is these written operations. given: these executed
    operations have their values from the start. run: this executed operation runs. fetch: these
    hand out what was fetched. fail: the run ended in an error instead.
    """

    kind: Kind
    ops: tuple[str, ...]
    line: int | None = None


def moments(looked: Looked, *, initialized: bool) -> list[Moment]:
    """All that happens, in order; what was executed, in the order in which it began.

    initialized: whether the session ran the initialiser before.
    """
    lines: dict[int | None, list[str]] = {}
    for op in looked.written.ops:
        lines.setdefault(op.line, []).append(op.name)
    built = [Moment("build", tuple(names), line) for line, names in lines.items()]
    first = tuple(initialiser(looked.written)) if initialized else ()
    opened = [Moment("open", ()), Moment("initialize", first)]
    if looked.message:
        return [*built, *opened, Moment("fail", ()), Moment("fetch", ())]
    kinds = {name: looked.ran[name].kind for name in looked.ran.order}
    given = tuple(name for name, kind in kinds.items() if kind in GIVEN)
    fetched = tuple(name for name, kind in kinds.items() if kind == "_Retval")
    runs = [Moment("run", (name,)) for name in kinds if name not in {*given, *fetched}]
    return [*built, *opened, Moment("given", given), *runs, Moment("fetch", fetched)]


def parts(happened: list[Moment]) -> tuple[int, int, int, int]:
    """How many moments each of PHASES has, and none for a fourth."""
    built = [moment.kind for moment in happened].count("build")
    return built, 2, len(happened) - built - 2, 0


def initialiser(written: Written) -> list[str]:
    """The operations that give variables their first values, in the order of their creation."""
    needed = {INITIALIZE}
    for op in reversed(written.ops):
        if op.name in needed:
            needed |= {source_of(tensor)[0] for tensor in op.inputs}
    return [op.name for op in written.ops if op.name in needed]


def runs_as(looked: Looked, op: Op) -> str:
    """The executed operation that has the value of a written one, or took over its work, or ""."""
    fate = looked.match.fates[op.name]
    if fate.status == "fed":
        return next((name for name, of in looked.ran.fed.items() if of == op.name), "")
    return fate.into or (op.name if fate.status != "pruned" else "")


def said(value: NDArray[Any] | None, digits: int = 4) -> str:
    """A number, or an array from its smallest to its largest, as text for a page."""
    if value is None or value.size == 0:
        return brief(value)
    low, high = (
        f"{float(end) + 0.0:.{digits}g}".replace("-", "−") for end in (value.min(), value.max())
    )
    return low if low == high else f"{low} to {high}"
