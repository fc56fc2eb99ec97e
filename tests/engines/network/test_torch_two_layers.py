"""E10's network with PyTorch's own ReLU, against its formulas."""

import numpy as np
import pytest

from engines.network.torch_two_layers import train
from engines.trace import record


def arrays(seed=0, dtype=np.float64):
    random = np.random.default_rng(seed)
    shapes = (6, 5), (6, 2), (5, 4), (4, 2)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def by_hand(x, y, w1, w2):
    """The loss and its gradients by w1 and w2; at h = 0 the slope of the ReLU is taken as 1."""
    h = x @ w1
    h_relu = np.maximum(h, 0)
    grad_y_pred = 2 * (h_relu @ w2 - y)
    grad_h = np.where(h < 0, 0, grad_y_pred @ w2.T)
    return np.sum(grad_y_pred**2) / 4, x.T @ grad_h, h_relu.T @ grad_y_pred


def test_every_step_is_gradient_descent_by_the_formulas():
    x, y, w1, w2 = arrays()
    trace = record(train(x, y, w1, w2, steps=20, learning_rate=0.003))
    for k in range(21):
        loss, grad_w1, grad_w2 = by_hand(x, y, w1, w2)
        assert trace.losses[k] == pytest.approx(loss, rel=1e-12)
        for name, grad, weights in (("w1", grad_w1, w1), ("w2", grad_w2, w2)):
            np.testing.assert_allclose(trace.grads[name][k], grad, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(trace.params[name][k], weights, rtol=1e-12, atol=1e-14)
        w1, w2 = w1 - 0.003 * grad_w1, w2 - 0.003 * grad_w2
    assert trace.losses[20] < trace.losses[0] / 2


def test_at_zero_the_slope_of_its_relu_is_one():
    x, y, w1, w2 = arrays()
    w1 = 0 * w1  # every h is 0
    step = record(train(x, y, w1, w2, steps=0, learning_rate=0.1)).final
    expected = x.T @ (-2 * y @ w2.T)
    np.testing.assert_allclose(step.grads["w1"], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_computes_in_the_type_of_its_arrays_and_leaves_them_alone(dtype):
    given = arrays(dtype=dtype)
    before = [values.copy() for values in given]
    trace = record(train(*given, steps=3, learning_rate=0.01))
    assert trace.params["w1"].dtype == trace.grads["w2"].dtype == dtype
    for values, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(values, old)
