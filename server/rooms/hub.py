"""The connections of this process to its rooms, and what each of them is told.

What a browser is told is the state of its room: all of it first, then what has changed. Where
something changes again before it was sent, only the last of it is: a slow phone skips steps, and
nothing piles up.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_urlsafe

from starlette.websockets import WebSocket, WebSocketDisconnect

from server.rooms import bounds
from server.rooms.memory import ENDED, State, Store, Unreachable

# What members of a room are told; only its lecturer sees how many are there and what they answer.
FOR_MEMBERS = {"place", "at", "points", "asks", "shows", "ended"}
FOR_LECTURER = {"here", "counts", "asks", "shows", "ended", "elsewhere"}


class Connection:
    """One browser in a room."""

    def __init__(self, socket: WebSocket, *, leads: bool) -> None:
        """leads: whether it is the lecturer's."""
        self.id = token_urlsafe(12)  # of this connection, and of nobody
        self.leads = leads
        self._socket = socket
        self._news: State = {}
        self._new = asyncio.Event()

    def tell(self, news: State) -> None:
        """Have what concerns this browser sent as soon as it takes it."""
        concerns = FOR_LECTURER if self.leads else FOR_MEMBERS
        if told := {name: value for name, value in news.items() if name in concerns}:
            self._news |= told
            self._new.set()

    async def send_news(self) -> None:
        """Send what there is to tell, until the room ends for this browser, or it leaves."""
        with suppress(WebSocketDisconnect, RuntimeError):  # it has gone; its receiver says so
            while True:
                await self._new.wait()
                self._new.clear()
                news, self._news = self._news, {}
                await self._socket.send_text(json.dumps(news, separators=(",", ":")))
                if news.keys() & {"ended", "elsewhere"}:
                    await self._socket.close()
                    return


@dataclass
class Local:
    """A room as this process knows it, while anybody here is in it."""

    state: State = field(default_factory=dict)
    connections: set[Connection] = field(default_factory=set)

    def members(self) -> list[str]:
        """Those who follow, by connection."""
        return [one.id for one in self.connections if not one.leads]


class Gone(Exception):
    """There is no such room any more."""


rooms: dict[str, Local] = {}


def deliver(code: str, news: State) -> None:
    """Tell everybody here who is in that room what has changed in it."""
    if (room := rooms.get(code)) is None:
        return
    room.state |= news
    for one in list(room.connections):
        one.tell(news)
        if one.leads and news.get("led", one.id) != one.id:  # from another window, or another place
            one.tell({"elsewhere": True})


@asynccontextmanager
async def within(store: Store, code: str, one: Connection) -> AsyncIterator[Local]:
    """Have this connection in that room, told all there is to tell. Raises Gone."""
    room = rooms.setdefault(code, Local())
    room.connections.add(one)
    try:
        state = await store.read(code)
        if state is None:
            raise Gone
        room.state = state | room.state  # what has been delivered meanwhile is newer
        one.tell(room.state)
        yield room
    finally:
        room.connections.discard(one)
        if not room.connections:
            rooms.pop(code, None)


async def look_after(store: Store) -> None:
    """Keep the rooms that are led, say who is there, and notice which have ended. Never returns."""
    while True:
        await asyncio.sleep(bounds.BEAT)
        for code, room in list(rooms.items()):
            try:
                if any(one.leads for one in room.connections):
                    await store.keep(code)
                if await store.read(code) is None:
                    deliver(code, ENDED)
                else:
                    await store.enter(code, room.members(), anew=False)
            except Unreachable as error:
                logging.getLogger(__name__).warning("the rooms cannot be reached: %s", error)


async def catch_up(store: Store) -> None:
    """Tell everybody the whole state of their room: something may have been missed."""
    for code in list(rooms):
        deliver(code, await store.read(code) or ENDED)
