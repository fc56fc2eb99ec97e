"""One run of a session on the graph of a training: fetch what you name, and see what it is.

The graph is that of tf_session.py, which waits at its first step while it is asked.

Source: experiment E7. What such a run executes: one_run.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import tensorflow as tf

from engines.listing import waiting
from engines.problem import Problem
from engines.regression.tf_session import train


def fetched(
    problem: Problem,
    *,
    learning_rate: float,
    names: Sequence[str],
    fed: Mapping[str, Any],
    initialized: bool = True,
) -> list[Any]:
    """What a session hands out in its first run, in the order of `names`.

    names: of the listing, such as loss, or of tensors and operations in its graph. fed: by name of
    the listing. initialized: whether the variables have been given their values before.
    """
    trained: Any = train(problem, steps=1, learning_rate=learning_rate)
    with waiting(trained) as listing:
        graph = listing["graph"]
        fetches = [graph.as_graph_element(listing.get(name, name)) for name in names]
        with closing(tf.compat.v1.Session(graph=graph)) as session:
            if initialized:
                session.run(listing["initialize"])
            feeds = {listing[name]: value for name, value in fed.items()}
            values: list[Any] = session.run(fetches, feeds)
    return values
