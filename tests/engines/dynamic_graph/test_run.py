"""The steps inspected are those of the run, and the counts are those of all its steps."""

import numpy as np
import pytest

from engines.dynamic_graph.run import count, inspect
from engines.problem import custom, preset
from engines.trace import relative_difference

ARTICLE = preset("autograd_article")


def own(points):
    return custom(slope=3, offset=2, noise=0.2, points=points, power=2, seed=1)


@pytest.fixture(scope="module")
def article():
    return inspect(ARTICLE, steps=800, learning_rate=0.001)


def test_the_published_run_ends_where_the_article_does(article):
    end = article.trace.final.params
    assert f"{end['w']:.4f}" == "2.9578"
    assert f"{end['b']:.4f}" == "2.0990"


def test_the_run_by_hand_is_that_of_numpy_to_rounding(article):
    assert relative_difference(article.by_hand, article.trace).max() < 1e-5
    assert article.by_hand.params["w"].dtype == np.float32


def test_each_step_inspected_has_the_numbers_of_the_plain_run(article):
    at = [step.step for step in article.steps]
    assert at[:3] == [0, 1, 2]
    assert at[-1] == 800
    assert len(at) == len(article.expected) == 32
    for step, by_node in zip(article.steps, article.expected, strict=True):
        assert set(by_node) == {node.id for node in step.graph.nodes}
        for leaf in step.graph.leaves:
            assert leaf.value == article.trace.params[leaf.name][step.step]
            assert leaf.gradient == article.trace.grads[leaf.name][step.step]


@pytest.mark.parametrize("rate", [0.1, 10.0])
def test_a_run_that_overflows_is_inspected_as_far_as_it_went(rate):
    with np.errstate(all="ignore"):
        run = inspect(ARTICLE, steps=800, learning_rate=rate)
    assert run.trace.final.non_finite
    assert run.steps[-1].step == len(run.trace) - 1 < 800


def test_the_point_that_is_followed_is_one_of_the_data():
    for points in (3, 4, 500):
        assert 0 <= inspect(own(points), steps=1, learning_rate=1e-3).point < points


def test_six_objects_a_step_are_made_and_never_more_than_fourteen_live():
    for steps in (1, 40):
        assert count(ARTICLE, steps=steps, learning_rate=0.001) == (8 + 6 * steps, 14, 8)
