"""The sections of the page on static graphs and sessions, each with the engines that it runs.

engines: the modules of engines/ by their names, as the page has loaded them. What they compute is
kept for all visitors; what depends on a visitor's choices is computed when it is asked for.
"""

from __future__ import annotations

from typing import Any

from engines.problem import Problem
from views.network import two_layers
from views.player import kept, source_of
from views.static_graph_and_sessions import growing_graph
from views.static_graph_and_sessions import two_sessions as sessions
from views.ui.controls import Controls

RATE = 1e-6  # E11's learning rate


def two_sessions(engines: Any, *numbers: float, lecture: bool) -> None:
    """One graph, two sessions: where the values of variables live. numbers: to add."""
    listing, look = (
        engines.tf_two_sessions.totals,
        kept(engines.tf_two_sessions.look),
    )
    sessions.watch(source_of(listing), look, *numbers, lecture=lecture)


def two_networks(controls: Controls, engines: Any, *, lecture: bool) -> None:
    """The network of E11 in TensorFlow and in PyTorch, from the same arrays."""
    ours, theirs = engines.tf_two_layers, engines.torch_two_layers

    def start(steps: int, dtype: str) -> tuple[Any, Any]:
        arrays, how = (
            engines.two_layers.draw(0, dtype),
            {"steps": steps, "learning_rate": RATE},
        )
        return ours.train(*arrays, **how), theirs.train(*arrays, **how)

    listings = {"network/tf_session.py": ours.train, "torch_two_layers.py": theirs.train}
    two_layers.compare(controls, listings, start, ours.compare, lecture=lecture)


def mistakes(
    controls: Controls, engines: Any, problem: Problem, *numbers: float, lecture: bool
) -> None:
    """What a session refuses, and a graph that grows while it trains. numbers: to add."""
    sessions.break_it(
        controls,
        engines.tf_sum.MISTAKES,
        kept(engines.tf_sum.run),
        *numbers,
    )
    growing_graph.section(controls, problem)
