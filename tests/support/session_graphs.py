"""Graphs in sessions that tests read: of our listings, and of a loop and a branch."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from functools import cache

import tensorflow as tf

from engines.graphs.matching import match
from engines.graphs.read_tensorflow import executed, written
from engines.problem import preset
from engines.regression import tf_session
from engines.static_graph_and_sessions import adding, baked_in

ARTICLE = preset("session_article")


def repeat(x_value):
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, shape=(), name="x")
        n = tf.compat.v1.placeholder(tf.int32, shape=(), name="n")
        _, power = tf.while_loop(
            lambda i, power: i < n,
            lambda i, power: (i + 1, power * x),
            [0, 1.0],
        )
    session = tf.compat.v1.Session(graph=graph)
    try:
        yield session.run(power, {x: x_value, n: 3})
    finally:
        session.close()


def choose(x_value):
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, shape=(), name="x")
        y = tf.cond(x > 0, lambda: x * x, lambda: -x)
    session = tf.compat.v1.Session(graph=graph)
    try:
        yield session.run(y, {x: x_value})
    finally:
        session.close()


STEP = {"steps": 1, "learning_rate": 0.01}
LISTINGS = {
    "session": (tf_session.train, (ARTICLE,), STEP),
    "baked_in": (baked_in.train, (ARTICLE,), STEP),
    "sum": (adding.add, (2, 4), {}),
    "while": (repeat, (2.0,), {}),
    "cond": (choose, (2.0,), {}),
}
DATA = {"x": ARTICLE.x, "y": ARTICLE.y}
RUNS = {  # listing, fetches, feeds; both by the listing's own names
    "session_prediction": ("session", ["y_pred"], {"x": ARTICLE.x}),
    "session_loss": ("session", ["loss"], DATA),
    "session_gradients": ("session", ["grad_w", "grad_b"], DATA),
    "session_step": ("session", ["loss", "grad_w", "grad_b", "new_w", "new_b"], DATA),
    "session_updates": ("session", ["new_w", "new_b"], DATA),
    "session_loss_updates": ("session", ["loss", "new_w", "new_b"], DATA),
    "session_initializer": ("session", ["initialize"], {}),
    "baked_in_loss": ("baked_in", ["loss"], {"x1": ARTICLE.x, "y1": ARTICLE.y}),
    "sum": ("sum", ["c"], {"a": 2, "b": 4}),
    "while": ("while", ["power"], {"x": 2, "n": 5}),
    "cond": ("cond", ["y"], {"x": 2}),
}
COUNTS = {  # written, executed
    "session_prediction": (88, 9),
    "session_loss": (88, 15),
    "session_gradients": (88, 35),
    "session_step": (88, 52),
    "session_updates": (88, 46),
    "session_loss_updates": (88, 50),
    "session_initializer": (88, 7),
    "baked_in_loss": (81, 15),
    "sum": (4, 4),
    "while": (13, 33),
    "cond": (5, 12),
}


@contextmanager
def paused(listing, *args, **settings):
    """The names of a listing after its first run, its session still open."""
    run = listing(*args, **settings)
    try:
        next(run)
        yield inspect.getgeneratorlocals(run)
    finally:
        run.close()


@contextmanager
def paused_by_name(name):
    listing, args, settings = LISTINGS[name]
    with paused(listing, *args, **settings) as names:
        yield names, written(names["graph"], listing)


def trace(names, fetches, feeds, **options):
    """Fetches and feeds are names of the listing; other fetches are TensorFlow's names."""
    fetched = [names.get(name, name) for name in fetches]
    fed = {names[name]: value for name, value in feeds.items()}
    return executed(names["session"], fetched, fed, **options)


@cache
def seen(name, rewrite=True):
    """What was written, what ran, and the match of the two."""
    listing, fetches, feeds = RUNS[name]
    with paused_by_name(listing) as (names, graph):
        ran = trace(names, fetches, feeds, rewrite=rewrite)
    return graph, ran, match(graph, ran)
