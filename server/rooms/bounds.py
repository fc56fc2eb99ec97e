"""How many rooms there are at most, for how long, and how often somebody may try."""

from __future__ import annotations

import time

MOST_ROOMS = 50
MOST_MEMBERS = 200  # of one room; its lecturer is none of them
LONGEST = 4 * 3600.0  # seconds from its opening
LEFT = 30 * 60.0  # seconds after the lecturer has gone
BEAT = 15.0  # seconds between two looks at who is there
COMING_IN = 60.0  # seconds: a browser knows its code when it connects
WRONG_CODES = 30  # a minute, from one address: a whole hall sits behind one
OPENINGS = 10  # an hour, from one address
# No letters or digits that look or sound like others: 22 to the fifth are five million codes.
ALPHABET, LENGTH = "ACDEFHJKMNPRTUVWXY3479", 5


class Tries:
    """So many from one address in a while, and a hundred times as many from all of them."""

    def __init__(self, most: int, seconds: float) -> None:
        """most: from one address within so many seconds."""
        self._most, self._seconds = most, seconds
        self._since, self._made = time.monotonic(), dict[str, int]()

    def left(self, address: str) -> bool:
        """Whether there is another try."""
        if time.monotonic() - self._since >= self._seconds:
            self._since, self._made = time.monotonic(), {}
        mine, all_of_them = self._made.get(address, 0), sum(self._made.values())
        return mine < self._most and all_of_them < 100 * self._most

    def count(self, address: str) -> None:
        """Another one has been made."""
        self._made[address] = self._made.get(address, 0) + 1
