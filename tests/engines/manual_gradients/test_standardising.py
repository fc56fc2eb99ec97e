"""Standardised data: the same line, and a round bowl."""

import numpy as np
import pytest

from engines.manual_gradients.standardising import Units, standardised, steps_to
from engines.problem import Problem
from engines.regression import numpy_vectorized
from engines.trace import record


def with_data(x, y, power=1):
    x, y = np.array(x, np.float64), np.array(y, np.float64)
    return Problem(x, y, np.float64(0), np.float64(0), power, "mean", learning_rate=0.1, steps=10)


YEARS = with_data(np.arange(2010, 2025), [3, 5, 4, 6, 8, 7, 9, 9, 12, 11, 13, 12, 15, 14, 16])
SECONDS = with_data(1.7e9 + np.arange(12.0), np.arange(12.0) ** 1.5)


@pytest.mark.parametrize("problem", [YEARS, SECONDS, with_data([1, 2, 4, 7], [3, 1, 5, 2], 2)])
def test_the_bowl_becomes_round_and_the_best_line_stays(problem):
    new, units = standardised(problem)
    assert new.condition == pytest.approx(1, rel=1e-12)
    assert np.abs([new.x.mean(), new.y.mean()]).max() < 1e-9
    np.testing.assert_allclose([new.x.std(), new.y.std()], 1)
    w, b = units.back(*new.least_squares())
    fitted = w * problem.x**problem.power + b
    best_w, best_b = problem.least_squares()
    np.testing.assert_allclose(w, best_w)
    assert np.abs(fitted - best_w * problem.x**problem.power - best_b).max() < 1e-5


@pytest.mark.parametrize(("x", "y"), [([3], [5]), ([2, 2, 2], [1, 4, 7]), ([1, 2], [5, 5])])
def test_what_does_not_vary_keeps_its_unit(x, y):
    new, units = standardised(with_data(x, y))
    assert np.isfinite([*new.x, *new.y]).all()
    assert (units.x_one == 1) == (len(set(x)) == 1)
    assert (units.y_one == 1) == (len(set(y)) == 1)


def test_units_go_back_and_units_of_one_change_nothing():
    assert Units().back(2.5, -1) == (2.5, -1)
    assert Units(10, 2, 100, 5).back(1, 0) == (2.5, 75)


@pytest.mark.parametrize("of_limit", [0.05, 0.2, 0.5])
def test_the_steps_it_takes_are_those_of_a_run(of_limit):
    problem = with_data([0, 1, 2, 3], [1, 3, 2, 5])
    rate = of_limit * problem.largest_stable_learning_rate
    steps = steps_to(0.001, problem, rate)
    start = problem.starting_at(*(np.array(problem.least_squares()) + _flattest(problem)))
    trace = record(numpy_vectorized.train(start, steps=round(steps), learning_rate=rate))
    left = np.hypot(
        trace.params["w"][-1] - problem.least_squares()[0],
        trace.params["b"][-1] - problem.least_squares()[1],
    )
    assert left == pytest.approx(0.001, rel=0.2)


def _flattest(problem):
    return np.linalg.eigh(problem.hessian)[1][:, 0]


def test_beyond_the_limit_no_number_of_steps_is_enough():
    assert steps_to(0.001, YEARS, 1.01 * YEARS.largest_stable_learning_rate) == np.inf
    assert steps_to(0.001, standardised(YEARS)[0], 0.5) == 1
    assert steps_to(0.001, with_data([2], [3]), 0.05) < 100
