"""Level curves are where the loss is what they say, for well-made data and for the worst."""

import numpy as np
import pytest

from engines.problem import Problem, preset
from views.regression.surface import level_curves


def with_data(x, y):
    x, y = np.array(x, np.float64), np.array(y, np.float64)
    return Problem(x, y, np.float64(0), np.float64(0), 1, "mean", learning_rate=0.1, steps=10)


@pytest.mark.parametrize(
    "problem",
    [preset("numpy_article"), with_data([0, 1, 5], [1, 0, 3]), with_data([2, 2], [3, 5])],
)
def test_on_a_level_curve_the_loss_is_the_same(problem):
    curves = level_curves(problem, np.array(problem.least_squares()), 100.0)
    there = problem.loss_at(curves["w"].to_numpy(), curves["b"].to_numpy())
    if np.isfinite(problem.condition):
        np.testing.assert_allclose(there, curves["loss"], rtol=1e-4)
    assert np.all(np.isfinite(curves[["w", "b"]]))


def test_in_a_long_bowl_the_curve_of_the_first_loss_goes_from_the_start_to_beyond_the_best():
    years = np.arange(2010.0, 2025)
    problem = with_data(years, 0.5 * (years - 2010) + 3 + np.sin(years))
    best = np.array(problem.least_squares())
    curves = level_curves(problem, best, float(problem.loss_at(0, 0)))
    first = curves[curves["level"] == 0]
    assert first["b"].min() < best[1] < 0 < first["b"].max()
