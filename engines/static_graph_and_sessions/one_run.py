"""One run of a session: what was written, what was requested, and what was really executed.

The graph is that of a listing, unchanged. The session is one of our own on it, so that this is its
first run, before any update.

Source: experiments E6 and E7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.graphs import tf_errors
from engines.graphs.matching import Match, match
from engines.graphs.read_tensorflow import executed, written
from engines.graphs.static import Executed, Message, Written
from engines.listing import waiting
from engines.problem import Problem
from engines.regression import tf_session
from engines.static_graph_and_sessions import adding, baked_in

Array = NDArray[Any]
# Results to which the listing of a regression gives no name, by the name they are fetched under.
NAMELESS = {
    "w": "w/Read/ReadVariableOp:0",
    "b": "b/Read/ReadVariableOp:0",
    "power": "pow:0",
    "product": "mul:0",
    "residual": "sub:0",
    "squared": "pow_1:0",
    "sum": "Sum:0",
    "grad_sum": "gradients/mul_1_grad/Mul_1:0",
    "grad_squared": "gradients/Sum_grad/Tile:0",
    "grad_residual": "gradients/pow_1_grad/mul_1:0",
    "grad_y_pred": "gradients/sub_grad/Reshape:0",
}

LISTINGS: dict[str, Callable[..., Any]] = {
    "sum": adding.add,
    "regression": tf_session.train,
    "baked_in": baked_in.train,
}
# By listing, what may be fetched and fed; see Request.
FETCHES: dict[str, tuple[str, ...]] = {
    "sum": ("a", "b", "c", "initialize"),
    "regression": (
        "x", "y", "w", "b", "power", "product", "y_pred", "residual", "squared", "sum", "loss",
        "grad_sum", "grad_squared", "grad_residual", "grad_y_pred", "grad_b", "grad_w", "new_w",
        "new_b", "initialize",
    ),
    "baked_in": ("y_pred", "loss", "grad_w", "grad_b", "new_w", "new_b", "initialize"),
}  # fmt: skip
FEEDS: dict[str, tuple[str, ...]] = {
    "sum": ("all", "without_b", "two_numbers"),
    "regression": ("all", "without_y", "short_y", "y_pred", "not_initialized"),
}
FEEDS["baked_in"] = FEEDS["regression"]


class Request(NamedTuple):
    """What one run is to fetch, and what it is fed.

    listing: "sum", which adds the numbers; "regression" or "baked_in", which train on a problem.
    fetches: some of FETCHES[listing], also none. feeds: one of FEEDS[listing]: all that the listing
    feeds; one placeholder left out; an array or a number of the wrong shape; y_pred as well, as
    zeros; or all, but to a session whose variables were never initialised.
    rewrite: whether TensorFlow's optimiser may change the graph.
    """

    listing: str
    fetches: tuple[str, ...]
    feeds: str = "all"
    numbers: tuple[float, float] = (2.0, 4.0)
    rewrite: bool = True

    @property
    def initializes(self) -> bool:
        """Whether the session runs the initialiser before."""
        return self.feeds != "not_initialized"


@dataclass(frozen=True, eq=False)
class Run:
    """What one run of a session did.

    message: the error that the run ended in, if any; then nothing was executed.
    values: of written operations that the run needed, by name, as the session would have handed
    them out had it been asked to. They come from a second session: watching changes what runs.
    key: of this very run. Another one of the same request has other timings.
    """

    request: Request
    written: Written
    executed: Executed
    match: Match
    message: Message | None
    values: Mapping[str, Array]
    key: str = field(default_factory=lambda: uuid4().hex)


def run(request: Request, problem: Problem, learning_rate: float) -> Run:
    """Write the graph of a listing, run a session on it once, and read what was executed.

    problem, learning_rate: for a listing that trains. Raises KeyError for names that are not known.
    """
    with asked(request, problem, learning_rate) as (names, wanted, fed):
        graph = names["graph"]
        as_written = written(graph, LISTINGS[request.listing])
        message = None
        session = tf.compat.v1.Session(graph=graph)
        try:
            if request.initializes:
                session.run(names["initialize"])
            ran = executed(session, wanted, fed, rewrite=request.rewrite)
        except (tf.errors.OpError, ValueError, TypeError, RuntimeError) as error:
            ran, message = Executed((), {}, {}, {}, {}), tf_errors.message(error)
        finally:
            session.close()
        found = match(as_written, ran)
        needed = [name for name, fate in found.fates.items() if fate.status != "pruned"]
        values = {} if message else _values(graph, names["initialize"], needed, fed)
    return Run(request, as_written, ran, found, message, values)


@contextmanager
def asked(
    request: Request, problem: Problem, learning_rate: float
) -> Iterator[tuple[Mapping[str, Any], list[Any], dict[Any, Any]]]:
    """While its listing waits: the names in it, and what `session.run` is to fetch and is fed."""
    listing = LISTINGS[request.listing]
    settings: dict[str, Any] = {"steps": 1, "learning_rate": learning_rate}
    adds = request.listing == "sum"
    with waiting(listing(*request.numbers) if adds else listing(problem, **settings)) as names:
        named = {**names, **(NAMELESS if request.listing == "regression" else {})}
        wanted = [names["graph"].as_graph_element(named[name]) for name in request.fetches]
        yield names, wanted, _feeds(names, request, problem)


def _feeds(names: Mapping[str, Any], request: Request, problem: Problem) -> dict[Any, Any]:
    """What is handed to `session.run`, by placeholder."""
    changed: dict[str, dict[Any, Any]]
    if request.listing == "sum":
        a, b = names["a"], names["b"]
        a_value, b_value = request.numbers
        given: dict[Any, Any] = {a: a_value, b: b_value}
        changed = {"without_b": {a: a_value}, "two_numbers": {**given, a: [a_value, a_value]}}
        return changed.get(request.feeds, given)
    # With the data baked in, x and y are arrays, and the placeholders are called x1 and y1.
    x, y = (names["x1"], names["y1"]) if request.listing == "baked_in" else (names["x"], names["y"])
    given = {x: problem.x, y: problem.y}
    changed = {
        "without_y": {x: problem.x},
        "short_y": {**given, y: problem.y[:-1]},
        "y_pred": {**given, names["y_pred"]: np.zeros_like(problem.y)},
    }
    return changed.get(request.feeds, given)


def _values(
    graph: Any, initialize: Any, needed: Sequence[str], feeds: Mapping[Any, Any]
) -> dict[str, Array]:
    """The first results of these operations in a run, where they are numbers.

    What depends on an assignment is fetched in a run of its own, the second one: in the same one
    another operation might read its variable too late.
    """
    numbers = {}
    for name in needed:
        outputs = graph.get_operation_by_name(name).outputs
        if outputs and outputs[0].dtype != tf.resource:
            numbers[name] = outputs[0]
    late = {name for name in numbers if _assigns(graph.get_operation_by_name(name))}
    values: dict[str, Array] = {}
    with closing(tf.compat.v1.Session(graph=graph)) as session:
        session.run(initialize)
        for names in (numbers.keys() - late, late):
            values |= session.run({name: numbers[name] for name in names}, feeds)
    return values


def _assigns(op: Any) -> bool:
    """Whether an assignment has to run before this operation can."""
    return any(
        before.type.startswith("Assign") or _assigns(before)
        for before in [*op.control_inputs, *(tensor.op for tensor in op.inputs)]
    )
