"""In a browser: the frames of a player, and turning to a chapter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from playwright.sync_api import CDPSession, Page
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.bench.crowds import percentiles
from tests.bench.options import Options
from tests.bench.staying import LONG_RUN
from tests.support.server import chapters, chromium, open_page, running, wait_until_idle
from tests.support.table import Row
from views.ui.contents import PAGES
from views.ui.talk import PREPARED

SCRUB = """
    (frames) => new Promise((resolve) => {
      const range = document.querySelector("#player-step"), times = [];
      const frame = (now) => {
        times.push(now);
        if (times.length > frames) return resolve(times);
        range.value = Math.round(Number(range.max) * times.length / frames);
        range.dispatchEvent(new Event("input", { bubbles: true }));
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    })
"""
FRAMES = 60
# What every chart looks like. One whose picture stays the same has not followed the player.
PICTURES = """
    () => [...document.querySelectorAll('[data-testid="stVegaLiteChart"]')].map(
      (chart) => chart.querySelector("canvas")?.toDataURL() ?? chart.innerHTML)
"""


def frames(options: Options) -> Iterator[Row]:
    """Scrub through each player, one step a frame; nothing may reach the server meanwhile."""
    with running() as server, chromium() as browser:
        players = 0
        everything = "moment=all&train_network=true"
        asked = [f"{path}{'&' if '?' in path else '?'}{everything}" for path in chapters()]
        for path in [*asked, LONG_RUN]:
            sent: list[BackMsg] = []
            page = open_page(browser, server.url + path, prepare=partial(listen, sent))
            if page.locator("#player-step").count():
                players += 1
                yield from scrub(page, path, sent, options.times(8))
            page.close()
        if not players:
            yield Row("frame", "no page has a player", "median 16.7 ms", False)


def listen(sent: list[BackMsg], page: Page) -> None:
    """Keep every message that the page sends to the server, but for signs of life."""

    def keep(payload: str | bytes) -> None:
        message = BackMsg.FromString(payload if isinstance(payload, bytes) else payload.encode())
        if not message.app_heartbeat:
            sent.append(message)

    page.on("websocket", lambda socket: socket.on("framesent", keep))


def scrub(page: Page, path: str, sent: list[BackMsg], rounds: int) -> Iterator[Row]:
    """The frames of `rounds` walks from one end of the run to the other."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    at_start = page.evaluate(PICTURES)
    page.evaluate(SCRUB, FRAMES)  # the first walk compiles
    page.wait_for_timeout(200)
    moved = sum(a != b for a, b in zip(at_start, page.evaluate(PICTURES), strict=True))
    before, busy_before = len(sent), busy_seconds(devtools)
    times = [page.evaluate(SCRUB, FRAMES) for _ in range(rounds)]
    busy = 1000 * (busy_seconds(devtools) - busy_before) / (rounds * FRAMES)
    page.wait_for_timeout(500)  # what is sent late is sent too
    intervals = np.concatenate([np.diff(walk) for walk in times])
    median, p95 = (round(float(np.percentile(intervals, q)), 1) for q in (50, 95))
    value = f"median {median:.1f}, p95 {p95:.1f}, busy {busy:.1f} ms; "
    value += f"{moved} of {len(at_start)} charts move"
    yield Row(f"frame {path}", value, "median 16.7 ms", median <= 16.7 and moved > 0)
    count = len(sent) - before
    yield Row(f"sent while scrubbing {path}", f"{count} messages", "0", count == 0)


def busy_seconds(devtools: CDPSession) -> float:
    """How long the page's main thread has worked so far."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(float(m["value"]) for m in metrics if m["name"] == "TaskDuration")


TURN = """
    (i) => new Promise((resolve) => {
      const question = () => document.querySelector(".st-key-heading h2")?.innerText;
      const before = question(), asked = performance.now();
      document.querySelectorAll(".contents-chapters a")[i].click();
      const look = () => {
        const there = question() && question() !== before;
        const drawn = [...document.querySelectorAll(".st-key-stage .stVegaLiteChart")]
          .every((chart) => chart.querySelector("canvas"));
        if (there && drawn) resolve(performance.now() - asked); else requestAnimationFrame(look);
      };
      look();
    })
"""


def turning(options: Options) -> Iterator[Row]:
    """From the click on a chapter to its question and its pictures on the screen, warm."""
    with running() as server, chromium() as browser:
        for path in [page.path for page in PAGES]:
            page = open_page(browser, f"{server.url}/{path}")
            page.wait_for_selector(".contents-chapters a")
            count = page.locator(".contents-chapters a").count()
            taken = []
            for turn in range(options.times(12) * count + count):
                taken.append(page.evaluate(TURN, (turn + 1) % count))
                wait_until_idle(page)
            median, p95 = np.percentile(taken[count:], [50, 95])
            value = f"median {median:.0f}, p95 {p95:.0f} ms"
            yield Row(f"turning to a chapter of /{path}", value, "150 ms", median <= 150)
            page.close()


TURN_TO_STOP = """
    ([key, at]) => new Promise((resolve) => {
      const wanted = new URL(at, location.origin), asked = performance.now();
      const step = wanted.searchParams.get("step");
      document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      const look = () => {
        const stage = document.querySelector(".st-key-stage");
        const player = document.querySelector("#player-step");
        const there = location.pathname === wanted.pathname && stage && !window.backstepGoing
          && (step === null || player?.at?.step === Number(step))
          && [...stage.querySelectorAll(".stVegaLiteChart")]
            .every((chart) => chart.querySelector("canvas"));
        if (there) resolve(performance.now() - asked); else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    })
"""


def talk(options: Options) -> Iterator[Row]:
    """From a clicker's key to the next stop of the prepared talk, with its pictures, warm."""
    stops = [stop["at"] for stop in PREPARED["all"]["stops"]]
    there = [*(("PageDown", at) for at in stops[1:]), *(("PageUp", at) for at in stops[-2::-1])]
    with running() as server, chromium() as browser:
        page = open_page(browser, f"{server.url}/?talk=all")
        page.wait_for_function("JSON.parse(sessionStorage['backstep talk'] ?? '{}').at === 0")
        wait_until_idle(page)
        taken = []
        for turn in there * (1 + options.times(4)):
            taken.append(page.evaluate(TURN_TO_STOP, turn))
            wait_until_idle(page)
            page.wait_for_timeout(500)
        warm = [seconds / 1000 for seconds in taken[len(there) :]]
        yield percentiles("turning to the next stop of a talk", warm, {50: 0.3})
