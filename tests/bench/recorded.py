"""What recording a run costs."""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import textwrap
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engines.problem import Problem, preset
from engines.trace import record
from tests.bench.options import Options
from tests.support.table import Row

FloatArray: TypeAlias = NDArray[np.float64]


# TensorFlow's eager steps are slow. A session's are not, but building its graph costs as much as
# hundreds of them, and must not hide what recording costs.
ENGINES = {
    "numpy_vectorized": 800,
    "numpy_loops": 800,
    "torch_autograd": 800,
    "tf_session": 800,
    "tf_tape": 200,
}


def recording(options: Options) -> Iterator[Row]:
    """A recorded run against the same listing without its `yield`, in pairs."""
    problem = preset("numpy_article")
    for name, steps in ENGINES.items():
        train = importlib.import_module(f"engines.regression.{name}").train
        gc.collect()
        gc.freeze()  # else each collection walks through a whole framework
        settings = {"steps": steps, "learning_rate": problem.learning_rate}
        bare, recorded = in_pairs(
            partial(without_yield(train), problem, **settings),
            partial(train_and_record, train, problem, **settings),
            options.times(20 if name in ("numpy_loops", "tf_tape") else 60),
        )
        ratio = float(np.median(recorded / bare))
        each = [f"{1e6 * np.median(t) / (steps + 1):.1f}" for t in (bare, recorded)]
        value = f"{ratio:.3f}x  ({each[0]} -> {each[1]} µs a step)"
        yield Row(f"recording {name}", value, "1.15x", ratio <= 1.15)


def train_and_record(train: Callable[..., Any], problem: Problem, **settings: Any) -> None:
    """What the pages do."""
    record(train(problem, **settings))


def without_yield(train: Callable[..., Any]) -> Callable[..., None]:
    """The same listing, run straight through: its `yield` lines are taken out."""

    class Remover(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
            return None if isinstance(node.value, ast.Yield) else node

    tree = Remover().visit(ast.parse(textwrap.dedent(inspect.getsource(train))))
    namespace = dict(inspect.getmodule(train).__dict__)
    exec(compile(tree, f"{train.__module__} without yield", "exec"), namespace)
    bare: Callable[..., None] = namespace["train"]
    return bare


def in_pairs(
    one: Callable[[], Any], other: Callable[[], Any], pairs: int
) -> tuple[FloatArray, FloatArray]:
    """Seconds that each takes, shape (pairs,) both; who goes first changes from pair to pair."""
    one(), other()
    taken = np.empty((pairs, 2))
    for pair in range(pairs):
        for who in (0, 1) if pair % 2 else (1, 0):
            start = time.perf_counter()
            (one, other)[who]()
            taken[pair, who] = time.perf_counter() - start
    return taken[:, 0], taken[:, 1]
