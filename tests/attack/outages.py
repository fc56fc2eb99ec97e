"""What the server needs is taken from it: a process of its own, the disk."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.attack.witness import MEASUREMENT, alerts, at, left, measure, quiet_again
from tests.support.server import Server
from tests.support.table import Row


def killed(server: Server, chance: random.Random) -> Iterator[Row]:
    """What measures is killed from outside, worker by worker."""
    before = left(server)
    with at(server, MEASUREMENT) as visitor:
        measure(visitor)
        began, worker = time.monotonic(), None
        while worker is None and time.monotonic() - began < 30:
            found = psutil.Process(server.pid).children(recursive=True)
            worker = next((one for one in found if "spawn_main" in " ".join(one.cmdline())), None)
            time.sleep(0.1)
        began = time.monotonic()
        if worker:
            worker.kill()
        with suppress(TimeoutError):
            visitor.answer()
        taken = time.monotonic() - began
        run = visitor.rerun()
    ended, said = quiet_again(server, before)
    met = f"ended after {taken:.1f} s; {said}"
    yield Row(
        "a worker killed", met, ok=worker is not None and taken < 15 and ended and not run.errors
    )


def disk_full(server: Server, chance: random.Random) -> Iterator[Row]:
    """From one moment on nothing can be written, neither the log nor what a measurement needs."""
    psutil.Process(server.pid).rlimit(psutil.RLIMIT_FSIZE, (0, 0))
    pages = [at(server, path) for path in ("/", "/manual_gradients", "/dynamic_graph")]
    with at(server, MEASUREMENT) as visitor:
        visitor.ask_with([WidgetState(id=visitor.first.widget("contents").id, json_value="{")])
        visitor.answer()  # which is to be written to the log
        visitor.rerun()
        measure(visitor)
        run = visitor.answer()
    told = any("ended before it was done" in text for text in alerts(run))
    broken = [one for one in (*(page.first for page in pages), run) if one.errors]
    for page in pages:
        page.close()
    met = f"{len(broken)} of {len(pages) + 1} runs broken; the measurement says so: {told}"
    yield Row("a full disk", met, ok=not broken and told)
