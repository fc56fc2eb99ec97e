"""Which of two lines of measurements is faster, from which size on, and whether that is settled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from engines.benchmark.recording import Measurement

MARGIN = 1.05  # times as fast: less is a difference of no use to anybody, and often noise
FEW = 3  # samples: the quartiles of fewer say nothing
Verdict = Literal["never", "always", "crosses", "overlap", "level", "few"]


class Crossing(NamedTuple):
    """From which size on the second of two lines is faster, at the sizes that count.

    Those are the sizes of which both have FEW samples or more. At one of them the second wins or
    loses where the medians differ by MARGIN and the quartiles do not overlap; else it is unclear.

    verdict: "always", where it wins at the largest size and loses nowhere; "crosses", where it wins
    there, and lost before; "never", where it loses there; or, where nobody knows who wins in the
    end, why: at the largest size the quartiles of the two "overlap", or they are "level", within
    MARGIN of each other; or there are too "few" samples at every size. size: from where on its
    median wins by MARGIN, interpolated; infinity if never, the smallest if always. smallest,
    largest: of the sizes that count, or of all if none does. times: as fast at the largest, by the
    medians. unclear: the sizes that neither settle nor contradict the verdict. beyond: the largest
    size of all, with few samples or not.
    """

    verdict: Verdict
    size: float
    smallest: int
    largest: int
    times: float
    unclear: tuple[int, ...] = ()
    beyond: int = 0

    @property
    def settled(self) -> bool:
        """Whether it is known who wins at the largest size."""
        return self.verdict in ("never", "always", "crosses")


def crossing(slower: Sequence[Measurement], faster: Sequence[Measurement]) -> Crossing:
    """From which size on `faster` beats `slower` by MARGIN, and stays so. Any order of sizes.

    Between the last size where it loses and the next where it wins, both times are taken as
    straight lines in a picture with two logarithmic axes. Raises ValueError if no size is common to
    both.
    """
    first, second = ({one.size: one for one in line} for line in (slower, faster))
    common = sorted(first.keys() & second.keys())
    if not common:
        raise ValueError("the two lines have no size in common")
    sizes = [n for n in common if min(first[n].samples, second[n].samples) >= FEW]
    if not sizes:
        times = first[common[-1]].median / second[common[-1]].median
        return Crossing("few", math.inf, common[0], common[-1], times, (), common[-1])
    wins = [winner(first[n], second[n]) for n in sizes]
    lost = max((k for k, won in enumerate(wins) if won < 0), default=-1)
    verdict, size, since = _verdict(first[sizes[-1]], second[sizes[-1]], wins), math.inf, 0
    if verdict == "always":
        size = float(sizes[0])
    elif verdict == "crosses":
        since = next(k for k in range(lost, len(sizes)) if wins[k] > 0)
        # Above zero where the second one takes longer, or does not win by enough.
        lead = [math.log(MARGIN * second[n].median / first[n].median) for n in sizes]
        last = max(k for k in range(lost, since) if lead[k] >= 0)
        share = lead[last] / (lead[last] - lead[last + 1])
        size = sizes[last] * (sizes[last + 1] / sizes[last]) ** share
    unclear = [n for k, n in enumerate(sizes) if k >= since and wins[k] == 0]
    ends = sizes[0], sizes[-1], first[sizes[-1]].median / second[sizes[-1]].median
    return Crossing(verdict, size, *ends, tuple(unclear), common[-1])


def winner(first: Measurement, second: Measurement) -> int:
    """1 where the second is faster beyond doubt, −1 where the first is, 0 where it is unclear."""
    times = first.median / second.median
    if 1 / MARGIN < times < MARGIN or overlap(first, second):
        return 0
    return 1 if times > 1 else -1


def overlap(one: Measurement, other: Measurement) -> bool:
    """Whether the middle half of the one's samples reaches into that of the other's."""
    return one.low <= other.high and other.low <= one.high


def _verdict(first: Measurement, second: Measurement, wins: Sequence[int]) -> Verdict:
    """By the two at the largest size, and who wins at each."""
    if 1 / MARGIN < first.median / second.median < MARGIN:
        return "level"
    if wins[-1] == 0:
        return "overlap"
    if wins[-1] < 0:
        return "never"
    return "crosses" if -1 in wins else "always"
