"""E6: two numbers fed and their sum fetched, a total in a session, and the session's errors."""

import inspect

import pytest
import tensorflow as tf

from engines.graphs.static import Message
from engines.graphs.tf_errors import message
from engines.static_graph_and_sessions import adding
from engines.static_graph_and_sessions.adding import (
    LISTINGS,
    MISTAKES,
    add,
    run,
    total,
)


def held(listing):
    """What a listing that waits at a yield has in its variables."""
    return listing.gi_frame.f_locals


def test_two_and_four_are_six():
    assert run("add", 2, 4) == (inspect.getsource(add), [6.0], None)


@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (-1.5, 0.25), (1e6, 3.0)])
def test_any_two_numbers_are_added(a, b):
    assert run("add", a, b).values == [a + b]


def test_the_sum_is_written_in_three_operations_and_the_initialiser_has_nothing_to_do():
    listing = add(2, 4)
    next(listing)
    operations = held(listing)["graph"].get_operations()
    assert [(op.name, op.type) for op in operations] == [
        ("a", "Placeholder"),
        ("b", "Placeholder"),
        ("c", "AddV2"),
        ("init", "NoOp"),
    ]
    assert operations[-1].control_inputs == []


def test_a_total_lives_as_long_as_its_session_and_no_other_session_sees_it():
    assert run("total", 2, 4).values == [2, 2 + 4, 4]


def test_sessions_are_open_while_a_listing_waits_and_closed_when_it_is_let_go():
    waiting = add(2, 4), total(2, 4)
    for listing in waiting:
        next(listing)
    sessions = [
        (held(listing)[name], held(listing)["graph"])
        for listing, names in zip(waiting, (["session"], ["session", "other_session"]), strict=True)
        for name in names
    ]
    for session, graph in sessions:
        session.run(graph.get_operation_by_name("init"))
    for listing in waiting:
        listing.close()
    for session, graph in sessions:
        with pytest.raises(RuntimeError, match="closed"):
            session.run(graph.get_operation_by_name("init"))


# Errors


SAID = {
    "not_fed": Message(
        "InvalidArgumentError",
        "b",
        "You must feed a value for placeholder tensor 'b' with dtype float",
    ),
    "wrong_shape": Message(
        "ValueError", "", "Cannot feed value of shape (2,) for Tensor a:0, which has shape ()"
    ),
    "not_initialized": Message(
        "FailedPreconditionError",
        "ReadVariableOp",
        "Could not find variable total. This could mean that the variable has been deleted. In "
        "TF1, it can also mean the variable is uninitialized.",
    ),
    "closed": Message("RuntimeError", "", "Attempted to use a closed Session."),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_in_tensorflows_own_error(name):
    ran = run(name, 2, 4)
    assert ran.values == []
    assert ran.message == SAID[name]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_its_listing_with_one_line_changed(name):
    listing, right, wrong = MISTAKES[name]
    before, after = inspect.getsource(listing).splitlines(), run(name, 2, 4).source.splitlines()
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    [(one, other)] = changed
    assert one.replace(right, wrong) == other


@pytest.mark.parametrize("name", MISTAKES)
def test_the_sessions_of_a_mistake_are_closed(name, monkeypatch):
    opened, session_type = [], tf.compat.v1.Session

    def open_session(*args, **kwargs):
        opened.append(session_type(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(tf.compat.v1, "Session", open_session)
    run(name, 2, 4)
    assert opened
    for session in opened:
        with pytest.raises(RuntimeError, match="closed"):
            session.run("init")


def test_an_unknown_name_is_a_key_error():
    assert not set(LISTINGS) & set(MISTAKES)
    with pytest.raises(KeyError, match="typo"):
        run("typo", 2, 4)


def test_of_several_failures_the_first_is_told():
    text = (
        "2 root error(s) found.\n"
        "  (0) INVALID_ARGUMENT: Incompatible shapes: [3] vs. [2]\n"
        "\t [[{{node sub}}]]\n"
        "\t [[add/_1]]\n"
        "  (1) INVALID_ARGUMENT: another\n"
        "\t [[{{node sub}}]]\n"
    )
    error = tf.errors.InvalidArgumentError(None, None, text)
    assert message(error) == ("InvalidArgumentError", "", "Incompatible shapes: [3] vs. [2]")


def test_shapes_that_do_not_fit_are_told_with_the_operation_where_they_met():
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, (None,), name="x")
        difference = tf.subtract(x, [1.0, 2.0], name="difference")
    with (
        tf.compat.v1.Session(graph=graph) as session,
        pytest.raises(tf.errors.InvalidArgumentError) as caught,
    ):
        session.run(difference, {x: [1.0, 2.0, 3.0]})
    assert __file__ in str(caught.value)  # what must not be shown
    expected = ("InvalidArgumentError", "difference", "Incompatible shapes: [3] vs. [2]")
    assert message(caught.value) == expected


def test_nothing_is_left_on_for_others():
    for name in ("add", "total", *MISTAKES):
        adding.run(name, 2, 4)
    assert tf.executing_eagerly()
    assert tf.compat.v1.get_default_session() is None
