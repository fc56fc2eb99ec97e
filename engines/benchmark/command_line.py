"""The command line of engines.benchmark: what can be measured, printed or written to a file."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from engines.benchmark import traps
from engines.benchmark.child import end_with_the_listener
from engines.benchmark.contender import MODULES, Contender
from engines.benchmark.machine import KINDS, Device, cores, devices, none_found
from engines.benchmark.operations import ITEM_BYTES, OPERATIONS
from engines.benchmark.recording import SCHEMA, from_text, to_text
from engines.benchmark.sweep import Event, Plan, recorded, run

SECONDS = 300.0  # for everything that a machine has
MOST_THREADS = 4096


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for; print each result as a line of JSON, or write all to a file."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.out and asked.what != "sweep":
        parser.error("--out is for the sweep: only that is a recording")
    if asked.attended:
        end_with_the_listener()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # for every process that looks or measures
    events = WHAT[asked.what](asked)
    if asked.out:
        _write(events, asked.out)
        return
    for event in events:
        print(json.dumps(event), flush=True)


def _sweep(asked: Namespace) -> Iterator[Event]:
    contenders, found = tuple(dict.fromkeys(asked.contenders)), list[Device]()
    if not contenders or any(one.device == "xpu" for one in contenders):
        found = all_devices()
    contenders = contenders or everyone(found)
    plan = Plan(
        contenders, _sizes(asked), asked.precision, TRANSFERS[asked.transfer], asked.seconds
    )
    most = SCHEMA["properties"]["measurements"]["maxItems"]
    if asked.out and len(plan.questions()) > most:
        sys.exit(f"A recording holds {most} measurements. Name fewer operations or contenders.")
    yield from run(plan, name=asked.name, devices=found)


def _devices(asked: Namespace) -> Iterator[Event]:
    yield from ({"event": "device", **device._asdict()} for device in all_devices())
    yield {"event": "cores", "cores": cores()}


def _traps(asked: Namespace) -> Iterator[Event]:
    yield from traps.run(
        asked.trap, device=asked.device, cores=cores(), seconds=0.3 if asked.quick else 2.0
    )


def _check(asked: Namespace) -> Iterator[Event]:
    timer = import_module("engines.benchmark.torch_timer")
    for done, compared in enumerate(timer.run(quick=asked.quick), start=1):
        progress = {"done": done, "of": len(timer.QUESTIONS)}
        yield {"event": "compared", **compared._asdict(), **progress}


def _paid_once(asked: Namespace) -> Iterator[Event]:
    results: Iterator[Event] = import_module("engines.benchmark.first_calls").run(quick=asked.quick)
    return results


WHAT: dict[str, Callable[[Namespace], Iterator[Event]]] = {
    "sweep": _sweep,
    "devices": _devices,
    "traps": _traps,
    "check": _check,
    "paid_once": _paid_once,
}
TRANSFERS = {"without": (False,), "with": (True,), "both": (False, True)}


def all_devices() -> list[Device]:
    """What every framework finds on this machine.

    Each looks in a process of its own: one that crashes while it is loaded has found nothing.
    """
    with ExitStack() as stack:
        looking = {}
        for framework in MODULES:
            process = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            looking[framework] = stack.enter_context(process).submit(devices, framework)
        return [one for name, found in looking.items() for one in _found(name, found)]


def _found(framework: str, found: Future[list[Device]]) -> list[Device]:
    try:
        return found.result()
    except BrokenProcessPool:
        return none_found(framework, "import fails")


def everyone(found: Iterable[Device]) -> tuple[Contender, ...]:
    """Every framework on the CPU, with one thread and with all, and on each other device."""
    return tuple(
        Contender(device.framework, device.kind, threads)
        for device in found
        if device.found
        for threads in sorted({1, cores()} if device.kind == "cpu" else {cores()})
    )


def _sizes(asked: Namespace) -> dict[str, tuple[int, ...]]:
    """By operation, the sizes asked for, or its own up to the largest asked for."""
    sizes = {}
    for name in asked.operations:
        offered = asked.sizes or OPERATIONS[name].sizes
        largest = min(asked.largest or OPERATIONS[name].largest, OPERATIONS[name].largest)
        sizes[name] = tuple(sorted(size for size in set(offered) if size <= largest))
    return sizes


def _write(events: Iterable[Event], file: Path) -> None:
    """Write a recording, with a progress bar; from the keyboard it can be stopped, and is kept.

    Raises SystemExit where nothing was measured, RecordingError where what was could not be read
    again, and whatever has ended the run.
    """
    kept: list[Event] = []
    failure: Exception | None = None
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Loading the frameworks", total=None)
        try:
            for event in events:
                kept.append(event)
                if "needed_bytes" in event:
                    progress.console.print(_memory(event))
                if "done" in event:
                    progress.update(
                        task, completed=event["done"], total=event["of"], description=_name(event)
                    )
        except KeyboardInterrupt:
            progress.console.print("Stopped. What was measured so far is kept.")
        except Exception as failed:  # minutes of measuring are not to be lost with it
            progress.console.print(f"Failed: {failed}. What was measured so far is kept.")
            failure = failed
    measured = sum("measurement" in event for event in kept)
    if not measured:
        reasons = sorted({event["reason"] for event in kept if "reason" in event})
        why = ", ".join(reasons) or "no size is offered"
        sys.exit(f"Nothing was measured, and nothing was written ({why}).")
    text = to_text(recorded(kept))
    from_text(text)
    file.write_text(text, encoding="utf-8")
    print(f"{file}: {measured} measurements", file=sys.stderr)
    missing = Counter((event["operation"], event["reason"]) for event in kept if "reason" in event)
    for (operation, reason), count in missing.items():
        print(f"  left out of {operation}: {count} ({reason})", file=sys.stderr)
    if any(reason == "time" for _, reason in missing):
        print("More --seconds measure more.", file=sys.stderr)
    if failure:
        raise failure


def _memory(began: Event) -> str:
    """What the sweep needs, before it starts."""
    needed, free = (began[key] / 1e9 for key in ("needed_bytes", "free_bytes"))
    text = f"This takes about {needed:.1f} GB of memory, and {free:.1f} GB are free."
    return text if needed < free else f"{text} What does not fit will be left out."


def _name(event: Event) -> str:
    measured: dict[str, Any] = event.get("measurement", event)
    return "{framework} on {device}, {operation}, n = {size}".format(**measured)


def _contender(text: str) -> Contender:
    try:
        framework, device, threads = text.split(":")
        contender = Contender(framework, device, int(threads))
    except ValueError as error:
        raise ArgumentTypeError("write it like torch:cpu:2 or torch:cuda:1") from error
    if device not in KINDS.get(framework, ()):
        raise ArgumentTypeError(f"{text}: there is no such framework, or not on such a device")
    if not 1 <= contender.threads <= MOST_THREADS:
        raise ArgumentTypeError(f"{text}: threads from 1 to {MOST_THREADS}")
    return contender


def _size(text: str) -> int:
    size, largest = int(text), max(operation.largest for operation in OPERATIONS.values())
    if not 1 <= size <= largest:
        raise ArgumentTypeError(f"from 1 to {largest}")
    return size


def _file(text: str) -> Path:
    """A file that can be written, so that nobody measures for minutes and then hears otherwise."""
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise ArgumentTypeError(f"{text} is a folder, or is in a folder that does not exist")
    return path


def _machine(text: str) -> str:
    with suppress(UnicodeError):  # bytes that are not UTF-8 are taken for Latin-1
        text = os.fsencode(text).decode("latin-1") if not _is_text(text) else text
    if len(text) > 200:
        raise ArgumentTypeError("a name of at most 200 characters")
    if not text.isprintable():
        raise ArgumentTypeError("a name in one line, without control characters")
    return text


def _is_text(text: str) -> bool:
    """Whether it came as UTF-8: what did not is told apart by surrogates."""
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86400:
        raise ArgumentTypeError("between 0 and 86400 seconds")
    return seconds


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m engines.benchmark",
        description="Measure this machine, with what it has: frameworks, devices, threads.",
    )
    add = parser.add_argument
    add("what", nargs="?", choices=WHAT, default="sweep", help="default: the whole sweep")
    add("--out", type=_file, help="write a recording to this file, and show a progress bar")
    add(
        "--name",
        type=_machine,
        default="",
        help='what to call the machine, such as "a laptop with two cores"',
    )
    add("--seconds", type=_seconds, default=SECONDS, help="time budget (default %(default)s)")
    add("--operations", nargs="+", choices=OPERATIONS, default=list(OPERATIONS))
    add("--contenders", nargs="+", type=_contender, default=[], help="like torch:cpu:2")
    add("--sizes", nargs="+", type=_size, default=[], help="default: each operation's own")
    add("--largest", type=_size, help="leave out larger sizes")
    add("--precision", choices=ITEM_BYTES, default="float32")
    add("--transfer", choices=TRANSFERS, default="both", help="include transfer time?")
    add("--trap", choices=traps.NAMES, default="once", help="traps: which one")
    add(
        "--device",
        choices=KINDS["torch"],
        default="cpu",
        help="traps: the device of PyTorch (default %(default)s)",
    )
    add("--quick", action="store_true", help="for tests: too short to mean much")
    add("--attended", action="store_true", help="end when the standard input ends or falls silent")
    return parser
