"""What became of each operation of a static graph when a session ran it.

Names alone deceive. The optimiser gives the name of an operation it dissolves to one that computes
something else. Here a name is believed only where what is behind it could have the same value.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from engines.graphs.static import Executed, Op, Written, source_of, source_op

Status = Literal[
    "kept",
    "rewritten",
    "reordered",
    "folded",
    "merged",
    "fused",
    "absorbed",
    "lowered",
    "fed",
    "pruned",
]
Origin = Literal["written", "lowered", "fed", "fetched", "reused", "added"]

REORDERED = {"AddV2", "Sub", "Mul"}  # simple: they can do one piece of work, not two
SWAPPABLE = {"AddV2", "Mul", "Maximum", "Minimum", "Equal", "NotEqual", "SquaredDifference"}
FOLDED = re.compile(r"(.+)/_\d+__cf__\d+")  # so the runtime names what it folds even untold
OF_SHAPES = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"}  # values do not matter


class Fate(NamedTuple):
    """What became of a written operation, and, if it is in another one now, in which executed one.

    kept: runs as it was written. rewritten: another operation computes the same from the same,
    under its name or a new one (into). folded: a constant has its place, computed once for all
    runs, under its name or a new one (into). merged: what computes the same already existed (into).
    reordered: its work is done, but on other intermediate results, so its own value is nowhere;
    of this work an operation of the same kind is left (into).
    fused: its work is a part of another operation's (into).
    absorbed: no longer needed, for another operation (into) knows its value or does without it;
    where that is a loop or a branch, it has the written name.
    lowered: a loop, a branch or a call, taken apart into the operations of its bodies.
    fed: its value is handed in. pruned: nothing that the fetches need takes its value.
    """

    status: Status
    into: str = ""


class Source(NamedTuple):
    """Where an executed operation comes from.

    written: it computes what these written operations say. lowered: a part of that written loop or
    branch. fed, fetched: the runtime's, where that written tensor enters or leaves. added: made by
    the optimiser or the runtime. reused: made by the optimiser as well, but under the name of a
    written operation, which it does not compute.
    """

    origin: Origin
    written: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Match:
    """A written and an executed graph, by the names of their operations, in their order."""

    fates: Mapping[str, Fate]
    sources: Mapping[str, Source]

    @property
    def counts(self) -> Counter[Status]:
        """How many written operations had each fate."""
        return Counter(fate.status for fate in self.fates.values())

    def to_text(self) -> str:
        """One line for each written operation, then one for each executed one."""
        lines = [
            f"{name}: {' into '.join(filter(None, fate))}" for name, fate in self.fates.items()
        ]
        lines += ["", "executed"]
        for name, source in self.sources.items():
            lines.append(f"{name}: {' '.join([source.origin, *source.written])}")
        return "\n".join(lines) + "\n"


def match(written: Written, executed: Executed) -> Match:
    """Say what became of each written operation, and where each executed one comes from.

    What a session did is not told by TensorFlow, but found by comparing: which operations are
    there, what they take, and from which feeds and variables their value comes. An operation whose
    inputs all changed at once can be called fused where it was in truth rewritten.
    """
    return _Matching(written, executed).match()


class _Matching:
    """The two graphs side by side. A leaf is where a value comes from: a feed or a variable."""

    def __init__(self, written: Written, executed: Executed) -> None:
        self.executed = executed
        self.entering = {tensor: name for name, tensor in executed.fed.items()}
        self.fed = self.entering.keys()
        self.written = {op.name: op for op in written.ops}
        self.needed = self._needed()
        self.users: dict[str, list[Op]] = {name: [] for name in self.written}
        for op in written.ops:
            for tensor in op.inputs:
                if tensor in op.data or self.written[source_op(tensor)].kind == "NoOp":
                    self.users[source_op(tensor)].append(op)
        self.ran = {op.name: op for op in executed.ops}
        self.apart = {self._within(name) for name in self.ran} - {""}  # of which parts ran
        self.ran_leaves = self._leaves(self.ran, fed=())
        # On what did not run no value depended: a branch was not taken, and that was known before.
        alive = frozenset().union(*self.ran_leaves.values())
        as_written = self._leaves(self.written, self.fed)
        self.written_leaves = {name: leaves & alive for name, leaves in as_written.items()}
        self.believed = {
            name
            for name in self.needed & self.ran.keys()
            if self._could_be(self.ran[name], self.written[name])
        }
        self.believed |= set(self._vouched_for())
        self.stand_ins = self._stand_ins()

    def match(self) -> Match:
        fates = {name: self._fate(op) for name, op in self.written.items()}
        computed: dict[str, list[str]] = {}
        for name, (status, into) in fates.items():
            if name in self.believed:
                computed.setdefault(name, []).append(name)
            elif name in self.stand_ins and status != "absorbed":
                computed.setdefault(into, []).append(name)
        sources = {op.name: self._source(op, computed) for op in self.executed.ops}
        return Match(fates, sources)

    def _fate(self, op: Op) -> Fate:
        if op.name not in self.needed:
            return Fate("fed" if op.name in map(source_op, self.fed) else "pruned")
        if op.name in self.believed:
            return Fate(self._survived(op))
        if op.name in self.apart:
            return Fate("lowered")
        if op.name in self.stand_ins:
            return self._replaced(op, self.stand_ins[op.name])
        # Its value is nowhere. Whoever took it, or whatever waited for it, does without.
        into = self._next_of(op)
        if not into:
            return Fate("pruned")
        known = not self.written_leaves[op.name] or _is_constant(self.ran.get(into))
        needless = known or into in self.apart or op.kind == "NoOp"
        return Fate("absorbed" if needless else self._worked_into(into), into)

    def _survived(self, op: Op) -> Status:
        runs = self.ran[op.name]
        if _is_constant(runs) and not _is_constant(op):
            return "folded"
        return "kept" if self._alike(runs, op) else "rewritten"

    def _replaced(self, op: Op, tensor: str) -> Fate:
        runs = self.ran[into := self._running(tensor)]
        if _is_constant(runs) and not _is_constant(op):
            return Fate("folded", into)
        if self._alike(runs, op):
            return Fate("merged", into)
        if not self._is_gone(tensor):
            return Fate("absorbed", into)
        same = {*self._inputs(runs)} <= {*op.data}
        return Fate("rewritten" if same else self._worked_into(into), into)

    def _worked_into(self, into: str) -> Status:
        """What became of work that an executed operation has taken over."""
        return "reordered" if _kind(self.ran[into]) in REORDERED else "fused"

    def _source(self, op: Op, computed: Mapping[str, list[str]]) -> Source:
        if op.name in self.executed.fed:
            return Source("fed", (self.executed.fed[op.name],))
        if op.kind == "_Retval":
            return Source("fetched", (self.executed.fetched[op.name],))
        if op.name in computed:
            return Source("written", tuple(computed[op.name]))
        if within := self._within(op.name):
            return Source("lowered", (within,))
        return Source("reused" if op.name in self.written else "added")

    # What is compared

    def _inputs(self, op: Op) -> list[str]:
        """What an executed operation takes; what is fed has its written name."""
        return [self.executed.fed.get(tensor, tensor) for tensor in op.data]

    def _running(self, tensor: str) -> str:
        """The executed operation that hands out what `_inputs` calls this."""
        return self.entering.get(tensor, source_op(tensor))

    def _could_be(self, runs: Op, op: Op) -> bool:
        """Whether an executed operation can have the value of the written one of its name."""
        if _is_constant(op):
            return _same_constant(runs, op)
        # Of the same inputs another operation makes something else: what came after was added.
        fused = _kind(runs) != _kind(op) and Counter(self._inputs(runs)) == Counter(op.data)
        return not fused and self.ran_leaves[runs.name] == self.written_leaves[op.name]

    def _vouched_for(self) -> Iterator[str]:
        """Constants that an operation taking them vouches for.

        A fetch does, and so does an operation that is believed and takes all it was written to.
        """
        wanted = {name: (self.written[name].data, self.ran[name]) for name in self.believed}
        wanted |= {
            op.name: ((self.executed.fetched[op.name],), op)
            for op in self.executed.ops
            if op.kind == "_Retval"
        }
        for tensors, runs in wanted.values():
            if sorted(tensors) == sorted(self._inputs(runs)):
                yield from (
                    name for name in map(source_op, tensors) if _is_constant(self.ran.get(name))
                )

    def _alike(self, runs: Op, op: Op) -> bool:
        """Whether an executed operation does what the written one says."""
        if _is_constant(op):
            return _same_constant(runs, op)
        wanted = [self.stand_ins.get(tensor, tensor) for tensor in op.data]
        got = self._inputs(runs)
        if _kind(op) in SWAPPABLE:
            wanted, got = sorted(wanted), sorted(got)
        return _kind(runs) == _kind(op) and wanted == got

    def _stand_ins(self) -> dict[str, str]:
        """By written tensor that nothing of its name computes: the executed one used instead."""
        used = {
            self.executed.fetched[op.name]: self._inputs(op)[0]
            for op in self.executed.ops
            if op.kind == "_Retval"
        }
        for name in self.ran:
            named = FOLDED.fullmatch(name)
            if named and named[1] in self.needed and len(self.written[named[1]].shapes) == 1:
                used[named[1]] = name
        pairs = deque((name, name) for name in self.written if name in self.believed)
        pairs.extend((source_op(old), self._running(new)) for old, new in used.items())
        while pairs:
            old, new = pairs.popleft()
            wanted, got = Counter(self.written[old].data), Counter(self._inputs(self.ran[new]))
            # An operation that was kept may compute the same from other inputs.
            if new in self.believed and _kind(self.written[old]) == _kind(self.ran[new]):
                lost, gained = (wanted - got).elements(), (got - wanted).elements()
                found = self._exchanged([*lost], [*gained], _kind(self.ran[new]))
                # Where two operations merged, so did what they take.
                pairs.extend(
                    (source_op(a), self._running(b)) for a, b in found.items() if a not in used
                )
                used |= found
        used = {old: new for old, new in used.items() if old != new and self._is_gone(old)}
        # An operation that merged in one of its later results merged in the first, too.
        for old, new in list(used.items()):
            if source_of(old)[1] == source_of(new)[1]:
                used.setdefault(source_op(old), self._running(new))
        return used

    def _exchanged(self, lost: list[str], gained: list[str], kind: str) -> dict[str, str]:
        """Which new input is instead of which old one: equal constants, then the last two left.

        kind: of what takes them. If it tells its inputs apart by their places, all that are left.
        """
        pairs = {}
        for old in list(lost):
            for new in gained:
                if _same_constant(self.ran[self._running(new)], self.written[source_op(old)]):
                    pairs[old] = new
                    lost.remove(old)
                    gained.remove(new)
                    break
        if len(lost) != len(gained) or (len(lost) > 1 and kind in SWAPPABLE | REORDERED):
            return pairs
        for old, new in zip(lost, gained, strict=True):
            was, now = source_op(old), self._running(new)
            # Equal constants are paired by now.
            constant, same = _is_constant(self.written[was]), self.ran_leaves[now]
            if not constant and self.written_leaves[was] == same:
                pairs[old] = new
        return pairs

    def _is_gone(self, tensor: str) -> bool:
        return tensor not in self.fed and source_op(tensor) not in self.believed

    # Paths through the graphs

    def _needed(self) -> set[str]:
        """The written operations that have to run for the fetches: feeds make theirs needless."""
        needed: set[str] = set()
        waiting = [tensor for tensor in self.executed.fetched.values() if tensor not in self.fed]
        while waiting:
            name = source_op(waiting.pop())
            if name not in needed:
                needed.add(name)
                waiting += [t for t in self.written[name].inputs if t not in self.fed]
        return needed

    def _next_of(self, op: Op) -> str:
        """The nearest operation downstream of a written one that is gone, of those that run, or "".

        Only a NoOp is followed to what waits for it: of others it is the value that counts.
        """
        seen = {op.name}
        waiting = deque([op])
        while waiting:
            for user in self.users[waiting.popleft().name]:
                if user.name in seen or user.name not in self.needed:
                    continue
                seen.add(user.name)
                if user.name in self.believed or user.name in self.apart:
                    return user.name
                if user.name in self.stand_ins:
                    return self._running(self.stand_ins[user.name])
                waiting.append(user)
        return ""

    def _leaves(self, ops: Mapping[str, Op], fed: Container[str]) -> dict[str, frozenset[str]]:
        """By operation, where its value comes from: what can be reached against the edges.

        fed: the tensors whose value is handed in, which are leaves.
        """
        leaves = {name: frozenset({self._own_leaf(op)} - {""}) for name, op in ops.items()}
        takers: dict[str, list[str]] = {name: [] for name in ops}
        for op in ops.values():
            for tensor in op.data if self._passes_on(op) else ():
                if tensor in fed:
                    leaves[op.name] |= {tensor}
                else:
                    takers[source_op(tensor)].append(op.name)
        waiting = deque(ops)
        while waiting:  # until nothing is new: an old loop hands values back to its beginning
            name = waiting.popleft()
            for taker in takers[name]:
                if not leaves[name] <= leaves[taker]:
                    leaves[taker] |= leaves[name]
                    waiting.append(taker)
        return leaves

    def _own_leaf(self, op: Op) -> str:
        """The leaf that an operation is, by itself or as a part of another one, or ""."""
        if op.name in self.executed.fed:
            return self.executed.fed[op.name]
        if self._passes_on(op) and op.data and not op.kind.startswith("Random"):
            return ""
        return "" if _is_constant(op) or op.kind in OF_SHAPES else self._within(op.name) or op.name

    def _passes_on(self, op: Op) -> bool:
        """Whether its value comes from those of its inputs, for all that can be known."""
        as_written = self.written.get(op.name, op)
        is_call = as_written.bodies and as_written.kind == op.kind  # or a loop, or a branch
        return not (is_call or op.kind in OF_SHAPES or self._within(op.name))

    def _within(self, name: str) -> str:
        """The written loop or branch that an executed operation is a part of, or ""."""
        if name in self.written:
            return ""
        name = name.removeprefix("Func/")  # so begins what was in a function's body
        parts = [op for op, it in self.written.items() if it.bodies and name.startswith(f"{op}/")]
        return max(parts, key=len, default="")


def _kind(op: Op) -> str:
    """What it does, without the mark of the library whose code does it."""
    kind = op.kind.removeprefix("_MklNative").removeprefix("_Mkl")
    return "AddV2" if kind == "Add" else kind


def _is_constant(op: Op | None) -> bool:
    return op is not None and op.kind == "Const"


def _same_constant(one: Op, other: Op) -> bool:
    a, b = one.value, other.value
    if a is None or b is None or a.dtype != b.dtype:
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
