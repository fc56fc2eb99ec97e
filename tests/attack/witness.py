"""Who visits meanwhile as anybody would, and what is left of an attack when it is over."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import numpy as np
import psutil
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.support.server import Run, Server, Visitor

LONG_RUN = "/static_graph_and_sessions?chapter=updates&all_steps=true"  # 80,000 steps
MEASUREMENT = "/static_graph_and_sessions?chapter=paid_once"
QUIET = 15.0  # seconds in which what an attack has started must have ended


def at(server: Server, path: str) -> Visitor:
    """Visit an address as the table writes it."""
    page, _, query = path.partition("?")
    return Visitor(server.url, page, query)


def measure(visitor: Visitor) -> None:
    """Ask for the measurement, at an address that has it."""
    guess = visitor.first.widget("guess of first calls")
    button = visitor.rerun({guess.key: [guess.options[0]]}).widget("measure first calls")
    visitor.ask_with([WidgetState(id=button.id, trigger_value=True)])


@contextmanager
def witness(server: Server, path: str = "/manual_gradients") -> Iterator[list[float]]:
    """Somebody who runs a page again and again: seconds of each answer, inf for a broken one."""
    answers: list[float] = []
    over = Event()

    def look() -> None:
        while not over.is_set():
            try:
                with at(server, path) as visitor:
                    while not over.wait(0.2):
                        run = visitor.rerun()
                        answers.append(math.inf if run.errors else run.seconds)
            except Exception:
                answers.append(math.inf)
                over.wait(1)

    thread = Thread(target=look)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def answered(answers: list[float]) -> str:
    """What the witness met."""
    p50, p95 = np.percentile(answers or [math.inf], [50, 95])
    return f"witness p50 {p50:.2f}, p95 {p95:.2f} s"


def fine(answers: list[float], p95: float = 3.0) -> bool:
    """Whether the witness was answered as the design promises to a class."""
    return bool(answers) and float(np.percentile(answers, 95)) < p95


def left(server: Server) -> tuple[int, int, float]:
    """Threads and children of the server, and megabytes."""
    process = psutil.Process(server.pid)
    return (
        process.num_threads(),
        len(process.children(recursive=True)),
        process.memory_info().rss / 1e6,
    )


def quiet_again(server: Server, before: tuple[int, int, float]) -> tuple[bool, str]:
    """Whether what an attack started ends, and what is there when it has or has not."""
    deadline = time.monotonic() + QUIET
    while True:
        threads, children, size = left(server)
        gone = threads <= before[0] + 8 and children <= before[1]
        if gone or time.monotonic() > deadline:
            said = f"threads {before[0]} -> {threads}, children {children}"
            return gone, f"{said}, memory {size - before[2]:+.0f} MB"
        time.sleep(0.5)


def alerts(run: Run) -> list[str]:
    """What a run has warned of."""
    elements = (m.delta.new_element for m in run.messages if m.delta.HasField("new_element"))
    return [one.alert.body for one in elements if one.HasField("alert")]
