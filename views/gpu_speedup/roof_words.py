"""The two limits that were measured of a device, memory and arithmetic, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engines.benchmark.operations import ITEM_BYTES, OPERATIONS
from engines.benchmark.recording import Measurement
from views.gpu_speedup.contenders import LOOKS, digits, written
from views.gpu_speedup.roofline import OPERATIONS as CHAINS

LARGE = 100e6  # bytes that a copy moves: most caches are smaller
ENOUGH = 256  # n of a square product: a smaller one does not keep the arithmetic busy
ABOVE = 1.1  # times the roof: less may be noise


class Limits(NamedTuple):
    """The two limits, each the measurement that shows it, or None where nothing does.

    copy: the fastest of those that move at least LARGE bytes. product: the fastest square one, if
    it has n of at least ENOUGH; where a smaller one is faster, the larger ones were disturbed.
    """

    copy: Measurement | None
    product: Measurement | None

    @property
    def bytes_per_second(self) -> float:
        """What memory can hand over. Needs the copy."""
        assert self.copy
        return self.copy.moved_bytes / self.copy.median

    def above(self, one: Measurement) -> float:
        """How many times as fast as the roof allows. Needs both."""
        assert self.product
        memory = one.intensity * self.bytes_per_second / 1e9
        return one.gflops / min(memory, self.product.gflops)


def limits_of(found: Sequence[Measurement]) -> Limits:
    """The limits of a contender, by what was measured of it."""
    copies = [one for one in found if one.operation == "copy" and one.moved_bytes >= LARGE]
    products = [one for one in found if one.operation == "square"]
    fastest = max(products, key=lambda one: one.gflops, default=None)
    return Limits(
        min(copies, key=lambda one: one.median / one.moved_bytes, default=None),
        fastest if fastest and fastest.size >= ENOUGH else None,
    )


def told(found: Sequence[Measurement]) -> list[str]:
    """What the measurements of one contender say; less where some are missing."""
    limits = limits_of(found)
    by = {
        name: sorted((one for one in found if one.operation == name), key=lambda one: one.size)
        for name in OPERATIONS
    }
    rows = by["row_by_column"]
    return [
        *_limits(limits),
        *(_row_by_column(rows, limits) if rows else []),
        *(_square(by["square"], limits) if by["square"] else []),
        *(_small(rows, limits) if rows else []),
        *(_above(found, limits) if limits.copy and limits.product else []),
    ]


def _limits(limits: Limits) -> list[str]:
    text = []
    if limits.copy:
        text.append(
            f"**Memory** hands over {digits(limits.bytes_per_second / 1e9)} GB/s: that is the "
            f"fastest copy of those that move at least {LARGE / 1e6:.0f} MB, too much for most "
            f"caches. A **cache** is a small, fast memory that keeps what was used last."
        )
    else:
        text.append(
            f"No copy that moves {LARGE / 1e6:.0f} MB or more was measured, so what memory hands "
            "over is not known, and that part of the roof is not drawn. Measure again."
        )
    if limits.product:
        text.append(
            f"**Arithmetic** goes at {digits(limits.product.gflops)} GFLOP/s: that is the fastest "
            f"product of two square matrices, at n = {limits.product.size:,}, as "
            f"{LOOKS[limits.product.framework].label} computes it. Other libraries use other "
            "instructions of the same processor and may be faster or slower."
        )
    else:
        text.append(
            f"How fast arithmetic goes is not known: for that the fastest square product has to be "
            f"one with n = {ENOUGH} or more. If they are all measured, something else kept the "
            "machine busy. Measure again."
        )
    return text


def _row_by_column(rows: Sequence[Measurement], limits: Limits) -> list[str]:
    if not limits.copy:
        return []
    intensity = rows[-1].intensity
    most = intensity * limits.bytes_per_second / 1e9
    text = (
        f"**A row by a column** does about {digits(intensity)} flops a byte, whatever n is. So "
        f"memory lets it do {digits(most)} GFLOP/s"
    )
    best = max(rows, key=lambda one: one.gflops)
    if not limits.product:
        text += "."
    elif most < limits.product.gflops:
        text += (
            f" of the {digits(limits.product.gflops)} that arithmetic could: "
            f"**{digits(100 * most / limits.product.gflops)} %**. The faster the arithmetic of a "
            "device, the more of it waits for data here."
        )
    else:
        text += (
            f", and arithmetic goes at {digits(limits.product.gflops)}: on this device memory is "
            "not what holds it back."
        )
    text += f" The fastest one measured did {digits(best.gflops)} GFLOP/s, at n = {best.size:,}."
    if best.gflops < most / 2:
        text += " A roof is a limit and not a promise."
    if best.gflops > ABOVE * most:
        text += f" That is above the roof. {_how(best)}"
    return [text]


def _square(squares: Sequence[Measurement], limits: Limits) -> list[str]:
    divisor = 1.5 * ITEM_BYTES[squares[0].precision]
    text = (
        "**A square product** uses each number n times. Its intensity is "
        f"n/{divisor:.0f}, and grows with n"
    )
    if not (limits.copy and limits.product):
        return [f"{text}."]
    ridge = limits.product.gflops * 1e9 / limits.bytes_per_second
    return [
        f"{text}: from n ≈ {max(1, round(ridge * divisor)):,} on, at {digits(ridge)} flops a byte, "
        "memory is fast enough, and arithmetic decides: there the roof has its **ridge**. This is "
        "what a GPU is made for."
    ]


def _small(rows: Sequence[Measurement], limits: Limits) -> list[str]:
    """The call itself: how long it takes where there is next to nothing to compute."""
    first = rows[0]
    if not limits.copy:
        return []
    allowed = first.intensity * limits.bytes_per_second / 1e9
    if first.gflops > allowed / 2:
        return []
    text = (
        f"**Small sizes** lie far below the roof: at n = {first.size:,} a row by a column does "
        f"{digits(first.gflops)} GFLOP/s, where the roof is {digits(allowed / first.gflops)} times "
        "as high."
    )
    alike = [one for one in rows if one.median < 1.5 * first.median]
    if len(alike) == 1:
        return [text]
    return [
        f"{text} From there to n = {alike[-1].size:,} a call takes about the same time, "
        f"{written(first.median, 'time')} to {written(alike[-1].median, 'time')}: so much a call "
        "costs, however few the numbers."
    ]


def _above(found: Sequence[Measurement], limits: Limits) -> list[str]:
    """What else lies above the roof, and why it can."""
    others = [one for one in found if one.operation in CHAINS and one.operation != "row_by_column"]
    above = [one for one in others if limits.above(one) > ABOVE]
    if not above:
        return []
    one = max(above, key=limits.above)
    assert limits.product
    text = (
        f"**Above the roof** lies {CHAINS[one.operation].label} at n = {one.size:,}: "
        f"{digits(limits.above(one))} times what the roof allows. "
    )
    if one.gflops > limits.product.gflops:
        return [
            f"{text}No square product was as fast. Large ones may have been left out, or "
            "something else was using the machine: measure again."
        ]
    return [text + _how(one)]


def _how(one: Measurement) -> str:
    """How something can be faster than memory."""
    moved = f"It moves {digits(one.moved_bytes / 1e6)} MB"
    if one.moved_bytes < LARGE:
        return f"{moved}: that fits into a cache, and a cache is faster than the memory behind it."
    return (
        f"{moved}. Reading alone can be faster than copying, and large caches keep a part even of "
        "this."
    )
