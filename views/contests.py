"""Who is compared with whom, from which size on one wins, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engines.recording import Crossing, Measurement, crossing
from views.contenders import LOOKS, Line, number, written
from views.speedup_chart import Pair


class Who(NamedTuple):
    """A contender, here or on the machine of a recording."""

    framework: str
    device: str
    threads: int
    recorded: bool = False

    @property
    def said(self) -> str:
        """What it is called in a sentence about its framework."""
        if self.recorded:
            return "the recorded GPU" if self.device != "cpu" else "the recorded CPU"
        if self.device != "cpu":
            return "the GPU"
        return f"{self.threads} threads" if self.threads > 1 else "1 thread"


class Contest(NamedTuple):
    """Two of one framework. faster: the one that should win when there is much to do."""

    slower: Who
    faster: Who


class Result(NamedTuple):
    """How a contest ended. times: how often the faster is done while the slower is done once."""

    contest: Contest
    turn: Crossing
    times: float


def contests(everyone: Sequence[Who]) -> list[Contest]:
    """Every GPU against the CPU with all its threads, then all threads against one; here first."""
    found = []
    for framework in LOOKS:
        own = [who for who in everyone if who.framework == framework]
        on_cpu = sorted(
            (who for who in own if who.device == "cpu" and not who.recorded),
            key=lambda who: who.threads,
        )
        found += [Contest(on_cpu[-1], who) for who in own if who.device != "cpu" and on_cpu]
        found += [Contest(*on_cpu)] if len(on_cpu) == 2 else []
    # A GPU of this machine, a recorded one, threads.
    return sorted(found, key=lambda one: (one.faster.device == "cpu", one.faster.recorded))


def results(contested: Sequence[Contest], lines: Mapping[Who, Line]) -> list[Result]:
    """The contests of which both sides have been measured at one size at least."""
    ended = []
    for contest in contested:
        slower, faster = (lines[who].measurements for who in contest)
        common = {one.size for one in slower} & {one.size for one in faster}
        if common:
            at = [_at(max(common), line).median for line in (slower, faster)]
            ended.append(Result(contest, crossing(slower, faster), at[0] / at[1]))
    return ended


def pairs(contested: Sequence[Contest], lines: Mapping[Who, Line]) -> list[Pair]:
    """For a picture of how many times as fast: the contests, with what was measured so far."""
    return [
        Pair(
            lines[contest.faster]._replace(
                label=f"{LOOKS[contest.faster.framework][0]}: {contest.faster.said} against "
                f"{contest.slower.said}"
            ),
            lines[contest.slower].measurements,
            lines[contest.faster].measurements,
        )
        for contest in contested
    ]


def turns(ended: Sequence[Result]) -> list[tuple[float, str]]:
    """Where one overtakes the other, for a picture: the size, and who is ahead from there on."""
    return [
        (
            result.turn.size,
            f"{LOOKS[result.contest.faster.framework][0]}: {result.contest.faster.said} ahead",
        )
        for result in ended
        if result.turn.verdict == "crosses"
    ]


def sentence(result: Result, of: str) -> str:
    """How the contest ended. of: what n is: "n", or "the number of hidden units"."""
    (slower, faster), turn, times = result
    name, one, other = LOOKS[faster.framework][0], faster.said, slower.said
    last = f"{turn.largest:,}"
    if turn.verdict == "too close":
        return (
            f"**{name}:** {one} against {other}: too close to tell at {of} = {last}. These numbers "
            "do not say who wins."
        )
    if turn.verdict == "never":
        return (
            f"**{name}:** {one} against {other}: not ahead in the end. At {of} = {last} it takes "
            f"{number(1 / times)} times as long."
        )
    if turn.verdict == "always":
        return (
            f"**{name}:** {one} against {other}: ahead at every size that was measured, and "
            f"{number(times)} times as fast at {of} = {last}."
        )
    return (
        f"**{name}:** {one} against {other}: not ahead at first, ahead **from about {of} = "
        f"{turn.size:,.0f} on**, and {number(times)} times as fast at {of} = {last}."
    )


def answer(guess: float, result: Result, of: str) -> str:
    """What was guessed of a contest, beside what was measured."""
    turn = result.turn
    said = "never" if guess == float("inf") else f"from {of} = {guess:,.0f} on"
    if turn.verdict == "too close":
        return f"You said: **{said}**. These numbers are too close to tell."
    if turn.verdict == "never" and guess == float("inf"):
        return f"You said: **{said}**. So it is, as far as was measured."
    if turn.verdict == "never":
        return f"You said: **{said}**. It was **not ahead at the largest size** that was measured."
    near = turn.verdict == "crosses" and turn.size / 2 <= guess <= 2 * turn.size
    if near or (turn.verdict == "always" and guess <= turn.smallest):
        return f"You said: **{said}**. That is what was measured, to a factor of two."
    measured = f"from {turn.smallest:,} on or earlier"
    if turn.verdict == "crosses":
        measured = f"from about {turn.size:,.0f} on"
    return f"You said: **{said}**. It was **{measured}**."


def table(lines: Sequence[Line], of: str) -> str:
    """Small against large: what a call takes at either end, and the best speed between."""
    heads = "", "smallest", "largest", "best speed"
    text = f"| {' | '.join(heads)} |\n" + "|---" * len(heads) + "|\n"
    for line in lines:
        if not line.measurements:
            continue
        first, *_, last = sorted((*line.measurements, *line.measurements), key=lambda one: one.size)
        best = max(one.gflops for one in line.measurements)
        cells = (
            line.label,
            f"{written(first.median, 'time')} at {of} = {first.size:,}",
            f"{written(last.median, 'time')} at {of} = {last.size:,}",
            written(best, "gflops"),
        )
        text += f"| {' | '.join(cells)} |\n"
    return text


def fastest(lines: Sequence[Line], of: str) -> str:
    """Who is the fastest at the smallest and at the largest size that all of several have."""
    measured = [line for line in lines if line.measurements]
    sizes = [{one.size for one in line.measurements} for line in measured]
    common = set.intersection(*sizes) if len(measured) > 1 else set[int]()
    if not common:
        return ""
    told = []
    for size in sorted({min(common), max(common)}):
        times = sorted((_at(size, line.measurements).median, line.label) for line in measured)
        (best, winner), (worst, last) = times[0], times[-1]
        told.append(
            f"At {of} = {size:,} the shortest call is that of **{winner}**, "
            f"{written(best, 'time')}, and the longest that of {last}, {number(worst / best)} "
            "times as long."
        )
    return " ".join(told)


def _at(size: int, line: Sequence[Measurement]) -> Measurement:
    return next(one for one in line if one.size == size)
