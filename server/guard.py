"""What one visitor may ask of the server, and what all of them may hold.

It stands before Streamlit's own server and passes everything on, at its own pace:

- A visit's messages come out of a budget that refills. A visit that has used it up waits, and no
  other does.
- Only the messages that a page needs reach Streamlit. The others are for whoever develops an app:
  with one of them any browser could empty everybody's caches.
- A visit that asks for nothing is closed, and only so many may be open at once. Beyond that, the
  page that is asked for says so.
- Uploads are counted, for each visit and for all.
- A browser that is in a room (`server/rooms/`) holds a second connection, with a budget of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from http import HTTPStatus

from google.protobuf.message import DecodeError
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnected
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg

MOST_VISITS = int(os.environ.get("BACKSTEP_MOST_VISITORS", "250"))
# Messages: a hand on a slider sends ten in a second. A large one counts as several.
BURST, A_SECOND, BYTES = 60.0, 15.0, 20_000
PASSED = {"rerun_script", "stop_script", "app_heartbeat", "file_urls_request"}
PASSED |= {"backend_operation_request"}
MOST_IN_ROOMS = int(os.environ.get("BACKSTEP_MOST_IN_ROOMS", "400"))
LONGEST = 130_000  # bytes of what is said in a room: an address with all that it may hold
SILENT = 30.0  # seconds: a browser asks for its page at once
UPLOADS, ALL_UPLOADS = 10, 60  # files of at most 1 MB (server.maxUploadSize)

FULL = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh"
content="20"><title>Backstep is full</title><body style="font: 1.2rem/1.6 system-ui; margin: 15vh
auto; max-width: 34rem; padding: 0 1rem"><h1>Backstep is full</h1><p>This server has a place for
{most} visitors at once, and all of them are taken. This page tries again every 20 seconds.</p>"""

visits: set[object] = set()  # those that are open
in_rooms: set[object] = set()  # connections to rooms that are open
_uploads: dict[str, int] = {}  # files by session, of the sessions that are open


class _Budget:
    """So many at once, and so many more each second."""

    def __init__(self, burst: float, a_second: float) -> None:
        self._left, self._burst, self._a_second = burst, burst, a_second
        self._at = time.monotonic()

    def wait_for(self, cost: float) -> float:
        """Take it out, and return how many seconds to wait for it."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second) - cost
        self._at = now
        return max(0.0, -self._left / self._a_second)


class Guard:
    """A layer of the server, for Streamlit's `App(middleware=…)`."""

    def __init__(self, app: ASGIApp) -> None:
        """app: what it stands before."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the app do it."""
        if scope["type"] == "websocket":
            if scope["path"].endswith("/rooms"):
                await self._hold(in_rooms, MOST_IN_ROOMS, scope, _Said(receive), send)
            else:
                await self._hold(visits, MOST_VISITS, scope, _Messages(receive), send)
        elif scope["type"] == "http" and (refused := _refused(scope)):
            await refused(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _hold(
        self, places: set[object], most: int, scope: Scope, receive: _Messages, send: Send
    ) -> None:
        """Let the app go on with a connection, which holds one of so many places meanwhile."""
        if len(places) >= most:
            logging.getLogger(__name__).warning("full: %d are open of %s", most, scope["path"])
            await receive()
            await send({"type": "websocket.close", "code": 1013})  # try again later
            return
        place = object()
        places.add(place)
        try:
            await self._app(scope, receive, send)
        except WebSocketDisconnected:
            pass  # who leaves while something is sent to them is no fault
        finally:
            places.remove(place)


class _Messages:
    """What a visit receives: the messages that pass, no faster than its budget allows."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._budget = _Budget(BURST, A_SECOND)
        self._asked = False

    async def __call__(self) -> Message:
        while True:
            message = await self._next()
            content = message.get("bytes")
            if message["type"] != "websocket.receive" or content is None:
                return message
            await self._pay(len(content))
            if _passes(content):
                return message

    async def _next(self) -> Message:
        """The next message; the end of the connection where nothing has ever come."""
        try:
            return await asyncio.wait_for(self._receive(), None if self._asked else SILENT)
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": 1008}

    async def _pay(self, size: int) -> None:
        """Wait until there is room in the budget for a message of so many bytes."""
        self._asked = True
        await asyncio.sleep(self._budget.wait_for(1 + size / BYTES))


class _Said(_Messages):
    """What is said in a room: text, which server/rooms/ reads itself."""

    async def __call__(self) -> Message:
        message = await self._next()
        size = len(message.get("text") or message.get("bytes") or "")
        if size > LONGEST:
            return {"type": "websocket.disconnect", "code": 1009}
        if message["type"] == "websocket.receive":
            await self._pay(size)
        return message


def _passes(content: bytes) -> bool:
    try:
        return BackMsg.FromString(content).WhichOneof("type") in PASSED
    except DecodeError:
        return True  # Streamlit ends such a visit


def _refused(scope: Scope) -> ASGIApp | None:
    """The answer to a request that is not passed on."""
    path, method = scope["path"], scope["method"]
    if "/_stcore/upload_file/" in path:
        if method == "PUT" and not _may_upload(path.split("/_stcore/upload_file/")[1]):
            return PlainTextResponse("Too many files. Leave and come back.", 429)
    elif method == "GET" and len(visits) >= MOST_VISITS and _is_page(path):
        again = {"Retry-After": "20", "Cache-Control": "no-store"}
        return HTMLResponse(
            FULL.format(most=MOST_VISITS), HTTPStatus.SERVICE_UNAVAILABLE, headers=again
        )
    return None


def _is_page(path: str) -> bool:
    return "." not in path and "/_stcore/" not in path and not path.endswith("/health")


def _may_upload(rest: str) -> bool:
    """Count one more file. rest: of the address, the session first."""
    session = rest.partition("/")[0]
    if not runtime.exists() or not runtime.get_instance().is_active_session(session):
        return True  # Streamlit refuses it
    for gone in [one for one in _uploads if not runtime.get_instance().is_active_session(one)]:
        del _uploads[gone]
    if _uploads.get(session, 0) >= UPLOADS or sum(_uploads.values()) >= ALL_UPLOADS:
        logging.getLogger(__name__).warning("too many files are held")
        return False
    _uploads[session] = _uploads.get(session, 0) + 1
    return True
