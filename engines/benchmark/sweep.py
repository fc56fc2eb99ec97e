"""Every question asked of every contender, one after the other, within a time budget.

The questions go from small to large, and at each size all contenders are asked in turn: what is to
be compared is measured close together in time.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from engines.benchmark.clock import BLOCK_SECONDS, Measured
from engines.benchmark.contender import Contender, LostError, Process, Question
from engines.benchmark.machine import (
    Device,
    killed_for_memory,
    libraries,
    memory_free,
    this_machine,
)
from engines.benchmark.operations import OPERATIONS, held_bytes
from engines.benchmark.recording import Machine, Measurement, Recording

Event = dict[str, Any]
LOADED_BYTES = {"numpy": 60e6, "torch": 300e6, "tensorflow": 600e6}  # of a process, about
ENOUGH = 0.3  # seconds for a question whose calls are short


class Plan(NamedTuple):
    """What is measured. sizes: by operation, from small to large. seconds: for all of it.

    transfers: whether transfer time is included; False and True for both.
    """

    contenders: tuple[Contender, ...]
    sizes: dict[str, tuple[int, ...]]
    precision: str
    transfers: tuple[bool, ...]
    seconds: float

    def questions(self) -> list[tuple[Contender, Question]]:
        """Who is asked what, in order."""
        return [
            (contender, Question(operation, size, self.precision, transfer))
            for operation, sizes in self.sizes.items()
            for size in sizes
            for transfer in self.transfers
            for contender in self.contenders
            if _makes_sense(contender.framework, operation, transfer)
        ]

    def needed_bytes(self) -> int:
        """Memory of the processor that it takes at a time, about: all frameworks, one question."""
        largest = max((_needed(*asked) for asked in self.questions()), default=0)
        return int(sum(LOADED_BYTES[one.framework] for one in self.contenders)) + largest


def _makes_sense(framework: str, operation: str, transfer: bool) -> bool:
    """NumPy works where the data is. Eager TensorFlow hands a copy out without making one."""
    if transfer:
        return framework != "numpy" and operation != "copy"
    return framework != "tensorflow" or operation != "copy"


def run(plan: Plan, *, name: str = "", devices: Iterable[Device] = ()) -> Iterator[Event]:
    """Measure, and yield what happens as it happens, as plain data for a line of JSON.

    The first event, "began", has the parts of a Recording; "loaded" tells how long the framework
    of a contender took to load. Then each question ends as "measured", with a Measurement, or as
    "left out" with a reason: "memory" or "time", where it would not fit; "loading", where that took
    all of the time; "precision", where the device has none such; "lost", where the contender's
    process has ended. `done` of them, of how many. on_core: the share of the time in which the
    contender's threads had a core, of that in which they wanted one; None where the system does not
    say.

    name: of the machine, as its owner calls it. devices: what was found, for graphics cards that
    the system does not name. The seconds of the plan include the loading.
    """
    end = time.monotonic() + plan.seconds
    questions = plan.questions()
    yield _beginning(plan, this_machine(name, devices)) | {"of": len(questions)}
    with ExitStack() as stack:
        processes, unable = _started(plan.contenders, stack)
        for contender, process in processes.items():
            event, reason = _loaded(contender, process, end - time.monotonic())
            if event:
                yield event
            else:
                unable[contender] = reason
        answers: defaultdict[Any, list[tuple[Question, Measured]]] = defaultdict(list)
        fatal = dict[Contender, int]()  # bytes of a question for which the system has ended it
        for done, (contender, question) in enumerate(questions, start=1):
            event = {"done": done, "of": len(questions)}
            smaller = answers[contender, question.operation, question.transfer]
            expected = _expected(question, smaller)
            share, enough = _shared(end - time.monotonic(), len(questions) - done, expected)
            reason = unable.get(contender) or _refused(contender, question, share, expected)
            needed = _needed(contender, question)
            if needed >= fatal.get(contender, needed + 1):
                reason = "memory"
            if not reason:
                process, killed = processes[contender], killed_for_memory()
                before = process.scheduled()
                reason, answer = _asked(process, question._replace(seconds=enough))
            if reason == "lost" and contender not in unable and killed_for_memory() > killed:
                # It died of this question. Smaller ones are asked of another process.
                reason, fatal[contender] = "memory", needed
                processes[contender] = stack.enter_context(closing(Process(contender)))
                again, _ = _loaded(contender, processes[contender], end - time.monotonic())
                if not again:
                    unable[contender] = "memory"
            if reason or not answer:
                yield event | {"event": "left out", **_in_short(contender, question, reason)}
                continue
            smaller.append((question, answer))
            measurement = summary(contender, question, answer)
            event |= {"event": "measured", "measurement": measurement._asdict()}
            yield event | {"on_core": process.scheduled().on_core(before)}


def _needed(contender: Contender, question: Question) -> int:
    """Bytes of the processor's memory for a question: elsewhere only the transfer takes some."""
    held = held_bytes(question.operation, question.size, question.precision)
    return held * (1 + question.transfer) if contender.device == "cpu" else held


def _started(
    contenders: Sequence[Contender], stack: ExitStack
) -> tuple[dict[Contender, Process], dict[Contender, str]]:
    """The processes, which end with the stack, and why there is none where memory is short."""
    processes, unable = {}, {}
    room = float(memory_free())
    for contender in contenders:
        room -= LOADED_BYTES[contender.framework]
        if room > 0:
            processes[contender] = stack.enter_context(closing(Process(contender)))
        else:
            unable[contender] = "memory"
    return processes, unable


def _shared(left: float, others: int, expected: float) -> tuple[float, float]:
    """Seconds that a question may take, and those that are enough for it.

    left: of the time, for it and the others. expected: for one call, 0 if nothing is known.
    """
    equal = left / (others + 1)
    # Most questions are short, so a long one may have more, if it leaves enough for them.
    share = max(equal, (left - ENOUGH * others) / 4)
    # The first of its kind may be long.
    return share, min(share, max(ENOUGH, 12 * expected)) if expected else equal


def _asked(process: Process, question: Question) -> tuple[str, Measured | None]:
    """The answer, or why there is none."""
    try:
        answer = process.ask(question)
    except LostError:
        return "lost", None
    if answer is None:
        return "memory", None
    return ("", answer) if answer.samples else ("time", None)


def summary(contender: Contender, question: Question, answer: Measured) -> Measurement:
    """What is kept of an answer: the quartiles of its samples, and their ends."""
    return Measurement(
        question.operation,
        contender.framework,
        contender.device,
        contender.threads,
        question.size,
        question.precision,
        question.transfer,
        answer.first,
        answer.calls,
        len(answer.samples),
        *np.percentile(answer.samples, [0, 25, 50, 75, 100]).tolist(),
    )


def recorded(events: Iterable[Event]) -> Recording:
    """The recording that the events of a run tell, also of one that was stopped.

    Raises ValueError if it has not begun.
    """
    began, *rest = events
    versions = dict(began["libraries"])
    for loaded in (event for event in rest if event["event"] == "loaded"):
        # Frameworks come with a CUDA of their own, and know which only when they are loaded.
        for name, version in loaded["libraries"].items():
            if name not in began["libraries"]:
                versions[f"{name} ({loaded['framework']})"] = version
    return Recording(
        began["made"],
        Machine.from_json(began["machine"]),
        versions,
        began["settings"],
        tuple(Measurement(**event["measurement"]) for event in rest if "measurement" in event),
    )


def _beginning(plan: Plan, machine: Machine) -> Event:
    return {
        "event": "began",
        "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine.as_json(),
        "libraries": libraries(),
        "settings": {"seconds": plan.seconds, "block_seconds": BLOCK_SECONDS},
        "needed_bytes": plan.needed_bytes(),
        "free_bytes": memory_free(),
    }


def _loaded(contender: Contender, process: Process, seconds: float) -> tuple[Event, str]:
    """The event that its framework is there, or no event and why it is not."""
    try:
        if not process.loaded(seconds):
            return {}, "loading"
    except LostError:
        return {}, "lost"
    found = {"seconds": process.load_seconds, "libraries": process.libraries}
    return {"event": "loaded", **contender._asdict(), **found}, ""


def _expected(question: Question, smaller: Sequence[tuple[Question, Measured]]) -> float:
    """Seconds that a call should take at most, going by all answers so far; 0 if there are none.

    The least that any of them allows: where something else kept the machine busy, one alone would
    say far too much.
    """
    cost = OPERATIONS[question.operation]
    return min(
        (
            float(np.median(answer.samples))
            * max(
                cost.flops(question.size) / max(1, cost.flops(asked.size)),
                cost.moved(question.size) / cost.moved(asked.size),
            )
            for asked, answer in smaller
        ),
        default=0,
    )


def _refused(contender: Contender, question: Question, share: float, expected: float) -> str:
    """Why a question is not asked, if it is not. share: of the time, in seconds."""
    if contender.device == "mps" and question.precision == "float64":
        return "precision"
    if contender.device == "cpu" and _needed(contender, question) > memory_free() / 2:
        return "memory"
    return "time" if share <= expected else ""


def _in_short(contender: Contender, question: Question, reason: str) -> Event:
    asked = {"operation": question.operation, "size": question.size, "transfer": question.transfer}
    return {**contender._asdict(), **asked, "reason": reason}
