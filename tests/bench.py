"""Measure what the design promises: `make bench`, or `python -m tests.bench --help`.

One line for each measure: what, its value, the target, and whether it was met. Everything stays on
this machine and is bounded in number and time. On a busy machine trust the ratios.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import gc
import importlib
import inspect
import json
import random
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import psutil
from numpy.typing import NDArray
from playwright.sync_api import CDPSession, Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import ClientConnection, connect

from engines.problem import Problem, preset
from engines.trace import record
from tests.support.server import (
    RUN_SECONDS,
    Run,
    Server,
    Visitor,
    Widget,
    chapters,
    chromium,
    open_page,
    running,
    wait_until_idle,
)
from views.ui.contents import PAGES
from views.ui.talk import PREPARED

FloatArray: TypeAlias = NDArray[np.float64]

EMPTY_PAGE = 'import streamlit as st\n\nst.write("An empty page.")\n'
LONG_RUN = "/manual_gradients?steps=8000"

# TensorFlow's eager steps are slow. A session's are not, but building its graph costs as much as
# hundreds of them, and must not hide what recording costs.
ENGINES = {
    "numpy_vectorized": 800,
    "numpy_loops": 800,
    "torch_autograd": 800,
    "tf_session": 800,
    "tf_tape": 200,
}


class Row(NamedTuple):
    """One line of the table. ok: None for what has no target."""

    what: str
    value: str
    target: str = ""
    ok: bool | None = None


@dataclass(frozen=True)
class Options:
    """How much to measure."""

    quick: bool
    sessions: int
    visitors: int
    minutes: float

    def times(self, usual: int) -> int:
        """A number of repeats: the usual one, or about a quarter of it."""
        return max(3, usual // 4) if self.quick else usual


# ---- Recording


def recording(options: Options) -> Iterator[Row]:
    """A recorded run against the same listing without its `yield`, in pairs."""
    problem = preset("numpy_article")
    for name, steps in ENGINES.items():
        train = importlib.import_module(f"engines.regression.{name}").train
        gc.collect()
        gc.freeze()  # else each collection walks through a whole framework
        settings = {"steps": steps, "learning_rate": problem.learning_rate}
        bare, recorded = in_pairs(
            partial(without_yield(train), problem, **settings),
            partial(train_and_record, train, problem, **settings),
            options.times(20 if name in ("numpy_loops", "tf_tape") else 60),
        )
        ratio = float(np.median(recorded / bare))
        each = [f"{1e6 * np.median(t) / (steps + 1):.1f}" for t in (bare, recorded)]
        value = f"{ratio:.3f}x  ({each[0]} -> {each[1]} µs a step)"
        yield Row(f"recording {name}", value, "1.15x", ratio <= 1.15)


def train_and_record(train: Callable[..., Any], problem: Problem, **settings: Any) -> None:
    """What the pages do."""
    record(train(problem, **settings))


def without_yield(train: Callable[..., Any]) -> Callable[..., None]:
    """The same listing, run straight through: its `yield` lines are taken out."""

    class Remover(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
            return None if isinstance(node.value, ast.Yield) else node

    tree = Remover().visit(ast.parse(textwrap.dedent(inspect.getsource(train))))
    namespace = dict(inspect.getmodule(train).__dict__)
    exec(compile(tree, f"{train.__module__} without yield", "exec"), namespace)
    bare: Callable[..., None] = namespace["train"]
    return bare


def in_pairs(
    one: Callable[[], Any], other: Callable[[], Any], pairs: int
) -> tuple[FloatArray, FloatArray]:
    """Seconds that each takes, shape (pairs,) both; who goes first changes from pair to pair."""
    one(), other()
    taken = np.empty((pairs, 2))
    for pair in range(pairs):
        for who in (0, 1) if pair % 2 else (1, 0):
            start = time.perf_counter()
            (one, other)[who]()
            taken[pair, who] = time.perf_counter() - start
    return taken[:, 0], taken[:, 1]


# ---- Scrubbing

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


# ---- Reruns


def reruns(options: Options) -> Iterator[Row]:
    """A warm rerun of each page against one of an empty page, in alternating blocks.

    The empty page is served as Streamlit comes, without this app's configuration.
    """
    with TemporaryDirectory() as folder:
        (Path(folder) / "empty.py").write_text(EMPTY_PAGE)
        with running() as server, running("empty.py", Path(folder)) as nothing:
            for path in chapters():
                with visit(server, path) as visitor, visit(nothing, "/") as empty:
                    rerun_block(server, visitor), rerun_block(nothing, empty)  # warm both
                    blocks = [
                        (rerun_block(nothing, empty), rerun_block(server, visitor))
                        for _ in range(options.times(24))
                    ]
                    yield compare_blocks(path, np.array(blocks))
                    yield from rerun_changed(visitor, path, options.times(12))


def rerun_block(server: Server, visitor: Visitor, size: int = 6) -> tuple[float, float]:
    """A few reruns with nothing changed: the median answer, and the server's work for each, ms."""
    before = worked_seconds(server)
    answers = [checked(visitor.rerun()).seconds for _ in range(size)]
    return 1000 * float(np.median(answers)), 1000 * (worked_seconds(server) - before) / size


def worked_seconds(server: Server) -> float:
    """Processor time of the server so far, in ticks of 10 ms."""
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system)


def compare_blocks(path: str, blocks: FloatArray) -> Row:
    """blocks: shape (blocks, 2, 2), by which page and by what was measured."""
    ratio = float(np.median(blocks[:, 1, 0] / blocks[:, 0, 0]))
    answer, work = np.median(blocks[:, :, 0], axis=0), np.mean(blocks[:, :, 1], axis=0)
    value = f"{ratio:.2f}x  ({answer[0]:.0f} -> {answer[1]:.0f} ms, "
    value += f"processor {work[0]:.0f} -> {work[1]:.0f})"
    return Row(f"rerun {path}", value, "1.0x", ratio <= 1.0)


def rerun_changed(visitor: Visitor, path: str, repeats: int) -> Iterator[Row]:
    """A rerun after another number of steps, new each time: training and new charts included."""
    steps = next((w for w in visitor.last.widgets if w.key == "steps" and movable(w)), None)
    if steps is not None:
        values = [float(max(steps.proto.min, steps.value - 1 - i)) for i in range(repeats)]
        taken = [1000 * checked(visitor.rerun({"steps": value})).seconds for value in values]
        yield Row(f"rerun {path}, other steps", f"{np.median(taken):.1f} ms")


# ---- Turning

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


# ---- Payload


def payload(options: Options) -> Iterator[Row]:
    """What a first visit sends, static files apart."""
    with running() as server:
        for path in chapters():
            with visit(server, path) as visitor:
                size = visitor.first.total_bytes / 1000
                yield Row(f"payload {path}", f"{size:.0f} KB", "250 KB", size <= 250)


# ---- Memory

KEPT_SESSIONS = 128  # Streamlit keeps so many closed sessions, for two minutes, for a reconnect


def memory(options: Options) -> Iterator[Row]:
    """The server's resident size: Home, every page, and many sessions opened and closed."""
    with running() as server:
        open_and_close(server, ["/"], 1)
        home = resident_mb(server)
        yield Row("memory, Home visited", f"{home:.0f} MB", "200 MB", home <= 200)

        paths = [*chapters(), LONG_RUN]
        for path in paths:
            with visit(server, path) as visitor:
                switch_everything_on(visitor)
        used = resident_mb(server)
        yield Row("memory, every page used", f"{used:.0f} MB", "1000 MB", used <= 1000)

        sessions = KEPT_SESSIONS // 4 if options.quick else KEPT_SESSIONS
        open_and_close(server, chapters(), sessions)
        warm = resident_mb(server)
        open_and_close(server, chapters(), options.sessions)
        growth = resident_mb(server) - warm
        what = f"memory, growth over {options.sessions} sessions"
        yield Row(what, f"{growth:+.1f} MB from {warm:.0f}", "10 MB", growth <= 10)


def switch_everything_on(visitor: Visitor) -> None:
    """Use the page: what it loads only when asked for is loaded too."""
    for widget in visitor.first.widgets:
        if widget.kind == "checkbox" and movable(widget):
            checked(visitor.rerun({widget.key: True}))


def open_and_close(server: Server, paths: list[str], sessions: int) -> None:
    """Visits one after the other, each a session of its own, going round the pages."""
    for i in range(sessions):
        visit(server, paths[i % len(paths)]).close()


def resident_mb(server: Server) -> float:
    """The resident size of the server's process, once it has come to rest."""
    time.sleep(1)
    return float(psutil.Process(server.pid).memory_info().rss / 1e6)


LONG_VISITS = 30  # at a time


def soak(options: Options) -> Iterator[Row]:
    """A long day: visitors go round all pages, some leave in the middle of a run.

    Streamlit keeps closed sessions for two minutes, so the first third only warms up. Of the rest,
    the last tenth is compared with the first.
    """
    seconds = 60 * (min(options.minutes, 2) if options.quick else options.minutes)
    seen: list[tuple[float, ...]] = []  # when, then what HELD names
    with running() as server, ThreadPoolExecutor(LONG_VISITS) as pool:
        for path in chapters():
            visit(server, path).close()
        start = time.monotonic()
        ends = start + seconds
        rounds = [pool.submit(go_round, server, ends, first) for first in range(LONG_VISITS)]
        process = psutil.Process(server.pid)
        while time.monotonic() < ends:
            seen.append((time.monotonic() - start, *held(process)))
            time.sleep(min(1.0, seconds / 200))
        done = [one.result() for one in rounds]
    stays = [stayed for _, stays in done for stayed in stays]
    answers = [(when - start, taken) for answers, _ in done for when, taken in answers]
    errors = [error for stayed in stays for error in stayed.errors]
    what = f"{LONG_VISITS} visitors, {seconds / 60:g} minutes"
    yield Row(what, f"{len(errors)} errors in {len(answers)} runs", "0 errors", not errors)
    for error in sorted(set(errors))[:5]:
        yield Row("  error", error)
    table = np.array(seen)
    for column, (name, unit, slack) in enumerate(HELD, start=1):
        early, late = early_and_late(table[:, [0, column]], seconds)
        value = f"{early:.0f} -> {late:.0f}{unit}"
        grown = late - early
        yield Row(
            f"{what}, {name}", value, f"+{slack:g}{unit} or 3 %", grown <= max(slack, early * 0.03)
        )
    early, late = early_and_late(np.array(answers), seconds)
    yield Row(
        f"{what}, rerun, mean", f"{early:.2f} -> {late:.2f} s", "1.5x", late < 1.5 * early + 0.1
    )


HELD = (("memory", " MB", 20), ("threads", "", 8), ("open files", "", 10), ("children", "", 1))


def held(process: psutil.Process) -> tuple[float, ...]:
    """What the server holds: as HELD names it."""
    children = process.children(recursive=True)
    return (
        process.memory_info().rss / 1e6,
        process.num_threads(),
        process.num_fds(),
        len(children),
    )


def early_and_late(sizes: FloatArray, seconds: float) -> tuple[float, float]:
    """Mean size in the first and in the last tenth of what follows the warm-up, a third of all.

    sizes: shape (k, 2), each a time since the start in seconds and a size.
    """
    when, size = sizes.T
    warm = seconds / 3
    tenth = (seconds - warm) / 10
    early = size[(when >= warm) & (when <= warm + tenth)]
    late = size[when >= seconds - tenth]
    return float(early.mean()), float(late.mean())


def go_round(
    server: Server, ends: float, first: int
) -> tuple[list[tuple[float, float]], list[Stay]]:
    """One visitor after the other, on a page after the other, moving controls, or cut off.

    Returns when each run ended and how long it took, and the stays.
    """
    chance, paths = random.Random(first), chapters()
    answers: list[tuple[float, float]] = []
    stays, turn = [], first
    while time.monotonic() < ends:
        path = paths[turn % len(paths)]
        stays.append(stay(server, path, 10, chance, moving=True, answered=answers))
        if chance.random() < 0.2:
            visitor = visit(server, path)
            visitor.ask()
            visitor.vanish()
        turn += 1
    return answers, stays


# ---- Many visitors

THINK_SECONDS = 2.0


@dataclass
class Stay:
    """What one visitor met: the first paint, the first answer, the later ones, and what went wrong.

    Times are in seconds.
    """

    painted: float = 0.0
    first: float = 0.0
    answers: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def visitors(options: Options) -> Iterator[Row]:
    """A class opens the link at once, spread over all chapters, which then run again and again.

    On a server that has just been started, on the same one once it has loaded everything, and, for
    comparison, on an empty page as Streamlit comes. Last, each run is after a control was moved:
    what that costs depends on which, for some of them train a model.
    """
    with TemporaryDirectory() as folder:
        (Path(folder) / "empty.py").write_text(EMPTY_PAGE)
        with running("empty.py", Path(folder)) as nothing:
            for row in crowd(nothing, ["/"], "empty page", options):
                yield row._replace(target="", ok=None)  # Streamlit's own, not ours to answer for
    with running() as server:
        yield from crowd(server, chapters(), "cold", options)
        for path in chapters():
            visit(server, path).close()
        yield from crowd(server, chapters(), "warm", options)
        yield from crowd(server, chapters(), "controls moved", options, moving=True)


def crowd(
    server: Server, paths: list[str], what: str, options: Options, *, moving: bool = False
) -> Iterator[Row]:
    """As many visitors as were asked for, all at once. moving: whether they move controls."""
    seconds = 15 if options.quick else 40
    with ThreadPoolExecutor(options.visitors) as pool:
        stays = list(
            pool.map(
                lambda i: stay(
                    server, paths[i % len(paths)], seconds, random.Random(i), moving=moving
                ),
                range(options.visitors),
            )
        )
    what = f"{options.visitors} visitors, {what}"
    errors = [error for one in stays for error in one.errors]
    answers = [answer for one in stays for answer in one.answers]
    all_answered = all(one.answers for one in stays)
    value = f"{len(errors)} errors in {len(answers)} runs"
    yield Row(what, value, "0 errors", all_answered and not errors)
    for error in sorted(set(errors))[:5]:
        yield Row("  error", error)
    limits = WARM_SECONDS if what.endswith("warm") else {}
    times = {
        "first paint": [one.painted for one in stays],
        "first answer": [one.first for one in stays],
        "rerun": answers,
    }
    for name, taken in times.items():
        yield percentiles(f"{what}, {name}", taken, limits.get(name, {}))


# Targets for a server that has loaded everything: seconds by percentile.
WARM_SECONDS = {"first paint": {95: 3.0}, "rerun": {50: 1.0, 95: 2.0}}


def percentiles(what: str, seconds: list[float], limits: dict[int, float]) -> Row:
    """Median and 95th percentile, and whether they keep the limits."""
    if not seconds:
        return Row(what, "no answer", "some", False)
    found = {q: float(np.percentile(seconds, q)) for q in (50, 95)}
    ok = all(found[q] < limit for q, limit in limits.items()) if limits else None
    target = ", ".join(f"p{q} {limit:g} s" for q, limit in limits.items())
    return Row(what, f"p50 {found[50]:.2f}, p95 {found[95]:.2f} s", target, ok)


def stay(
    server: Server,
    path: str,
    seconds: float,
    chance: random.Random,
    *,
    moving: bool,
    answered: list[tuple[float, float]] | None = None,
) -> Stay:
    """One visitor, who stays for so long after the first answer, and leaves at an error.

    answered: where each later run is noted as well, with the time of its end.

    A run that does not end within RUN_SECONDS is an error.
    """
    met = Stay()
    try:
        with visit(server, path) as visitor:
            met.painted, met.first = visitor.first.painted, visitor.first.seconds
            leaves = time.monotonic() + seconds
            while time.monotonic() < leaves:
                time.sleep(THINK_SECONDS * chance.uniform(0.5, 1.5))
                change = a_move(visitor.last, chance) if moving else {}
                met.answers.append(checked(visitor.rerun(change)).seconds)
                if answered is not None:
                    answered.append((time.monotonic(), met.answers[-1]))
    except Exception as error:
        met.errors.append(f"{path}: {type(error).__name__}: {error}")
    return met


def a_move(run: Run, chance: random.Random) -> dict[str, Any]:
    """Another value for one control of the page, as a hand would set it; none if it has none."""
    candidates = [widget for widget in run.widgets if movable(widget)]
    if not candidates:
        return {}
    widget = chance.choice(candidates)
    return {widget.key: moved(widget, chance)}


def movable(widget: Widget) -> bool:
    """Whether `moved` knows the control, and a visitor could reach it."""
    known = widget.kind in ("number_input", "checkbox", "selectbox", "slider")
    return known and bool(widget.key) and not widget.proto.disabled and widget.value is not None


def moved(widget: Widget, chance: random.Random) -> Any:
    """A value near, or beside, the one the control showed first."""
    if widget.kind == "checkbox":
        return chance.random() < 0.5
    if widget.options:
        choice = chance.choice(widget.options)
        return [choice] if widget.kind == "slider" else choice
    proto = widget.proto
    several = isinstance(widget.value, list)
    value = widget.value[0] if several else widget.value
    value += chance.choice((-3, -2, -1, 1, 2, 3)) * proto.step
    value = float(min(max(value, proto.min), proto.max))
    return [value] if several else value


# ---- A class in a room

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


async def lead(server: Server, steps: int) -> FloatArray:
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


async def follow(socket: ClientConnection, steps: int) -> FloatArray:
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


# ---- Together


def visit(server: Server, path: str) -> Visitor:
    """Open a page, which must show no error."""
    page, _, query = path.partition("?")
    visitor = Visitor(server.url, page, query)
    checked(visitor.first)
    return visitor


def checked(run: Run) -> Run:
    """The run, if the page showed no error. What a broken page costs says nothing."""
    if run.errors:
        raise RuntimeError("; ".join(run.errors))
    return run


MEASURES = {
    measure.__name__: measure
    for measure in (recording, frames, reruns, turning, talk, payload, memory, visitors, room, soak)
}


def main() -> int:
    """Print the table. Returns 1 if a target was missed or a measure failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--only", choices=MEASURES, action="append", help="may be repeated")
    parser.add_argument("--sessions", type=int, default=500, help="for the memory's growth")
    parser.add_argument("--visitors", type=int, default=100, help="at once, at most 200")
    parser.add_argument("--minutes", type=float, default=20, help="how long `soak` takes")
    asked = parser.parse_args()
    options = Options(
        asked.quick,
        sessions=max(asked.sessions, 1),
        visitors=min(max(asked.visitors, 1), 200),
        minutes=min(max(asked.minutes, 0.5), 24 * 60),
    )

    print(f"{'what':<48} {'value':<54} target")
    missed = False
    for name in asked.only or MEASURES:
        try:
            for row in MEASURES[name](options):
                mark = {True: "ok", False: "over", None: ""}[row.ok]
                print(f"{row.what:<48} {row.value:<54} {row.target:<14} {mark}", flush=True)
                missed |= row.ok is False
        except Exception as error:
            print(f"{name:<48} failed: {type(error).__name__}: {error}", flush=True)
            missed = True
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
