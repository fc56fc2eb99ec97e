"""What a visit may ask: at its own pace, what a page needs, and while there is room."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.websockets import WebSocketDisconnected
from streamlit.proto.BackMsg_pb2 import BackMsg

from server import guard


def run(coroutine):
    """What it returns. In a thread of its own: the browser tests have a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def message(**what):
    asked = BackMsg()
    for name, value in what.items():
        if name == "rerun_script":
            asked.rerun_script.query_string = value
        else:
            setattr(asked, name, value)
    return {"type": "websocket.receive", "bytes": asked.SerializeToString()}


RERUN = message(rerun_script="")


def received(messages, count):
    """What gets through of the messages, and when each did, in seconds."""

    async def all_of_them():
        left = iter(messages)

        async def receive():
            return next(left)

        passing = guard._Messages(receive)
        start = time.monotonic()
        return [(await passing(), time.monotonic() - start) for _ in range(count)]

    return run(all_of_them())


def test_a_hand_on_a_slider_never_waits():
    assert received([RERUN] * 40, 40)[-1][1] < 0.1


def test_who_asks_without_end_is_slowed_down(monkeypatch):
    monkeypatch.setattr(guard, "BURST", 5.0)
    monkeypatch.setattr(guard, "A_SECOND", 50.0)
    assert received([RERUN] * 30, 30)[-1][1] == pytest.approx(25 / 50, abs=0.2)


def test_a_large_message_costs_as_much_as_many(monkeypatch):
    monkeypatch.setattr(guard, "BURST", 5.0)
    monkeypatch.setattr(guard, "A_SECOND", 50.0)
    large = message(rerun_script="x" * 20 * int(guard.BYTES))
    assert received([large], 1)[0][1] > 0.25


@pytest.mark.parametrize("name", ["clear_cache", "set_run_on_save", "load_git_info"])
def test_what_only_a_developer_asks_for_does_not_pass(name):
    [(passed, _)] = received([message(**{name: True}), RERUN], 1)
    assert passed == RERUN


def test_a_visit_that_asks_for_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(guard, "SILENT", 0.05)

    async def never():
        await asyncio.sleep(10)

    assert run(guard._Messages(never)())["type"] == "websocket.disconnect"


def asked(path, kind="http", method="GET"):
    """What is sent for a request when all places are taken, and whether it was passed on."""
    sent, passed = [], []

    async def app(*_):
        passed.append(True)

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(part):
        sent.append(part)

    scope = {"type": kind, "path": path, "method": method, "headers": []}
    run(guard.Guard(app)(scope, receive, send))
    return sent, bool(passed)


@pytest.fixture
def full(monkeypatch):
    monkeypatch.setattr(guard, "visits", {1, 2, 3})
    monkeypatch.setattr(guard, "MOST_VISITS", 3)


def test_a_full_server_says_so(full):
    sent, passed = asked("/manual_gradients")
    assert not passed
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"20") in sent[0]["headers"]
    assert b"a place for\n3 visitors" in sent[1]["body"]


@pytest.mark.parametrize("path", ["/health", "/_stcore/health", "/static/js/index.js"])
def test_a_full_server_goes_on_with_those_who_are_there(full, path):
    assert asked(path)[1]


def test_a_full_server_takes_no_other_visit(full):
    sent, passed = asked("/_stcore/stream", kind="websocket")
    assert not passed
    assert sent == [{"type": "websocket.close", "code": 1013}]


def test_who_leaves_while_something_is_sent_is_no_fault():
    async def app(*_):
        raise WebSocketDisconnected

    run(guard.Guard(app)({"type": "websocket", "path": "/_stcore/stream"}, None, None))
    assert not guard.visits


def test_a_visit_holds_its_place_for_as_long_as_it_is_open():
    seen = []

    async def app(*_):
        seen.append(len(guard.visits))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run(guard.Guard(app)({"type": "websocket"}, None, None))
    assert seen == [1]
    assert not guard.visits
