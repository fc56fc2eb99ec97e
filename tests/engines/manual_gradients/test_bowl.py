"""Along each axis of the bowl, every step multiplies the error by 1 − η·λ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.manual_gradients.bowl import errors, factors
from engines.problem import Problem, preset
from engines.regression import numpy_vectorized
from engines.trace import record

ARTICLE = preset("numpy_article")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 1.0, 1.3])
@pytest.mark.parametrize("problem", [ARTICLE, preset("loops_article")], ids=["parabola", "line"])
def test_a_step_multiplies_each_error_by_its_factor(problem, part):
    rate = part * problem.largest_stable_learning_rate
    trace = record(numpy_vectorized.train(problem, steps=12, learning_rate=rate))
    for error, factor in zip(errors(problem, trace), factors(problem, rate), strict=True):
        np.testing.assert_allclose(error, factor ** np.arange(13), atol=1e-9 * 1.7**12)


def test_of_the_longest_bowls_the_error_is_known_too():
    x = 1.7e9 + 60 * np.arange(13)  # seconds since 1970
    y, start = np.arange(13) + 3.0, np.float64(0)
    problem = Problem(x, y, start, start, 1, "mean", learning_rate=1, steps=1)
    rate = 0.2 * problem.largest_stable_learning_rate
    trace = record(numpy_vectorized.train(problem, steps=12, learning_rate=rate))
    steep, shallow = errors(problem, trace)
    np.testing.assert_allclose(steep, 0.6 ** np.arange(13), atol=1e-4)
    np.testing.assert_allclose(shallow, 1)


def test_at_the_limit_the_steep_factor_is_minus_one_and_at_half_of_it_nothing_is_left():
    limit = ARTICLE.largest_stable_learning_rate
    assert factors(ARTICLE, limit)[0] == pytest.approx(-1)
    assert factors(ARTICLE, limit / 2)[0] == pytest.approx(0, abs=1e-12)


def test_a_factor_before_the_loss_and_one_before_the_rate_are_one_thing():
    mean = replace(ARTICLE, loss="mean")
    assert factors(mean, 0.5) == pytest.approx(factors(ARTICLE, 0.01))


def test_where_a_run_starts_at_the_best_there_is_no_error():
    best = ARTICLE.starting_at(*ARTICLE.least_squares())
    trace = record(numpy_vectorized.train(best, steps=3, learning_rate=0.001))
    first = {name: values[:1].repeat(4) for name, values in trace.params.items()}
    still = replace(trace, params=first)
    for error in errors(best, still):
        assert not error.any()
