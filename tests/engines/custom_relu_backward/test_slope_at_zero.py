"""The slope at zero of every ReLU, and where training notices it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engines.custom_relu_backward.design import Design, function_of
from engines.custom_relu_backward.slope_at_zero import BATCH, HIDDEN, slopes, start, train

SLOPES_AT_ZERO = {
    "PyTorch": {
        "torch.relu(x)": 0,
        "x.clamp(min=0)": 1,
        "torch.maximum(x, torch.tensor(0.0))": 0.5,
        "x * (x > 0)": 0,
        "(x + x.abs()) / 2": 0.5,
    },
    "TensorFlow": {
        "tf.nn.relu(x)": 0,
        "tf.maximum(x, 0.0)": 1,
        "tf.maximum(0.0, x)": 0,
        "tf.clip_by_value(x, 0.0, x.dtype.max)": 1,
    },
}
RELUS = {0: lambda x: x.relu(), 0.5: lambda x: (x + x.abs()) / 2, 1: lambda x: x.clamp(min=0)}


def train_each(kind):
    how = {"steps": 20, "learning_rate": 1e-4}
    return {slope: train(relu, kind, 0, **how) for slope, relu in RELUS.items()}


def test_all_are_the_same_function_and_differ_in_their_slope_at_zero_only():
    assert slopes() == {
        expression: (framework, 0, 0, slope, 1)
        for framework, expressions in SLOPES_AT_ZERO.items()
        for expression, slope in expressions.items()
    }


def test_slopes_are_found_from_several_threads_at_once():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: slopes(), range(8)))
    assert found == [slopes()] * 8


@pytest.mark.parametrize("kind", ["random", "integers", "zeros"])
def test_arrays_are_float32_and_the_same_for_the_same_seed(kind):
    shapes = [(64, 20), (64, 5), (20, 30), (30, 5)]
    assert [array.shape for array in start(kind, 1)] == shapes
    assert {array.dtype for array in start(kind, 1)} == {np.dtype(np.float32)}
    for one, other in zip(start(kind, 1), start(kind, 1), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(start(kind, 1)[0], start(kind, 2)[0])


def test_where_no_input_is_exactly_zero_the_slope_there_does_not_matter():
    runs = train_each("random")
    assert not any(run.zeros.any() for run in runs.values())
    for slope in (0.5, 1):
        np.testing.assert_allclose(runs[slope].losses, runs[0].losses, rtol=1e-5)
    assert runs[0].losses[-1] < runs[0].losses[0]


def test_with_whole_numbers_many_inputs_are_zero_at_first_and_the_runs_part():
    runs = train_each("integers")
    x, _, w1, _ = start("integers", seed=0)
    for run in runs.values():
        assert run.zeros[0] == np.sum(x @ w1 == 0) > 100
        assert run.losses[0] == runs[0].losses[0]
    apart = [abs(runs[slope].losses[1] / runs[0].losses[1] - 1) for slope in (0.5, 1)]
    assert apart[1] > apart[0] > 1e-3


def test_weights_that_start_at_zero_learn_only_where_the_slope_is_not_zero():
    runs = train_each("zeros")
    assert np.all(runs[0].losses == runs[0].losses[0])
    assert np.all(runs[0].zeros == BATCH * HIDDEN)
    for slope in (0.5, 1):
        assert runs[slope].losses[-1] < 0.7 * runs[slope].losses[0]
        assert runs[slope].zeros[-1] < runs[slope].zeros[0]


def test_a_designed_slope_trains_like_the_function_that_has_it():
    own = train(function_of(Design("slopes", 0, 0, 1)), "integers", 0, steps=20, learning_rate=1e-4)
    np.testing.assert_allclose(own.losses, train_each("integers")[0].losses, rtol=1e-6)
