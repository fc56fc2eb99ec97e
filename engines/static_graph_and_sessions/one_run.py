"""One run of a session, looked at: what was written, what was asked for, and what really ran.

The graph is that of a listing, unchanged. The session is one of our own on it, so that the run
looked at is the first one, before any update.

Source: experiments E6 and E7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

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
from engines.static_graph_and_sessions import adding
from engines.static_graph_and_sessions import baked_in as tf_baked_in

Array = NDArray[Any]
RESIDUAL = "sub:0"  # y_pred - y, to which the listings of a regression give no name

LISTINGS: dict[str, Callable[..., Any]] = {
    "sum": adding.add,
    "regression": tf_session.train,
    "baked_in": tf_baked_in.train,
}
# By listing, what may be asked of its graph; see `look`.
FETCHES: dict[str, tuple[str, ...]] = {
    "sum": ("a", "b", "c", "initialize"),
    "regression": (
        "y_pred", "residual", "loss", "grad_w", "grad_b", "new_w", "new_b", "initialize"
    ),
}  # fmt: skip
FETCHES["baked_in"] = FETCHES["regression"]
FEEDS: dict[str, tuple[str, ...]] = {
    "sum": ("all", "without_b", "two_numbers"),
    "regression": ("all", "without_y", "short_y", "y_pred", "not_initialized"),
}
FEEDS["baked_in"] = FEEDS["regression"]


class Looked(NamedTuple):
    """What one run of a session did.

    message: the error that the run ended in, if any; then nothing ran.
    values: of written operations that the run needed, by name, as the session would have handed
    them out had it been asked to. They come from a second session: watching changes what runs.
    """

    written: Written
    ran: Executed
    match: Match
    message: Message | None
    values: Mapping[str, Array]


def look(
    listing: str,
    problem: Problem,
    *,
    learning_rate: float,
    numbers: tuple[float, float],
    fetches: Sequence[str],
    feeds: str = "all",
    rewrite: bool = True,
) -> Looked:
    """Describe the graph of a listing, run a session on it once, and look at what it executes.

    listing: "sum", with the numbers to add; "regression" or "baked_in", with the problem and the
    rate. fetches: some of FETCHES[listing], also none. feeds: one of FEEDS[listing]: all that the
    listing feeds; one placeholder left out; an array or a number of the wrong shape; y_pred as
    well, as zeros; or all, but to a session whose variables were never initialised.
    rewrite: whether TensorFlow's optimiser may change the graph. Raises KeyError for other names.
    """
    source = LISTINGS[listing]
    settings: dict[str, Any] = {"steps": 1, "learning_rate": learning_rate}
    run = source(*numbers) if listing == "sum" else source(problem, **settings)
    with waiting(run) as names:
        graph = names["graph"]
        named = {**names, "residual": RESIDUAL}
        wanted = [graph.as_graph_element(named[one]) for one in fetches]
        fed = _feeds(names, feeds, problem, numbers)
        as_written = written(graph, source)
        message = None
        session = tf.compat.v1.Session(graph=graph)
        try:
            if feeds != "not_initialized":
                session.run(names["initialize"])
            ran = executed(session, wanted, fed, rewrite=rewrite)
        except (tf.errors.OpError, ValueError, TypeError, RuntimeError) as error:
            ran, message = Executed((), {}, {}, {}, {}), tf_errors.message(error)
        finally:
            session.close()
        found = match(as_written, ran)
        needed = [name for name, fate in found.fates.items() if fate.status != "pruned"]
        values = {} if message else _values(graph, names["initialize"], needed, fed)
    return Looked(as_written, ran, found, message, values)


def _feeds(
    names: Mapping[str, Any], feeds: str, problem: Problem, numbers: tuple[float, float]
) -> dict[Any, Any]:
    """What is handed to `session.run`, by placeholder."""
    changed: dict[str, dict[Any, Any]]
    if "a" in names:
        a, b = names["a"], names["b"]
        given: dict[Any, Any] = {a: numbers[0], b: numbers[1]}
        changed = {"without_b": {a: numbers[0]}, "two_numbers": {**given, a: [numbers[0]] * 2}}
        return changed.get(feeds, given)
    baked_in = "x1" in names  # where x and y are arrays, and the placeholders are called x1 and y1
    x, y = (names[f"{name}1" if baked_in else name] for name in ("x", "y"))
    given = {x: problem.x, y: problem.y}
    changed = {
        "without_y": {x: problem.x},
        "short_y": {**given, y: problem.y[:-1]},
        "y_pred": {**given, names["y_pred"]: np.zeros_like(problem.y)},
    }
    return changed.get(feeds, given)


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
    session = tf.compat.v1.Session(graph=graph)
    try:
        session.run(initialize)
        values: dict[str, Array] = {}
        for names in (numbers.keys() - late, late):
            values |= session.run({name: numbers[name] for name in names}, feeds)
        return values
    finally:
        session.close()


def _assigns(op: Any) -> bool:
    """Whether an assignment has to run before this operation can."""
    return any(
        before.type.startswith("Assign") or _assigns(before)
        for before in [*op.control_inputs, *(tensor.op for tensor in op.inputs)]
    )
