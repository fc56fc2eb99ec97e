"""E6: two numbers fed and their sum fetched, a total in a session, and the session's errors."""

import inspect

import pytest
import tensorflow as tf

from engines.graphs.static import Message
from engines.graphs.tf_errors import message
from engines.static_graph_and_sessions.adding import MISTAKES, add, at_once, make, run, total


@pytest.mark.parametrize(("a", "b"), [(2.0, 4.0), (0.0, 0.0), (-1.5, 0.25), (1e6, 3.0)])
def test_any_two_numbers_are_added_by_a_graph_and_at_once(a, b):
    assert [*add(a, b)] == [a + b] == [at_once(a, b)]


def test_the_sum_is_written_in_three_operations_and_the_initialiser_has_nothing_to_do():
    listing = add(2, 4)
    next(listing)
    operations = inspect.getgeneratorlocals(listing)["graph"].get_operations()
    listing.close()
    assert [(op.name, op.type) for op in operations] == [
        ("a", "Placeholder"),
        ("b", "Placeholder"),
        ("c", "AddV2"),
        ("init", "NoOp"),
    ]
    assert operations[-1].control_inputs == []


def test_a_total_lives_as_long_as_its_session_and_no_other_session_sees_it():
    assert [*total(2, 4)] == [2, 2 + 4, 4]


def test_sessions_are_open_while_a_listing_waits_and_closed_when_it_is_let_go(sessions):
    waiting = add(2, 4), total(2, 4)
    for listing in waiting:
        next(listing)
    assert len(sessions) == 3
    for session in sessions:
        session.run("init")
    for listing in waiting:
        listing.close()
    for session in sessions:
        with pytest.raises(RuntimeError, match="closed"):
            session.run("init")


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
def test_a_mistake_ends_in_tensorflows_own_error_and_leaves_nothing_for_others(name, sessions):
    broken = run(name, 2, 4)
    assert broken.message == SAID[name]
    listing, _ = MISTAKES[name]
    right, wrong = inspect.getsource(listing).splitlines(), broken.source.splitlines()
    [changed] = [line.strip() for line in wrong if line not in right]
    assert changed in make(name).wrong.splitlines()
    missing = [line.strip() for line in right if line not in wrong]
    assert missing == ([] if name == "closed" else [make(name).right])
    assert sessions
    for session in sessions:
        with pytest.raises(RuntimeError, match="closed"):
            session.run("init")
    assert tf.executing_eagerly()
    assert tf.compat.v1.get_default_session() is None


def test_an_unknown_name_is_a_key_error():
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
