"""Level curves are where the loss is what they say, and a window holds what is to be seen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engines.problem import Problem, preset
from views.regression.levels import level_curves, level_labels, until_far, window


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


@pytest.mark.parametrize("loss", ["half_sum", "mean"])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_level_says_its_loss_on_its_curve_away_from_what_is_drawn(loss, side):
    problem = replace(preset("numpy_article"), loss=loss)
    best = np.array(problem.least_squares())
    start = best + side * (np.array([problem.w, problem.b]) - best)
    path = np.linspace(start, best, 9)
    shown = (start + best) / 2, 2.0, 2.0
    labels = level_labels(problem, best, float(problem.loss_at(*start)), shown, [path])
    losses = [float(text) for text in labels["text"]]
    assert len(losses) >= 3
    there = problem.loss_at(labels["w"].to_numpy(), labels["b"].to_numpy())
    np.testing.assert_allclose(there, losses, rtol=0.005)  # of three digits
    on = np.linspace(start, best, 500)  # the path, and each label well away from it
    places = labels[["w", "b"]].to_numpy()
    assert np.linalg.norm(places[:, None] - on, axis=2).min() > 0.19
    assert np.abs(places - shown[0]).max() < 2.0


def test_losses_that_differ_little_are_told_with_as_many_digits_as_that_takes():
    problem = with_data([0, 1, 2], [100, -200, 300])
    best = np.array(problem.least_squares())
    floor = float(problem.loss_at(*best))
    labels = level_labels(problem, best, floor + 1.0, (best, 9.0, 9.0), [best[None]])
    assert len(set(labels["text"])) == len(labels) >= 3
    np.testing.assert_allclose(labels["text"].astype(float) - floor, [0.25, 1, 4, 16], rtol=0.1)


def test_a_window_holds_a_path_as_far_as_it_is_asked_to():
    best, path = np.array([[0.0, 0.0]]), np.array([[1.0, 0], [-2, 0], [4, 0], [-8, 0]])
    center, half_w, _ = window(best, [path], farthest=3.0)
    assert center[0] - half_w < -2
    assert center[0] + half_w < 4
    center, half_w, _ = window(best, [path], farthest=10.0)
    assert center[0] - half_w < -8


def test_a_path_ends_with_the_jump_that_leaves_the_map():
    path = pd.DataFrame({"step": range(4), "w": [1.0, -2, 40, -800], "b": 0.0})
    assert len(until_far(path, np.zeros(2), 2.0, 2.0)) == 3
