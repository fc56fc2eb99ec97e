"""Differentiating twice, as a visitor tries it."""

from functools import cache

import pytest
import torch

from engines.custom_relu_backward.double_backward import KINDS, second_derivative
from tests.support.visit import visit_section, words
from views.custom_relu_backward import double_backward as relu_twice
from views.ui import shell


@pytest.fixture(scope="module", autouse=True)
def settled():
    """As a page does it: else each visit would look through the frameworks for garbage."""
    shell.settle("the tests of a section")


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from views.custom_relu_backward import double_backward as relu_twice
    from views.ui.controls import Controls

    controls = Controls("section")
    relu_twice.differentiate(controls)
    st.session_state["refused"] = controls.refused


@cache
def seen(kind, ask="backward"):
    return visit(kind=kind, ask=ask)


def visit(**query):
    return visit_section(section, **query)


def row(at, name):
    [found] = [line for line in words(at).splitlines() if line.startswith(f"| {name} ")]
    return [cell.strip() for cell in found.split("|")[2:-1]]


@pytest.mark.parametrize("ask", relu_twice.ASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_derivatives_stand_beside_the_truth(kind, ask):
    at = seen(kind, ask)
    tried = second_derivative(kind, 3.0, ask=ask)
    assert at.code[0].value == tried.source.rstrip()
    assert row(at, "dy/dx = 2x") == ["6", "**6**"]
    second = "an error" if tried.second is None else f"{tried.second:g}"
    assert row(at, "d²y/dx² = 2") == ["2", f"**{second}**"]
    assert ("**Right.**" in words(at)) == (tried.second == 2)
    assert ("nobody says so" in words(at)) == (tried.second == 1)


def test_the_refusal_is_explained_phrase_by_phrase():
    at = seen("once_differentiable")
    message = second_derivative("once_differentiable").message
    assert at.code[1].value == f"RuntimeError: {message}"
    assert all(phrase in message for phrase in relu_twice.REFUSED)
    assert all(f"`{phrase}`" in words(at) for phrase in relu_twice.REFUSED)


def test_how_the_refusal_is_passed_by_is_told_only_where_it_is():
    passed_by = "The decorator does not protect from this question."
    assert passed_by in words(seen("once_differentiable", "grad"))
    assert passed_by not in words(seen("in_numpy", "grad"))


@pytest.mark.parametrize(
    ("kind", "right"),
    [("in_place", True), ("multiplied", True), ("in_numpy", False), ("once_differentiable", False)],
)
def test_pytorch_s_check_of_second_derivatives_objects_as_it_is_told(kind, right):
    x = torch.tensor([-2.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)

    def y(x):
        return x * KINDS[kind].apply(x)

    assert torch.autograd.gradgradcheck(y, (x,), raise_exception=False) == right


def test_hostile_names_and_pills_that_were_put_out_fall_back():
    at = visit(kind="thrice", ask="<b>")
    assert {name for name, *_ in at.session_state["refused"]} == {"kind", "ask"}
    at.session_state["kind"] = None
    at.session_state["ask"] = None
    at.run()
    assert not at.exception
    assert row(at, "d²y/dx² = 2") == ["2", "**2**"]
