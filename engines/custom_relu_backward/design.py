"""A ReLU with a derivative that a visitor designs, and its checks.

A design is written out as the class that it describes. That text is then compiled and run, so the
listing shown is the one that ran; only numbers, within bounds, go into it.

Source: experiment E10 with another backward. Straight-through: Bengio, Léonard, Courville,
"Estimating or propagating gradients through stochastic neurons" (2013).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engines.custom_relu_backward import gradcheck
from engines.custom_relu_backward.gradcheck import WIDTH, Check, Kink
from engines.custom_relu_backward.mistakes import trained
from engines.custom_relu_backward.slope_at_zero import start
from engines.differences import central_difference
from engines.listing import Edited, edited
from engines.listing import source_of as source_of_file
from engines.network import torch_own_relu

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
    """The listing of a design, which is what runs."""
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


def slopes_of_forward(design: Design, x: ArrayLike) -> Floats:
    """The slope of a design's forward at the inputs x, by central differences, of the same shape.

    Nearer to 0 than gradcheck.WIDTH they reach across the kink.
    """
    slopes: Floats = central_difference(
        lambda at: curves(design, at).forward, np.asarray(x, np.float64), WIDTH
    )
    return slopes


def check(design: Design) -> Checks:
    """Check a design at POINTS, and at 0."""
    function = function_of(design)
    return Checks(
        ones=gradcheck.check(function, POINTS),
        scaled=gradcheck.check(function, POINTS, scale=SCALE),
        at_zero=gradcheck.kink(function),
    )


def listing_of(design: Design) -> Edited:
    """The listing of torch_own_relu.py with this design in place of MyReLU."""
    changes = {source_of_file(torch_own_relu.MyReLU): source_of(design)}
    changes["MyReLU.apply"] = "Designed.apply"
    return edited((torch_own_relu.MyReLU, torch_own_relu.train), changes)


def arrays() -> tuple[Floats, ...]:
    """What the small network trains on, and its weights at the start, in float64."""
    x, y, w1, w2 = start("random", 0)
    return tuple(array.astype(np.float64) for array in (x, y, w1, w2))


class Tried(NamedTuple):
    """What a small network makes of a design.

    losses: at each step, up to the first that is not finite, shape (steps + 1,) or less.
    angle: in degrees, between the first gradient of w1 and the one that belongs to the forward; NaN
    where either has no length.
    """

    losses: Floats
    angle: float


def try_out(design: Design, *, steps: int, learning_rate: float) -> Tried:
    """Train a network of 20, 30 and 5 units in float64 with this design between its layers."""
    drawn = arrays()
    run = torch_own_relu.train(
        *drawn, steps=steps, learning_rate=learning_rate, relu=function_of(design)
    )
    losses, own = trained(run)
    return Tried(losses, _angle(own, _gradient_of_w1(design, *drawn)))


def _gradient_of_w1(design: Design, x: Floats, y: Floats, w1: Floats, w2: Floats) -> Floats:
    """By the chain rule, with the slope of the forward as differences measure it."""
    h = x @ w1
    grad_y_pred = 2 * (curves(design, h).forward @ w2 - y)
    gradient: Floats = x.T @ ((grad_y_pred @ w2.T) * slopes_of_forward(design, h))
    return gradient


def _angle(one: Floats, other: Floats) -> float:
    lengths = np.linalg.norm(one), np.linalg.norm(other)
    if not all(lengths):
        return float("nan")
    # Between vectors that are nearly alike an arc cosine has no digits left.
    apart = float(np.linalg.norm(one / lengths[0] - other / lengths[1]))
    return math.degrees(2 * math.asin(min(1.0, apart / 2)))
