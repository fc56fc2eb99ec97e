"""What is compared with what, from which size on one wins, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engines.benchmark.recording import Measurement
from engines.benchmark.who_wins import FEW, MARGIN, Crossing, crossing, overlap
from views.gpu_speedup.contenders import DOTTED, LOOKS, Line, digits, written
from views.gpu_speedup.speedup_chart import Mark, Pair
from views.ui.table import markdown_table


class Side(NamedTuple):
    """A contender, here or on the machine of a recording."""

    framework: str
    device: str
    threads: int
    recorded: bool = False

    @property
    def said(self) -> str:
        """What it is called in a sentence about its framework."""
        if self.device != "cpu":
            return "the recorded GPU" if self.recorded else "the GPU"
        if self.recorded:
            return "the recorded CPU"
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
        """Whether one is of this machine and the other was recorded."""
        return self.slower.recorded != self.faster.recorded

    @property
    def opponent(self) -> str:
        """The slower one, with its machine where that is not the other's."""
        return f"{self.slower.said}{' of this machine' * self.across}"

    @property
    def said(self) -> str:
        """Both, as in "the GPU against 16 threads"."""
        return f"{self.faster.said} against {self.opponent}"


class Result(NamedTuple):
    """How a contest ended. times: how often the faster is done while the slower is done once."""

    contest: Contest
    turn: Crossing
    times: float


def all_contests(everyone: Sequence[Side]) -> list[Contest]:
    """Every GPU against the CPU with all its threads, and all threads against one.

    In this order: a GPU of this machine, a recorded one against its own CPU and against the CPU of
    this machine, threads.
    """
    found: list[tuple[int, Contest]] = []
    for framework in LOOKS:
        own = [side for side in everyone if side.framework == framework]
        here, elsewhere = (
            sorted(
                (side for side in own if side.device == "cpu" and side.recorded is recorded),
                key=lambda side: side.threads,
            )
            for recorded in (False, True)
        )
        for gpu in (side for side in own if side.device != "cpu"):
            if gpu.recorded and elsewhere:
                found.append((1, Contest(elsewhere[-1], gpu)))
            if here:
                found.append((2 * gpu.recorded, Contest(here[-1], gpu)))
        if len(here) == 2:
            found.append((3, Contest(*here)))
    return [contest for _, contest in sorted(found, key=lambda one: one[0])]


def results(contested: Sequence[Contest], lines: Mapping[Side, Line]) -> list[Result]:
    """The contests of which both sides have been measured at one size at least."""
    ended = []
    for contest in contested:
        slower, faster = (lines[side].measurements for side in contest)
        if {one.size for one in slower} & {one.size for one in faster}:
            turn = crossing(slower, faster)
            times = [_at(turn.largest, line).median for line in (slower, faster)]
            ended.append(Result(contest, turn, times[0] / times[1]))
    return ended


def pairs(contested: Sequence[Contest], lines: Mapping[Side, Line]) -> list[Pair]:
    """For a picture of how many times as fast: the contests, with what was measured so far."""
    found = []
    for contest in contested:
        slower, faster = (lines[side] for side in contest)
        dash = DOTTED if contest.across else faster.look.dash
        label = f"{contest.framework}: {contest.said}"
        look = faster.look._replace(label=label, dash=dash)
        found.append(Pair(look, slower.measurements, faster.measurements))
    return found


def turns(ended: Sequence[Result]) -> list[Mark]:
    """Where one overtakes the other, for a picture."""
    crossed = [result for result in ended if result.turn.verdict == "crosses"]
    winners = [result.contest.faster for result in crossed]
    told = []
    for contest, turn, _ in crossed:
        other = f" of {contest.opponent}" if winners.count(contest.faster) > 1 else ""
        label = f"{contest.framework}: {contest.faster.said} ahead{other}"
        told.append(Mark(turn.size, label, "crossing"))
    return told


def sentence(result: Result, size_name: str) -> str:
    """How the contest ended. size_name: "n", or "hidden units"."""
    contest, turn, times = result
    name, last = f"**{contest.framework}:** {contest.said}", at(turn.largest, size_name)
    if turn.verdict == "overlap":
        return (
            f"{name}: too close to tell. At {last} their quartiles overlap: the middle half of the "
            "samples of one reaches into that of the other."
        )
    if turn.verdict == "level":
        return (
            f"{name}: too close to tell. At {last} the medians lie within a twentieth of each "
            "other."
        )
    if turn.verdict == "few":
        return f"{name}: not known. Nowhere do both have {FEW} samples."
    if turn.verdict == "never":
        return (
            f"{name}: not ahead at the largest size measured. At {last} a call takes "
            f"{digits(1 / times)} times as long."
        )
    if turn.verdict == "always":
        return (
            f"{name}: ahead at every size that was measured, and {digits(times)} times as fast at "
            f"{last}."
        )
    return (
        f"{name}: ahead **from about {at(about(turn.size), size_name)} on**, at every larger size, "
        f"and {digits(times)} times as fast at {last}."
    )


def answer(guess: float, result: Result, size_name: str) -> str:
    """What was guessed of a contest, beside what was measured."""
    turn, name = result.turn, result.contest.framework
    said = "never" if guess == float("inf") else f"from {at(guess, size_name)} on"
    if not turn.settled:
        return f"You said: **{said}**. For {name} these numbers cannot tell."
    if turn.verdict == "never" and guess == float("inf"):
        return f"You said: **{said}**. For {name} it is so, as far as was measured."
    if turn.verdict == "never":
        end = at(turn.largest, size_name)
        return f"You said: **{said}**. For {name} it was **not ahead** up to {end}."
    near = turn.verdict == "crosses" and turn.size / 2 <= guess <= 2 * turn.size
    if near or (turn.verdict == "always" and guess <= turn.smallest):
        return f"You said: **{said}**. For {name} that was measured, to a factor of two."
    if turn.verdict == "always":
        start = at(turn.smallest, size_name)
    else:
        start = f"about {at(about(turn.size), size_name)}"
    return f"You said: **{said}**. For {name} it was **from {start} on**."


def at(size: float, size_name: str) -> str:
    """A size as it stands in a sentence: "n = 64", or "64 hidden units"."""
    return f"n = {size:,.0f}" if size_name == "n" else f"{size:,.0f} {size_name}"


def about(size: float) -> float:
    """To two figures: no crossing is known better than that."""
    return float(f"{size:.2g}")


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
