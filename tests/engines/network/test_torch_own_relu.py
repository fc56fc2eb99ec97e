"""E10's ReLU with its own backward, against its formulas, and the network that trains with it."""

import numpy as np
import pytest
import torch

from engines.graphs import read_torch
from engines.network import torch_two_layers
from engines.network.torch_own_relu import MyReLU, train
from engines.trace import record


def arrays(seed=0, dtype=np.float64):
    random = np.random.default_rng(seed)
    shapes = (6, 5), (6, 2), (5, 4), (4, 2)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


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
def test_it_trains_as_the_listing_with_pytorchs_clamp_does_to_the_last_bit(dtype):
    ours = record(train(*arrays(dtype=dtype), steps=30, learning_rate=0.003))
    theirs = record(torch_two_layers.train(*arrays(dtype=dtype), steps=30, learning_rate=0.003))
    assert ours.losses[30] < ours.losses[0] / 2
    for name, values in ours.columns().items():
        np.testing.assert_array_equal(values, theirs.columns()[name])
    assert ours.params["w1"].dtype == ours.grads["w2"].dtype == dtype


def test_the_slope_at_zero_is_that_of_the_relu_it_is_given():
    def at_half(h):
        return torch.maximum(h, torch.zeros_like(h))

    x, y, w1, w2 = arrays()
    full = x.T @ (-2 * y @ w2.T)
    for relu, slope in ((MyReLU.apply, 1), (torch.relu, 0), (at_half, 0.5)):
        step = next(train(x, y, 0 * w1, w2, steps=0, learning_rate=0.1, relu=relu))
        np.testing.assert_allclose(step.grads["w1"], slope * full, rtol=1e-12)


def test_it_leaves_the_arrays_it_is_given_alone():
    given = arrays()
    before = [values.copy() for values in given]
    record(train(*given, steps=3, learning_rate=0.01))
    for values, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(values, old)


def test_in_the_graph_our_function_stands_between_the_two_layers():
    [step] = read_torch.record(train(*arrays(), steps=0, learning_rate=0.1))
    kinds = [node.kind for node in step.graph.nodes if node.text]
    assert kinds[:3] == ["MmBackward0", "MyReLUBackward", "MmBackward0"]
    assert [node.name for node in step.graph.nodes if node.text][:3] == ["h", "h_relu", "y_pred"]
