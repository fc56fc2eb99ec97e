"""A class in a room: how soon those who follow are told a step."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect

from tests.bench.crowds import percentiles
from tests.bench.options import Options
from tests.bench.staying import checked, visit
from tests.support.playing import listens
from tests.support.server import (
    RUN_SECONDS,
    Server,
    Visitor,
    chromium,
    open_page,
    running,
    wait_until_idle,
)
from tests.support.table import Row

STEPS_A_SECOND = 10  # as often as a lecturer's page tells its step
FOLLOWERS = 150
MET = """
    () => {
      window.met = [];
      document.querySelector("#root").addEventListener("player", () => {
        const { step } = document.querySelector("#player-step").at;
        window.met.push([step, performance.timeOrigin + performance.now()]);
      });
    }
"""


def room(options: Options) -> Iterator[Row]:
    """A lecturer steps, and a class follows; another visitor's reruns are answered meanwhile.

    First 150 connections alone, then fifty and three browsers: the lecturer's, and two phones.
    """
    steps = options.times(120)
    with running() as server, visit(server, "/manual_gradients") as other:
        alone = [checked(other.rerun()).seconds for _ in range(20)]
        with ThreadPoolExecutor(1) as pool:
            lecture = pool.submit(asyncio.run, lead(server, steps))
            during = []
            while not lecture.done():
                during.append(checked(other.rerun()).seconds)
                time.sleep(0.2)
        met = lecture.result()
        yield percentiles(f"{FOLLOWERS} follow, one told a step", list(met.ravel()), {})
        yield percentiles(f"{FOLLOWERS} follow, all told it", list(met.max(axis=1)), {50: 0.5})
        yield percentiles("  another's rerun without them", alone, {})
        yield percentiles("  another's rerun meanwhile", during, {50: 1.0, 95: 2.0})
        yield percentiles("100 phones open the next chapter at once", turn_together(server), {})
        yield from with_browsers(server, steps // 4)


def turn_together(server: Server) -> list[float]:
    """Seconds until each of a hundred has the chapter to which the lecturer has turned."""
    with ThreadPoolExecutor(100) as pool, ExitStack() as stack:
        phones = list(pool.map(lambda _: visit(server, "/manual_gradients"), range(100)))
        for phone in phones:
            stack.enter_context(phone)
        visit(server, "/manual_gradients?chapter=pulls").close()

        def turn(phone: Visitor) -> float:
            phone.query = "chapter=pulls"
            return checked(phone.rerun()).seconds

        return list(pool.map(turn, phones))


async def lead(server: Server, steps: int) -> NDArray[np.float64]:
    """Open a room, have it followed, and step. Returns seconds, shape (steps, followers)."""
    async with AsyncExitStack() as stack:

        async def enter(**first: Any) -> ClientConnection:
            address = server.url.replace("http", "ws") + "/rooms"
            socket = await stack.enter_async_context(connect(address, proxy=None))
            await socket.send(json.dumps(first))
            return socket

        lecturer = await enter(open=True)
        code = json.loads(await lecturer.recv())["leads"]
        await lecturer.send(json.dumps({"place": {"page": 1, "query": {}}}))
        sockets = [await enter(join=code) for _ in range(FOLLOWERS)]
        following = [asyncio.create_task(follow(socket, steps)) for socket in sockets]
        told = np.empty(steps)
        for step in range(steps):
            told[step] = time.perf_counter()
            await lecturer.send(json.dumps({"at": {"step": step, "moment": None}}))
            await asyncio.sleep(1 / STEPS_A_SECOND)
        return np.array(await asyncio.gather(*following)).T - told[:, None]


async def follow(socket: ClientConnection, steps: int) -> NDArray[np.float64]:
    """When each step, or a later one, was told. Shape (steps,)."""
    met, reached = np.empty(steps), 0
    while reached < steps:
        news = json.loads(await asyncio.wait_for(socket.recv(), RUN_SECONDS))
        if at := news.get("at"):
            met[reached : at["step"] + 1] = time.perf_counter()
            reached = at["step"] + 1
    return met


def with_browsers(server: Server, steps: int) -> Iterator[Row]:
    """Fifty connections and two phones follow a browser."""
    over = Event()
    with chromium() as browser, ThreadPoolExecutor(1) as pool:
        lecturer = open_page(browser, f"{server.url}/manual_gradients?lecture=true&moment=all")
        listens(lecturer)
        lecturer.keyboard.press("r")
        lecturer.get_by_role("button", name="Open a room").click()
        lecturer.locator(".room-code img").wait_for()
        code = lecturer.locator(".room-code strong").inner_text()
        lecturer.keyboard.press("r")
        others = pool.submit(asyncio.run, hear(server, code, over))
        phones = [open_page(browser, f"{server.url}/?room={code}") for _ in range(2)]
        for phone in phones:
            phone.wait_for_url("**/manual_gradients*")
            wait_until_idle(phone)
        for page in (lecturer, *phones):
            page.wait_for_function("document.querySelector('#player-step')?.at")
            page.evaluate(MET)
        for _ in range(steps):
            lecturer.keyboard.press("ArrowRight")
            lecturer.wait_for_timeout(300)
        asked = dict(reversed(lecturer.evaluate("window.met")))
        over.set()
        others.result()
        taken = []
        for phone in phones:
            met = dict(reversed(phone.evaluate("window.met")))  # the first time of each
            taken += [(met[step] - at) / 1000 for step, at in asked.items() if step in met]
        what = "50 and two phones follow a browser"
        yield Row(what, f"{len(taken)} of {2 * len(asked)} steps", "all", len(taken) == 2 * steps)
        yield percentiles(f"{what}, seen", taken, {50: 0.5})


async def hear(server: Server, code: str, over: Event) -> None:
    """Fifty who join, and hear whatever they are told until it is over."""
    async with AsyncExitStack() as stack:
        for _ in range(50):
            address = server.url.replace("http", "ws") + "/rooms"
            socket = await stack.enter_async_context(connect(address, proxy=None))
            await socket.send(json.dumps({"join": code}))
            reading = asyncio.create_task(read_all(socket))
            stack.callback(reading.cancel)
        while not over.is_set():
            await asyncio.sleep(0.1)


async def read_all(socket: ClientConnection) -> None:
    """Hear everything."""
    async for _ in socket:
        pass
