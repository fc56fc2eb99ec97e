"""Differentiating twice, as a visitor tries it."""

from functools import cache

import pytest

from engines.custom_relu_backward.double_backward import FUNCTIONS, differentiate_twice
from tests.support.visit import visit_section, words
from views.custom_relu_backward import double_backward
from views.ui import shell


@pytest.fixture(scope="module", autouse=True)
def settled():
    """As a page does it: else each visit would look through the frameworks for garbage."""
    shell.settle("the tests of a section")


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from views.custom_relu_backward import double_backward
    from views.ui.controls import Controls

    controls = Controls("section")
    double_backward.differentiate(controls)
    st.session_state["refused"] = controls.refused


def visit(name, by="backward"):
    return visit_section(section, double_backward=name, second_derivative=by)


seen = cache(visit)


def row(at, name):
    [found] = [line for line in words(at).splitlines() if line.startswith(f"| {name} ")]
    return [cell.strip() for cell in found.split("|")[2:-1]]


@pytest.mark.parametrize("by", double_backward.CALLS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_derivatives_stand_beside_the_truth(name, by):
    at = seen(name, by)
    found = differentiate_twice(name, 3.0, by=by)
    assert at.code[0].value == found.source.rstrip()
    assert row(at, "dy/dx = 2x") == ["6", "**6**"]
    second = "an error" if found.second is None else f"{found.second:g}"
    assert row(at, "d²y/dx² = 2") == ["2", f"**{second}**"]
    assert ("**Right.**" in words(at)) == (found.second == 2)
    assert ("without any error" in words(at)) == (found.second == 1)


def test_the_refusal_is_explained_phrase_by_phrase():
    at = seen("once_differentiable")
    message = differentiate_twice("once_differentiable").message
    assert at.code[1].value == f"RuntimeError: {message}"
    for phrase in ("trying to differentiate twice", "marked with @once_differentiable"):
        assert f"`{phrase}`" in words(at)


def test_how_the_refusal_is_passed_by_is_told_only_where_it_is():
    passed_by = "The decorator does not protect against this call."
    assert passed_by in words(seen("once_differentiable", "grad"))
    assert passed_by not in words(seen("in_numpy", "grad"))


def test_hostile_names_and_pills_that_were_put_out_fall_back():
    at = visit("thrice", "<b>")
    names = {"double_backward", "second_derivative"}
    assert {name for name, *_ in at.session_state["refused"]} == names
    for name in names:
        at.session_state[name] = None
    at.run()
    assert not at.exception
    assert row(at, "d²y/dx² = 2") == ["2", "**2**"]
