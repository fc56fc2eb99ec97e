"""The steps that are looked at are those of the run, and the counts are those of all its steps."""

import numpy as np
import pytest

from engines.dynamic_graph.run import count, look, stream
from engines.problem import custom, preset
from engines.trace import relative_difference

ARTICLE = preset("autograd_article")


def own(points):
    return custom(slope=3, offset=2, noise=0.2, points=points, power=2, seed=1)


def test_the_published_run_ends_where_the_article_does():
    trace = look(ARTICLE, steps=800, learning_rate=0.001).trace
    assert f"{trace.final.params['w']:.4f}" == "2.9578"
    assert f"{trace.final.params['b']:.4f}" == "2.0990"


def test_the_run_by_hand_is_that_of_numpy_to_rounding():
    looked = look(ARTICLE, steps=800, learning_rate=0.001)
    assert relative_difference(looked.by_hand, looked.trace).max() < 1e-5
    assert looked.by_hand.params["w"].dtype == np.float32


def test_the_stream_tells_the_batches_that_it_drew():
    trace, batches = stream(8, 0.001)
    assert len(trace) == len(batches) == 8001
    for k in (0, 1, 8000):
        x, y = (np.float64(values) for values in batches[k])
        w, b = (np.float64(trace.params[name][k]) for name in "wb")
        assert trace.losses[k] == pytest.approx(0.5 * np.sum((w * x + b - y) ** 2), rel=1e-4)


def test_each_step_looked_at_has_the_numbers_of_the_plain_run():
    looked = look(ARTICLE, steps=300, learning_rate=0.001)
    at = [step.step for step in looked.steps]
    assert at[:3] == [0, 1, 2]
    assert at[-1] == 300
    assert len(at) == len(looked.checks) == 32
    for step, by_node in zip(looked.steps, looked.checks, strict=True):
        assert set(by_node) == {node.id for node in step.graph.nodes}
        for leaf in step.graph.leaves:
            assert leaf.value == looked.trace.params[leaf.name][step.step]
            assert leaf.gradient == looked.trace.grads[leaf.name][step.step]


@pytest.mark.parametrize("rate", [0.1, 10.0])
def test_a_run_that_overflows_is_looked_at_as_far_as_it_went(rate):
    with np.errstate(all="ignore"):
        looked = look(ARTICLE, steps=800, learning_rate=rate)
    assert looked.trace.final.non_finite
    assert looked.steps[-1].step == len(looked.trace) - 1 < 800


def test_the_point_that_is_followed_is_one_of_the_data():
    for points in (3, 4, 500):
        assert 0 <= look(own(points), steps=1, learning_rate=1e-3).point < points


def test_six_objects_a_step_are_made_and_never_more_than_fourteen_live():
    for steps in (1, 40):
        assert count(ARTICLE, steps=steps, learning_rate=0.001) == (8 + 6 * steps, 14, 8)
