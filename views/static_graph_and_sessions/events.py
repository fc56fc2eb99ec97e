"""What happens between a line of Python and a number: build, ask, walk back, rewrite, run.

The walk is the session's: from what is fetched back along the inputs, up to what is fed, to
variables and to constants. What it does not reach does not run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import cached_property
from typing import Literal, NamedTuple

from engines.graphs.static import source_op
from engines.static_graph_and_sessions.one_run import Run
from views.static_graph_and_sessions.boxes import BOXES, Box, box_of, edges

# There before anything is computed: what is fed, what is constant, and where variables are.
GIVEN = {"_Arg", "Const", "VarHandleOp"}
CHANGED = ("rewritten", "fused", "reordered")
TIDIED = ("folded", "merged")

Kind = Literal[
    "build",
    "open",
    "ask",
    "reach",
    "leave",
    "fuse",
    "rewrite",
    "tidy",
    "given",
    "run",
    "fetch",
    "fail",
]
BEFORE, WALKING, RUNNING = range(3)  # the phases of the player; nothing is updated
PHASE: dict[Kind, int] = {
    **dict.fromkeys(("build", "open", "ask"), BEFORE),
    **dict.fromkeys(("reach", "leave"), WALKING),
    **dict.fromkeys(("fuse", "rewrite", "tidy", "given", "run", "fetch", "fail"), RUNNING),
}


class Event(NamedTuple):
    """One thing that happens, and in which boxes.

    build: a line of the listing made an operation. open: there is a session. ask: it is asked for
    something. reach: its walk comes to a box. leave: the walk is over. fuse: what was written in
    these boxes becomes one operation, `into`. rewrite: in each of these another operation, such as
    `into`, takes its place. tidy: what that leaves without work is left out.
    given: what needs no work is there. run: all that is needed of a box has run. fetch: the result
    is handed out. fail: the run ends in an error instead.
    """

    kind: Kind
    boxes: tuple[str, ...]
    into: str = ""


class Course:
    """The course of a run, box by box."""

    def __init__(self, run: Run, *, built: bool) -> None:
        """built: whether the graph is there already; else its lines build it first."""
        self.run, self.built = run, built
        self.boxes: Mapping[str, Box] = BOXES[run.request.listing]
        self.inside = box_of(run.written, self.boxes)
        self.edges = edges(run.written, self.inside)

    @cached_property
    def fetched(self) -> tuple[str, ...]:
        """The boxes that are asked for."""
        return tuple(name for name in self.run.request.fetches if name in self.boxes)

    @cached_property
    def fed(self) -> set[str]:
        """The operations at which the walk ends, because their values are handed in."""
        placeholders = {op.name for op in self.run.written.ops if op.kind == "Placeholder"}
        fed_too = {"y_pred": {self.boxes["y_pred"].main}} if "y_pred" in self.boxes else {}
        return placeholders | fed_too.get(self.run.request.feeds, set())

    @cached_property
    def reached(self) -> tuple[str, ...]:
        """The operations that the walk comes to, in its order."""
        waiting = deque(self.boxes[name].main for name in self.fetched)
        found = dict.fromkeys(waiting)
        while waiting:
            name = waiting.popleft()
            for tensor in () if name in self.fed else self.run.written[name].inputs:
                source = source_op(tensor)
                if source not in found:
                    found[source] = None
                    waiting.append(source)
        return tuple(found)

    @cached_property
    def needed(self) -> dict[str, int]:
        """By box that is reached, how many of its operations are."""
        counts: dict[str, int] = {}
        for op in self.reached:
            counts[self.inside[op]] = counts.get(self.inside[op], 0) + 1
        return counts

    @cached_property
    def events(self) -> list[Event]:
        """All that happens, in order; what runs, in the order in which it did."""
        built: list[Event] = []
        if not self.built:
            made = dict.fromkeys(self.inside[op.name] for op in self.run.written.ops)
            built = [*(Event("build", (name,)) for name in made), Event("open", ())]
        walked = [Event("reach", (name,)) for name in self.needed]
        asked = [Event("ask", self.fetched), *walked, Event("leave", ())]
        if self.run.message:
            return [*built, *asked, Event("fail", (), self.run.message.operation)]
        return [*built, *asked, *self._rewritten(), *self._runs(), Event("fetch", self.fetched)]

    def _rewritten(self) -> list[Event]:
        fates = self.run.match.fates
        changed: dict[str, list[str]] = {}  # by what runs instead, in which boxes
        for name in self.reached:
            if fates[name].status in CHANGED:
                boxes = changed.setdefault(fates[name].into or name, [])
                boxes += [self.inside[name]] if self.inside[name] not in boxes else []
        found = [Event("fuse", tuple(boxes), into) for into, boxes in changed.items() if boxes[1:]]
        alone = {boxes[0]: into for into, boxes in changed.items() if not boxes[1:]}
        if alone:
            found.append(Event("rewrite", tuple(alone), next(iter(alone.values()))))
        tidied = [name for name in self.reached if fates[name].status in TIDIED]
        if tidied:
            found.append(Event("tidy", tuple(dict.fromkeys(self.inside[one] for one in tidied))))
        return found

    def _runs(self) -> list[Event]:
        ran = self.run.executed.order
        last: dict[str, str] = {}  # by box, the last of its operations to begin
        given = dict.fromkeys(
            self.boxed(name) for name in ran if self.run.executed[name].kind in GIVEN
        )
        for name in ran:
            if self.run.executed[name].kind not in {*GIVEN, "_Retval"} and self.boxed(name):
                last[self.boxed(name)] = name
        order = sorted(last, key=lambda box: ran.index(last[box]))
        there = tuple(box for box in given if box and box not in last)
        return [Event("given", there), *(Event("run", (box,), last[box]) for box in order)]

    def boxed(self, executed: str) -> str:
        """The box in which an executed operation is drawn; "" for what hands out a result."""
        written = self.run.match.sources[executed].written
        return self.inside[source_op(written[-1])] if written else ""

    def merged(self) -> dict[str, str]:
        """By box that is fused into another one, that other one: the last that is reached first."""
        found: dict[str, str] = {}
        for event in self.events:
            if event.kind == "fuse":
                stays = max(event.boxes, key=lambda name: self.boxes[name].y)
                found |= {name: stays for name in event.boxes if name != stays}
        return found
