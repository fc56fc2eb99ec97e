"""Many at once: who never read, who start what takes longest, who leave, who say nothing."""

from __future__ import annotations

import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.attack.witness import (
    LONG_RUN,
    MEASUREMENT,
    answered,
    at,
    fine,
    left,
    measure,
    quiet_again,
    witness,
)
from tests.support.server import Server, Visitor, chapters
from tests.support.table import Row


def deaf(server: Server, chance: random.Random) -> Iterator[Row]:
    """Twenty ask again and again, and never read what comes."""
    before = left(server)
    with witness(server) as answers, ExitStack() as stack:
        visitors = [at(server, "/dynamic_graph") for _ in range(20)]
        for visitor in visitors:
            stack.callback(visitor.vanish)
        most = 0.0
        for _ in range(25):
            for visitor in visitors:
                with suppress(Exception):  # whoever does not read may be thrown out
                    visitor.ask()
            most = max(most, left(server)[2])
            time.sleep(0.3)
    ended, said = quiet_again(server, before)
    met = f"{answered(answers)}; at most {most - before[2]:+.0f} MB; {said}"
    yield Row("20 who never read", met, ok=fine(answers) and ended and most - before[2] < 300)


def stampede(server: Server, chance: random.Random) -> Iterator[Row]:
    """Forty at once start the long run and the measurement, and leave in the middle."""
    before = left(server)
    with witness(server) as answers, ExitStack() as stack:
        with ThreadPoolExecutor(40) as pool:
            visitors = [*pool.map(lambda _: at(server, MEASUREMENT), range(40))]
        for visitor in visitors:
            stack.callback(visitor.vanish)
        for visitor in visitors[:20]:
            measure(visitor)
        for visitor in visitors[20:]:
            visitor.query = LONG_RUN.partition("?")[2]
            visitor.ask()
        most = 0
        for _ in range(30):
            time.sleep(0.5)
            most = max(most, left(server)[1])
    ended, said = quiet_again(server, before)
    met = f"{answered(answers)}; at most {most} children; {said}"
    yield Row("40 start what takes longest", met, ok=fine(answers) and ended and most <= 6)


def cut_off(server: Server, chance: random.Random) -> Iterator[Row]:
    """A hundred visits end in the middle of a run, on every page."""
    paths = [*chapters(), LONG_RUN]
    for path in chapters():
        at(server, path).close()  # what is loaded once takes others' time, too

    def leave(i: int) -> None:
        page, _, query = paths[i % len(paths)].partition("?")
        visitor = Visitor(server.url, page, query, stays=False)
        time.sleep(chance.uniform(0, 0.5))
        visitor.vanish()

    before, log = left(server), len(server.log.read_text())
    with witness(server) as answers, ThreadPoolExecutor(10) as pool:
        list(pool.map(leave, range(100)))
    ended, said = quiet_again(server, before)
    faults = server.log.read_text()[log:].count("Uncaught")
    met = f"{answered(answers)}; {faults} faults in the log; {said}"
    yield Row("100 visits cut off", met, ok=fine(answers) and ended and not faults)


def connections(server: Server, chance: random.Random) -> Iterator[Row]:
    """Three hundred connections that ask for nothing, and one more visitor."""
    address = server.url.replace("http", "ws") + "/_stcore/stream"
    before = left(server)
    with ExitStack() as stack:
        opened, refused = 0, 0
        for _ in range(300):
            try:
                stack.enter_context(connect(address, proxy=None, close_timeout=1))
                opened += 1
            except InvalidStatus:
                refused += 1
        try:
            with urllib.request.urlopen(server.url + "/", timeout=10) as page:
                told, said = page.status, b""
        except urllib.error.HTTPError as full:
            told, said = full.code, full.read()
    ended, after = quiet_again(server, before)
    met = f"{opened} opened, {refused} refused; a page then: {told}; {after}"
    yield Row("300 idle connections", met, ok=b"is full" in said and ended)
