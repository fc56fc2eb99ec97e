"""The listings of the digit classifier: one contract for both, and the same numbers from both."""

import inspect
import re
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engines.digit_classifier import layers, tf_tape, torch_autograd
from engines.digit_classifier.digits import scans, split

ENGINES = [torch_autograd, tf_tape]
every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda one: one.__name__[26:])
LOSSES = ["mean_squared_error", "cross_entropy"]
RATES = {"gradient_descent": 0.2, "momentum": 0.02, "adam": 0.001}


def run(engine, *, steps=50, loss="mean_squared_error", optimizer="gradient_descent", **how):
    return engine.train(
        how.pop("digits", scans()),
        how.pop("start", layers.start(64)),
        steps=steps,
        learning_rate=how.pop("rate", RATES[optimizer]),
        loss_of=getattr(engine, loss),
        optimizer=getattr(engine, optimizer),
        **how,
    )


def losses(engine, **how):
    return np.array([step.loss for step in run(engine, **how)])


def small(dtype=np.float64):
    """Twelve made-up images of four pixels, and a small network for them."""
    random = np.random.default_rng(4)
    digits = split(
        "made up",
        random.integers(0, 5, (16, 2, 2)),
        random.integers(0, 10, 16),
        tested=4,
        brightest=4,
    )
    return digits, layers.start(4, dtype=dtype)


@pytest.mark.parametrize(("pixels", "parameters"), [(64, 50_826), (784, 235_146)])
def test_how_many_numbers_are_learnt(pixels, parameters):
    start = layers.start(pixels)
    assert layers.count(start) == parameters
    shapes = [start[name].shape for name in layers.NAMES]
    assert shapes == [(pixels, 256), (256,), (256, 128), (128,), (128, 10), (10,)]


@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("loss", LOSSES)
def test_both_frameworks_have_the_same_losses_for_fifty_steps(loss, optimizer):
    ours = losses(torch_autograd, loss=loss, optimizer=optimizer)
    theirs = losses(tf_tape, loss=loss, optimizer=optimizer)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert ours[-10:].mean() < ours[0] / 3


def by_formulas(loss, out, y):
    """The loss and its gradient by the outputs."""
    if loss == "mean_squared_error":
        return np.mean((out - y) ** 2), 2 * (out - y) / out.size
    shares = np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
    return -np.mean(np.log((shares * y).sum(axis=1))), (shares - y) / len(out)


@every_engine
@pytest.mark.parametrize("loss", LOSSES)
def test_a_step_is_what_the_formulas_say(engine, loss):
    digits, start = small()
    steps = run(engine, loss=loss, digits=digits, start=start, steps=1, rate=0.1)
    first, second = next(steps), next(steps)  # its end would be another update, in place
    x = digits.scaled(digits.images, np.float64)
    y = np.eye(10)[digits.labels]
    h1, h2, out = layers.answer(x, start)
    expected, grad_out = by_formulas(loss, out, y)
    assert first.loss == pytest.approx(expected, rel=1e-12)
    grad_h2 = (grad_out @ start["w3"].T) * (h2 > 0)
    grad_h1 = (grad_h2 @ start["w2"].T) * (h1 > 0)
    grads = {}
    for i, (inputs, grad) in enumerate([(x, grad_h1), (h1, grad_h2), (h2, grad_out)], 1):
        grads |= {f"w{i}": inputs.T @ grad, f"b{i}": grad.sum(axis=0)}
    for name, right in grads.items():
        np.testing.assert_allclose(second.params[name], start[name] - 0.1 * right, atol=1e-14)


@every_engine
def test_momentum_and_adam_are_those_of_the_books(engine):
    digits, start = small()

    def steps(optimizer, rate):
        taken = run(engine, optimizer=optimizer, digits=digits, start=start, steps=3, rate=rate)
        return [(step.params["w3"].copy(), step.grads["w3"].copy()) for step in taken]

    velocity = 0
    for (w, grad), (following, _) in pairwise(steps("momentum", 0.01)):
        velocity = 0.9 * velocity + grad
        np.testing.assert_allclose(following, w - 0.01 * velocity, atol=1e-15)
    mean = square = 0
    for k, ((w, grad), (following, _)) in enumerate(pairwise(steps("adam", 0.01)), 1):
        mean, square = 0.9 * mean + 0.1 * grad, 0.999 * square + 0.001 * grad**2
        by = (mean / (1 - 0.9**k)) / (np.sqrt(square / (1 - 0.999**k)) + 1e-8)
        np.testing.assert_allclose(following, w - 0.01 * by, atol=1e-9)


@every_engine
def test_batches_come_in_order_and_begin_again(engine):
    digits, start = small()
    told = losses(engine, digits=digits, start=start, steps=6, rate=0.0, batch=5)
    assert len(told) == 7
    np.testing.assert_array_equal(told[:3], told[3:6])
    assert len(set(told[:3])) == 3


@every_engine
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_computes_in_the_type_of_its_start_and_leaves_that_alone(engine, dtype):
    digits, start = small(dtype)
    before = {name: values.copy() for name, values in start.items()}
    *_, last = run(engine, digits=digits, start=start, steps=3)
    for name, values in start.items():
        assert last.params[name].dtype == last.grads[name].dtype == dtype
        np.testing.assert_array_equal(values, before[name])
    assert (last.params["w1"] != start["w1"]).any()


@every_engine
def test_a_run_that_is_stopped_ends_and_the_next_one_begins_anew(engine):
    steps = run(engine, steps=10**9)  # nobody would wait for its end
    first = [next(steps).loss for _ in range(5)]
    steps.close()
    assert next(steps, None) is None
    assert first == losses(engine, steps=4).tolist()


@every_engine
def test_the_other_listing_and_the_source_are_named(engine):
    assert "Source: experiment E13" in engine.__doc__
    for name in re.findall(r"\w+\.py", engine.__doc__):
        assert Path(engine.__file__).with_name(name).exists()
    assert [*inspect.signature(engine.train).parameters][2:4] == ["steps", "learning_rate"]


# ---- One process, many visitors


def another_visitors_run():
    AppTest.from_string("import streamlit as st\nst.write('a page')").run()


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
def test_a_model_survives_what_other_visitors_do(optimizer):
    alone = losses(tf_tape, steps=12, optimizer=optimizer)
    told = []
    for k, step in enumerate(run(tf_tape, steps=12, optimizer=optimizer)):
        told.append(step.loss)
        if k % 4 == 0:
            another_visitors_run()
            another = threading.Thread(target=losses, args=[tf_tape], kwargs={"steps": 2})
            another.start()
            another.join()
    assert told == alone.tolist()


def test_visitors_who_train_at_once_all_get_their_own_numbers():
    alone = {engine: losses(engine, steps=8) for engine in ENGINES}
    told = {}

    def visitor(n):
        told[n] = losses(ENGINES[n % 2], steps=8)

    visitors = [threading.Thread(target=visitor, args=[n]) for n in range(6)]
    for one in visitors:
        one.start()
    for one in visitors:
        one.join()
    for n, values in told.items():
        np.testing.assert_array_equal(values, alone[ENGINES[n % 2]])
