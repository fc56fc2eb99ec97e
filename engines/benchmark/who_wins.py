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

    Those are the sizes of which both have FEW samples or more. verdict: "never", "always",
    "crosses", or, where nobody knows who wins in the end, why: at the largest size the quartiles of
    the two "overlap", or they are "level", within MARGIN of each other; or there are too "few"
    samples at every size. size: from where on its median wins by MARGIN, interpolated; infinity if
    never, the smallest if always. smallest, largest: of the sizes that count, or of all if none
    does.
    """

    verdict: Verdict
    size: float
    smallest: int
    largest: int

    @property
    def settled(self) -> bool:
        """Whether it is known who wins at the largest size."""
        return self.verdict in ("never", "always", "crosses")


def crossing(slower: Sequence[Measurement], faster: Sequence[Measurement]) -> Crossing:
    """From which size on `faster` beats `slower` by MARGIN, and stays so. Any order of sizes.

    Between the last size where it is not and the next, both times are taken as straight lines in a
    picture with two logarithmic axes. Raises ValueError if no size is common to both.
    """
    first, second = ({one.size: one for one in line} for line in (slower, faster))
    common = sorted(first.keys() & second.keys())
    if not common:
        raise ValueError("the two lines have no size in common")
    sizes = [n for n in common if min(first[n].samples, second[n].samples) >= FEW]
    if not sizes:
        return Crossing("few", math.inf, common[0], common[-1])
    # Above zero where the second one takes longer, or does not win by enough.
    lead = [math.log(MARGIN * second[n].median / first[n].median) for n in sizes]
    behind = [k for k, value in enumerate(lead) if value >= 0]
    last = behind[-1] if behind else -1
    one, other = first[sizes[-1]], second[sizes[-1]]
    verdict: Verdict = "crosses"
    if last == -1:
        verdict, size = "always", float(sizes[0])
    elif last == len(sizes) - 1:
        verdict, size = "never", math.inf
    else:
        share = lead[last] / (lead[last] - lead[last + 1])
        size = sizes[last] * (sizes[last + 1] / sizes[last]) ** share
    if 1 / MARGIN < one.median / other.median < MARGIN:
        verdict = "level"
    elif overlap(one, other):
        verdict = "overlap"
    return Crossing(verdict, size, sizes[0], sizes[-1])


def overlap(one: Measurement, other: Measurement) -> bool:
    """Whether the middle half of the one's samples reaches into that of the other's."""
    return one.low <= other.high and other.low <= one.high
