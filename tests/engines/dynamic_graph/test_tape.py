"""E5's tape: what it wrote down, what it was not told, and other ways to ask it."""

import inspect
import threading

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import execute

from engines.dynamic_graph import tape as engine
from engines.dynamic_graph.tape import derivative, record, run_all

E5 = (1.0, 2.0, 3.0, 4.0)
NUMBERS = [E5, (2.0, -1.0, 0.5, 3.0), (0.0, 5.0, 1.0, -2.0), (-1.5, 0.0, 0.0, 0.25), (1.0, 1, 1, 0)]
each_parabola = pytest.mark.parametrize("numbers", NUMBERS, ids=str)


def operations(step):
    """(operation, expression, value, slope) of all that ran, in order; none for what is unknown."""
    rows = []
    for event in step.events:
        nodes = [step.graph[number] for number in event.nodes]
        kind, slope = (nodes[0].kind, float(nodes[0].gradient)) if nodes else (None, None)
        rows.append((kind, event.text, float(event.value), slope))
    return rows


# What was written down


def test_the_articles_tape_operation_by_operation():
    assert operations(record(*E5)) == [
        (None, "a * b", 2, None),
        ("Pow", "w**2", 16, 1),
        ("Mul", "a * w**2", 16, 1),
        ("Mul", "b * w", 8, 1),
        ("AddV2", "a * w**2 + b * w", 24, 1),
        ("AddV2", "a * w**2 + b * w + c", 27, 1),
    ]


def test_the_watched_w_is_the_only_leaf_and_has_the_slope():
    [leaf] = record(*E5).graph.leaves
    assert (leaf.name, leaf.kind, float(leaf.value), float(leaf.gradient)) == ("w", "watch", 4, 10)


@each_parabola
def test_every_value_and_slope_is_the_formulas(numbers):
    a, b, c, w = numbers
    step = record(*map(float, numbers))
    rows = {text: (value, slope) for _, text, value, slope in operations(step)}
    assert rows == {
        "a * b": (a * b, None),
        "w**2": (w**2, a),
        "a * w**2": (a * w**2, 1),
        "b * w": (b * w, 1),
        "a * w**2 + b * w": (a * w**2 + b * w, 1),
        "a * w**2 + b * w + c": (a * w**2 + b * w + c, 1),
    }
    assert float(step.graph.leaves[0].gradient) == 2 * a * w + b


def test_each_operation_names_those_that_it_used():
    graph = record(*E5).graph
    text = {node.id: node.text or node.name for node in graph.nodes}
    used = {text[node.id]: [text[e.source] for e in graph.inputs(node.id)] for node in graph.nodes}
    assert used == {
        "w": [],
        "w**2": ["w"],
        "a * w**2": ["w**2"],
        "b * w": ["w"],
        "a * w**2 + b * w": ["a * w**2", "b * w"],
        "a * w**2 + b * w + c": ["a * w**2 + b * w"],
    }


def test_what_ran_without_w_ran_but_is_not_on_the_tape():
    step = record(*E5)
    [event] = [event for event in step.events if event.kind == "plain"]
    assert (event.text, float(event.value), event.nodes) == ("a * b", 2, ())
    tape, w, y, aside = engine.parabola(*E5)
    assert tape.gradient(aside, w) is None
    assert tape.gradient(y, aside) is None


def test_lines_are_those_of_the_listing():
    lines = inspect.getsource(engine.parabola).splitlines()
    for event in record(*E5).events:
        assert event.text in lines[event.line - 1]


# Other ways to ask


def test_every_listing_and_what_it_said():
    said = {name: answer for name, (_, answer) in run_all(*E5).items()}
    ten = "tf.Tensor(10.0, shape=(), dtype=float32)"
    assert said == {
        "derivative": "27.0\n10.0",
        "two_and_four": "tf.Tensor(6, shape=(), dtype=int32)",
        "not_watched": "None",
        "variable": ten,
        "asked_again": "RuntimeError: A non-persistent GradientTape can only be used to compute one"
        " set of gradients (or jacobians)",
        "persistent": f"{ten}\n{ten}",
        "parabola": "",
    }


def test_the_source_shown_is_that_of_the_listing_that_ran():
    for name, (source, _) in run_all(*E5).items():
        listing = derivative if name == "derivative" else getattr(engine, name)
        assert source == inspect.getsource(listing)


def test_a_number_has_the_digits_of_its_32_bits_and_no_more():
    assert run_all(1.1, 2.0, 3.0, 4.0)["derivative"][1] == "28.6\n10.8"


def test_the_second_question_really_raises():
    with pytest.raises(RuntimeError, match="non-persistent GradientTape"):
        engine.asked_again(*E5)


# Hostile numbers


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e30])
def test_numbers_without_a_finite_answer_pass_through(number):
    step = record(number, 2.0, 3.0, number)
    y = step.graph.nodes[-1]
    assert not np.isfinite(y.value)
    assert [event.kind for event in step.events] == ["plain"] + 5 * ["forward"]
    answers = run_all(number, 2.0, 3.0, number)
    assert answers["not_watched"][1] == "None"
    assert answers["asked_again"][1].startswith("RuntimeError: A non-persistent")


def test_a_number_too_large_for_32_bits_is_a_value_error():
    with pytest.raises(ValueError, match="out of range"):
        record(1e308, 2.0, 3.0, 4.0)


# Nobody else is seen, and nothing is left behind


def in_threads(*tasks):
    """Run them at once; returns what each returned, and raises what one raised."""
    start, results, errors = threading.Barrier(len(tasks)), [None] * len(tasks), []

    def work(i, task):
        try:
            start.wait()
            results[i] = task()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def test_visitors_at_the_same_time_see_only_their_own_operations():
    starts = [float(w) for w in range(1, 5)]

    def visitor(w):
        return lambda: [operations(record(w, 2.0, 3.0, w)) for _ in range(25)]

    for w, records in zip(starts, in_threads(*map(visitor, starts)), strict=True):
        assert records == 25 * [operations(record(w, 2.0, 3.0, w))]


def test_an_operation_of_another_thread_is_not_seen_while_one_listens():
    seen, x = [], tf.constant(2.0)

    def see(operation, inputs, outputs):
        seen.append(operation)

    with engine._every_operation(see):
        assert execute.execute is execute.quick_execute  # nothing of the process was exchanged
        in_threads(lambda: x * x)
        assert seen == []
        x + x
    assert seen == ["AddV2"]


def test_after_an_error_nobody_listens_any_more():
    seen, x = [], tf.constant(2.0)

    def listen_and_fail():
        with engine._every_operation(lambda operation, *_: seen.append(operation)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        listen_and_fail()
    x * x
    assert seen == []
