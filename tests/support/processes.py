"""What the tests need to know of processes: which there are, and whether they have ended."""

import sys
import time
from contextlib import contextmanager, suppress
from types import ModuleType
from unittest.mock import patch

import psutil


def alive(process):
    """Whether a process runs; one that has ended and waits to be asked about does not."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def ended(processes, seconds=2.0):
    """Whether all of them end within so many seconds."""
    deadline = time.monotonic() + seconds
    while any(alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def children_of(process):
    """What a process has started, and what that has; not what Python starts for its own sake."""
    found = set()
    for one in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if not any("resource_tracker" in word for word in one.cmdline()):
                found.add(one)
    return found


def started_by(process, at_least, *, but=frozenset(), seconds=30.0):
    """What a process has started, `but` those of before, once there are enough."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(found := children_of(process) - but) >= at_least:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{process} has started {found}")


@contextmanager
def plain_main():
    """Have no script as the main module: a process that is started would run it first.

    Streamlit's AppTest leaves the last one that it ran.
    """
    with patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
        yield
