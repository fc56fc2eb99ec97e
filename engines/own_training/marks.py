"""How a program can say itself what its steps are, and who listens."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")
_listening = threading.local()


class Listener(Protocol):
    """Hears of the passes of a loop."""

    def passed(self) -> None:
        """A pass begins."""

    def over(self) -> None:
        """There are no more."""


def steps(passes: Iterable[T]) -> Iterator[T]:
    """Mark each pass of a loop as a step: `for i in steps(range(100)):`.

    Yields what it is given. Where nobody records the program, it does no more than that.
    """
    listener: Listener | None = getattr(_listening, "listener", None)
    try:
        for one in passes:
            if listener:
                listener.passed()
            yield one
    finally:
        if listener:
            listener.over()


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Within it, `steps` tells this listener, in this thread."""
    _listening.listener = listener
    try:
        yield
    finally:
        del _listening.listener
