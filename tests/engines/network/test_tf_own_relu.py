"""A ReLU with a gradient of its own in TensorFlow: what a tape makes of it, and how it trains."""

import numpy as np
import pytest
import tensorflow as tf

from engines.network import numpy_by_hand
from engines.network.tf_own_relu import my_relu, train
from engines.trace import record


def arrays(seed=0, dtype=np.float64):
    random = np.random.default_rng(seed)
    shapes = (6, 5), (6, 2), (5, 4), (4, 2)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def test_the_tape_calls_our_backward_whose_slope_at_zero_is_one():
    x = tf.constant([-2.0, 0.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = my_relu(x)
    grad_x = tape.gradient(y, x, output_gradients=tf.constant([5.0, -6.0, 7.0]))
    assert y.numpy().tolist() == [0, 0, 3]
    assert grad_x.numpy().tolist() == [0, -6, 7]


def test_losses_weights_and_gradients_are_those_by_hand():
    for seed in range(3):
        ours, by_hand = (
            record(engine(*arrays(seed), steps=30, learning_rate=0.003))
            for engine in (train, numpy_by_hand.train)
        )
        assert ours.losses[30] < ours.losses[0] / 2
        for name, values in ours.columns().items():
            np.testing.assert_allclose(values, by_hand.columns()[name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_computes_in_the_type_of_its_arrays_and_its_steps_stay_as_they_were(dtype):
    given = arrays(dtype=dtype)
    before = [values.copy() for values in given]
    steps = list(train(*given, steps=3, learning_rate=0.01))
    assert steps[0].params["w1"].dtype == steps[0].grads["w2"].dtype == dtype
    np.testing.assert_array_equal(steps[0].params["w1"], given[2])
    assert (steps[3].params["w1"] != given[2]).any()
    for values, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(values, old)
