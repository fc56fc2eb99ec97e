"""A class that opens the link at once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np

from tests.bench.options import Options
from tests.bench.staying import EMPTY_PAGE, Stay, stay, visit, worked_seconds
from tests.support.replicas import nginx
from tests.support.server import Server, chapters, running
from tests.support.table import Row


def visitors(options: Options) -> Iterator[Row]:
    """A class opens the link at once, spread over all chapters, which then run again and again.

    On a server that has just been started, on the same one once it has loaded everything, and, for
    comparison, on an empty page as Streamlit comes. Last, each run is after a control was moved:
    what that costs depends on which, for some of them train a model.
    """
    with TemporaryDirectory() as folder:
        (Path(folder) / "empty.py").write_text(EMPTY_PAGE)
        with running("empty.py", Path(folder)) as nothing:
            for row in crowd([nothing], ["/"], "empty page", options):
                yield row._replace(target="", ok=None)  # Streamlit's own, not ours to answer for
    with running() as server:
        yield from crowd([server], chapters(), "cold", options)
        for path in chapters():
            visit(server, path).close()
        yield from crowd([server], chapters(), "warm", options, limits=WARM)
        yield from crowd([server], chapters(), "controls moved", options, moving=True)


def replicas(options: Options) -> Iterator[Row]:
    """Three classes at once on two replicas behind nginx, which have loaded everything."""
    with several(2) as servers:
        limits = {"rerun": {95: MOST_SECONDS}}
        options = replace(options, visitors=options.visitors or 300)
        yield from crowd(servers, chapters(), "two replicas", options, limits=limits)


def capacity(options: Options) -> Iterator[Row]:
    """How many visitors one replica and two of them take: no error, and reruns within 3 s."""
    for count, name in ((1, "one replica"), (2, "two replicas")):
        most = 0
        with several(count) as servers:
            for visitors in STEPS:
                stays = together(servers[0], chapters(), replace(options, visitors=visitors))
                errors = [error for one in stays for error in one.errors]
                answers = [answer for one in stays for answer in one.answers]
                [rerun] = [percentiles("", answers, {95: MOST_SECONDS})]
                yield Row(f"{visitors} on {name}, rerun", f"{rerun.value}, {len(errors)} errors")
                if errors or not rerun.ok:
                    break
                most = visitors
        yield Row(f"capacity of {name}", f"{most} visitors")


MOST_SECONDS = 3.0  # in which 95 of 100 reruns are answered, else there are too many visitors
STEPS = (50, 75, 100, 125, 150, 200, 250, 300, 350, 400)


@contextmanager
def several(count: int) -> Iterator[list[Server]]:
    """One or two replicas behind nginx, at its address, each of which has loaded everything."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        most = {"BACKSTEP_MOST_VISITORS": str(STEPS[-1])}
        servers = [stack.enter_context(running(environment=most)) for _ in range(count)]
        for server in servers:
            for path in chapters():
                visit(server, path).close()
        one, *_, two = [int(server.url.rpartition(":")[2]) for server in servers * 2]
        url = stack.enter_context(nginx(Path(folder), one, two))
        yield [replace(server, url=url) for server in servers]


def crowd(
    servers: list[Server],
    paths: list[str],
    what: str,
    options: Options,
    *,
    moving: bool = False,
    limits: Limits | None = None,
) -> Iterator[Row]:
    """As many visitors as were asked for, all at once. moving: whether they move controls.

    servers: replicas, which have one address.
    """
    before, began = [worked_seconds(*servers), worked_seconds()], time.monotonic()
    stays = together(servers[0], paths, options, moving=moving)
    seconds = time.monotonic() - began
    worked = [worked_seconds(*servers) - before[0], worked_seconds() - before[1]]
    what = f"{len(stays)} visitors, {what}"
    errors = [error for one in stays for error in one.errors]
    answers = [answer for one in stays for answer in one.answers]
    all_answered = all(one.answers for one in stays)
    value = f"{len(errors)} errors in {len(answers)} runs"
    yield Row(what, value, "0 errors", all_answered and not errors)
    for error in sorted(set(errors))[:5]:
        yield Row("  error", error)
    times = {
        "first paint": [one.painted for one in stays],
        "first answer": [one.first for one in stays],
        "rerun": answers,
    }
    for name, taken in times.items():
        yield percentiles(f"{what}, {name}", taken, (limits or {}).get(name, {}))
    each, visitors = (1000 * one / (len(answers) + len(stays)) for one in worked)
    value = f"{each:.0f} ms for a run, the visitors {visitors:.0f} ms"
    cores = f"; {sum(worked) / seconds:.1f} cores' worth"
    yield Row(f"{what}, processor", value + cores)


def together(
    server: Server, paths: list[str], options: Options, *, moving: bool = False
) -> list[Stay]:
    """What each of the visitors has met, who all come at once."""
    seconds, visitors = 15 if options.quick else 40, options.visitors or 100

    def one(i: int) -> Stay:
        path = paths[i % len(paths)]
        return stay(server, path, seconds, random.Random(i), moving=moving)

    with ThreadPoolExecutor(visitors) as pool:
        return list(pool.map(one, range(visitors)))


Limits: TypeAlias = dict[str, dict[int, float]]  # seconds by percentile
# Targets for a server that has loaded everything.
WARM: Limits = {"first paint": {95: 3.0}, "rerun": {50: 1.0, 95: 2.0}}


def percentiles(what: str, seconds: list[float], limits: dict[int, float]) -> Row:
    """Median and 95th percentile, and whether they keep the limits."""
    if not seconds:
        return Row(what, "no answer", "some", False)
    found = {q: float(np.percentile(seconds, q)) for q in (50, 95)}
    ok = all(found[q] < limit for q, limit in limits.items()) if limits else None
    target = ", ".join(f"p{q} {limit:g} s" for q, limit in limits.items())
    return Row(what, f"p50 {found[50]:.2f}, p95 {found[95]:.2f} s", target, ok)
