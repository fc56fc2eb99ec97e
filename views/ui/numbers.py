"""How numbers are written on the pages, by Python as by the player in the browser."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

SMALL, LARGE = 1e-4, 1e6  # between these a number is written out


def number(value: float, digits: int = 6) -> str:
    """A number with so many significant digits: −0.00123, 12.5, 1.3e7, ∞.

    A minus sign is one, zero has none, and what is too small or too large to be written out is
    told with a power of ten.
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size and not SMALL <= size < LARGE:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    else:
        text = f"{value + 0.0:.{digits}g}"  # + 0.0 makes 0 of -0
        if "e" in text:  # too few digits for what stands before the point
            text = f"{value:.0f}"
    return text.replace("-", "−")


def extent(values: NDArray[Any] | None, digits: int = 3) -> str:
    """An array in short: its one number, or its smallest and largest; none where there is none."""
    if values is None or not values.size:
        return "none"
    low, high = (number(float(end), digits) for end in (values.min(), values.max()))
    return low if low == high else f"{low} … {high}"
