"""A ReLU with a derivative of one's own design, and the checks of it.

A design is written out as the class that it amounts to. That text is then compiled and run, so the
listing shown is the one that ran; only numbers, within bounds, go into it.

Source: experiment E10 with another backward. Straight-through: Bengio, Léonard, Courville,
"Estimating or propagating gradients through stochastic neurons" (2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engines.custom_relu_backward import gradcheck
from engines.custom_relu_backward.gradcheck import Check, Kink

Floats = NDArray[np.float64]
STEEPEST = 5.0  # slopes are between this and its negative
POINTS = (-2.0, -0.5, 0.5, 2.0)  # the inputs that a design is checked at
SCALE = 10.0  # gradients this large are sent through a backward, too

LISTING = """\
class Designed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return {forward}

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        {backward}
"""
RELU = "x.clamp(min=0)"
COPY, CUT, RETURN = "grad_x = grad_output.clone()", "grad_x[x < 0] = 0", "return grad_x"

# By variant: the value of the forward, and the lines of the backward.
VARIANTS = {
    "true": (RELU, [COPY, CUT, RETURN]),
    "slopes": (
        RELU,
        [
            "slope = torch.full_like(x, {above!r})",
            "slope[x == 0] = {at!r}",
            "slope[x < 0] = {below!r}",
            "return grad_output * slope",
        ],
    ),
    "straight_through": (RELU, ["return grad_output.clone()  # whatever x was"]),
    "clipped": (RELU, ["grad_x = grad_output.clamp(-1, 1)", CUT, RETURN]),
    "leaky": ("torch.where(x < 0, {below!r} * x, x)", [COPY, "grad_x[x < 0] *= {below!r}", RETURN]),
    "smooth": (
        "torch.nn.functional.softplus(x)  # log(1 + exp(x))",
        ["return grad_output * torch.sigmoid(x)"],
    ),
}


@dataclass(frozen=True)
class Design:
    """A variant, and its slopes below zero, at zero and above zero.

    Of the numbers, "slopes" uses all three, "leaky" the one below zero, the others none.
    Raises ValueError for a name not in VARIANTS, and for a slope that is not a number between
    -STEEPEST and STEEPEST.
    """

    variant: str = "slopes"
    below: float = 0.0
    at: float = 1.0
    above: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is out of bounds: nothing else may get into a listing that will run."""
        if self.variant not in VARIANTS:
            raise ValueError(f"no such variant: {self.variant!r}")
        for name in ("below", "at", "above"):
            value = float(getattr(self, name))
            if not -STEEPEST <= value <= STEEPEST:  # not a number is not within bounds either
                raise ValueError(f"the slope {name} zero is {value}, not within ±{STEEPEST}")
            object.__setattr__(self, name, value)


class Curves(NamedTuple):
    """forward: its values. backward: the gradients that leave. Both of the shape of the inputs."""

    forward: Floats
    backward: Floats


class Checks(NamedTuple):
    """The checks of a design.

    ones: by gradcheck at POINTS. scaled: the same with gradients SCALE times as large.
    at_zero: how its slope at zero fits with both sides.
    """

    ones: Check
    scaled: Check
    at_zero: Kink

    @property
    def passed(self) -> bool:
        """Whether away from zero the backward is the derivative of the forward."""
        return self.ones.passed and self.scaled.passed


def source_of(design: Design) -> str:
    """The listing that a design amounts to, and that runs."""
    forward, backward = VARIANTS[design.variant]
    text = LISTING.format(forward=forward, backward="\n        ".join(backward))
    return text.format(below=design.below, at=design.at, above=design.above)


@lru_cache(maxsize=64)
def function_of(design: Design) -> Any:
    """The listing, compiled: a function of a tensor, for gradcheck or between two layers."""
    namespace: dict[str, Any] = {"torch": torch}
    exec(compile(source_of(design), "<design>", "exec"), namespace)
    return namespace["Designed"].apply


def curves(design: Design, x: ArrayLike, *, grad_output: float = 1.0) -> Curves:
    """The output of a design at the inputs x, and what leaves where `grad_output` arrives."""
    leaf = torch.tensor(np.asarray(x, np.float64), requires_grad=True)
    output = function_of(design)(leaf)
    output.backward(torch.full_like(output, grad_output))
    return Curves(output.detach().numpy(), leaf.grad.numpy())


def check(design: Design) -> Checks:
    """Check a design at POINTS, and at 0."""
    function = function_of(design)
    return Checks(
        ones=gradcheck.check(function, POINTS),
        scaled=gradcheck.check(function, POINTS, scale=SCALE),
        at_zero=gradcheck.kink(function),
    )
