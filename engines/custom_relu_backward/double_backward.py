"""The gradient of a gradient: whether a backward written by hand can itself be differentiated.

With create_graph=True autograd records what backward does, as it records any forward pass. What
backward does with tensors is then part of a graph; what it does outside of PyTorch is not, and for
autograd the result is a constant. `once_differentiable` raises an error instead of staying silent.

Source: the documentation page "Double Backward with Custom Functions".
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from engines.listing import source_of
from engines.network.torch_own_relu import MyReLU


class Multiplied(MyReLU):
    """The mask as a factor."""

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        """Every operation here is one that autograd can differentiate."""
        (x,) = ctx.saved_tensors
        return grad_output * (x >= 0)


class InNumPy(MyReLU):
    """A gradient that is computed outside of PyTorch."""

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        """NumPy's numbers come back as a tensor without a graph behind it."""
        (x,) = ctx.saved_tensors
        grad_x = grad_output.detach().numpy().copy()
        grad_x[x.detach().numpy() < 0] = 0
        return torch.from_numpy(grad_x)


class OnceDifferentiable(MyReLU):
    """The same, and it says so."""

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Any) -> Any:
        """In here nothing is recorded, and what leaves cannot be differentiated again."""
        (x,) = ctx.saved_tensors
        grad_x = grad_output.numpy().copy()
        grad_x[x.numpy() < 0] = 0
        return torch.from_numpy(grad_x)


# By name: with the mask set in place, as E10 has it; and the three above.
FUNCTIONS = {
    "in_place": MyReLU,
    "multiplied": Multiplied,
    "in_numpy": InNumPy,
    "once_differentiable": OnceDifferentiable,
}


class Derivatives(NamedTuple):
    """The derivatives of y = x * relu(x) as autograd finds them: 2x and 2 for a positive x.

    source: the Function. first: dy/dx. second: the derivative of `first`; None where autograd
    raises an error, whose message follows, else "".
    """

    source: str
    first: float
    second: float | None
    message: str


def differentiate_twice(
    name: str, x_value: float = 3.0, *, by: Literal["backward", "grad"] = "backward"
) -> Derivatives:
    """Differentiate twice through one of FUNCTIONS. Raises KeyError for other names.

    by: how the second derivative is computed, as first.backward() or as grad(first, x). The latter
    visits only nodes that lead to x, and the one with the error of `once_differentiable` does not.
    """
    function = FUNCTIONS[name]
    source, first = source_of(function), _first(function, x_value)[1]
    try:
        first, second = twice(function, x_value, by=by)
    except RuntimeError as error:
        return Derivatives(source, first.item(), None, str(error))
    return Derivatives(source, first.item(), second.item(), "")


def twice(function: Any, x_value: float, *, by: Literal["backward", "grad"]) -> tuple[Any, Any]:
    """The derivative of y = x * function(x), and its derivative, each found by autograd."""
    x, first = _first(function, x_value)
    if by == "backward":
        first.backward()
        return first, x.grad
    (second,) = torch.autograd.grad(first, x)
    return first, second


def _first(function: Any, x_value: float) -> tuple[Any, Any]:
    x = torch.tensor(x_value, dtype=torch.float64, requires_grad=True)
    y = x * function.apply(x)
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    return x, first
