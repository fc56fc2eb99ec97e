"""The runs of pages take turns: a few visitors' compute at once, and the others wait in line.

All runs share one interpreter. Where a hundred visitors come at once, each run would get a
hundredth of it: all of them would end late, and a training that many wait for would end last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from streamlit.delta_generator import DeltaGenerator

AT_ONCE = 2  # more, and their threads wait for the interpreter rather than for their turn
LONG = 1.0  # seconds of waiting before it is said

_line: list[threading.Event] = []  # one for each turn, in the order in which they came
_lock = threading.RLock()  # a turn may be lost anywhere, also where another one is taken
_thread = threading.local()
_ended = time.monotonic()  # when a turn was over last


class _Turn:
    """A visitor's place in line, held by the threads of their runs.

    There may be several for a moment: where somebody moves on, the new run begins before the old
    one has noticed. The turn is lost with the last of these threads, however it ends.
    """

    def __init__(self) -> None:
        """Go to the end of the line."""
        self._comes = threading.Event()
        with _lock:
            _line.append(self._comes)
            _call()

    def __del__(self) -> None:
        """Leave the line."""
        global _ended  # noqa: PLW0603
        with _lock:
            _line.remove(self._comes)
            _ended = time.monotonic()
            _call()

    def wait(self) -> int:
        """Wait until the turn comes, or for LONG. Returns the number in line, 0 if it has come."""
        if self._comes.wait(LONG):
            return 0
        with _lock:
            return max(0, _line.index(self._comes) - AT_ONCE + 1)


_turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()  # by visitor


def _call() -> None:
    for comes in _line[:AT_ONCE]:
        comes.set()


def waiting() -> int:
    """How many visitors are in line for a turn."""
    return max(0, len(_line) - AT_ONCE)


def without_a_turn() -> float:
    """Seconds since a turn was over last, while somebody waits for one; 0 if nobody does."""
    return time.monotonic() - _ended if waiting() else 0.0


def take(place: DeltaGenerator, visitor: str) -> None:
    """Wait until this run may compute. It may until its thread ends, or `give_back`.

    place: where it is said that the page waits, if it waits for long. visitor: whose runs share
    one turn, for only the newest of them is still wanted.
    """
    # Nowhere but there: the traceback of an exception may be kept, with all its variables.
    _thread.visitor = visitor
    _thread.turn = _turns.get(visitor) or _turns.setdefault(visitor, _Turn())
    while number := _thread.turn.wait():
        # To say something is also where a run ends whose visitor has left or moved on.
        place.info(f"Others are computing just now. This page is number {number} in line.")
    place.empty()


def give_back() -> None:
    """Let the next one compute: this run goes on, but only waits for something."""
    vars(_thread).pop("turn", None)


@contextmanager
def given_back(place: DeltaGenerator) -> Iterator[None]:
    """Wait in it for something without a turn; afterwards the run goes to the end of the line."""
    had_one = hasattr(_thread, "turn")
    give_back()
    yield
    if had_one:
        take(place, _thread.visitor)


@contextmanager
def taken() -> Iterator[None]:
    """A turn of its own, for what no page waits for, such as a file that somebody downloads."""
    turn = _Turn()
    try:
        while turn.wait():
            pass
        yield
    finally:
        del turn


def let_others(place: DeltaGenerator) -> None:
    """Go to the end of the line, if anybody is in it: a long run lets short ones pass."""
    if len(_line) > AT_ONCE:
        with given_back(place):
            pass
