"""What is measured: a process for each framework, device and number of threads.

A framework reads its number of threads when it is loaded, so each contender has a process with an
environment of its own. While one answers, the others wait and do nothing.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from engines.benchmark.clock import Measured, measure
from engines.benchmark.machine import libraries
from engines.benchmark.naive_clock import one_by_one, without_waiting, without_warm_up
from engines.benchmark.operations import arrays

MODULES = {
    "numpy": "engines.benchmark.operations_numpy",
    "torch": "engines.benchmark.operations_torch",
    "tensorflow": "engines.benchmark.operations_tensorflow",
}
# Where the frameworks, and the libraries below them, look for their number of threads.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def keep_busy(run: Callable[[], object], wait: Callable[[], None], *, seconds: float) -> Measured:
    """Do nothing but call it, until the seconds are over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run()
        wait()
    return Measured(0, 0, [])


HOW: dict[str, Callable[..., Measured]] = {
    "without end": keep_busy,
    "properly": measure,
    "without warm-up": without_warm_up,
    "without waiting": without_waiting,
    "one by one": one_by_one,
}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}


class Contender(NamedTuple):
    """A framework on a device. threads: on the CPU.

    ahead: TensorFlow on the CPU gives operations back before they are done, as a GPU does.
    """

    framework: str
    device: str
    threads: int
    ahead: bool = False


class Question(NamedTuple):
    """What is asked of a contender. seconds: to answer it in.

    how: one of HOW, properly or with a mistake.
    """

    operation: str
    size: int
    precision: str = "float32"
    transfer: bool = False
    seconds: float = 1.0
    how: str = "properly"


class Scheduled(NamedTuple):
    """Seconds for which the threads of a process have had a core, and have waited for one."""

    used: float
    waited: float

    def on_core(self, before: Scheduled) -> float | None:
        """The share of the time since then in which those that could run did; None if unknown.

        Well below 1, others were computing.
        """
        used, waited = self.used - before.used, self.waited - before.waited
        return used / (used + waited) if used > 0 and waited >= 0 else None


def scheduled(process: int | str | None) -> Scheduled:
    """What the threads of a process, or of "self", have had of the cores; zeros if unknown."""
    used = waited = 0.0
    with suppress(OSError):  # a thread, or all of them, may end meanwhile
        for task in Path(f"/proc/{process}/task").glob("*/schedstat"):  # Linux
            nanoseconds = task.read_text().split()
            used += float(nanoseconds[0]) / 1e9
            waited += float(nanoseconds[1]) / 1e9
    return Scheduled(used, waited)


class LostError(RuntimeError):
    """A contender's process has ended, killed or failed; what it had to say is in the log."""


class Process:
    """The running process of a contender.

    load_seconds: from its start until its framework was there; 0 before that. libraries: versions,
    as the process knows them.
    """

    def __init__(self, contender: Contender) -> None:
        """Start the process. It loads its framework while the caller goes on."""
        context = get_context("spawn")  # not forked: with threads and settings of its own
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_answer, args=(theirs, contender, time.time()), daemon=True
        )
        with _environment({**dict.fromkeys(THREADS, str(contender.threads)), **QUIET}):
            self._process.start()
        theirs.close()  # so that we notice when the process ends
        self.load_seconds, self.libraries = 0.0, dict[str, str]()

    def loaded(self, seconds: float = 60) -> bool:
        """Wait for the framework, but not longer than `seconds`. Raises LostError."""
        with _lost():
            if not self.load_seconds and self._pipe.poll(max(0, seconds)):
                self.load_seconds, self.libraries = self._pipe.recv()
        return self.load_seconds > 0

    def begin(self, question: Question) -> None:
        """Ask one that is loaded, and do not wait for the answer. Raises LostError."""
        if not self.load_seconds:
            raise LostError("a contender has not loaded its framework in time")
        with _lost():
            self._pipe.send(question)

    def ask(self, question: Question) -> Measured | None:
        """The answer, or None where the device's memory does not suffice. Raises LostError."""
        self.begin(question)
        with _lost():
            answer: Measured | None = self._pipe.recv()
        return answer

    def scheduled(self) -> Scheduled:
        """What its threads together have had of the cores so far; zeros where no one says."""
        return scheduled(self._process.pid)

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError) as ended:
        raise LostError("the process of a contender has ended") from ended


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have variables while a process is started: it takes them with it."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _answer(pipe: Connection, contender: Contender, started: float) -> None:
    """In the process: load the framework, then answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks ends this one
    os.dup2(2, 1)  # what a driver prints must not come between the lines of results
    framework = import_module(MODULES[contender.framework])
    framework.use(contender.device, **({"ahead": True} if contender.ahead else {}))
    pipe.send((time.time() - started, libraries()))
    while True:
        try:
            question: Question = pipe.recv()
        except EOFError:
            return
        pipe.send(_measured(framework, contender.device, question))


def _measured(framework: Any, device: str, asked: Question) -> Measured | None:
    end = time.monotonic() + asked.seconds
    try:
        run, wait = framework.prepare(
            asked.operation,
            arrays(asked.operation, asked.size, asked.precision),
            device,
            transfer=asked.transfer,
        )
        # Drawing the numbers and bringing them to the device has taken some of the time.
        return HOW[asked.how](run, wait, seconds=max(0, end - time.monotonic()))
    except (MemoryError, framework.OUT_OF_MEMORY):  # here, or on the device
        return None
    except RuntimeError as error:  # PyTorch has no class of its own for the CPU, MPS and cuBLAS
        if "memory" in str(error).lower() or "ALLOC_FAILED" in str(error):
            return None
        raise
