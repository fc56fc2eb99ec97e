"""Which backwards can be differentiated again, and what happens with those that cannot."""

import pytest
import torch

from engines.custom_relu_backward.double_backward import FUNCTIONS, differentiate_twice

DIFFERENTIABLE = ["in_place", "multiplied"]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("x", "first"), [(3.0, 6.0), (0.5, 1.0), (-2.0, 0.0)])
def test_once_all_of_them_differentiate_rightly(name, x, first):
    assert differentiate_twice(name, x).first == first


@pytest.mark.parametrize("by", ["backward", "grad"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
@pytest.mark.parametrize(("x", "second"), [(3.0, 2.0), (-2.0, 0.0)])
def test_tensor_operations_are_differentiated_again_also_in_place(name, x, second, by):
    found = differentiate_twice(name, x, by=by)
    assert (found.second, found.message) == (second, "")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pytorchs_own_check_of_second_derivatives_agrees(name):
    x = torch.tensor([-2.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    passed = torch.autograd.gradgradcheck(
        lambda x: x * FUNCTIONS[name].apply(x), (x,), raise_exception=False
    )
    assert passed == (name in DIFFERENTIABLE)


def test_numpy_in_a_backward_makes_half_of_the_second_derivative_vanish_without_an_error():
    found = differentiate_twice("in_numpy", 3.0)
    assert (found.second, found.message) == (1.0, "")
    assert "numpy" in found.source


def test_once_differentiable_refuses_instead():
    found = differentiate_twice("once_differentiable", 3.0)
    assert found.second is None
    assert "differentiate twice" in found.message
    assert "once_differentiable" in found.message


def test_by_grad_autograd_never_reaches_the_refusal():
    found = differentiate_twice("once_differentiable", 3.0, by="grad")
    assert (found.second, found.message) == (1.0, "")


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError):
        differentiate_twice("thrice")
