"""Somebody in a room, as the server meets them: a client of its protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from websockets.sync.client import ClientConnection, connect


class Socket(Protocol):
    """What Starlette's test client and `connected` have in common."""

    def send_text(self, text: str) -> None:
        """Send it."""

    def receive_text(self) -> str:
        """The next message."""

    def close(self) -> None:
        """Leave."""


class InRoom:
    """A browser's connection to a room, and all that it knows of it."""

    def __init__(self, socket: Socket) -> None:
        """socket: just opened."""
        self.state: dict[str, Any] = {}
        self._socket = socket

    def say(self, **said: Any) -> None:
        """Send a message."""
        self.say_text(json.dumps(said))

    def say_text(self, text: str) -> None:
        """Send whatever it is."""
        self._socket.send_text(text)

    def leave(self) -> None:
        """Close the connection."""
        self._socket.close()

    def hear(self, *names: str) -> dict[str, Any]:
        """Wait until all of these have been told (again); returns what is known."""
        left = set(names)
        while left:
            left -= self._news().keys()
        return self.state

    def hears(self, **wanted: Any) -> None:
        """Wait until what is known is this."""
        while {name: self.state.get(name) for name in wanted} != wanted:
            self._news()

    def _news(self) -> dict[str, Any]:
        news: dict[str, Any] = json.loads(self._socket.receive_text())
        self.state |= news
        return news


@contextmanager
def connected(url: str, **headers: str) -> Iterator[InRoom]:
    """A connection to the rooms of the server at `url`. headers: sent when it is opened."""
    address = url.replace("http", "ws") + "/rooms"
    with connect(address, additional_headers=headers, proxy=None, close_timeout=1) as socket:
        yield InRoom(_Plain(socket))


class _Plain:
    """What Starlette's test client names differently."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def send_text(self, text: str) -> None:
        self._socket.send(text)

    def receive_text(self) -> str:
        return str(self._socket.recv(timeout=20))

    def close(self) -> None:
        self._socket.close()
