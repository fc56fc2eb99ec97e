"""Many visitors' sessions at once: each gets its own numbers, and every session is closed.

The listing itself is tested with its family, in test_listings.py.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from engines.problem import preset
from engines.regression import tf_session
from engines.static_graph_and_sessions import adding, baked_in, race, update_styles
from engines.trace import record

VISITORS = 16  # eight for each of two cores


def all_closed(sessions):
    for session in sessions:
        with pytest.raises(RuntimeError, match="closed"):
            session.run("init")
    return True


def test_many_sessions_at_once_have_their_own_numbers_and_are_closed(sessions):
    article = preset("session_article")
    problems = [article.starting_at(w, 0) for w in np.linspace(-3, 3, VISITORS)]
    together = Barrier(VISITORS, timeout=60)

    def visit(problem):
        together.wait()
        return record(tf_session.train(problem, steps=5, learning_rate=0.01))

    with ThreadPoolExecutor(VISITORS) as pool:
        traces = list(pool.map(visit, problems))
    assert len(sessions) == VISITORS
    assert all_closed(sessions)
    for problem, trace in list(zip(problems, traces, strict=True))[::7]:
        assert trace[0].params["w"] == problem.w
        assert trace.key == visit_alone(problem).key
    assert len({trace.key for trace in traces}) == VISITORS


def visit_alone(problem):
    return record(tf_session.train(problem, steps=5, learning_rate=0.01))


def test_visitors_of_different_listings_do_not_disturb_each_other(sessions):
    article, line = preset("session_article"), preset("update_styles_article")
    settings = {"steps": 15, "learning_rate": 0.001}
    listings = [
        lambda: record(tf_session.train(article, **settings)).key,
        lambda: record(baked_in.train(article, **settings)).key,
        lambda: list(race.train(article, **settings, reads="operations_first")),
        *(
            lambda style=style: record(update_styles.train(line, **settings, style=style)).key
            for style in update_styles.STYLES
        ),
        lambda: [*adding.total(2, 4)],
        lambda: adding.run("not_initialized", 2, 4),
    ]
    alone = [listing() for listing in listings]
    together = Barrier(len(listings), timeout=30)

    def visit(listing):
        together.wait()
        return [listing() for _ in range(2)]

    with ThreadPoolExecutor(len(listings)) as pool:
        for expected, got in zip(alone, pool.map(visit, listings), strict=True):
            assert got == 2 * [expected]
    assert all_closed(sessions)
