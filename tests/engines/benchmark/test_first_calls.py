"""E9: four engines do the same step, and what is measured of each is what it says."""

from importlib import import_module
from itertools import islice

import numpy as np
import pytest

from engines.benchmark.first_calls import ENGINES, QUICK, TASKS, parabola, time_engine, two_layers
from engines.network import torch_own_relu
from engines.network.compare import draw
from engines.problem import preset
from engines.regression.numpy_vectorized import train
from engines.trace import record

STEPS = 60


def losses(engine, task):
    module, name, _ = ENGINES[engine]
    running = getattr(import_module(module), name)(*task)
    yielded = list(islice(running, STEPS + 1))
    running.close()
    return yielded


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_trains_the_parabola_as_numpy_does(engine):
    right = record(train(preset("session_article"), steps=STEPS, learning_rate=0.01)).losses
    np.testing.assert_allclose(losses(engine, parabola()), right, rtol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_trains_the_two_layers_as_their_listing_does(engine):
    arrays = draw(0)
    steps = torch_own_relu.train(*arrays, steps=STEPS, learning_rate=1e-6)
    right = np.array([step.loss for step in steps])
    apart = np.abs(np.array(losses(engine, two_layers())) - right)
    assert apart.max() < 1e-6 * right[0]
    assert right[STEPS] < right[0] / 1000


def test_the_arrays_of_the_two_layers_are_those_of_their_other_listings():
    task = two_layers()
    for ours, theirs in zip((*task.data, *task.start), draw(0), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("task", TASKS)
def test_measuring_returns_ordered_quartiles_and_the_loss_of_that_step(task):
    row = time_engine(task, "torch_autograd", QUICK)
    assert row["loss"] == losses("torch_autograd", TASKS[task]())[row["steps"]]
    for name in ("warm", "later"):
        low, median, high = row[name]
        assert 0 < low <= median <= high
    assert row["cold"] > 0
    assert (row["task"], row["framework"]) == (task, "torch")


def test_a_session_is_closed_when_it_is_let_go_of(sessions):
    running = import_module("engines.benchmark.first_calls_tensorflow").session(*parabola())
    next(running)
    running.close()
    with pytest.raises(RuntimeError, match="closed"):
        sessions[0].run([])


def test_one_traced_function_is_traced_once():
    tf = import_module("engines.benchmark.first_calls_tensorflow").tf
    made = []
    original = tf.function

    def remember(step):
        made.append(original(step))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf, "function", remember)
        running = import_module("engines.benchmark.first_calls_tensorflow").function(*parabola())
        list(islice(running, 5))
    [step] = made
    assert step.experimental_get_tracing_count() == 1
