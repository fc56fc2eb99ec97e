"""A training run in PyTorch, recorded plainly, and some of its steps inspected object by object.

Reading a graph slows a step down ten to thirty times. So a run is recorded plainly, and a second
time only for the steps that are inspected.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engines.dynamic_graph.check_nodes import expected_gradients
from engines.graphs.autograd import StepGraph
from engines.graphs.read_torch import record as read_graphs
from engines.problem import Problem, preset
from engines.regression import numpy_vectorized, torch_autograd
from engines.trace import Trace, record


class Inspected(NamedTuple):
    """A run of torch_autograd.py.

    trace: all of it. by_hand: the run of numpy_vectorized.py with the same settings.
    steps: those inspected. expected: for each of them, by id of a node, the gradient at one entry
    of its result by central differences, that of data point `point`, counted from 0.
    """

    trace: Trace
    by_hand: Trace
    steps: list[StepGraph]
    expected: list[dict[int, float]]
    point: int


def inspect(problem: Problem, *, steps: int, learning_rate: float, keep: int = 32) -> Inspected:
    """Train, and inspect the first three steps and others, evenly spread: `keep` at most."""
    plain, watched, by_hand = (
        train(problem, steps=steps, learning_rate=learning_rate)
        for train in (torch_autograd.train, torch_autograd.train, numpy_vectorized.train)
    )
    trace = record(plain)
    spread = np.linspace(0, len(trace) - 1, keep - 2).round().astype(int)
    graphs = list(read_graphs(watched, wanted={0, 1, 2, *spread.tolist()}))
    point = followed_point(problem)
    expected = []
    for step in graphs:
        here = problem.starting_at(*trace[step.step].params.values())
        expected.append(expected_gradients(torch_autograd.train, here, step.graph, point=point))
    return Inspected(trace, record(by_hand), graphs, expected, point)


def followed_point(problem: Problem) -> int:
    """The data point that is followed in numbers, counted from 0."""
    return len(problem.x) // 5


def published_end() -> tuple[float, float]:
    """w and b at the end of E3 with the settings of the article."""
    problem = preset("autograd_article")
    run = torch_autograd.train(problem, steps=problem.steps, learning_rate=problem.learning_rate)
    end = record(run).final.params
    return float(end["w"]), float(end["b"])


class Counted(NamedTuple):
    """Objects of the graph: made over a whole run, alive at most at a time, left at its end."""

    made: int
    most: int
    left: int


def count(problem: Problem, *, steps: int, learning_rate: float) -> Counted:
    """Count the objects that a run makes, at each of its steps."""
    run = torch_autograd.train(problem, steps=steps, learning_rate=learning_rate)
    made, alive = 0, [0]
    for step in read_graphs(run):
        made = max(made, *(node.id for node in step.graph.nodes))
        alive += [event.live for event in step.events]
    return Counted(made, max(alive), alive[-1])
