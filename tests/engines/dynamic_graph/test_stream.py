"""E4, a line learnt from data that never repeats."""

from itertools import islice

import numpy as np
import pytest
import torch

from engines.dynamic_graph import stream
from engines.dynamic_graph.stream import batches, train
from engines.problem import preset
from engines.trace import record


def run(steps, *, learning_rate=0.001, **settings):
    problem = preset("stream_article")
    return record(train(problem, steps=steps, learning_rate=learning_rate, **settings))


def line_of(trace):
    return np.stack([trace.params["w"], trace.params["b"]], axis=1).astype(np.float64)


def test_the_first_batch_is_the_presets():
    problem = preset("stream_article")
    x, y = next(batches())
    np.testing.assert_array_equal(x.numpy(), problem.x)
    np.testing.assert_array_equal(y.numpy(), problem.y)
    first = run(0).final
    assert first.loss == pytest.approx(float(problem.loss_at(problem.w, problem.b)), rel=1e-6)
    assert first.params == {"w": problem.w, "b": problem.b}


def test_the_stream_tells_the_batches_that_it_drew():
    trace, drawn = stream.run(8, 0.001)
    assert len(trace) == len(drawn) == 8001
    for k in (0, 1, 8000):
        x, y = (np.float64(values) for values in drawn[k])
        w, b = (np.float64(trace.params[name][k]) for name in "wb")
        assert trace.losses[k] == pytest.approx(0.5 * np.sum((w * x + b - y) ** 2), rel=1e-4)


def test_data_follow_the_articles_law():
    x, y = next(batches(size=200_000, seed=5))
    noise = (y - 2 * x - 3).numpy().astype(np.float64)
    assert 0 <= x.min() < 0.001
    assert 19.999 < x.max() < 20
    assert x.mean() == pytest.approx(10, abs=0.05)
    assert noise.mean() == pytest.approx(0, abs=0.03)
    assert noise.std() == pytest.approx(3, rel=0.01)


def test_no_two_batches_are_alike():
    xs = [tuple(x.tolist()) for x, _ in islice(batches(), 300)]
    assert len(set(xs)) == 300


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_each_step_is_gradient_descent_on_a_batch_of_its_own(batch):
    trace, (w, b) = run(40, batch=batch, seed=7), line_of(run(0))[0]
    for k, (x, y) in enumerate(islice(batches(size=batch, seed=7), 41)):
        x, y = x.numpy().astype(np.float64), y.numpy().astype(np.float64)  # noqa: PLW2901
        residual = w * x + b - y
        grad_w, grad_b = np.sum(residual * x), np.sum(residual)
        loss, params, grads = trace[k]
        computed = [loss, params["w"], params["b"], grads["w"], grads["b"]]
        expected = [0.5 * np.sum(residual**2), w, b, grad_w, grad_b]
        np.testing.assert_allclose(computed, expected, rtol=2e-4, atol=2e-4)
        w, b = w - 0.001 * grad_w, b - 0.001 * grad_b
    assert len(trace) == 41


def test_a_stream_is_reproducible_from_its_seed_and_leaves_the_global_one_alone():
    state = torch.get_rng_state()
    one, same, other = run(20), run(20), run(20, seed=1001)
    np.testing.assert_array_equal(one.losses, same.losses)
    assert not np.any(one.losses == other.losses)
    assert torch.equal(torch.get_rng_state(), state)
