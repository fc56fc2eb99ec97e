"""What the first training step costs, and what each later one: four engines, two problems.

A step is the same for all of them: predict, find the gradients, update, and read the loss back. The
first one also pays for what has to be there before: a graph and its session, a traced function, or
nothing but the variables. Where it is the first in its process, it pays once more.

Source: experiment E9. The listings: first_calls_tensorflow.py and first_calls_torch.py. The
problems: E7's parabola, and the two-layer network of E10 and E11.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from itertools import islice, product
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.benchmark.clock import measure
from engines.benchmark.contender import THREADS, scheduled
from engines.network.compare import draw
from engines.problem import preset

# By engine: the module of its listing, the listing, and the framework that both need.
ENGINES = {
    "tf_session": ("engines.benchmark.first_calls_tensorflow", "session", "tensorflow"),
    "tf_function": ("engines.benchmark.first_calls_tensorflow", "function", "tensorflow"),
    "tf_tape": ("engines.benchmark.first_calls_tensorflow", "eager", "tensorflow"),
    "torch_autograd": ("engines.benchmark.first_calls_torch", "eager", "torch"),
}


class Task(NamedTuple):
    """What is trained, in float32: the name of the loss, the arrays, and the learning rate.

    data: x and y. start: the parameters' first values, in the order in which the loss takes them.
    """

    loss: str
    data: tuple[NDArray[Any], ...]
    start: tuple[NDArray[Any], ...]
    learning_rate: float


def parabola() -> Task:
    """E7: 100 points, two parameters."""
    problem = preset("session_article")
    start = np.asarray(problem.w), np.asarray(problem.b)
    return Task("parabola", (problem.x, problem.y), start, problem.learning_rate)


def two_layers() -> Task:
    """E10 and E11: x (64, 1000), y (64, 10), w1 (1000, 100), w2 (100, 10), all drawn."""
    x, y, w1, w2 = draw(0)
    return Task("two_layers", (x, y), (w1, w2), 1e-6)


TASKS = {"parabola": parabola, "two_layers": two_layers}


class Settings(NamedTuple):
    """How long is measured.

    rebuilt: how often the first call is repeated in the running process. warm_up: steps before
    later calls are timed, and after which the losses are compared. seconds: for timing those.
    """

    rebuilt: int = 5
    warm_up: int = 100
    seconds: float = 0.6


QUICK = Settings(rebuilt=2, warm_up=20, seconds=0.03)


def time_engine(task: str, engine: str, settings: Settings) -> dict[str, Any]:
    """Time one engine on one task. The first call is cold if nothing has run in this process.

    Returns cold, milliseconds of the first call; warm, those of the first calls after it, and
    later, those of a later call, each as [lower quartile, median, upper quartile]; the loss after
    `steps` updates; the framework with its version; and on_core, the share of the time in which the
    process had a core when it wanted one, None where no one says.
    """
    module, name, framework = ENGINES[engine]
    listing = getattr(import_module(module), name)
    trained = TASKS[task]()
    before = scheduled("self")

    def first_call() -> float:
        start = time.perf_counter()
        losses = listing(*trained)
        next(losses)
        taken = time.perf_counter() - start
        losses.close()
        return 1000 * taken

    cold = first_call()
    warm = [first_call() for _ in range(settings.rebuilt)]

    losses = listing(*trained)
    *_, loss = islice(losses, settings.warm_up + 1)  # the first one is before any update
    # A step reads its loss back, so there is nothing left to wait for.
    later = measure(lambda: next(losses), lambda: None, seconds=settings.seconds).samples
    losses.close()
    return {
        "task": task,
        "engine": engine,
        "cold": cold,
        "warm": np.percentile(warm, [25, 50, 75]).tolist(),
        "later": np.percentile(1000 * np.array(later), [25, 50, 75]).tolist(),
        "steps": settings.warm_up,
        "loss": loss,
        "framework": framework,
        "version": sys.modules[framework].__version__,
        "on_core": scheduled("self").on_core(before),
    }


def first_and_later(
    listing: Callable[..., Iterator[float]],
    data: Sequence[NDArray[Any]],
    start: Sequence[NDArray[Any]],
    *,
    learning_rate: float,
    steps: int,
) -> dict[str, float]:
    """Train E7's parabola: milliseconds of the first step and of a later one, and the last loss.

    listing: of first_calls_tensorflow.py or first_calls_torch.py.
    """
    losses = listing("parabola", data, start, learning_rate)
    taken = []
    for _ in range(steps + 1):  # the first one is before any update
        begin = time.perf_counter()
        loss = next(losses)
        taken.append(1000 * (time.perf_counter() - begin))
    return {"first": taken[0], "later": float(np.median(taken[1:])), "loss": loss}


def run(*, quick: bool) -> Iterator[dict[str, Any]]:
    """Measure every engine on every task; yield what `time_engine` returns, then the cores.

    With each row goes how many are `done`, of how many.

    Each is measured in a process of its own, one after the other and on one thread: it is cold at
    its first call, and none disturbs another. quick: for tests, one engine of each framework on the
    first task, and too short to mean anything.

    Raises BrokenProcessPool if one of the processes is ended from outside.
    """
    settings, tasks = (QUICK, ["parabola"]) if quick else (Settings(), list(TASKS))
    engines = ["tf_session", "torch_autograd"] if quick else list(ENGINES)
    # Started anew, not forked: a copied process would pay for its copied memory as well. Where one
    # is killed, an executor notices; multiprocessing's own pool would wait for it.
    with ProcessPoolExecutor(
        1, get_context("spawn"), initializer=_on_one_thread, max_tasks_per_child=1
    ) as processes:
        pairs = list(product(tasks, engines))
        for done, (task, engine) in enumerate(pairs, start=1):
            row = processes.submit(time_engine, task, engine, settings).result()
            yield row | {"done": done, "of": len(pairs)}
    yield {"cores": os.cpu_count()}


def _on_one_thread() -> None:
    """All have the same machine, and none waits for threads that a busy machine has put aside."""
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read by a framework when it is loaded
