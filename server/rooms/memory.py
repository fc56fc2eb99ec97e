"""What rooms there are, in the memory of one process.

A store is told what changes, keeps it, and has it delivered to every process with somebody in that
room; here there is only this one. `shared.py` is the same for several.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from server.rooms import bounds

State: TypeAlias = dict[str, Any]  # what is known of a room, by name
Deliver: TypeAlias = Callable[[str, State], None]  # the code of a room, and what has changed in it
ENDED: State = {"ended": True}


class Unreachable(Exception):
    """What keeps the rooms does not answer."""


class Store(Protocol):
    """Where the rooms are. All of it may raise Unreachable."""

    async def open(self, code: str, state: State) -> str:
        """Keep a new room. Returns "", or why not: "taken" is that code, or "most_rooms"."""

    async def read(self, code: str) -> State | None:
        """All that is known of the room, if there is one."""

    async def change(self, code: str, news: State) -> None:
        """Keep what is new, and deliver it. A new round of answers begins where `asks` is new."""

    async def answer(self, code: str, asked: State, marker: str, answer: int) -> None:
        """Count it, once for each marker. asked: the question, with its round."""

    async def enter(self, code: str, members: Iterable[str], *, anew: bool) -> bool:
        """Say that they are there; False if there is no place. anew: whether they just came."""

    async def leave(self, code: str, member: str) -> None:
        """Say that one of them has gone."""

    async def keep(self, code: str) -> None:
        """The lecturer is there: keep the room for as long as it is kept without one."""

    async def close(self, code: str) -> None:
        """Forget the room and all answers, and tell everybody."""


def until(opened: float) -> float:
    """How many more seconds a room is kept that is led now. opened: when, as of time.time()."""
    return min(bounds.LEFT, opened + bounds.LONGEST - time.time())


@dataclass
class _Room:
    state: State
    ends: float
    here: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)


class Memory:
    """The rooms of a process by itself."""

    def __init__(self, deliver: Deliver) -> None:
        """deliver: tells those who are in a room what has changed."""
        self._deliver = deliver
        self._rooms: dict[str, _Room] = {}

    def _room(self, code: str) -> _Room | None:
        for gone in [code for code, room in self._rooms.items() if room.ends <= time.time()]:
            del self._rooms[gone]
        return self._rooms.get(code)

    async def open(self, code: str, state: State) -> str:
        """See Store."""
        if self._room(code):
            return "taken"
        if len(self._rooms) >= bounds.MOST_ROOMS:
            return "most_rooms"
        self._rooms[code] = _Room(dict(state), time.time() + until(state["opened"]))
        return ""

    async def read(self, code: str) -> State | None:
        """See Store."""
        room = self._room(code)
        return room.state | {"here": len(room.here)} if room else None

    async def change(self, code: str, news: State) -> None:
        """See Store."""
        if room := self._room(code):
            if "asks" in news:
                room.answered.clear()
            room.state |= news
            self._deliver(code, news)

    async def answer(self, code: str, asked: State, marker: str, answer: int) -> None:
        """See Store."""
        room = self._room(code)
        if room is None or room.state["asks"] != asked or marker in room.answered:
            return
        room.answered.add(marker)
        counts = list(room.state["counts"])
        counts[answer] += 1
        room.state["counts"] = counts
        self._deliver(code, {"counts": counts})

    async def enter(self, code: str, members: Iterable[str], *, anew: bool) -> bool:
        """See Store."""
        if (room := self._room(code)) is None:
            return False
        room.here |= set(members)
        if anew and len(room.here) > bounds.MOST_MEMBERS:
            room.here -= set(members)
            return False
        self._deliver(code, {"here": len(room.here)})
        return True

    async def leave(self, code: str, member: str) -> None:
        """See Store."""
        if room := self._room(code):
            room.here.discard(member)
            self._deliver(code, {"here": len(room.here)})

    async def keep(self, code: str) -> None:
        """See Store."""
        if room := self._room(code):
            room.ends = time.time() + until(room.state["opened"])

    async def close(self, code: str) -> None:
        """See Store."""
        if self._rooms.pop(code, None):
            self._deliver(code, ENDED)
