"""A room's rules, as its WebSocket has them: who leads, what is led to, what is counted.

They are the same where the rooms are in the memory of the process, and where they are in Redis.
"""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psutil
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from server.rooms import bounds, door, hub, messages
from server.rooms.shared import ROOMS, shared
from tests.support.redis import redis_server
from tests.support.room import InRoom, connected
from tests.support.server import running
from views.ui import talk

PLACE = {"page": 1, "query": {"chapter": "rate", "of_limit": "1.05"}}
AT = {"step": 4, "moment": None}
ASKS = {"question": "st-key-guess-of-race", "answers": 3}
QUESTION = {"asks": ASKS}
HERE = {"origin": "http://testserver"}
PROXY = "172.30.87.2"
ME = "a-browser-of-somebody"


class Class:
    """An app that has nothing but rooms, and who is in them."""

    def __init__(self, client, stack):
        self._client, self._stack = client, stack

    def connect(self, headers=HERE, path="/rooms"):
        socket = self._client.websocket_connect(path, headers=headers)
        return InRoom(self._stack.enter_context(socket))

    def open(self, **more):
        lecturer = self.connect(**more)
        lecturer.say(open=True)
        lecturer.hear("leads", "here")
        return lecturer

    def join(self, code, **more):
        member = self.connect()
        member.say(join=code, **more)
        member.hear("joined", "asks")
        return member

    def refused(self, **first):
        one = self.connect()
        one.say(**first)
        return one.hear("refused")["refused"]


@contextmanager
def rooms(near=PROXY):
    """near: where connections come from."""
    with ExitStack() as stack:
        app = Starlette(routes=[door.route], lifespan=lambda _app: door.opened())
        client = TestClient(app, client=(near, 50_000))
        yield Class(stack.enter_context(client), stack)


@pytest.fixture(scope="module")
def redis():
    with redis_server() as address:
        yield address


@pytest.fixture(params=["memory", "redis"])
def school(request, monkeypatch):
    """A class whose rooms are kept in either way."""
    return request.getfixturevalue(f"in_{request.param}")


@pytest.fixture
def in_redis(redis, monkeypatch):
    with Redis.from_url(redis) as client:
        client.flushall()
    monkeypatch.setattr(door, "REDIS", redis)
    yield from _school(monkeypatch)


@pytest.fixture
def in_memory(monkeypatch):
    yield from _school(monkeypatch)


def _school(monkeypatch):
    monkeypatch.setattr(door, "_wrong", bounds.Tries(bounds.WRONG_CODES, 60))
    monkeypatch.setattr(door, "_openings", bounds.Tries(bounds.OPENINGS, 3600))
    with rooms() as school:
        yield school
    assert hub.rooms == {}


def test_a_class_follows_its_lecturer(school):
    lecturer = school.open()
    code = lecturer.state["leads"]
    early = school.join(code)
    assert early.state["place"] is None
    lecturer.say(place=PLACE, at=AT)
    early.hears(place=PLACE, at=AT)
    late = school.join(code)
    assert (late.state["place"], late.state["at"]) == (PLACE, AT)
    lecturer.hears(here=2)
    lecturer.say(at={"step": 5, "moment": 2})
    for member in (early, late):
        member.hears(place=PLACE, at={"step": 5, "moment": 2})
    lecturer.say(close=True)
    for one in (lecturer, early, late):
        assert one.hear("ended")["ended"]
    assert school.refused(join=code) == "unknown"


def test_what_is_shown_to_the_class_is_an_address_without_the_secret(school):
    lecturer = school.open(path="/backstep/rooms")
    code, secret = lecturer.state["leads"], lecturer.state["secret"]
    assert lecturer.state["address"] == f"http://testserver/backstep/?room={code}"
    assert lecturer.state["qr"].startswith("data:image/svg+xml")
    member = school.join(code)
    lecturer.say(place=PLACE, **QUESTION)
    member.hears(place=PLACE)
    assert secret not in json.dumps(member.state)
    assert set(member.state) == {"joined", "place", "at", "points", "asks", "shows"}


def test_answers_are_counted_once_and_shown_to_all(school):
    lecturer = school.open()
    code = lecturer.state["leads"]
    members = [school.join(code, me=f"{ME}-{i}") for i in range(3)]
    lecturer.say(**QUESTION)
    for member, answer in zip(members, (0, 2, 2), strict=True):
        asked = member.hear("asks")["asks"]
        assert {name: asked[name] for name in ASKS} == ASKS
        member.say(answer=answer, round=asked["round"])
    lecturer.hears(counts=[1, 0, 2])
    members[0].say(answer=1, round=asked["round"])  # a second thought is not counted
    again = school.join(code, me=f"{ME}-1")  # nor is who comes again
    again.say(answer=1, round=asked["round"])
    members[1].say(answer=7, round=asked["round"])
    other = school.join(code)
    other.say(answer=1, round=asked["round"])
    lecturer.hears(counts=[1, 1, 2])
    assert "counts" not in members[0].state
    lecturer.say(shows=True)
    for member in (*members, again, other):
        assert member.hear("shows")["shows"] == {"counts": [1, 1, 2]}
    late = school.join(code)
    late.say(answer=0, round=asked["round"])
    assert late.state["shows"] == {"counts": [1, 1, 2]}
    lecturer.say(**QUESTION)  # asked for another time, it begins with none
    lecturer.hears(counts=[0, 0, 0], shows=None)
    assert late.hear("asks")["asks"]["round"] != asked["round"]
    members[0].say(answer=1, round=asked["round"])  # to the question of before
    members[0].hears(shows=None)
    members[0].say(answer=0, round=members[0].state["asks"]["round"])
    lecturer.hears(counts=[1, 0, 0])
    lecturer.say(asks=None)
    members[0].hears(asks=None)


def test_the_same_question_said_again_keeps_its_answers(school):
    lecturer = school.open()
    member = school.join(lecturer.state["leads"])
    lecturer.say(**QUESTION)
    member.hears(shows=None)
    member.say(answer=1, round=member.hear("asks")["asks"]["round"])
    lecturer.hears(counts=[0, 1, 0])
    lecturer.say(**QUESTION)
    lecturer.say(shows=True)
    assert member.hear("shows")["shows"] == {"counts": [0, 1, 0]}


def test_what_is_kept_of_an_answer_names_nobody(in_memory):
    lecturer = in_memory.open()
    code = lecturer.state["leads"]
    member = in_memory.join(code, me=ME)
    lecturer.say(**QUESTION)
    member.say(answer=1, round=member.hear("asks")["asks"]["round"])
    lecturer.hears(counts=[0, 1, 0])
    kept = door._store._rooms[code]
    assert len(kept.answered) == 1
    assert ME not in repr(kept)
    assert not any(one in repr(kept.answered) for one in kept.here)


def test_only_the_secret_leads(school):
    lecturer = school.open()
    code, secret = lecturer.state["leads"], lecturer.state["secret"]
    member = school.join(code)
    member.say(place=PLACE)
    assert member.hear("refused")["refused"] == "message"
    assert school.refused(lead=code, secret="x" * 32) == "not_yours"
    assert school.refused(lead=code, secret=secret, politely=True) == "led"
    again = school.connect()
    again.say(lead=code, secret=secret)
    assert again.hear("leads", "here")["here"] == 1
    assert lecturer.hear("elsewhere")["elsewhere"]
    again.say(at=AT)
    member.hears(at=AT)


def test_a_lecturer_who_comes_back_goes_on(school):
    lecturer = school.open()
    code, secret = lecturer.state["leads"], lecturer.state["secret"]
    member = school.join(code)
    lecturer.say(place=PLACE, at=AT, **QUESTION)
    member.say(answer=0, round=member.hear("asks")["asks"]["round"])
    lecturer.hears(counts=[1, 0, 0])
    lecturer.leave()
    again = school.connect()
    again.say(lead=code, secret=secret, politely=True)
    state = again.hear("leads", "here", "counts")
    assert (state["here"], state["counts"], state["asks"]["answers"]) == (1, [1, 0, 0], 3)
    assert "secret" not in state


def test_what_redis_keeps_names_nobody_and_ends_by_itself(redis, in_redis):
    lecturer = in_redis.open()
    code = lecturer.state["leads"]
    member = in_redis.join(code, me=ME)
    lecturer.say(**QUESTION)
    member.say(answer=1, round=member.hear("asks")["asks"]["round"])
    lecturer.hears(counts=[0, 1, 0])
    with Redis.from_url(redis, decode_responses=True) as client:
        keys = set(client.keys("*")) - {"backstep:rooms"}
        assert len(keys) == 3
        assert all(0 < client.ttl(key) <= bounds.LEFT for key in keys)
        answered = client.smembers(f"backstep:room:{code}:answered")
        here = client.zrange(f"backstep:room:{code}:here", 0, -1)
        assert (len(answered), len(here)) == (1, 1)
        assert ME not in repr([client.hgetall(f"backstep:room:{code}"), answered, here])
        lecturer.say(close=True)
        assert member.hear("ended")["ended"]
        assert client.keys("*") == []


def test_counts_are_told_in_the_order_in_which_they_were_counted(redis):
    async def told(asked, answers):
        """The counts on the channel, while so many answer at once."""
        async with (
            shared(redis) as store,
            AsyncRedis.from_url(redis, decode_responses=True) as client,
            client.pubsub() as channel,
        ):
            counts = [0] * asked["answers"]
            await store.open("HHHHH", {"opened": time.time(), "asks": asked, "counts": counts})
            await channel.subscribe(ROOMS)
            await channel.get_message(timeout=5)
            await store.answer("HHHHH", asked | {"round": "an earlier one"}, "marker", 0)
            given = (store.answer("HHHHH", asked, f"marker {i}", i % 3) for i in range(answers))
            await asyncio.gather(*given)
            return [json.loads((await anext(channel.listen()))["data"]) for _ in range(answers)]

    with ThreadPoolExecutor(1) as pool:  # the browser tests have a loop in this thread
        news = pool.submit(asyncio.run, told(ASKS | {"round": ME}, 60)).result()
    assert [sum(one["counts"]) for _, one in news] == [*range(1, 61)]
    assert news[-1] == ["HHHHH", {"counts": [20, 20, 20]}]


def test_a_redis_that_goes_and_comes_back(monkeypatch):
    """Who is in a room stays connected, and who says something meanwhile connects again."""
    monkeypatch.setattr(bounds, "BEAT", 0.05)
    with ExitStack() as first:
        address = first.enter_context(redis_server())
        monkeypatch.setattr(door, "REDIS", address)
        with rooms() as school:
            lecturer = school.open()
            member = school.join(lecturer.state["leads"])
            first.close()
            lecturer.say(at=AT)
            with pytest.raises(WebSocketDisconnect) as told:
                lecturer.hear("ended")
            assert told.value.code == 1013
            with redis_server(int(address.rpartition(":")[2])):  # which has forgotten all
                assert member.hear("ended")["ended"]
                assert school.open()


def test_a_room_ends_when_its_lecturer_has_been_gone_for_long(in_memory, monkeypatch):
    lecturer = in_memory.open()
    code, secret = lecturer.state["leads"], lecturer.state["secret"]
    now = door.time.time()
    monkeypatch.setattr(door.time, "time", lambda: now + bounds.LEFT - 1)
    assert in_memory.join(code)
    monkeypatch.setattr(door.time, "time", lambda: now + bounds.LEFT + 1)
    assert in_memory.refused(join=code) == "unknown"
    assert in_memory.refused(lead=code, secret=secret) == "gone"
    assert door._store._rooms == {}


@pytest.mark.parametrize("after", [bounds.LEFT + 1, bounds.LONGEST - 1, bounds.LONGEST + 1])
def test_a_room_that_is_led_ends_after_some_hours(monkeypatch, after):
    monkeypatch.setattr(bounds, "BEAT", 0.01)
    with rooms() as school:
        lecturer = school.open()
        member = school.join(lecturer.state["leads"])
        start, steps = door.time.time(), 20
        for step in range(1, steps + 1):  # as time goes by, someone looks after it
            now = start + after * step / steps
            monkeypatch.setattr(door.time, "time", lambda now=now: now)
            if now < start + bounds.LONGEST:
                school.join(lecturer.state["leads"]).leave()
                lecturer.hears(here=2)
                lecturer.hears(here=1)
                lecturer.hear("here")
        if after > bounds.LONGEST:
            assert member.hear("ended")["ended"]
        else:
            lecturer.say(at=AT)
            member.hears(at=AT)


def test_so_many_and_no_more(school, monkeypatch):
    monkeypatch.setattr(bounds, "MOST_MEMBERS", 2)
    monkeypatch.setattr(bounds, "MOST_ROOMS", 2)
    code = school.open().state["leads"]
    one, _ = school.join(code), school.join(code)
    assert school.refused(join=code) == "full"
    one.leave()
    assert school.join(code)
    school.open()
    assert school.refused(open=True) == "most_rooms"


def test_wrong_codes_and_openings_are_few_from_one_address(school, monkeypatch):
    right = school.open().state["leads"]
    wrong = "AAAAA" if right != "AAAAA" else "CCCCC"
    guesser = school.connect()
    for _ in range(bounds.WRONG_CODES):
        guesser.say(join=wrong)
        assert guesser.hear("refused")["refused"] == "unknown"
    guesser.say(join=right)
    assert guesser.hear("refused")["refused"] == "too_many_codes"
    elsewhere = school.connect(HERE | {"x-forwarded-for": "203.0.113.9"})
    elsewhere.say(join=right)
    assert elsewhere.hear("joined")
    for _ in range(bounds.OPENINGS - 1):
        school.open()
    assert school.refused(open=True) == "too_many_openings"


def test_a_replica_by_itself_says_so(in_memory, monkeypatch):
    monkeypatch.setattr(door, "REPLICAS", 2)
    assert in_memory.open().state["by_itself"] is True
    assert in_memory.refused(join="AAAAA") == "unknown_here"


@pytest.mark.parametrize(("near", "then"), [(PROXY, "unknown"), ("9.9.9.9", "too_many_codes")])
def test_only_a_proxy_says_where_somebody_asks_from(monkeypatch, near, then):
    monkeypatch.setattr(door, "_wrong", bounds.Tries(1, 60))
    with rooms(near) as school:
        for forwarded, told in (("198.51.100.1", "unknown"), ("198.51.100.2", then)):
            one = school.connect(HERE | {"x-forwarded-for": forwarded})
            one.say(join="AAAAA")
            assert one.hear("refused")["refused"] == told


def test_who_names_no_room_is_put_out(in_memory, monkeypatch):
    monkeypatch.setattr(bounds, "COMING_IN", 0.1)
    one = in_memory.connect()
    one.say_text("x")
    one.hear("refused")
    with pytest.raises(WebSocketDisconnect) as told:
        one.hear("refused")
    assert told.value.code == 1008


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null"])
def test_another_sites_page_gets_no_connection(in_memory, origin):
    with pytest.raises(WebSocketDisconnect):
        in_memory.connect({"origin": origin})


@pytest.mark.parametrize(
    "first",
    ["", "x", "[]", "{}", "[" * 100_000, '{"open": 1}', '{"join": "abc"}', '{"join": "AAAAA0"}'],
)
def test_what_is_no_first_message_is_refused(in_memory, first):
    one = in_memory.connect()
    one.say_text(first)
    assert one.hear("refused")["refused"] == "message"


WRONG = [
    {"place": {"page": 99, "query": {}}},
    {"place": {"page": 1, "query": {"a": 1}}},
    {"place": {"page": 1, "query": {f"a{i}": "" for i in range(talk.MOST + 1)}}},
    {"place": {"page": 1, "query": {}, "html": "<b>"}},
    {"place": "https://elsewhere.example"},
    {"at": {"step": -1, "moment": None}},
    {"at": {"step": 1e30, "moment": None}},
    {"at": {"step": 1}},
    {"asks": {"question": "a b", "answers": 3}},
    {"asks": {"question": "a", "answers": 100}},
    {"say": "<script>"},
]


def test_a_room_is_led_to_addresses_of_this_app_alone(school):
    lecturer = school.open()
    member = school.join(lecturer.state["leads"])
    for wrong in WRONG:
        lecturer.say(**wrong)
        assert lecturer.hear("refused")["refused"] == "message", wrong
    unseen = {"talk": "all", "room": "AAAAA", "lecture": "true", "embed": "true", "<b>": "x"}
    unseen["a"] = "x" * (talk.LONGEST + 1)
    lecturer.say(place={"page": 1, "query": {"point": "7"} | unseen})
    member.hears(place={"page": 1, "query": {"point": "7"}})


def test_a_step_that_is_too_late_is_left_out(school):
    """Whoever takes long to listen is told the last step, and not all of them."""
    lecturer = school.open()
    member = school.join(lecturer.state["leads"])
    for step in range(50):
        lecturer.say(at={"step": step, "moment": None})
    member.hears(at={"step": 49, "moment": None})


@pytest.mark.parametrize(
    ("points", "taken"),
    [
        (None, True),
        ({"box": "st-key-beside", "part": 0, "x": 0, "y": 1000}, True),
        ({"box": "st-key-code", "part": 12}, True),
        ({"box": "st-key-beside", "part": 0, "x": 0, "y": 1001}, False),
        ({"box": "st-key-beside", "part": 0, "x": 0.5, "y": 1}, False),
        ({"box": "st-key-beside", "part": 0, "x": 1}, False),
        ({"box": "st-key-beside"}, False),
        ({"box": "body, .st-key-x", "part": 1}, False),
        ({"box": f"st-key-{'a' * 200}", "part": 1}, False),
        ({"box": "st-key-code", "part": 10**6}, False),
        ("st-key-code", False),
    ],
)
def test_what_is_pointed_at_is_an_element_and_a_place_in_it(points, taken):
    said = json.dumps({"points": points})
    assert (messages.read(said, "lecturer") is not None) == taken
    assert messages.read(said, "member") is None


def test_what_is_pointed_at_is_told_and_forgotten_at_the_next_place(school):
    lecturer = school.open()
    member = school.join(lecturer.state["leads"])
    pointed = {"box": "st-key-beside", "part": 1, "x": 10, "y": 20}
    lecturer.say(points=pointed)
    member.hears(points=pointed)
    assert school.join(lecturer.state["leads"]).state["points"] == pointed
    lecturer.say(place=PLACE, at=AT)
    member.hears(place=PLACE, points=None)


def test_the_schema_knows_who_speaks():
    text = json.dumps({"answer": 1, "round": "x" * 16})
    assert messages.read(text, "member")
    assert messages.read(text, "lecturer") is None
    assert messages.read(text, "first") is None


def test_a_room_is_one_for_all_replicas_and_outlives_any():
    """The lecturer is at one process, a phone at another, and the lecturer's is killed."""
    with redis_server() as address, ExitStack() as stack:
        both = {"BACKSTEP_REDIS": address, "BACKSTEP_REPLICAS": "2"}
        one, two = (stack.enter_context(running(environment=both)) for _ in range(2))
        lecturer, member, again = (stack.enter_context(connected(at.url)) for at in (one, two, two))
        lecturer.say(open=True)
        known = lecturer.hear("leads", "here")
        assert known["by_itself"] is False
        member.say(join=known["leads"])
        lecturer.say(place=PLACE, at=AT, **QUESTION)
        member.hears(place=PLACE, at=AT)
        member.say(answer=2, round=member.state["asks"]["round"])
        lecturer.hears(here=1, counts=[0, 0, 1])
        psutil.Process(one.pid).kill()
        again.say(lead=known["leads"], secret=known["secret"])
        again.hears(here=1, counts=[0, 0, 1])
        began = time.monotonic()
        again.say(at={"step": 5, "moment": None}, shows=True)
        member.hears(at={"step": 5, "moment": None}, shows={"counts": [0, 0, 1]})
        assert time.monotonic() - began < 1
