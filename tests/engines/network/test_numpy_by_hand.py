"""The four gradients by hand, against the slope that the loss really shows."""

import numpy as np
import pytest

from engines.network.numpy_by_hand import train
from engines.trace import record


def arrays(seed=0, dtype=np.float64):
    random = np.random.default_rng(seed)
    shapes = (6, 5), (6, 2), (5, 4), (4, 2)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def loss(x, y, w1, w2):
    return np.sum((np.maximum(x @ w1, 0) @ w2 - y) ** 2)


@pytest.mark.parametrize("seed", range(3))
def test_every_gradient_is_the_central_difference_of_the_loss(seed):
    x, y, w1, w2 = arrays(seed)
    assert np.abs(x @ w1).min() > 1e-4  # no hidden value is moved across the kink
    [step] = train(x, y, w1, w2, steps=0, learning_rate=0.1)
    assert step.loss == pytest.approx(loss(x, y, w1, w2))
    for name, weights in (("w1", w1), ("w2", w2)):
        for at in np.ndindex(weights.shape):
            moved = np.zeros_like(weights)
            moved[at] = 1e-5
            up, down = (
                loss(x, y, **{"w1": w1, "w2": w2, name: weights + way}) for way in (moved, -moved)
            )
            assert step.grads[name][at] == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-6)


def test_every_step_goes_against_its_gradient():
    trace = record(train(*arrays(), steps=20, learning_rate=0.003))
    assert trace.losses[20] < trace.losses[0] / 2
    for name, weights in trace.params.items():
        expected = weights[:-1] - 0.003 * trace.grads[name][:-1]
        np.testing.assert_array_equal(weights[1:], expected)


def test_at_zero_the_slope_of_its_relu_is_one():
    x, y, w1, w2 = arrays()
    [step] = train(x, y, 0 * w1, w2, steps=0, learning_rate=0.1)
    np.testing.assert_allclose(step.grads["w1"], x.T @ (-2 * y @ w2.T), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_computes_in_the_type_of_its_arrays_and_leaves_them_alone(dtype):
    given = arrays(dtype=dtype)
    before = [values.copy() for values in given]
    trace = record(train(*given, steps=3, learning_rate=0.01))
    assert trace.losses.dtype == trace.params["w1"].dtype == trace.grads["w2"].dtype == dtype
    for values, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(values, old)
