"""The data that engines.static_graph_and_sessions.update_styles draws inside its graph."""

from contextlib import closing

import tensorflow as tf

from engines.static_graph_and_sessions.update_styles import draw


def batches(*, steps, seed=1000):
    """Yield x and y of step 0, 1, … steps, shape (8,), float32: what `train` with that seed drew.

    The counter of a random operation belongs to the session, so a new one draws the same again.
    """
    graph = tf.Graph()
    with graph.as_default():
        x, y = draw(seed)
    with closing(tf.compat.v1.Session(graph=graph)) as session:
        for _ in range(steps + 1):
            yield session.run([x, y])
