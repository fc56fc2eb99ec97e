"""The listings of the network of two layers: one contract for all, and what each has of its own."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import torch

from engines.graphs import read_torch
from engines.network import numpy_by_hand, tf_own_relu, tf_session, torch_own_relu
from engines.network.compare import draw
from engines.network.tf_own_relu import my_relu
from engines.network.torch_own_relu import MyReLU
from engines.trace import Step, record

ENGINES = [numpy_by_hand, torch_own_relu, tf_own_relu, tf_session]
every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda one: one.__name__[16:])


def arrays(seed=0, dtype=np.float64):
    random = np.random.default_rng(seed)
    shapes = (6, 5), (6, 2), (5, 4), (4, 2)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def clamped(*given, **how):
    return torch_own_relu.train(*given, **how, relu=lambda h: h.clamp(min=0))


def loss_of(x, y, w1, w2):
    return np.sum((np.maximum(x @ w1, 0) @ w2 - y) ** 2)


def by_formulas(x, y, w1, w2):
    """One step; at h = 0 the slope of the ReLU is taken as 1."""
    h = x @ w1
    h_relu = np.maximum(h, 0)
    grad_y_pred = 2 * (h_relu @ w2 - y)
    grad_h = np.where(h < 0, 0, grad_y_pred @ w2.T)
    grads = {"w1": x.T @ grad_h, "w2": h_relu.T @ grad_y_pred}
    return Step(np.sum(grad_y_pred**2) / 4, {"w1": w1, "w2": w2}, grads)


@pytest.mark.parametrize("train", [*(one.train for one in ENGINES), clamped])
@pytest.mark.parametrize("seed", range(3))
def test_every_step_is_gradient_descent_by_the_formulas(train, seed):
    x, y, w1, w2 = arrays(seed)
    trace = record(train(x, y, w1, w2, steps=30, learning_rate=0.003))
    assert len(trace) == 31
    for k in range(31):
        expected = by_formulas(x, y, w1, w2)
        assert trace.losses[k] == pytest.approx(expected.loss, rel=1e-10)
        for name in ("w1", "w2"):
            ours, right = trace.grads[name][k], expected.grads[name]
            np.testing.assert_allclose(ours, right, rtol=1e-9, atol=1e-11)
            np.testing.assert_allclose(
                trace.params[name][k], expected.params[name], rtol=1e-9, atol=1e-11
            )
        w1, w2 = w1 - 0.003 * expected.grads["w1"], w2 - 0.003 * expected.grads["w2"]
    assert trace.losses[30] < trace.losses[0] / 2


@pytest.mark.parametrize("seed", range(3))
def test_the_gradients_by_hand_are_the_central_differences_of_the_loss(seed):
    x, y, w1, w2 = arrays(seed)
    assert np.abs(x @ w1).min() > 1e-4  # no hidden value is moved across the kink
    [step] = numpy_by_hand.train(x, y, w1, w2, steps=0, learning_rate=0.1)
    assert step.loss == pytest.approx(loss_of(x, y, w1, w2))
    for name, weights in (("w1", w1), ("w2", w2)):
        for at in np.ndindex(weights.shape):
            moved = np.zeros_like(weights)
            moved[at] = 1e-5
            up, down = (
                loss_of(x, y, **{"w1": w1, "w2": w2, name: weights + way})
                for way in (moved, -moved)
            )
            assert step.grads[name][at] == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-6)


@every_engine
def test_at_zero_the_slope_of_its_relu_is_one(engine):
    x, y, w1, w2 = arrays()
    step = record(engine.train(x, y, 0 * w1, w2, steps=0, learning_rate=0.1)).final
    np.testing.assert_allclose(step.grads["w1"], x.T @ (-2 * y @ w2.T), rtol=1e-12)


@every_engine
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_computes_in_the_type_of_its_arrays_and_leaves_them_alone(engine, dtype):
    given = arrays(dtype=dtype)
    before = [values.copy() for values in given]
    trace = record(engine.train(*given, steps=3, learning_rate=0.01))
    assert trace.params["w1"].dtype == trace.grads["w2"].dtype == dtype
    np.testing.assert_array_equal(trace.params["w1"][0], given[2])
    assert (trace.params["w1"][3] != given[2]).any()
    for values, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(values, old)


@every_engine
def test_a_listing_says_what_it_shows_and_where_it_is_from(engine):
    assert "y_pred = relu(x @ w1) @ w2" in engine.__doc__
    assert re.search(r"Source: experiment E1[01]", engine.__doc__)
    for name in re.findall(r"\w+\.py", engine.__doc__):
        assert Path(engine.__file__).with_name(name).exists()
    assert list(inspect.signature(engine.train).parameters)[-2:] in (
        ["steps", "learning_rate"],
        ["learning_rate", "relu"],
    )


# ---- The custom ReLU in PyTorch


def test_forward_clamps_and_backward_cuts_the_gradient_where_x_was_negative():
    x = torch.tensor([-2.0, -0.0, 0.0, 3.0], requires_grad=True)
    arriving = torch.tensor([5.0, 6.0, -7.0, -8.0])
    y = MyReLU.apply(x)
    y.backward(arriving)
    assert y.tolist() == [0, 0, 0, 3]
    assert x.grad.tolist() == [0, 6, -7, -8]  # at zero its slope is 1
    assert arriving.tolist() == [5, 6, -7, -8]  # a copy was masked, not what arrived


def test_away_from_the_kink_gradcheck_finds_nothing_wrong():
    x = torch.tensor([[-2.0, -0.1], [0.1, 3.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(MyReLU.apply, (x,))


def test_its_node_keeps_the_input_and_no_copy_of_it():
    x = torch.tensor([-1.0, 1.0], requires_grad=True)
    (saved,) = MyReLU.apply(x).grad_fn.saved_tensors
    assert saved.data_ptr() == x.data_ptr()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_trains_as_pytorchs_clamp_does_to_the_last_bit(dtype):
    ours, theirs = (
        record(train(*arrays(dtype=dtype), steps=30, learning_rate=0.003))
        for train in (torch_own_relu.train, clamped)
    )
    for name, values in ours.columns().items():
        np.testing.assert_array_equal(values, theirs.columns()[name])


def test_the_slope_at_zero_is_that_of_the_relu_it_is_given():
    def at_half(h):
        return torch.maximum(h, torch.zeros_like(h))

    x, y, w1, w2 = arrays()
    full = x.T @ (-2 * y @ w2.T)
    for relu, slope in ((MyReLU.apply, 1), (torch.relu, 0), (at_half, 0.5)):
        step = next(torch_own_relu.train(x, y, 0 * w1, w2, steps=0, learning_rate=0.1, relu=relu))
        np.testing.assert_allclose(step.grads["w1"], slope * full, rtol=1e-12)


def test_in_the_graph_the_custom_function_stands_between_the_two_layers():
    [step] = read_torch.record(torch_own_relu.train(*arrays(), steps=0, learning_rate=0.1))
    kinds = [node.kind for node in step.graph.nodes if node.text]
    assert kinds[:3] == ["MmBackward0", "MyReLUBackward", "MmBackward0"]
    assert [node.name for node in step.graph.nodes if node.text][:3] == ["h", "h_relu", "y_pred"]


# ---- In TensorFlow


def test_the_tape_calls_the_custom_gradient_whose_slope_at_zero_is_one():
    x = tf.constant([-2.0, 0.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = my_relu(x)
    grad_x = tape.gradient(y, x, output_gradients=tf.constant([5.0, -6.0, 7.0]))
    assert y.numpy().tolist() == [0, 0, 3]
    assert grad_x.numpy().tolist() == [0, -6, 7]


def test_the_weights_are_no_constants_of_the_graph_and_the_session_is_closed():
    listing = tf_session.train(*draw(0), steps=1, learning_rate=1e-6)
    next(listing)
    held = listing.gi_frame.f_locals
    assert held["graph"].as_graph_def().ByteSize() < 50_000  # w1 alone has 400 000
    session, h = held["session"], held["h"]
    listing.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.run(h)
