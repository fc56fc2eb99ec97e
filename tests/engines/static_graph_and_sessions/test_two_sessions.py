"""One graph in two sessions: what each holds after each line, and what is lost on close."""

import pytest

from engines.static_graph_and_sessions.two_sessions import run, totals


def held(event):
    """Both totals, an error by its class."""
    return [getattr(one, "error", one) for one in (event.session, event.other_session)]


def test_each_session_has_its_own_total_for_as_long_as_it_is_open():
    unset, gone = "FailedPreconditionError", "RuntimeError"
    assert [(event.text, event.returned, *held(event)) for event in run(2, 4)] == [
        ("session.run(initialize)", None, 0, unset),
        ("session.run(new_total, {amount: a_value})", 2, 2, unset),
        ("session.run(new_total, {amount: b_value})", 6, 6, unset),
        ("other_session.run(initialize)", None, 6, 0),
        ("other_session.run(new_total, {amount: b_value})", 4, 6, 4),
        ("session.close()", None, gone, 4),
        ("session = tf.compat.v1.Session(graph=graph)", None, unset, 4),
        ("session.run(initialize)", None, 0, 4),
    ]


@pytest.mark.parametrize(("a", "b"), [(0, 0), (-1.5, 0.25), (1e6, -1e6)])
def test_any_two_amounts_are_added(a, b):
    totals_then = [event.session for event in run(a, b)[:3]]
    assert totals_then == [0, a, a + b]


def test_asking_adds_nothing_to_the_graph_and_no_session_stays_open(sessions):
    run(2, 4)
    assert len(sessions) == 3
    assert len({session.graph for session in sessions}) == 1
    listing = totals(2, 4)
    next(listing)
    assert len(sessions[0].graph.get_operations()) == len(sessions[-1].graph.get_operations())
    listing.close()
    for session in sessions:
        with pytest.raises(RuntimeError, match="closed"):
            session.run("init")
