"""The WebSocket of a room, at `/rooms`: who comes in, and what is then heard of them.

The first message opens a room, leads one or joins one (messages.py). What is refused is told by its
name, for which views/ui/room.py has the words, and may be tried again on the same connection.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import segno
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.web.server.server_util import is_url_from_allowed_origins

from server.rooms import bounds, hub, messages
from server.rooms.hub import Connection, Local
from server.rooms.memory import Memory, State, Store, Unreachable

REDIS = os.environ.get("BACKSTEP_REDIS", "")
REPLICAS = int(os.environ.get("BACKSTEP_REPLICAS", "1"))

_wrong, _openings = bounds.Tries(bounds.WRONG_CODES, 60), bounds.Tries(bounds.OPENINGS, 3600)
_store: Store


class Place(NamedTuple):
    """Where somebody is let in, and what they are told first. me: the name that counts once."""

    code: str
    connection: Connection
    told: State
    me: str = ""


@asynccontextmanager
async def opened() -> AsyncIterator[None]:
    """Have rooms in it, in this process or, where there is a Redis, in all of them."""
    global _store  # noqa: PLW0603
    async with AsyncExitStack() as stack:
        if REDIS:
            from server.rooms.shared import shared  # noqa: PLC0415  # Redis, for who has it

            _store = await stack.enter_async_context(shared(REDIS))
        else:
            _store = Memory(hub.deliver)
        beat = asyncio.create_task(hub.look_after(_store))
        try:
            yield
        finally:
            beat.cancel()


async def answer(socket: WebSocket) -> None:
    """Meet a browser, and stay with it until it leaves."""
    if not _from_here(socket):
        await socket.close(1008)
        return
    await socket.accept()
    try:
        async with asyncio.timeout(bounds.COMING_IN):
            place = await _let_in(socket)
        if place:
            await _stay(socket, place)
    except TimeoutError:
        await socket.close(1008)
    except Unreachable as error:
        logging.getLogger(__name__).warning("the rooms cannot be reached: %s", error)
        await socket.close(1013)
    except WebSocketDisconnect:
        pass  # they left


# With any base path before it (server.baseUrlPath).
route = WebSocketRoute("/{base:path}rooms", answer)


def _from_here(socket: WebSocket) -> bool:
    """Whether it is a page of this app that asks, or something that is no browser."""
    origin = socket.headers.get("origin")
    host = socket.headers.get("host")
    return origin is None or urlsplit(origin).netloc == host or is_url_from_allowed_origins(origin)


# ---- Coming in


async def _let_in(socket: WebSocket) -> Place | None:
    """Whoever has a right to a room is led there; None if they leave without one."""
    while (text := await _heard(socket)) is not None:
        first = messages.read(text, "first") or {}
        came: Place | str = "message"
        if "open" in first:
            came = await _open(socket)
        elif "lead" in first:
            came = await _lead(socket, **first)
        elif "join" in first:
            came = await _join(socket, **first)
        if isinstance(came, Place):
            return came
        await socket.send_json({"refused": came})
    return None


async def _open(socket: WebSocket) -> Place | str:
    address = _address(socket)
    if not _openings.left(address):
        return "too_many_openings"
    secret = secrets.token_urlsafe(24)
    one = Connection(socket, leads=True)
    state: State = {
        "secret": _hashed(secret),
        "salt": secrets.token_urlsafe(12),
        "opened": time.time(),
        "led": one.id,
        "place": None,
        "at": None,
        "points": None,
        "asks": None,
        "counts": [],
        "shows": None,
    }
    while True:
        code = "".join(secrets.choice(bounds.ALPHABET) for _ in range(bounds.LENGTH))
        match await _store.open(code, state):
            case "":
                _openings.count(address)
                return Place(code, one, _for_lecturer(socket, code) | {"secret": secret})
            case "most_rooms":
                return "most_rooms"


async def _lead(
    socket: WebSocket, lead: str, secret: str, *, politely: bool = False
) -> Place | str:
    state = await _found(socket, lead)
    if isinstance(state, str):
        return "gone" if state == "unknown" else state
    if not hmac.compare_digest(state["secret"], _hashed(secret)):
        _wrong.count(_address(socket))
        return "not_yours"
    if politely and state["led"]:
        return "led"
    one = Connection(socket, leads=True)
    await _store.change(lead, {"led": one.id})
    return Place(lead, one, _for_lecturer(socket, lead))


async def _join(socket: WebSocket, join: str, me: str = "") -> Place | str:
    state = await _found(socket, join)
    if isinstance(state, str):
        return state
    one = Connection(socket, leads=False)
    if not await _store.enter(join, [one.id], anew=True):
        return "full"
    return Place(join, one, {"joined": join}, me or one.id)


async def _found(socket: WebSocket, code: str) -> State | str:
    """The state of that room, or why it is not told."""
    address = _address(socket)
    if not _wrong.left(address):
        return "too_many_codes"
    if (state := await _store.read(code)) is not None:
        return state
    _wrong.count(address)
    return "unknown_here" if _by_itself() else "unknown"


def _by_itself() -> bool:
    """Whether there are other replicas, which know nothing of the rooms of this one."""
    return REPLICAS > 1 and not REDIS


def _address(socket: WebSocket) -> str:
    """Where somebody asks from, as a proxy says that stands before this in the same network."""
    near = socket.client.host if socket.client else ""
    forwarded = socket.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        return (forwarded if ip_address(near).is_private else "") or near
    except ValueError:  # a socket of another kind
        return near


def _for_lecturer(socket: WebSocket, code: str) -> State:
    """What the class is shown. The origin is that of the lecturer's own address bar."""
    origin = socket.headers.get("origin") or f"http://{socket.headers.get('host')}"
    address = f"{origin}/{socket.path_params['base']}?room={code}"
    picture = segno.make(address, error="m").svg_data_uri(border=3, light="#ffffff")
    return {"leads": code, "address": address, "qr": picture, "by_itself": _by_itself()}


def _hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


# ---- Being there


async def _stay(socket: WebSocket, place: Place) -> None:
    """Tell what is new, and hear what is said, until they leave or the room ends."""
    code, one, told, me = place
    try:
        await socket.send_json(told)
        async with hub.within(_store, code, one) as room:
            sending = asyncio.create_task(one.send_news())
            try:
                while not sending.done() and (text := await _heard(socket)) is not None:
                    said = messages.read(text, "lecturer" if one.leads else "member")
                    if said is None:
                        await socket.send_json({"refused": "message"})
                    elif one.leads:
                        await _led(code, room, one, said)
                    else:
                        await _answered(code, room, me, said)
            finally:
                sending.cancel()
    except hub.Gone:  # it ended between two looks
        await socket.send_json({"ended": True})
        await socket.close()
    finally:
        with suppress(Unreachable):  # who is not heard of any more is forgotten by itself
            await _gone(code, one)


async def _gone(code: str, one: Connection) -> None:
    if not one.leads:
        await _store.leave(code, one.id)
        return
    state = await _store.read(code)
    if state and state["led"] == one.id:
        await _store.change(code, {"led": ""})
        await _store.keep(code)  # from now on, for half an hour


async def _led(code: str, room: Local, one: Connection, said: dict[str, Any]) -> None:
    """What the lecturer says is true of the room from now on."""
    if room.state["led"] != one.id:
        return
    if "close" in said:
        await _store.close(code)
        return
    news: State = {name: said[name] for name in ("place", "at", "points") if name in said}
    if "place" in said:
        news["points"] = said.get("points")  # what was pointed at is no more there
    asked = room.state["asks"]
    if "asks" in said and _asks_anew(asked, said["asks"], shown=bool(room.state["shows"])):
        asks = said["asks"] and said["asks"] | {"round": secrets.token_urlsafe(12)}
        news |= {"asks": asks, "shows": None, "counts": [0] * asks["answers"] if asks else []}
    now = room.state | news
    if "shows" in said and now["asks"] and not now["shows"]:
        news["shows"] = {"counts": now["counts"]}
    if news:
        room.state |= news  # what is said next may come before this is delivered
        await _store.change(code, news)


def _asks_anew(asked: State | None, asks: State | None, *, shown: bool) -> bool:
    """Whether it is another question, or the same one for another time."""
    if asked is None or asks is None:
        return asked is not asks
    return shown or any(asked[name] != asks[name] for name in asks)


async def _answered(code: str, room: Local, me: str, said: dict[str, Any]) -> None:
    """Count an answer to the question that is open. Who gave it is known to nobody.

    The marker says of this question alone that somebody has answered it.
    """
    asked = room.state["asks"]
    if not asked or asked["round"] != said["round"] or room.state["shows"]:
        return
    if said["answer"] < asked["answers"]:
        marker = _hashed(f"{room.state['salt']} {asked['round']} {me}")
        await _store.answer(code, asked, marker, said["answer"])


async def _heard(socket: WebSocket) -> str | None:
    """The next message, "" of one that is no text; None once they have left."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        return None
    return message.get("text") or ""
