"""What a server holds: after all pages, after many sessions, after a long day."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
from numpy.typing import NDArray

from tests.bench.options import Options
from tests.bench.staying import LONG_RUN, Stay, checked, movable, stay, visit
from tests.support.server import Server, Visitor, chapters, running
from tests.support.table import Row

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
        files = psutil.Process(server.pid).memory_info().shared / 1e6
        value = f"{used:.0f} MB, of which {files:.0f} are files of libraries"
        yield Row("memory, every page used", value, "1000 MB", used <= 1000)

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


def early_and_late(sizes: NDArray[np.float64], seconds: float) -> tuple[float, float]:
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
