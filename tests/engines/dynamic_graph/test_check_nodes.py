"""The check knows nothing of autograd, and yet finds its gradients; and it finds a wrong one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.dynamic_graph.check_nodes import expected_gradients
from engines.graphs.read_torch import record
from engines.problem import preset
from engines.regression.torch_autograd import train
from engines.trace import Step


def first_graph(problem, listing=train):
    return next(record(listing(problem, steps=0, learning_rate=0.0), wanted={0})).graph


@pytest.mark.parametrize("name", ["autograd_article", "loops_article", "numpy_article"])
@pytest.mark.parametrize("point", [0, 20, 99])
def test_every_node_s_gradient_is_found_again(name, point):
    problem = preset(name)
    graph = first_graph(problem)
    found = expected_gradients(train, problem, graph, point=point)
    assert set(found) == {node.id for node in graph.nodes}
    for node in graph.nodes:
        gradient = node.gradient.flat[min(point, node.gradient.size - 1)]
        assert found[node.id] == pytest.approx(gradient, rel=2e-5, abs=1e-6)


def with_half_the_slope(problem, *, steps, learning_rate):
    """E3's forward pass, in which what the square keeps is halved behind autograd's back."""
    w = torch.tensor(problem.w, requires_grad=True)
    b = torch.tensor(problem.b, requires_grad=True)
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)
    for _ in range(steps + 1):
        residual = w * x**2 + b - y
        square = residual**2
        residual.data.mul_(0.5)
        loss = square.sum()
        loss.backward()
        yield Step(loss.item(), {}, {})


def test_a_wrong_backward_is_found_out_from_its_place_on():
    problem = preset("autograd_article")
    graph = first_graph(problem, with_half_the_slope)
    found = expected_gradients(with_half_the_slope, problem, graph, point=3)
    for leaf in graph.leaves:
        assert found[leaf.id] == pytest.approx(2 * leaf.gradient, rel=1e-5)
    square, total = graph.nodes[-2:]
    assert (square.kind, total.kind) == ("PowBackward0", "SumBackward0")
    assert found[total.id] == pytest.approx(total.gradient)


def test_nothing_is_left_behind_and_the_problem_is_as_it_was():
    problem = preset("autograd_article")
    before = replace(problem, x=problem.x.copy(), y=problem.y.copy())
    expected_gradients(train, problem, first_graph(problem), point=0)
    assert torch.overrides._get_current_function_mode_stack() == []
    assert problem.x.dtype == np.float32
    np.testing.assert_array_equal(problem.y, before.y)
    assert (problem.w, problem.b) == (before.w, before.b)
