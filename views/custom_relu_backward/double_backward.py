"""The gradient of a gradient: which backwards can themselves be differentiated."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import streamlit as st

from engines.custom_relu_backward import double_backward as engine
from engines.custom_relu_backward.double_backward import Derivatives
from views.player import cached
from views.ui import errors
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.shell import side_by_side
from views.ui.table import markdown_table

X = 3.0
FIRST, SECOND = 2 * X, 2.0  # the derivatives of y = x · relu(x), for a positive x
FUNCTIONS = {
    "in_place": "Set in place",
    "multiplied": "Multiplied",
    "in_numpy": "In NumPy",
    "once_differentiable": "once_differentiable",
}
CALLS = {"backward": "first.backward()", "grad": "torch.autograd.grad(first, x)"}
STORIES = {
    "in_place": "This is the backward from the top of the page. `clone()`, and setting entries to "
    "0, are PyTorch operations, and autograd records them like those of a forward pass.",
    "multiplied": "A product with the mask, which is how most people would write it. The mask "
    "itself is a constant: it changes only where x crosses 0.",
    "in_numpy": "What NumPy computes is not recorded. The tensor that leaves has the right numbers "
    "and no graph behind it, so for autograd it is a constant.",
    "once_differentiable": "The same NumPy, and a decorator that says so. Inside nothing is "
    "recorded, and what leaves carries a node in its graph whose only job is to raise an error.",
}

_differentiate_twice = cached(engine.differentiate_twice)


def differentiate(controls: Controls) -> None:
    """Choose a backward and a way to differentiate it, and compare with the right derivatives."""
    name = str(
        controls.choice(
            st.pills, "The backward", "double_backward", FUNCTIONS, "in_place", required=True
        )
    )
    by: Any = controls.choice(
        st.pills, "The second derivative by", "second_derivative", CALLS, "backward", required=True
    )
    found = _differentiate_twice(name, X, by=by)
    left, right = side_by_side(2)
    with left:
        st.code(dedent(found.source), language="python", wrap_lines=True)
    with right:
        st.markdown(f"{_table(found)}\n{STORIES[name]}")
        if found.message:
            errors.explain("RuntimeError", found.message)
        passed_by = name == "once_differentiable" and by == "grad"
        st.markdown(_verdict(found.second, passed_by=passed_by))


def _table(found: Derivatives) -> str:
    second = "an error" if found.second is None else number(found.second)
    rows = [
        ("dy/dx = 2x", number(FIRST), f"**{number(found.first)}**"),
        ("d²y/dx² = 2", number(SECOND), f"**{second}**"),
    ]
    return markdown_table((f"y = x · relu(x) at x = {number(X)}", "the truth", "autograd"), rows)


def _verdict(second: float | None, *, passed_by: bool) -> str:
    """What the second derivative is worth. passed_by: whether the error was never reached."""
    if second is None:
        return (
            "The error is the better answer: without it you would have got a wrong number. This is "
            "what `once_differentiable` is for. Now compute the same by `torch.autograd.grad`."
        )
    if second == SECOND:
        return "**Right.** This backward can be differentiated again."
    told = (
        f"**Wrong, without any error.** dy/dx = relu(x) + x · relu′(x) has two parts that grow "
        f"with x, and {number(SECOND - second)} of {number(SECOND)} is missing: the part that went "
        "through this backward is a constant to autograd. "
    )
    if passed_by:
        told += (
            "`first.backward()` visits every node behind `first`, and so meets the error. "
            "`grad(first, x)` visits only nodes that lead to x, and the one with the error leads "
            "nowhere. The decorator does not protect against this call. "
        )
    return told + (
        "`torch.autograd.gradgradcheck` compares second derivatives with differences of first "
        "ones, and objects to both backwards with NumPy in them."
    )
