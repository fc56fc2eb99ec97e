"""Timing done right: warm-up apart, in blocks or interleaved, spread shown, and out of the way.

What loads frameworks or takes long is measured in a child process: its settings are its own, it
disturbs nobody's page and no page disturbs it, and to stop it is to end it. From the command line:

    python -m engines.benchmark paid_once
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
from argparse import ArgumentParser
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

import numpy as np

# What can be measured in a child, and the module whose `run` yields the results.
MEASUREMENTS = {"paid_once": "engines.first_calls"}

HEARTBEAT = 0.2  # seconds: how long a consumer waits at most before it can stop
TO_END = 5  # seconds that a child may take to end when it has said everything
LAST_LINES = 20  # of what a child that failed had to say
_measuring = threading.Lock()


class Timing(NamedTuple):
    """Milliseconds a call took: the median of all samples, and the quartiles around it."""

    low: float
    median: float
    high: float


def paired(*runs: Callable[[], object], rounds: int) -> list[Timing]:
    """Time several functions in turn, so that whatever slows the machine slows all of them.

    Each is called once uncounted, then `rounds` times. Returns a Timing for each, in order.
    """
    seconds = np.empty((len(runs), rounds))
    for run in runs:
        run()
    for k in range(rounds):
        for i, run in enumerate(runs):
            start = time.perf_counter()
            run()
            seconds[i, k] = time.perf_counter() - start
    return [Timing(*np.percentile(1000 * taken, [25, 50, 75])) for taken in seconds]


class BusyError(RuntimeError):
    """Another measurement is running on this machine."""


def in_child(
    arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, seconds: float = 180
) -> Generator[dict[str, Any] | None]:
    """Run this module's command line in a process of its own and yield its results as they come.

    Yields None when there is nothing yet, several times a second, so that the consumer can look up
    and stop. Closing the generator ends the child and what it has started. environment: variables
    that only the child has. seconds: how long it may take.

    Raises BusyError where another one is running, TimeoutError, and ChildProcessError with the last
    lines of a child that failed.
    """
    if not _measuring.acquire(blocking=False):
        raise BusyError("another measurement is running, and two at once would disturb each other")
    try:
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", __name__, *arguments],
                cwd=Path(__file__).parent.parent,
                env={**os.environ, **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # a group of its own, which ends as one
            )
            try:
                yield from _results(child, time.monotonic() + seconds)
                if _ended(child):
                    errors.seek(0)
                    raise ChildProcessError("".join(errors.readlines()[-LAST_LINES:]))
            finally:
                _end(child)
    finally:
        _measuring.release()


def _results(child: subprocess.Popen[str], deadline: float) -> Iterator[dict[str, Any] | None]:
    """What the child prints, a line each, until it closes its output."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        assert child.stdout
        for line in child.stdout:
            lines.put(line)
        lines.put("")

    threading.Thread(target=listen, daemon=True).start()
    while time.monotonic() < deadline:
        try:
            line = lines.get(timeout=HEARTBEAT)
        except queue.Empty:
            yield None
            continue
        if not line:
            return
        yield json.loads(line)
    raise TimeoutError("the measurement took too long and was ended")


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for and print each result, as JSON, on a line of its own."""
    parser = ArgumentParser(description="Measure on this machine.")
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("--quick", action="store_true", help="for tests: too short to mean much")
    asked = parser.parse_args(arguments)
    for result in import_module(MEASUREMENTS[asked.what]).run(quick=asked.quick):
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
