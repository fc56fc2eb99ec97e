"""What is compared with what, and from which size on one wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engines.benchmark.recording import Measurement
from engines.benchmark.who_wins import FEW, MARGIN, Crossing, crossing, overlap
from views.gpu_speedup.contenders import DASHED, DOTTED, LOOKS, Line, digits, written
from views.gpu_speedup.speedup_chart import Mark, Pair
from views.gpu_speedup.verdicts import at
from views.ui.table import markdown_table

ACROSS = (14, 4)  # dashes of a contest between two machines


class Side(NamedTuple):
    """A contender, on the server or on the machine of a recording."""

    framework: str
    device: str
    threads: int
    transfer: bool = False
    recorded: bool = False

    @property
    def said(self) -> str:
        """What it is called in a sentence about its framework."""
        if self.device != "cpu":
            return "the GPU with its transfer" if self.transfer else "the GPU"
        return f"{self.threads} threads" if self.threads > 1 else "1 thread"


class Contest(NamedTuple):
    """Two of one framework. faster: the one that should win when there is much to do."""

    slower: Side
    faster: Side

    @property
    def framework(self) -> str:
        """The name of the framework of both."""
        return LOOKS[self.faster.framework].label

    @property
    def across(self) -> bool:
        """Whether one is on the server and the other was recorded."""
        return self.slower.recorded != self.faster.recorded

    @property
    def said(self) -> str:
        """Both, as in "the GPU against 16 threads", and where."""
        both = f"{self.faster.said} against {self.slower.said}"
        if self.across:
            return f"{both} of the server"
        return f"{both}, recorded" if self.faster.recorded else both

    @property
    def named(self) -> str:
        """The same with the framework, as the beginning of a verdict."""
        return f"**{self.framework}**, {self.said}"


class Result(NamedTuple):
    """How a contest ended."""

    contest: Contest
    turn: Crossing


def all_contests(everyone: Sequence[Side]) -> list[Contest]:
    """Every GPU against the CPU with all its threads, and all threads against one.

    In this order: a GPU of the server, a recorded one against its own CPU, with the transfer
    counted, and against the CPU of the server; then threads. A CPU has its data where it is, so it
    is always asked without the transfer.
    """
    found: list[tuple[int, Contest]] = []
    for framework in LOOKS:
        own = [side for side in everyone if side.framework == framework]
        on_server, recorded = (
            sorted(
                (
                    side
                    for side in own
                    if (side.device, side.transfer, side.recorded) == ("cpu", False, elsewhere)
                ),
                key=lambda side: side.threads,
            )
            for elsewhere in (False, True)
        )
        for gpu in (side for side in own if side.device != "cpu"):
            cpus = recorded if gpu.recorded else on_server
            if cpus:
                found.append((gpu.recorded, Contest(cpus[-1], gpu)))
            if gpu.recorded and on_server and not gpu.transfer:
                found.append((2, Contest(on_server[-1], gpu)))
        for rank, cpus in ((3, on_server), (4, recorded)):
            if len(cpus) > 1:
                found.append((rank, Contest(cpus[0], cpus[-1])))
    return [
        contest for _, contest in sorted(found, key=lambda one: (one[0], one[1].faster.transfer))
    ]


def results(contested: Sequence[Contest], lines: Mapping[Side, Line]) -> list[Result]:
    """The contests of which both sides have been measured at one size at least."""
    ended = []
    for contest in contested:
        slower, faster = (lines[side].measurements for side in contest)
        if {one.size for one in slower} & {one.size for one in faster}:
            ended.append(Result(contest, crossing(slower, faster)))
    return ended


def pairs(contested: Sequence[Contest], lines: Mapping[Side, Line]) -> list[Pair]:
    """For a picture of how many times as fast: the contests, with what was measured so far."""
    found = []
    for contest in contested:
        slower, faster = (lines[side] for side in contest)
        dash = faster.look.dash
        if contest.faster.transfer:
            dash = DOTTED
        elif contest.across:
            dash = ACROSS
        elif contest.faster.recorded and any(not one.faster.recorded for one in contested):
            dash = DASHED
        label = f"{contest.framework}: {contest.said}"
        look = faster.look._replace(label=label, dash=dash)
        found.append(Pair(look, slower.measurements, faster.measurements))
    return found


def turns(ended: Sequence[Result]) -> list[Mark]:
    """Where one overtakes the other, for a picture."""
    crossed = [result for result in ended if result.turn.verdict == "crosses"]
    several = len(crossed) > 1
    return [
        Mark(
            turn.size,
            f"{contest.framework}: {contest.said}" if several else f"{contest.faster.said} ahead",
            "crossing",
        )
        for contest, turn in crossed
    ]


def table(lines: Sequence[Line], size_name: str) -> str:
    """Small against large: what a call takes at either end, and the best speed between."""
    heads = "", "smallest", "largest", "best speed"
    rows = []
    for line in lines:
        if not line.measurements:
            continue
        first = min(line.measurements, key=lambda one: one.size)
        last = max(line.measurements, key=lambda one: one.size)
        best = max(one.gflops for one in line.measurements)
        cells = [
            line.label,
            f"{written(first.median, 'time')} at {at(first.size, size_name)}",
            f"{written(last.median, 'time')} at {at(last.size, size_name)}",
            written(best, "gflops"),
        ]
        rows.append(cells)
    return markdown_table(heads, rows)


def fastest(lines: Sequence[Line], size_name: str) -> str:
    """Who is the fastest at the smallest and at the largest size that all of several have.

    A size of which somebody has fewer than FEW samples does not count.
    """
    measured = [line for line in lines if line.measurements]
    sizes = [{one.size for one in line.measurements if one.samples >= FEW} for line in measured]
    common = set.intersection(*sizes) if len(measured) > 1 else set[int]()
    told = []
    for size in sorted({min(common), max(common)} if common else common):
        found = sorted(
            ((_at(size, line.measurements), line.label) for line in measured),
            key=lambda one: one[0].median,
        )
        (best, winner), (second, runner_up), (worst, last) = found[0], found[1], found[-1]
        if worst.median < MARGIN * best.median:
            told.append(
                f"At {at(size, size_name)} all take about {written(best.median, 'time')} a call."
            )
            continue
        told.append(
            f"At {at(size, size_name)} the shortest call is that of **{winner}**, "
            f"{written(best.median, 'time')}, and the longest that of {last}, "
            f"{digits(worst.median / best.median)} times as long."
        )
        if overlap(best, second):
            told.append(f"Between {winner} and {runner_up} it is too close to tell there.")
    return " ".join(told)


def _at(size: int, line: Sequence[Measurement]) -> Measurement:
    return next(one for one in line if one.size == size)
