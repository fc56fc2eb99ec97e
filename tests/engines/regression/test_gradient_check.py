"""The check lets every correct gradient pass, at any step and any h, and no mistaken one."""

from itertools import pairwise

import numpy as np
import pytest

from engines.differences import relative_error
from engines.manual_gradients.mistakes import with_mistake
from engines.problem import LOSSES, PRESETS, custom, preset
from engines.regression import numpy_vectorized
from engines.regression.gradient_check import (
    EPSILON,
    USUAL_WIDTH,
    WIDTHS,
    check,
    check_widths,
    difference_quotient,
    error_of_a_correct_gradient,
)
from engines.trace import record, thin

SIDES = ["central", "forward"]
every_side = pytest.mark.parametrize("side", SIDES)


def random_problem(seed):
    """Small and large numbers, few and many points, either power, any loss."""
    random = np.random.default_rng(seed)
    problem = custom(
        slope=random.normal() * 10 ** random.uniform(-3, 3),
        offset=random.normal() * 10 ** random.uniform(-3, 3),
        noise=10 ** random.uniform(-4, 1),
        points=int(random.integers(3, 200)),
        power=int(random.integers(1, 3)),
        seed=seed,
        loss=LOSSES[seed % 3],
    )
    return problem.starting_at(*random.normal(size=2) * 10)


def a_run(problem, *, steps=40, speed=0.45):
    """w and b (each of shape (k,)) and the gradients (2, k) of a run of the right listing."""
    learning_rate = speed * problem.largest_stable_learning_rate
    trace = record(numpy_vectorized.train(problem, steps=steps, learning_rate=learning_rate))
    grads = np.stack([trace.grads["w"], trace.grads["b"]])
    return trace.params["w"], trace.params["b"], grads


def error_and_limit(problem, w, b, grads, *, h, side):
    error = relative_error(grads, difference_quotient(problem, w, b, h, side))
    return error, error_of_a_correct_gradient(problem, w, b, slopes=grads, h=h, side=side)


def error_at_the_start(h, side):
    problem = preset("numpy_article")
    w, b, grads = a_run(problem, steps=0)
    return error_and_limit(problem, w, b, grads, h=h, side=side)[0][0]


# The quotient and the error


def test_a_central_quotient_is_the_slope_worked_out_by_hand():
    problem = custom(slope=0, offset=0, noise=0, points=3, power=1, seed=0, loss="half_sum")
    # x = -1, 0, 1 and y = 0: L = w**2 + 1.5 b**2, so its slopes are 2w and 3b.
    slopes = difference_quotient(problem, [1.0, 2.0], [0.0, -1.0], 0.5, "central")
    np.testing.assert_allclose(slopes, [[2, 4], [0, -3]])


def test_a_forward_quotient_is_off_by_half_of_h_times_the_curvature():
    problem = custom(slope=0, offset=0, noise=0, points=3, power=1, seed=0, loss="half_sum")
    slopes = difference_quotient(problem, [1.0, 2.0], [0.0, -1.0], 0.5, "forward")
    np.testing.assert_allclose(slopes, [[2 + 0.5, 4 + 0.5], [0.75, -3 + 0.75]])


@pytest.mark.parametrize(
    ("one", "other", "error"),
    [
        ((3, 4), (3, 4), 0),
        ((3, 4), (-3, -4), 2),
        ((3, 4), (0, 0), 1),
        ((0, 0), (0, 0), 0),
        ((3, 4), (6, 8), 0.5),
        ((1e-200, 0), (0, 1e-200), np.sqrt(2)),
    ],
)
def test_the_relative_error_of_a_pair(one, other, error):
    one, other = np.array([one], float).T, np.array([other], float).T
    assert relative_error(one, other) == pytest.approx(error, rel=1e-15)
    assert relative_error(other, one) == pytest.approx(error, rel=1e-15)


# A correct gradient passes


@pytest.fixture(scope="module")
def many_runs():
    problems = [random_problem(seed) for seed in range(60)]
    problems += [preset(name).astype(np.float64) for name in PRESETS]
    return [(problem, *a_run(problem)) for problem in problems]


@every_side
@pytest.mark.parametrize("h", [10.0**k for k in range(-14, 0)], ids="{:.0e}".format)
def test_a_correct_gradient_passes_at_every_step_of_many_runs(h, side, many_runs):
    for problem, w, b, grads in many_runs:
        error, limit = error_and_limit(problem, w, b, grads, h=h, side=side)
        assert np.all(error <= limit * (1 + 1e-9))


def test_a_correct_gradient_passes_at_a_large_h_where_x_is_large():
    problem = preset("loops_article")
    w, b, grads = a_run(problem)
    for h in np.geomspace(1, 100, 50):
        error, limit = error_and_limit(problem, w, b, grads, h=h, side="central")
        assert np.all(error <= limit)


@every_side
@pytest.mark.parametrize("h", [1e-1, 1e-5, 1e-14])
def test_a_gradient_of_exactly_zero_at_the_answer_passes(h, side):
    problem = custom(slope=3, offset=2, noise=0, points=5, power=2, seed=0).starting_at(3, 2)
    w, b, grads = a_run(problem, steps=0)
    assert np.all(grads == 0)
    error, limit = error_and_limit(problem, w, b, grads, h=h, side=side)
    assert error <= limit


@every_side
def test_the_limit_is_at_most_the_largest_relative_error_there_is(side):
    problem = random_problem(1)
    w, b = np.array([problem.least_squares()]).T
    grads = np.full((2, 1), 1e-300)
    limit = error_of_a_correct_gradient(problem, w, b, slopes=grads, h=1e-14, side=side)
    assert limit == [2]


# A mistaken gradient does not


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(lambda g: -g, id="sign"),
        pytest.param(lambda g: 2 * g, id="twice"),
        pytest.param(lambda g: 1.001 * g, id="one part in a thousand"),
        pytest.param(lambda g: g * [[1], [0]], id="b forgotten"),
        pytest.param(lambda g: g[::-1], id="w and b exchanged"),
    ],
)
def test_a_mistaken_gradient_fails(mistake, seed):
    problem = random_problem(seed)
    w, b, grads = a_run(problem, steps=3)
    error, limit = error_and_limit(problem, w, b, mistake(grads), h=1e-3, side="central")
    assert np.all(error > limit)


# What h does


def test_forward_differences_get_better_and_then_worse_as_h_shrinks():
    large, medium, best, small, tiny = (
        error_at_the_start(h, "forward") for h in (1e-2, 1e-5, 1e-8, 1e-11, 1e-14)
    )
    assert large > 100 * medium > 10_000 * best
    assert tiny > 100 * small > 10_000 * best


def test_the_forward_error_falls_in_proportion_to_h_while_truncation_rules():
    ratio = error_at_the_start(1e-2, "forward") / error_at_the_start(1e-4, "forward")
    assert ratio == pytest.approx(100, rel=0.01)


def test_central_differences_have_no_truncation_error_because_the_loss_is_quadratic():
    errors = [error_at_the_start(h, "central") for h in (10, 1, 0.1)]
    assert max(errors) < 100 * EPSILON


def test_central_differences_only_get_worse_as_h_shrinks():
    errors = [error_at_the_start(h, "central") for h in (1, 1e-4, 1e-8, 1e-12)]
    assert all(larger > 10 * smaller for smaller, larger in pairwise(errors))


def test_the_limit_of_a_forward_difference_is_its_error_while_truncation_rules():
    problem = preset("numpy_article")
    error, limit = error_and_limit(problem, *a_run(problem, steps=5), h=1e-3, side="forward")
    np.testing.assert_allclose(error, limit, rtol=0.01)


@pytest.mark.parametrize("h", [1e-2, 1e-6, 1e-10])
def test_the_limit_of_a_central_difference_is_rounding_over_h(h):
    problem = preset("numpy_article")
    error, limit = error_and_limit(problem, *a_run(problem, steps=20), h=h, side="central")
    assert EPSILON / h < limit.max() < 100 * EPSILON / h
    assert error.max() > limit.max() / 1000


# The check of a run


def a_trace(problem, *, steps):
    return record(numpy_vectorized.train(problem, steps=steps, learning_rate=0.01))


def test_checking_a_run_looks_at_its_first_its_last_and_some_steps_between():
    problem = random_problem(3)
    checked = check(problem, a_trace(problem, steps=300), keep=20)["checked"]
    np.testing.assert_array_equal(checked, thin(301, 20))
    assert (checked[0], checked[-1], len(checked)) == (0, 300, 20)


def test_checking_a_run_compares_its_gradients_at_every_width():
    problem = random_problem(3)
    trace = a_trace(problem, steps=300)
    columns = check_widths(problem, trace, keep=20)

    at = columns["checked_widths"]
    w, b = trace.params["w"][at], trace.params["b"][at]
    grads = np.stack([trace.grads["w"][at], trace.grads["b"][at]])
    for i, width in enumerate(WIDTHS):
        h = width * np.maximum(1, np.maximum(np.abs(w), np.abs(b)))
        central, _ = error_and_limit(problem, w, b, grads, h=h, side="central")
        forward, _ = error_and_limit(problem, w, b, grads, h=h, side="forward")
        np.testing.assert_array_equal(columns[f"central_{i}"], central)
        np.testing.assert_array_equal(columns[f"forward_{i}"], forward)
        assert np.all(central <= columns[f"allowed_{i}"])


@pytest.mark.parametrize("name", ["wrong_sign", "input_forgotten"])
def test_a_wrong_gradient_is_caught_to_the_end_of_a_long_run(name):
    problem = preset("numpy_article")
    variant = with_mistake(name, problem, problem.learning_rate)
    trace = record(variant.train(problem, steps=800, learning_rate=variant.learning_rate))
    columns = check(problem, trace, keep=100)
    assert np.all(columns["error"] > 100 * columns["allowed"])
    assert np.all(columns["allowed"] < 0.01)


def test_checking_a_run_shows_the_numeric_gradient_of_the_usual_width():
    problem = random_problem(3)
    trace = a_trace(problem, steps=5)
    columns = check(problem, trace, keep=10)
    np.testing.assert_allclose(columns["numeric_w"], trace.grads["w"], rtol=1e-5)
    np.testing.assert_allclose(columns["numeric_b"], trace.grads["b"], rtol=1e-5)
    widths = check_widths(problem, trace, keep=10)
    np.testing.assert_array_equal(columns["error"], widths[f"central_{USUAL_WIDTH}"])
    np.testing.assert_array_equal(columns["allowed"], widths[f"allowed_{USUAL_WIDTH}"])
    assert np.all(columns["error"] <= columns["allowed"])


def test_checking_a_run_that_overflowed_is_quiet_and_right_before_the_end():
    problem = custom(slope=3, offset=2, noise=0.1, points=9, power=2, seed=1)
    learning_rate = 3 * problem.largest_stable_learning_rate
    trace = record(numpy_vectorized.train(problem, steps=1000, learning_rate=learning_rate))
    assert trace.final.non_finite
    columns = check(problem, trace, keep=len(trace))
    assert np.all(columns["error"][:5] <= columns["allowed"][:5])
