"""What no browser sends breaks nothing but, for one run, the page of whoever sends it."""

import json
import math
import socket
import urllib.request
from urllib.parse import parse_qsl

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from server.faults import SORRY
from tests.support.server import Visitor, running

HOSTS = "127.0.0.1 backstep.example *.school.example"  # the first is this very machine


@pytest.fixture(scope="module")
def server():
    with running(environment={"STREAMLIT_SERVER_ALLOWED_HOSTS": HOSTS}) as server:
        yield server


@pytest.fixture
def visitor(server):
    with Visitor(server.url, "/manual_gradients", "chapter=pulls") as visitor:
        yield visitor


WRONG = [
    {"double_value": math.nan},
    {"double_value": math.inf},
    {"double_value": -1e308},
    {"string_value": "secret"},
    {"string_value": "x" * 500_000},
    {"bool_value": True},
    {"int_value": 2**62},
    {"json_value": "{"},
    {"json_value": '[1, {"secret": NaN}]'},
    {"bytes_value": b"\xff\x00"},
    {"trigger_value": True},
]


def told(run):
    return [m.delta.new_element.alert.body for m in run.messages if m.delta.HasField("new_element")]


@pytest.mark.parametrize("key", ["point", "contents", "lecture", "player pulls", "fit 0"])
def test_a_state_of_any_kind_spoils_one_run_at_most(visitor, server, key):
    control = visitor.first.widget(key).id
    for wrong in WRONG:
        visitor.ask_with([WidgetState(id=control, **wrong)])
        run = visitor.answer()
        assert run.errors in ([], [SORRY]), wrong
        assert run.errors or run.widgets
        assert len(visitor.rerun().widgets) == len(visitor.first.widgets), wrong
    assert "secret" not in server.log.read_text()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308])
def test_a_number_that_is_none_is_the_default(visitor, value):
    control = visitor.first.widget("point")
    visitor.ask_with([WidgetState(id=control.id, double_value=value)])
    run = visitor.answer()
    assert not run.errors
    assert run.widget("point").proto.default == control.value
    assert not any(told(run))


def test_a_rate_that_is_none_is_the_default(server):
    with Visitor(server.url, "/dynamic_graph", "chapter=training") as visitor:
        rate = visitor.first.widget("lr")
        for wrong in WRONG:
            visitor.ask_with([WidgetState(id=rate.id, **wrong)])
            visitor.answer()
            assert not visitor.rerun().errors, wrong


def test_thousands_of_states_are_forgotten_after_the_run(visitor):
    visitor.ask_with(WidgetState(id=f"$$ID-{i}-none", string_value="x") for i in range(5000))
    assert visitor.answer().widgets
    assert not visitor.rerun().errors


def test_a_fault_in_the_log_has_its_kind_and_no_words(visitor, server):
    visitor.ask_with([WidgetState(id=visitor.first.widget("contents").id, json_value="{secret")])
    visitor.answer()
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line[:1] == "{"]
    fault = lines[-1]
    assert fault["error"] == "JSONDecodeError"
    assert fault["level"] == "error"
    assert all("/" not in place or not place.startswith("/") for place in fault["where"])
    assert "secret" not in json.dumps(lines)


def test_nobody_empties_the_caches_of_all(visitor, server):
    """A run that is kept comes back as it was, and no slower: here, from the same cache."""
    visitor.send(BackMsg(clear_cache=True))
    visitor.send(BackMsg(load_git_info=True))
    visitor.send(BackMsg(set_run_on_save=True))
    run = visitor.rerun()
    assert len(run.widgets) == len(visitor.first.widgets)
    kinds = {message.WhichOneof("type") for message in run.messages}
    assert "git_info_changed" not in kinds
    changed = [m.session_status_changed for m in run.messages if "session_status" in str(m)[:40]]
    assert not any(status.run_on_save for status in changed)


def test_health_says_how_full_the_server_is(visitor, server):
    with urllib.request.urlopen(f"{server.url}/health") as answer:
        health = json.load(answer)
    assert health["ok"] is True
    assert health["visits"] >= 1
    assert health["memory_mb"] > 50


def connected(server, host, origin=None):
    """The status that a connection is answered with, by which name it is asked for."""
    port = int(server.url.rpartition(":")[2])
    link = socket.create_connection(("127.0.0.1", port))
    try:
        with connect(f"ws://{host}/_stcore/stream", sock=link, origin=origin, proxy=None):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null"])
def test_another_sites_page_gets_no_connection(server, origin):
    here = server.url.removeprefix("http://")
    assert connected(server, here, origin) == 403
    assert connected(server, here, server.url) == connected(server, here) == 101


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("backstep.example", 101),
        ("backstep.example:8501", 101),
        ("one.school.example", 101),
        ("school.example", 403),
        ("elsewhere.example", 403),
        ("backstep.example.elsewhere.example", 403),
        ("localhost", 403),
    ],
)
def test_by_another_name_than_is_set_nobody_connects(server, host, status):
    """Not even a page that comes by that name: a site whose name leads here (DNS rebinding)."""
    assert connected(server, host, f"http://{host}") == status
    assert connected(server, host) == status


def test_who_asks_for_500_runs_is_alone_with_them(visitor, server):
    """Another visitor's runs are answered as they come meanwhile."""
    with Visitor(server.url, "/") as other:
        alone = sorted(other.rerun().seconds for _ in range(9))[4]
        for _ in range(500):
            visitor.ask()
        meanwhile = sorted(other.rerun().seconds for _ in range(9))[4]
    visitor.vanish()  # in an orderly way it would have to read all the answers
    assert meanwhile < max(0.5, 5 * alone)


@pytest.mark.parametrize(("name", "one", "other"), [("chapter", "loss", "pulls"), ("point", 3, 9)])
def test_of_a_repeated_name_in_an_address_the_last_is_left(server, name, one, other):
    query = f"chapter=pulls&{name}={one}&{name}={other}"
    with Visitor(server.url, "/manual_gradients", query) as visitor:
        assert any(f"The address asks for {name}" in text for text in told(visitor.first))
        assert parse_qsl(visitor.query).count((name, str(other))) == 1
        assert (name, str(one)) not in parse_qsl(visitor.query)


def test_a_first_visit_leaves_nothing_in_the_log(server):
    before = len(server.log.read_text())
    for chapter in ("one_step", "pulls", "own_data"):
        with Visitor(server.url, "/manual_gradients", f"chapter={chapter}") as visitor:
            assert not visitor.first.errors
    assert not server.log.read_text()[before:]
