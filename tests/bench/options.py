"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How much to measure. visitors: at once, None for what is usual."""

    quick: bool
    sessions: int
    visitors: int | None
    minutes: float

    def times(self, usual: int) -> int:
        """A number of repeats: the usual one, or about a quarter of it."""
        return max(3, usual // 4) if self.quick else usual
