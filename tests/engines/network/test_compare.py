"""Five implementations of E10's network from the same arrays; and what is kept of their runs."""

import numpy as np
import pytest

from engines.network import numpy_by_hand, tf_own_relu, tf_session, torch_own_relu
from engines.network.compare import RATE, STEPS, TOLERANCE, draw, run_and_compare
from engines.trace import Step, thin

ENGINES = {
    "torch_function": torch_own_relu.train,
    "clamp": lambda *arrays, **how: torch_own_relu.train(
        *arrays, **how, relu=lambda h: h.clamp(min=0)
    ),
    "numpy_two_layers": numpy_by_hand.train,
    "tf_custom_gradient": tf_own_relu.train,
    "tf_two_layers": tf_session.train,
}


@pytest.mark.parametrize(("dtype", "loss"), [("float32", 1e-6), ("float64", 1e-14)])
def test_five_implementations_take_the_same_steps(dtype, loss):
    x, *others = draw(0, dtype)
    settings = {"steps": 60, "learning_rate": 1e-6}
    runs = {name: train(x, *others, **settings) for name, train in ENGINES.items()}
    compared = run_and_compare(runs, x, at=range(61))
    assert list(compared) == list(ENGINES)
    first = compared["torch_function"]
    assert 1e7 < first.losses[0] < 1e8
    assert first.losses[60] < 1e-2 * first.losses[0]
    for run in compared.values():
        assert len(run.losses) == len(run.at) == 61
        assert run.weights_apart.max() < TOLERANCE[dtype]
        assert run.loss_apart.max() < loss
        np.testing.assert_allclose(run.grad_w1, first.grad_w1, rtol=1e-3)
        np.testing.assert_allclose(run.active, first.active, atol=0.1)


def test_the_articles_network_follows_pytorch_to_its_end():
    arrays, how = draw(0), {"steps": STEPS, "learning_rate": RATE}
    runs = {name: ENGINES[name](*arrays, **how) for name in ("tf_two_layers", "clamp")}
    ours, theirs = run_and_compare(runs, arrays[0], at=range(0, STEPS + 1, 10)).values()
    assert 1e7 < ours.losses[0] < 1e8
    assert ours.losses[-1] < 1e-3
    assert theirs.weights_apart.max() < TOLERANCE["float32"]
    assert theirs.loss_apart.max() < 1e-6


def test_arrays_are_drawn_alike_in_both_types_and_only_rounded():
    for single, double in zip(draw(3), draw(3, np.float64), strict=True):
        assert (single.dtype, double.dtype) == (np.float32, np.float64)
        np.testing.assert_array_equal(single, double.astype(np.float32))
        assert double.std() == pytest.approx(1, abs=0.06)
    assert [values.shape for values in draw(3)] == [(64, 1000), (64, 10), (1000, 100), (100, 10)]


# Two inputs, of which the hidden units make: positive twice, once, never, and zero twice.
X = np.array([[1.0, 0.0], [0.0, 1.0]])
W1 = np.array([[1.0, 2.0, -1.0, 0.0], [1.0, -2.0, -1.0, 0.0]])


def steps_of(*losses, moved=0.0, grad=3.0):
    params = {"w1": W1 + np.eye(2, 4) * moved, "w2": np.ones((4, 1))}
    grads = {"w1": np.full((2, 2), grad), "w2": np.array([[3.0], [-4.0]])}
    for loss in losses:
        yield Step(loss, params, grads)


def test_what_is_kept_is_what_the_names_say():
    run = run_and_compare({"one": steps_of(10.0, 1.0)}, X, at=(0, 1))["one"]
    np.testing.assert_array_equal(run.losses, [10, 1])
    np.testing.assert_array_equal(run.active, [1.5, 1.5])
    np.testing.assert_array_equal(run.dead, [2, 2])
    np.testing.assert_array_equal(run.grad_w1, [6, 6])
    np.testing.assert_array_equal(run.grad_w2, [5, 5])
    np.testing.assert_array_equal(run.loss_apart + run.weights_apart, [0, 0])


def test_the_others_are_measured_against_the_first():
    runs = {
        "one": steps_of(10.0, 1.0),
        "two": steps_of(10.0, 2.0, moved=-0.5),
        "three": steps_of(5.0, 1.0, moved=0.25),
    }
    compared = run_and_compare(runs, X, at=(0, 1))
    np.testing.assert_array_equal(compared["two"].loss_apart, [0, 0.1])
    np.testing.assert_array_equal(compared["two"].weights_apart, [0.5, 0.5])
    np.testing.assert_array_equal(compared["three"].loss_apart, [0.5, 0])
    np.testing.assert_array_equal(compared["three"].weights_apart, [0.25, 0.25])


def test_only_the_steps_asked_for_are_inspected():
    run = run_and_compare({"one": steps_of(*range(9, 0, -1))}, X, at=thin(9, 4))["one"]
    assert run.at.tolist() == thin(9, 4).tolist()
    assert run.losses.tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    for sizes in (run.active, run.dead, run.grad_w1, run.grad_w2, run.weights_apart):
        assert sizes.shape == (4,)
    nowhere = run_and_compare({"one": steps_of(9.0)}, X, at=())["one"]
    assert nowhere.at.shape == nowhere.dead.shape == nowhere.grad_w1.shape == (0,)


@pytest.mark.parametrize("train", [torch_own_relu.train, numpy_by_hand.train])
def test_a_run_that_overflows_ends_there_and_is_kept(train):
    x, *others = draw(0)
    run = run_and_compare(
        {"one": train(x, *others, steps=500, learning_rate=1.0)}, x, at=range(500)
    )["one"]
    assert 2 <= len(run.losses) < 20
    assert not np.isfinite(run.losses[-1])
    assert np.isfinite(run.losses[:-1]).all()
    assert len(run.at) == len(run.active) == len(run.grad_w2) == len(run.losses)


def test_differences_end_with_the_shorter_of_two_runs():
    runs = {"one": steps_of(2.0, 1.0), "two": steps_of(2.0, 1.5, 1.0)}
    two = run_and_compare(runs, X, at=range(3))["two"]
    assert two.losses.tolist() == [2, 1.5, 1]
    assert two.loss_apart.tolist() == [0, 0.25]
    assert len(two.weights_apart) == 2


def test_a_run_begins_when_the_one_before_has_ended():
    events = []

    def noting(name):
        for step in steps_of(2.0, 1.0):
            events.append(name)
            yield step

    run_and_compare({"one": noting("one"), "two": noting("two")}, X, at=())
    assert events == ["one", "one", "two", "two"]
