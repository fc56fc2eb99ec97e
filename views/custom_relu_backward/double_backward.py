"""The gradient of a gradient: which backwards can be differentiated in their turn."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import streamlit as st

from engines.custom_relu_backward import double_backward as engine
from views.player import cached
from views.ui.controls import Controls
from views.ui.errors import explain_phrases
from views.ui.shell import side_by_side

X = 3.0
TRUTH = {"dy/dx = 2x": 2 * X, "d²y/dx² = 2": 2.0}  # of y = x · relu(x), for a positive x
KINDS = {
    "in_place": "Set in place",
    "multiplied": "Multiplied",
    "in_numpy": "In NumPy",
    "once_differentiable": "once_differentiable",
}
ASKS = {"backward": "first.backward()", "grad": "torch.autograd.grad(first, x)"}

STORIES = {
    "in_place": "This is the backward from the top of the page. `clone()`, and what is then set to "
    "0, are operations of PyTorch, and autograd records them like those of a forward pass.",
    "multiplied": "A product with the mask, which is how most would write it. The mask itself is a "
    "constant: it changes only where x crosses 0.",
    "in_numpy": "What NumPy computes is not recorded. The tensor that leaves has the right numbers "
    "and no graph behind it, so for autograd it is a constant.",
    "once_differentiable": "The same NumPy, and a decorator that says so. Inside nothing is "
    "recorded, and what leaves carries a node in its graph whose only work is to raise an error.",
}
REFUSED = {
    "trying to differentiate twice": "Somebody asked for the gradient of something that this "
    "backward has computed.",
    "marked with @once_differentiable": "Its author has said that it gives gradients, and no "
    "gradients of these.",
}


_tried = cached(engine.second_derivative)


def differentiate(controls: Controls) -> None:
    """Choose a backward and a way to ask, and compare both derivatives with the truth."""
    kind = controls.choice(st.pills, "The backward", "kind", KINDS, "in_place", required=True)
    ask = controls.choice(
        st.pills, "The second derivative by", "ask", ASKS, "backward", required=True
    )
    kind, ask = str(kind), str(ask)
    way: Any = ask  # one of ASKS
    tried = _tried(kind, X, ask=way)
    left, right = side_by_side(2)
    with left:
        st.code(dedent(tried.source), language="python", wrap_lines=True)
    with right:
        st.markdown(f"{_table(tried)}\n\n{STORIES[kind]}")
        if tried.message:
            st.code(f"RuntimeError: {tried.message}", language=None, wrap_lines=True)
            explain_phrases(REFUSED)
        st.markdown(_verdict(tried, kind, ask))


def _table(tried: Any) -> str:
    found = [tried.first, tried.second]
    rows = "".join(
        f"| {name} | {truth:g} | **{'an error' if one is None else f'{one:g}'}** |\n"
        for (name, truth), one in zip(TRUTH.items(), found, strict=True)
    )
    return f"| y = x · relu(x) at x = {X:g} | the truth | autograd |\n|---|---|---|\n{rows}"


def _verdict(tried: Any, kind: str, ask: str) -> str:
    """What the second derivative is worth."""
    truth = TRUTH["d²y/dx² = 2"]
    if tried.second is None:
        return (
            "An error is the better answer: the one in its place would have been a wrong number. "
            "This is what `once_differentiable` is for. Now ask for the same by "
            "`torch.autograd.grad`."
        )
    if tried.second == truth:
        return "**Right.** This backward can be differentiated again."
    told = (
        f"**Wrong, and nobody says so.** dy/dx = relu(x) + x · relu′(x) has two parts that grow "
        f"with x, and {truth - tried.second:g} of {truth:g} is missing: the part that went through "
        "this backward is a constant to autograd. "
    )
    if kind == "once_differentiable" and ask == "grad":
        told += (
            "`first.backward()` visits every node behind `first`, and so meets the error. "
            "`grad(first, x)` visits only nodes that lead to x, and the one with the error leads "
            "nowhere. The decorator does not protect from this question. "
        )
    return told + (
        "`torch.autograd.gradgradcheck` compares second derivatives with differences of first "
        "ones, and objects to both backwards with NumPy in them."
    )
