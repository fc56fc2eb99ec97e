"""What slow motion shows of a graph is what the graph holds, and the chain rule holds in it."""

import numpy as np
import pytest

from engines.dynamic_graph.check_nodes import expected_gradients
from engines.graphs.read_torch import record
from engines.problem import preset
from engines.regression.torch_autograd import train
from engines.trace import record as record_plainly
from views.dynamic_graph import graph_series, story
from views.dynamic_graph.graph_series import edges_like, followed, moments, nodes_like
from views.dynamic_graph.runs import LISTING

PROBLEM = preset("autograd_article")
AT = [0, 1, 2, 7, 40]
POINT = 20


@pytest.fixture(scope="module")
def steps():
    return list(record(train(PROBLEM, steps=40, learning_rate=0.001), wanted=set(AT)))


@pytest.fixture(scope="module")
def series(steps):
    return followed(steps, expected_of(steps), point=POINT)


def test_a_step_has_two_moments_to_predict_four_for_the_loss_eight_backward_four_to_update(steps):
    for step in steps:
        assert story.story_of(step, LISTING).parts == (2, 4, 8, 4)
        assert len(moments(step)) == 18


def test_series_hold_what_the_nodes_of_each_step_hold(steps, series):
    for k, step in enumerate(steps):
        assert series["graph_step"].values[k] == series["graph_step"].at[k] == step.step
        for i, node in enumerate(nodes_like(steps[0].graph, step.graph)):
            assert node.kind == steps[0].graph.nodes[i].kind
            for name, array in (("value", node.value), ("arrived", node.gradient)):
                assert series[f"{name}_low_{i}"].values[k] == np.float32(array.min())
                assert series[f"{name}_high_{i}"].values[k] == np.float32(array.max())


def test_what_arrived_times_the_slope_is_what_was_handed_on(steps, series):
    graph = steps[0].graph
    for j, edge in enumerate(edges_like(graph, graph)):
        parts_of = series[f"part_at_{j}"].values
        target = [node.id for node in graph.nodes].index(edge.target)
        arrived, slope = series[f"arrived_at_{target}"].values, series[f"slope_at_{j}"].values
        np.testing.assert_allclose(parts_of, arrived * slope, rtol=1e-6)
        if edge.gradient.size >= graph[edge.target].gradient.size:
            assert parts_of[0] == pytest.approx(
                edge.gradient.flat[POINT * (edge.gradient.size > 1)]
            )
        else:  # to w or b, which all points share
            shares = graph[edge.target].gradient * graph_series._slope(graph[edge.target])
            assert parts_of[0] == pytest.approx(shares[POINT])
            assert edge.gradient == pytest.approx(shares.sum(), rel=1e-5)


def test_leaves_hold_their_sum_after_backward_and_move_and_are_emptied(steps, series):
    plain = record_plainly(train(PROBLEM, steps=41, learning_rate=0.001))
    leaves = {node.name: i for i, node in enumerate(steps[0].graph.nodes) if not node.text}
    for name, i in leaves.items():
        np.testing.assert_array_equal(
            series[f"grad_{i}"].values, plain.grads[name][AT].astype(np.float32)
        )
        moved = plain.params[name][[k + 1 for k in AT]].astype(np.float32)
        np.testing.assert_array_equal(series[f"moved_{i}"].values, moved)
        assert set(series[f"emptied_{i}"].values) == {0}


def test_the_strip_of_an_array_starts_and_ends_as_the_array_does(steps, series):
    cells = graph_series.BARS
    arrays = [node for node in steps[0].graph.nodes if node.value.size > 1]
    assert f"value_strip_{len(arrays) * cells}" not in series
    for k, node in enumerate(arrays):
        for name, array in (("value", node.value), ("arrived", node.gradient)):
            ends = (
                series[f"{name}_strip_{k * cells}"].values[0],
                series[f"{name}_strip_{(k + 1) * cells - 1}"].values[0],
            )
            assert ends == (np.float32(array[0]), np.float32(array[-1]))


def test_the_check_says_how_far_the_worst_gradient_is_off(steps):
    right = expected_of(steps)
    assert followed(steps, right, point=POINT)["checked_worst"].values.max() < 1e-5
    wrong = [{number: 2 * value for number, value in by_node.items()} for by_node in right]
    worst = followed(steps, wrong, point=POINT)["checked_worst"].values
    assert worst == pytest.approx(1, rel=1e-3)  # the scalar ones are off by all of themselves


def expected_of(steps):
    params = record_plainly(train(PROBLEM, steps=40, learning_rate=0.001)).params
    places = [PROBLEM.starting_at(params["w"][k], params["b"][k]) for k in AT]
    return [
        expected_gradients(train, place, step.graph, point=POINT)
        for place, step in zip(places, steps, strict=True)
    ]


def test_the_listing_s_lines_are_marked_at_the_moments_at_which_they_run(steps):
    computed = story.story_of(steps[0], LISTING).computed
    marked = {line: tuple(one.moments) for line, one in computed.items()}
    assert marked == {
        "y_pred = w * x**power + b": (0, 1),
        "loss = factor * torch.sum((y_pred - y) ** 2)": (2, 3, 4, 5),
        "loss.backward()": tuple(range(6, 14)),
        "w -= learning_rate * w.grad": (14,),
        "b -= learning_rate * b.grad": (15,),
        "w.grad.zero_()": (16,),
        "b.grad.zero_()": (17,),
    }
    assert computed["w -= learning_rate * w.grad"].series == "w_next"
