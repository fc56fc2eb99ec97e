"""Which backwards can be differentiated again, and what happens with those that cannot."""

import pytest
import torch

from engines.custom_relu_backward.double_backward import KINDS, second_derivative


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("x", "first"), [(3.0, 6.0), (0.5, 1.0), (-2.0, 0.0)])
def test_once_all_of_them_differentiate_rightly(kind, x, first):
    assert second_derivative(kind, x).first == first


@pytest.mark.parametrize("ask", ["backward", "grad"])
@pytest.mark.parametrize("kind", ["in_place", "multiplied"])
@pytest.mark.parametrize(("x", "second"), [(3.0, 2.0), (-2.0, 0.0)])
def test_tensor_operations_are_differentiated_again_also_in_place(kind, x, second, ask):
    tried = second_derivative(kind, x, ask=ask)
    assert (tried.second, tried.message) == (second, "")


@pytest.mark.parametrize("kind", ["in_place", "multiplied"])
def test_pytorch_s_own_check_of_second_derivatives_agrees(kind):
    x = torch.tensor([-2.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(KINDS[kind].apply, (x,))


def test_numpy_in_a_backward_makes_half_of_the_second_derivative_vanish_without_a_word():
    tried = second_derivative("in_numpy", 3.0)
    assert (tried.second, tried.message) == (1.0, "")
    assert "numpy" in tried.source


def test_once_differentiable_refuses_instead():
    tried = second_derivative("once_differentiable", 3.0)
    assert tried.second is None
    assert "differentiate twice" in tried.message
    assert "once_differentiable" in tried.message


def test_asked_for_one_input_only_autograd_passes_the_refusal_by():
    tried = second_derivative("once_differentiable", 3.0, ask="grad")
    assert (tried.second, tried.message) == (1.0, "")


def test_what_is_not_there_is_refused():
    with pytest.raises(KeyError):
        second_derivative("thrice")
