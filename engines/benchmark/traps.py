"""Seven traps of measuring: each has its naive parts and its honest ones.

On a machine without another device than the CPU, TensorFlow is told to give operations back before
they are done (`Contender.ahead`), as every GPU does, so that not waiting can be shown there too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import NamedTuple

from engines.benchmark.contender import Contender, Process, Question
from engines.benchmark.sweep import Event, summary


class Part(NamedTuple):
    """One thing that is measured. others: how many processes compute at the same time."""

    contender: Contender
    question: Question
    others: int = 0


def parts_of(device: str, cores: int) -> dict[str, dict[str, Part]]:
    """By name of the trap: its parts by name. device: the best one that PyTorch has here."""
    torch, alone = Contender("torch", device, cores), Contender("torch", "cpu", 1)
    numpy = Contender("numpy", "cpu", 1)
    eager, traced = Contender("torch", device, 1), Contender("tensorflow", "cpu", 1)
    on_gpu = device != "cpu"
    ahead = torch if on_gpu else Contender("tensorflow", "cpu", cores, ahead=True)
    large = Question("square", 4096 if on_gpu else 1024)
    row = Question("row_by_column", 2**20)
    small, square = Question("square", 64), Question("square", 512)
    step = Question("training_step", 100)
    return {
        "first_call": {
            "product, naive": Part(eager, small._replace(how="without warm-up")),
            "product, honest": Part(eager, small),
            "step, naive": Part(traced, step._replace(how="without warm-up")),
            "step, honest": Part(traced, step),
        },
        "not_waiting": {
            "naive": Part(ahead, large._replace(how="without waiting")),
            "honest": Part(ahead, large),
        },
        "once": {"naive": Part(eager, small._replace(how="one by one"))},
        "transfer": {
            "naive": Part(torch, row),
            "honest": Part(torch, row._replace(transfer=True)),
        },
        "precision": {
            "NumPy, 64 bits": Part(numpy, square._replace(precision="float64")),
            "NumPy, 32 bits": Part(numpy, square),
            "PyTorch, 32 bits": Part(alone, square),
        },
        "threads": {
            "NumPy, one": Part(numpy, square),
            "PyTorch, all": Part(Contender("torch", "cpu", cores), square),
            "PyTorch, one": Part(alone, square),
        },
        "others": {
            "honest": Part(Contender("torch", "cpu", cores), square),
            "naive": Part(Contender("torch", "cpu", cores), square, others=cores),
        },
    }


NAMES = tuple(parts_of("cpu", 1))


def run(trap: str, *, device: str, cores: int, seconds: float = 1.0) -> Iterator[Event]:
    """Measure the parts of a trap, in order; yield "part" with a Measurement and its name.

    on_core: as in engines.benchmark.sweep, for parts that are to be alone. samples: in seconds,
    where each call was timed by itself. seconds: for each part. Raises
    KeyError for a trap that does not exist, and RuntimeError where a part cannot be measured.
    """
    parts = parts_of(device, cores)[trap]
    with ExitStack() as stack:
        processes = {}
        # One after the other, because how long it takes to load a framework is told.
        for contender in dict.fromkeys(part.contender for part in parts.values()):
            processes[contender] = process = stack.enter_context(closing(Process(contender)))
            process.loaded()
            yield {"event": "loaded", **contender._asdict(), "seconds": process.load_seconds}
        for done, (name, part) in enumerate(parts.items(), start=1):
            with _busy(part.others):
                process, question = processes[part.contender], part.question
                before = process.scheduled()
                answer = process.ask(question._replace(seconds=seconds))
                on_core = process.scheduled().on_core(before)
            if answer is None or not answer.samples:
                raise RuntimeError(f"{trap}, {name}: not enough memory or time")
            yield {
                "event": "part",
                "part": name,
                "measurement": summary(part.contender, question, answer)._asdict(),
                "on_core": None if part.others else on_core,
                "samples": answer.samples if question.how == "one by one" else [],
                "done": done,
                "of": len(parts),
            }


@contextmanager
def _busy(others: int) -> Iterator[None]:
    """Have so many other processes multiply matrices, as if as many visitors did."""
    with ExitStack() as stack:
        visitors = [
            stack.enter_context(closing(Process(Contender("numpy", "cpu", 1))))
            for _ in range(others)
        ]
        for visitor in visitors:
            visitor.loaded()
            visitor.begin(Question("square", 1024, seconds=60, how="without end"))
        yield
