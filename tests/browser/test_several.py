"""Two replicas behind nginx as deploy/nginx.conf has it: the system's nginx and two processes."""

import os
import re
import socket
import time
from contextlib import ExitStack

import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.playing import listens
from tests.support.redis import redis_server
from tests.support.replicas import NGINX, fetched, nginx
from tests.support.room import connected
from tests.support.server import (
    CHROMIUM,
    free_port,
    open_page,
    running,
    wait_until_idle,
)
from views.ui.contents import PAGES

pytestmark = pytest.mark.skipif(
    (NGINX is None or CHROMIUM is None) and "BACKSTEP_NEEDS_BROWSER" not in os.environ,
    reason="no nginx, or no Chromium, on this machine",
)
CONNECTED = '[data-testid="stApp"][data-test-connection-state="CONNECTED"]'
AWAY = '[data-testid="stApp"]:not([data-test-connection-state="CONNECTED"])'


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """The address of both replicas together, and each of them."""
    with ExitStack() as stack:
        shared = {"BACKSTEP_REDIS": stack.enter_context(redis_server())}
        replicas = {
            name: stack.enter_context(running(environment=shared)) for name in ("one", "two")
        }
        ports = [int(one.url.rpartition(":")[2]) for one in replicas.values()]
        yield stack.enter_context(nginx(tmp_path_factory.mktemp("nginx"), *ports)), replicas


def new_context(browser):
    """A visitor who waits as long as two cold servers take to load three frameworks each."""
    context = browser.new_context()
    context.set_default_timeout(100_000)
    return context


def replica_of(context):
    [cookie] = [one for one in context.cookies() if one["name"] == "st_replica"]
    return cookie["value"]


def seen(page):
    """What the stage says, of the point that the address names too."""
    return page.locator(".st-key-stage").inner_text()


def test_the_cookie_names_the_replica_and_decides(several):
    url, _ = several
    first = fetched(url)
    name = re.search(
        r"st_replica=(\w+); Path=/; HttpOnly; SameSite=Lax", first.headers["set-cookie"]
    )
    assert name
    again = fetched(url, Cookie=f"st_replica={name[1]}")
    assert "st_replica" not in str(again.headers.get_all("set-cookie"))
    for other in ("one", "two"):
        moved = fetched(url, Cookie=f"st_replica={other}")
        assert "st_replica" not in str(moved.headers.get_all("set-cookie"))
    wrong = fetched(url, Cookie="st_replica=three")
    assert "st_replica=" in str(wrong.headers.get_all("set-cookie"))


def test_headers_and_what_is_for_the_operator_alone(several):
    url, _ = several
    page = fetched(url)
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["server"] == "nginx"
    for path in ("/_stcore/metrics", "/health", "/base/health"):
        assert fetched(url + path).status == 404
    script = re.search(r'src="\.?(/static/js/index[^"]+)"', page.read().decode())
    assert (
        fetched(url + script[1], **{"Accept-Encoding": "gzip"}).headers["content-encoding"]
        == "gzip"
    )


def test_no_page_breaks_of_the_content_security_policy(several, browser):
    url, _ = several
    context = new_context(browser)
    said = []
    for page in PAGES:
        opened = open_page(
            context,
            f"{url}/{page.path}",
            prepare=lambda page: (
                page.on("console", lambda m: said.append(m.text)),
                page.on("pageerror", lambda error: said.append(f"error {error}")),
            ),
        )
        assert opened.locator(".st-key-heading h2").count() == 1
        opened.close()
    context.close()
    assert not [text for text in said if "Content Security Policy" in text or "error " in text]


@pytest.mark.parametrize(("path", "protocol"), [("/_stcore/stream", "streamlit"), ("/rooms", None)])
def test_a_site_is_reached_by_its_name_and_by_no_other_site(several, path, protocol):
    """The replica is told which name a browser asked for, and compares it with where it was."""
    port = int(several[0].rpartition(":")[2])

    def opened(origin):
        return connect(
            f"ws://backstep.example.org{path}",
            sock=socket.create_connection(("127.0.0.1", port)),
            origin=origin,
            subprotocols=protocol and [protocol],
            proxy=None,
        )

    with opened("http://backstep.example.org") as visit:
        assert visit.protocol.state.name == "OPEN"
    with pytest.raises(InvalidStatus) as refused:
        opened("http://elsewhere.example").__enter__()
    assert refused.value.response.status_code == 403


def test_a_lecturer_at_one_replica_leads_a_phone_at_the_other(several, browser):
    """Through nginx, under its policy; each is told where by the cookie."""
    url, _ = several
    with connected(url, Cookie="st_replica=one") as lecturer:
        lecturer.say(open=True)
        code = lecturer.hear("leads", "here")["leads"]
        assert lecturer.state["address"].endswith(f"{url}/?room={code}".partition("//")[2])
        context = new_context(browser)
        context.add_cookies([{"name": "st_replica", "value": "two", "url": url}])
        said = []
        phone = open_page(
            context,
            f"{url}/?room={code}",
            viewport={"width": 390, "height": 844},
            prepare=lambda page: page.on("console", lambda m: said.append(m.text)),
        )
        lecturer.hears(here=1)
        lecturer.say(
            place={"page": 1, "query": {"chapter": "pulls", "point": "7"}},
            at={"step": 3, "moment": None},
        )
        phone.wait_for_url(re.compile(r"/manual_gradients\?.*point=7"))
        phone.get_by_role("status").filter(has_text="step 3 of").first.wait_for()
        assert replica_of(context) == "two"
        assert not [text for text in said if "Content Security Policy" in text]
        context.close()


def test_a_killed_replicas_visitors_are_back_at_the_same_address(several, browser):
    """Within two seconds; those of the other notice nothing."""
    url, replicas = several
    with ExitStack() as stack:
        visits = {}
        while len(visits) < 2:  # least_conn gives each replica its own
            context = new_context(browser)
            stack.callback(context.close)
            page = open_page(context, f"{url}/manual_gradients?chapter=pulls&point=7")
            visits.setdefault(replica_of(context), page)
        page, other = visits["one"], visits["two"]
        shown = seen(page)
        lost = []
        other.on("console", lambda m: lost.append(m.text) if "WebSocket" in m.text else None)
        psutil.Process(replicas["one"].pid).kill()
        began = time.monotonic()
        page.wait_for_selector(AWAY, state="attached", timeout=2000)
        page.wait_for_selector(CONNECTED, state="attached", timeout=5000)
        taken = time.monotonic() - began
        wait_until_idle(page)
        assert taken < 2
        assert seen(page) == shown
        assert "point=7" in page.url
        assert not lost
        assert other.locator(CONNECTED).count() == 1
        # Its place is taken by a new one: the visit stays where it is now, and new ones come.
        with running(port=int(replicas["one"].url.rpartition(":")[2])):
            time.sleep(5.5)  # nginx tries it again
            page.reload()
            wait_until_idle(page)
            # And now the other goes, in an orderly way, as in a rolling restart.
            psutil.Process(replicas["two"].pid).terminate()
            for one in (page, other):
                deadline = time.monotonic() + 20
                while replica_of(one.context) != "one" and time.monotonic() < deadline:
                    one.wait_for_timeout(100)
                assert replica_of(one.context) == "one"
                wait_until_idle(one)
                assert seen(one) == shown


def test_below_a_base_path(tmp_path, browser):
    with ExitStack() as stack:
        app = stack.enter_context(running(arguments=["--server.baseUrlPath", "backstep"]))
        port = int(app.url.rpartition(":")[2])
        url = stack.enter_context(nginx(tmp_path, port, free_port()))
        context = new_context(browser)
        page = open_page(context, f"{url}/backstep/manual_gradients?chapter=pulls&point=7")
        assert "point" in seen(page)
        page.locator(".contents-chapters a").nth(3).click()
        page.wait_for_url(re.compile(r"/backstep/manual_gradients\?.*chapter=loss"))
        wait_until_idle(page)
        listens(page)
        page.keyboard.press("r")
        page.get_by_role("button", name="Open a room").click()
        page.get_by_text("/backstep/?room=").wait_for()
        with connected(f"{url}/backstep") as member:
            member.say(join=page.locator(".room-code strong").inner_text())
            assert member.hear("place")["place"]["query"]["chapter"] == "loss"
        context.close()
