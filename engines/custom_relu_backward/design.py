"""A ReLU whose derivative somebody designed, used in training and judged.

A design is written out as the class it amounts to. That text is then compiled and run, so the
listing shown is the one that ran; only numbers, within bounds, go into it.

Source: experiment E10 with another backward. Straight-through: Bengio, Léonard, Courville,
"Estimating or propagating gradients through stochastic neurons" (2013).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engines.custom_relu_backward import gradcheck
from engines.custom_relu_backward.gradcheck import Check, Kink, Widths
from engines.network import torch_own_relu
from engines.trace import Step

Floats = NDArray[np.float64]
Variant = Literal["true", "slopes", "straight_through", "clipped", "leaky", "smooth"]
STEEPEST = 5.0  # slopes are between this and its negative
FARTHEST, MOST_POINTS = 100.0, 16  # the inputs that a design is judged at
LOUDER = 10.0  # gradients this large, too, are sent through a backward to judge it

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

# By variant: the value of the forward, and the lines of the backward.
VARIANTS: dict[Variant, tuple[str, list[str]]] = {
    "true": (
        RELU,
        [
            "grad_x = grad_output.clone()",
            "grad_x[x < 0] = 0",
            "return grad_x",
        ],
    ),
    "slopes": (
        RELU,
        [
            "slope = torch.full_like(x, {above!r})",
            "slope[x == 0] = {at!r}",
            "slope[x < 0] = {below!r}",
            "return grad_output * slope",
        ],
    ),
    "straight_through": (
        RELU,
        [
            "return grad_output.clone()  # whatever x was",
        ],
    ),
    "clipped": (
        RELU,
        [
            "grad_x = grad_output.clamp(-1, 1)",
            "grad_x[x < 0] = 0",
            "return grad_x",
        ],
    ),
    "leaky": (
        "torch.where(x < 0, {below!r} * x, x)",
        [
            "grad_x = grad_output.clone()",
            "grad_x[x < 0] *= {below!r}",
            "return grad_x",
        ],
    ),
    "smooth": (
        "torch.nn.functional.softplus(x)  # log(1 + exp(x))",
        [
            "return grad_output * torch.sigmoid(x)",
        ],
    ),
}


@dataclass(frozen=True)
class Design:
    """A variant, and its slopes below zero, at zero and above zero.

    Of the numbers, "slopes" uses all three, "leaky" the one below zero, the others none.
    Raises ValueError for a variant that does not exist, and for a slope that is not a number
    between -STEEPEST and STEEPEST.
    """

    variant: Variant = "slopes"
    below: float = 0.0
    at: float = 1.0
    above: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is out of bounds: nothing else may get into a listing that will run."""
        if self.variant not in get_args(Variant):
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


class Verdict(NamedTuple):
    """What is to be said of a design.

    away: the check at the inputs that are farther from 0 than gradcheck moves them; None without
    such inputs. louder: the same with LOUDER times the gradient arriving.
    at_zero: how its slope at zero fits with both sides.
    """

    away: Check | None
    louder: Check | None
    at_zero: Kink


def source_of(design: Design) -> str:
    """The listing that a design amounts to, and that runs."""
    forward, backward = VARIANTS[design.variant]
    text = LISTING.format(forward=forward, backward="\n        ".join(backward))
    return text.format(below=design.below, at=design.at, above=design.above)


@lru_cache(maxsize=64)
def function_of(design: Design) -> Any:
    """The listing, compiled: a function to be called with a tensor."""
    namespace: dict[str, Any] = {"torch": torch}
    exec(compile(source_of(design), "<design>", "exec"), namespace)
    return namespace["Designed"].apply


def curves(design: Design, x: ArrayLike, *, arriving: float = 1.0) -> Curves:
    """What the design makes of the inputs x, and of the gradient `arriving` at each of them."""
    leaf = torch.tensor(np.asarray(x, np.float64), requires_grad=True)
    output = function_of(design)(leaf)
    output.backward(torch.full_like(output, arriving))
    return Curves(output.detach().numpy(), leaf.grad.numpy())


def judge(design: Design, x: ArrayLike) -> Verdict:
    """Check a design at the inputs x, and at 0.

    Raises ValueError for more than MOST_POINTS inputs, and for one beyond ±FARTHEST, where
    rounding would be judged, not the design.
    """
    at = np.asarray(x, np.float64).ravel()
    if at.size > MOST_POINTS or not np.all(np.abs(at) <= FARTHEST):
        raise ValueError(f"at most {MOST_POINTS} inputs within ±{FARTHEST} can be judged")
    function = function_of(design)
    away = at[np.abs(at) > gradcheck.WIDTH]
    return Verdict(
        away=gradcheck.check(function, away) if away.size else None,
        louder=gradcheck.check(function, away, louder=LOUDER) if away.size else None,
        at_zero=gradcheck.kink(function),
    )


def widths(design: Design, point: float) -> Widths:
    """How far differences of every width are from the design's slope at a point."""
    return gradcheck.widths(function_of(design), point)


def train(
    design: Design,
    x_value: NDArray[Any],
    y_value: NDArray[Any],
    w1_value: NDArray[Any],
    w2_value: NDArray[Any],
    *,
    steps: int,
    learning_rate: float,
) -> Iterator[Step]:
    """Train the network of network/torch_own_relu.py with the design between its layers."""
    return torch_own_relu.train(
        x_value,
        y_value,
        w1_value,
        w2_value,
        steps=steps,
        learning_rate=learning_rate,
        relu=function_of(design),
    )
