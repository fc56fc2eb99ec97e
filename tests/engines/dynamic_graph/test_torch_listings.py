"""E5 in PyTorch, listing by listing the counterpart of the tape."""

import inspect

import numpy as np
import pytest

from engines.dynamic_graph import torch_listings
from engines.dynamic_graph.torch_listings import derivative, record, run_all

E5 = (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize("numbers", [E5, (2, -1, 0.5, 3), (0, 5, 1, -2), (-1.5, 0, 0, 0.25)])
def test_a_derivative_is_two_a_w_plus_b(numbers):
    a, b, c, w = numbers
    assert derivative(a=a, b=b, c=c, w=w) == (a * w**2 + b * w + c, 2 * a * w + b)


def test_every_listing_and_what_it_said():
    said = {name: answer for name, (_, answer) in run_all(*E5).items()}
    twice = said.pop("asked_again")
    assert twice.startswith("RuntimeError: Trying to backward through the graph a second time")
    assert said == {
        "derivative": "27.0\n10.0",
        "two_and_four": "tensor(6)",
        "not_watched": "RuntimeError: element 0 of tensors does not require grad and does not have "
        "a grad_fn",
        "variable": "tensor(10.)",
        "persistent": "tensor(10.)\ntensor(20.)",
        "parabola": "",
    }


@pytest.mark.parametrize("name", ["not_watched", "asked_again"])
def test_the_errors_really_raise(name):
    with pytest.raises(RuntimeError):
        getattr(torch_listings, name)(*E5)


def test_the_source_shown_is_that_of_the_listing_that_ran():
    for name, (source, _) in run_all(*E5).items():
        assert source == inspect.getsource(getattr(torch_listings, name))


def test_what_ran_without_w_has_no_node():
    step = record(*E5)
    [event] = [event for event in step.events if event.text == "a * b"]
    assert (event.kind, float(event.value), event.nodes) == ("plain", 2, ())


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30, 1e308])
def test_numbers_without_a_finite_answer_pass_through(number):
    assert not np.isfinite(record(number, 2.0, 3.0, number).graph.nodes[-1].value)
    assert "RuntimeError" in run_all(number, 2.0, 3.0, number)["asked_again"][1]
