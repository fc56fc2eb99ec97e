"""The slope at zero of every ReLU, and where training notices it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engines.custom_relu_backward import slope_at_zero, tf_slopes
from engines.custom_relu_backward.design import Design, function_of
from engines.custom_relu_backward.slope_at_zero import relu_of, start, train_each

# By expression, the slope at zero.
TORCH = {
    "torch.relu(x)": 0,
    "x.clamp(min=0)": 1,
    "torch.maximum(x, torch.tensor(0.0))": 0.5,
    "x * (x > 0)": 0,
    "(x + x.abs()) / 2": 0.5,
}
TENSORFLOW = {
    "tf.nn.relu(x)": 0,
    "tf.maximum(x, 0.0)": 1,
    "tf.maximum(0.0, x)": 0,
    "tf.clip_by_value(x, 0.0, x.dtype.max)": 1,
}
WITH_SLOPE = {0: "torch.relu(x)", 0.5: "(x + x.abs()) / 2", 1: "x.clamp(min=0)"}


def train(kind, steps=20):
    relus = {slope: relu_of(expression) for slope, expression in WITH_SLOPE.items()}
    return train_each(relus, *start(kind, seed=0), steps=steps, learning_rate=1e-4)


@pytest.mark.parametrize(("engine", "at_zero"), [(slope_at_zero, TORCH), (tf_slopes, TENSORFLOW)])
def test_all_are_the_same_function_and_differ_in_their_slope_at_zero_only(engine, at_zero):
    assert engine.slopes() == {text: (0, 0, slope, 1) for text, slope in at_zero.items()}


def test_only_the_expressions_shown_can_be_run():
    with pytest.raises(KeyError):
        relu_of("x.clamp(min=0) + 1")


def test_slopes_are_found_from_several_threads_at_once():
    with ThreadPoolExecutor(4) as pool:
        engines = [slope_at_zero, tf_slopes] * 4
        found = list(pool.map(lambda engine: engine.slopes(), engines))
    assert found == [slope_at_zero.slopes(), tf_slopes.slopes()] * 4


@pytest.mark.parametrize("kind", ["random", "integers", "zeros"])
def test_arrays_are_float32_and_the_same_for_the_same_seed(kind):
    shapes = [(64, 20), (64, 5), (20, 30), (30, 5)]
    assert [array.shape for array in start(kind, 1)] == shapes
    assert {array.dtype for array in start(kind, 1)} == {np.dtype(np.float32)}
    for one, other in zip(start(kind, 1), start(kind, 1), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(start(kind, 1)[0], start(kind, 2)[0])


def test_where_no_input_is_exactly_zero_the_slope_there_does_not_matter():
    runs = train("random")
    assert not any(run.zeros.any() for run in runs.values())
    for slope in (0.5, 1):
        np.testing.assert_allclose(runs[slope].losses, runs[0].losses, rtol=1e-5)
    assert runs[0].losses[-1] < runs[0].losses[0]


def test_with_whole_numbers_many_inputs_are_zero_at_first_and_the_runs_part():
    runs = train("integers")
    x, _, w1, _ = start("integers", seed=0)
    for run in runs.values():
        assert run.zeros[0] == np.sum(x @ w1 == 0) > 100
        assert run.losses[0] == runs[0].losses[0]
    apart = [abs(runs[slope].losses[1] / runs[0].losses[1] - 1) for slope in (0.5, 1)]
    assert apart[1] > apart[0] > 1e-3


def test_weights_that_start_at_zero_learn_only_where_the_slope_is_not_zero():
    runs = train("zeros")
    assert np.all(runs[0].losses == runs[0].losses[0])
    assert np.all(runs[0].zeros == 64 * 30)
    for slope in (0.5, 1):
        assert runs[slope].losses[-1] < 0.7 * runs[slope].losses[0]
        assert runs[slope].zeros[-1] < runs[slope].zeros[0]


def test_a_slope_of_ones_own_can_be_among_them():
    relus = {"0": relu_of("torch.relu(x)"), "own": function_of(Design("slopes", 0, 0, 1))}
    runs = train_each(relus, *start("integers", seed=0), steps=5, learning_rate=1e-4)
    np.testing.assert_allclose(runs["own"].losses, runs["0"].losses, rtol=1e-6)
