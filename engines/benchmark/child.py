"""Measuring out of the way: in a child process, one at a time, with a queue for those who wait.

The child's settings are its own; it disturbs nobody's page and no page disturbs it, and to stop it
is to end it. It also ends by itself when nobody listens any more.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from engines.benchmark.machine import killed_for_memory

HERE = Path(__file__).parents[2]
HEARTBEAT = 0.2  # seconds: how long a consumer waits at most before it can stop
SILENCE = 10  # seconds without a heartbeat after which a child takes its listener for gone
TO_END = 5  # seconds that a child may take to end when it has said everything
MOST_IN_LINE = 12  # a minute each at worst: whoever comes later is told so
LAST_LINES = 20  # of what a child that failed had to say

_queue: list[object] = []  # the one who measures, then those who wait
_queue_lock = threading.Lock()


class FullError(RuntimeError):
    """So many want to measure that there is no place in the queue."""


class Waiting(NamedTuple):
    """A place in the queue. before: how many come first, the one who is measuring included."""

    before: int


def in_child(
    arguments: Sequence[str], *, seconds: float = 180
) -> Generator[dict[str, Any] | Waiting | None]:
    """Run the command line of engines.benchmark in a process of its own; yield its results.

    One child runs at a time in this process: until it is our turn, yields Waiting. Then yields None
    when there is nothing new. Either comes several times a second, so that the consumer can look up
    and stop. Closing the generator leaves the queue, or ends the child and what it has started.
    seconds: how long it may take, once it runs.

    Raises FullError, TimeoutError, MemoryError where memory ran out, and ChildProcessError with
    the last lines of a child that failed.
    """
    ticket = object()
    with _queue_lock:
        if len(_queue) >= MOST_IN_LINE:
            raise FullError("there is no place in the queue for another measurement")
        _queue.append(ticket)
    try:
        while before := _before(ticket):
            yield Waiting(before)
            time.sleep(HEARTBEAT)
        yield from _run(arguments, seconds)
    finally:
        with _queue_lock:
            _queue.remove(ticket)


def in_line() -> int:
    """How many measure, or wait for it."""
    return len(_queue)


def answers(arguments: Sequence[str], *, seconds: float = 60) -> list[dict[str, Any]]:
    """All results of the command line at once, outside the queue: for what is not a measurement.

    Raises TimeoutError and ChildProcessError, as in_child does.
    """
    return [result for result in _run(arguments, seconds) if result is not None]


def _before(ticket: object) -> int:
    with _queue_lock:
        return _queue.index(ticket)


def _run(arguments: Sequence[str], seconds: float) -> Iterator[dict[str, Any] | None]:
    killed = killed_for_memory()
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "engines.benchmark", *arguments, "--attended"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a group of its own, which ends as one
        )
        try:
            yield from _results(child, time.monotonic() + seconds)
            status = _ended(child)
            if status and killed_for_memory() > killed:
                raise MemoryError("the system has ended the measurement, for lack of memory")
            if status:
                errors.seek(0)
                raise ChildProcessError("".join(errors.readlines()[-LAST_LINES:]))
        finally:
            _end(child)


def _results(child: subprocess.Popen[str], deadline: float) -> Iterator[dict[str, Any] | None]:
    """What the child prints, a line each, until it closes its output."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        assert child.stdout
        try:
            for line in child.stdout:
                lines.put(line)
        finally:
            lines.put("")

    threading.Thread(target=listen, daemon=True).start()
    while time.monotonic() < deadline:
        _beat(child)
        try:
            line = lines.get(timeout=HEARTBEAT)
        except queue.Empty:
            yield None
            continue
        if not line:
            return
        yield json.loads(line)
    raise TimeoutError("the measurement took too long and was ended")


def _beat(child: subprocess.Popen[str]) -> None:
    """Tell the child that somebody listens; one that has ended need not know."""
    assert child.stdin
    with suppress(OSError):  # of a broken pipe, which Windows calls otherwise
        child.stdin.write("\n")
        child.stdin.flush()


def _ended(child: subprocess.Popen[str]) -> int:
    """The exit status of a child that has said everything. Raises TimeoutError."""
    try:
        return child.wait(timeout=TO_END)
    except subprocess.TimeoutExpired as expired:
        raise TimeoutError("the measurement is over, and its process did not end") from expired


def _end(child: subprocess.Popen[str]) -> None:
    """End the child and the processes it has started, if they still run, and wait for it."""
    with suppress(ProcessLookupError):  # a group outlives its first process while it has others
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        with suppress(OSError):
            if pipe:
                pipe.close()


# ---- In the child


def end_with_the_listener() -> None:
    """End this process, and what it starts, once the listener is gone or falls silent.

    To be called in a child of `in_child`, whose heartbeats are lines on the standard input. That
    input ends with the listener's process, whatever has ended that.
    """
    heard = threading.Event()
    with suppress(OSError):  # Linux: where memory runs out, this is to end, and not the listener
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")

    def listen() -> None:
        while os.read(0, 1024):
            heard.set()
        _end_group()

    def watch() -> None:
        while heard.wait(SILENCE):
            heard.clear()
        _end_group()

    for task in (listen, watch):
        threading.Thread(target=task, daemon=True).start()


def _end_group() -> None:
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)  # its processes notice that nobody asks them any more
