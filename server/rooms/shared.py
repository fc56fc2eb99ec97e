"""What rooms there are, in Redis, for all replicas of the app; memory.py says what a store does.

Of a room CODE there are three keys, and all of them expire by themselves:

    backstep:room:CODE            what is known of it, by name, as JSON
    backstep:room:CODE:here       connections of members, with when each was last seen
    backstep:room:CODE:answered   markers of those who have answered the question that is open

`backstep:rooms` has the codes, with when each ends. What changes is said on the channel of the same
name, and every process delivers it to those who are connected there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.rooms import bounds, hub
from server.rooms.memory import ENDED, State, Unreachable, until

ROOMS = "backstep:rooms"
PARTS = ("", ":here", ":answered")

# What is counted is said in the same step. Said afterwards, two counts could pass each other on
# their way, and the older one would stay.
ANSWER = """
local room, answered, channel = unpack(KEYS)
local code, marker, round, answer, seconds = unpack(ARGV)
local asks = cjson.decode(redis.call("HGET", room, "asks") or "null")
if asks == cjson.null or asks.round ~= round then return end
if redis.call("SADD", answered, marker) == 0 then return end
redis.call("EXPIRE", answered, seconds)
local counts = cjson.decode(redis.call("HGET", room, "counts"))
counts[answer + 1] = counts[answer + 1] + 1
redis.call("HSET", room, "counts", cjson.encode(counts))
redis.call("PUBLISH", channel, cjson.encode({code, {counts = counts}}))
"""
# Those who were not seen for a while have gone. Returns how many are there.
HERE = """
local here, channel = unpack(KEYS)
local code, oldest, seconds = unpack(ARGV)
redis.call("ZREMRANGEBYSCORE", here, 0, oldest)
redis.call("EXPIRE", here, seconds)
local there = redis.call("ZCARD", here)
redis.call("PUBLISH", channel, cjson.encode({code, {here = there}}))
return there
"""


@asynccontextmanager
async def shared(address: str) -> AsyncIterator[Shared]:
    """The rooms in the Redis at this address, such as redis://host:6379."""
    client = Redis.from_url(
        address, decode_responses=True, socket_connect_timeout=2, socket_timeout=5
    )
    store = Shared(client)
    hearing = asyncio.create_task(_hear(client, store))
    try:
        yield store
    finally:
        hearing.cancel()
        await client.aclose()


async def _hear(client: Redis, store: Shared) -> None:
    """Deliver what any process says. Never returns: where Redis has gone, it waits for it."""
    while True:
        try:
            async with client.pubsub() as channel:
                await channel.subscribe(ROOMS)
                await hub.catch_up(store)
                while True:
                    said = await channel.get_message(ignore_subscribe_messages=True, timeout=1)
                    if said:
                        code, news = json.loads(said["data"])
                        hub.deliver(code, news)
        except (RedisError, Unreachable) as error:
            logging.getLogger(__name__).warning("Redis does not answer: %s", type(error).__name__)
            await asyncio.sleep(1)


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise Unreachable(type(error).__name__) from error


def _keys(code: str) -> list[str]:
    return [f"backstep:room:{code}{part}" for part in PARTS]


class Shared:
    """The rooms of all replicas."""

    def __init__(self, client: Redis) -> None:
        """client: of Redis, with answers as text."""
        self._redis = client
        self._answer, self._here = client.register_script(ANSWER), client.register_script(HERE)

    async def open(self, code: str, state: State) -> str:
        """See Store."""
        room, left = _keys(code)[0], until(state["opened"])
        with _reached():
            await self._redis.zremrangebyscore(ROOMS, 0, time.time())
            if await self._redis.zcard(ROOMS) >= bounds.MOST_ROOMS:
                return "most_rooms"
            if not await self._redis.hsetnx(room, "opened", json.dumps(state["opened"])):
                return "taken"
            async with self._redis.pipeline() as together:
                together.hset(room, mapping={n: json.dumps(value) for n, value in state.items()})
                together.expire(room, round(left))
                together.zadd(ROOMS, {code: time.time() + left})
                await together.execute()
        return ""

    async def read(self, code: str) -> State | None:
        """See Store."""
        room, here, _ = _keys(code)
        with _reached():
            async with self._redis.pipeline() as together:
                together.hgetall(room)
                together.zcard(here)
                known, there = await together.execute()
        if "secret" not in known:
            return None
        return {name: json.loads(value) for name, value in known.items()} | {"here": there}

    async def change(self, code: str, news: State) -> None:
        """See Store."""
        room, _, answered = _keys(code)
        with _reached():
            if not await self._redis.exists(room):
                return
            async with self._redis.pipeline() as together:
                together.hset(room, mapping={n: json.dumps(value) for n, value in news.items()})
                if "asks" in news:
                    together.delete(answered)
                together.publish(ROOMS, json.dumps([code, news]))
                await together.execute()

    async def answer(self, code: str, asked: State, marker: str, answer: int) -> None:
        """See Store."""
        room, _, answered = _keys(code)
        given = [code, marker, asked["round"], answer, round(bounds.LEFT)]
        with _reached():
            await self._answer([room, answered, ROOMS], given)

    async def enter(self, code: str, members: Iterable[str], *, anew: bool) -> bool:
        """See Store."""
        here, those = _keys(code)[1], list(members)
        with _reached():
            if those:
                await self._redis.zadd(here, dict.fromkeys(those, time.time()))
            if await self._there(code) <= bounds.MOST_MEMBERS or not anew:
                return True
        for member in those:
            await self.leave(code, member)
        return False

    async def leave(self, code: str, member: str) -> None:
        """See Store."""
        with _reached():
            await self._redis.zrem(_keys(code)[1], member)
            await self._there(code)

    async def _there(self, code: str) -> int:
        """How many are in the room, which is told to all."""
        bounded = [time.time() - 3 * bounds.BEAT, round(bounds.LEFT)]
        there: int = await self._here([_keys(code)[1], ROOMS], [code, *bounded])
        return there

    async def keep(self, code: str) -> None:
        """See Store."""
        with _reached():
            opened = await self._redis.hget(_keys(code)[0], "opened")
            if opened is None:
                return
            left = max(1, round(until(json.loads(opened))))
            async with self._redis.pipeline() as together:
                for key in _keys(code):
                    together.expire(key, left)
                together.zadd(ROOMS, {code: time.time() + left})
                await together.execute()

    async def close(self, code: str) -> None:
        """See Store."""
        with _reached():
            async with self._redis.pipeline() as together:
                together.delete(*_keys(code))
                together.zrem(ROOMS, code)
                together.publish(ROOMS, json.dumps([code, ENDED]))
                await together.execute()
