"""Each mistake is one line, and does to a run what a teacher would say it does."""

import inspect

import numpy as np
import pytest

from engines.differences import relative_error
from engines.manual_gradients.mistakes import CHANGES, how_it_ended, with_mistake
from engines.problem import LOSSES, custom
from engines.regression import numpy_vectorized
from engines.regression.gradient_check import difference_quotient, error_of_a_correct_gradient
from engines.trace import record

LISTING = inspect.getsource(numpy_vectorized.train)
every_loss = pytest.mark.parametrize("loss", LOSSES)


def problem_with(loss="mean", power=2):
    problem = custom(slope=3, offset=2, noise=0.1, points=40, power=power, seed=1, loss=loss)
    return problem.starting_at(0.5, -1)


def run(mistake, problem, *, steps, speed=0.2):
    """Train at `speed` times the largest learning rate at which the right listing is stable."""
    train = with_mistake(mistake, problem, 0).train
    learning_rate = speed * problem.largest_stable_learning_rate
    return record(train(problem, steps=steps, learning_rate=learning_rate))


def distance_from(answer, trace):
    return np.hypot(trace.params["w"] - answer[0], trace.params["b"] - answer[1])


# One line of the listing


def test_there_are_four_mistakes():
    assert list(CHANGES) == ["wrong_sign", "input_forgotten", "factor_forgotten", "updated_w"]


@pytest.mark.parametrize("name", CHANGES)
def test_a_mistake_is_the_listing_with_one_line_changed_and_runs_as_it_does(name):
    problem = problem_with()
    [(right, wrong)] = CHANGES[name].items()
    variant = with_mistake(name, problem, 0.05)
    assert variant[:2] == (right, wrong)
    assert variant.source == LISTING.replace(right, wrong) != LISTING
    assert variant[3:5] == (problem, 0.05)
    trace = record(variant.train(problem, steps=7, learning_rate=0.01))
    assert len(trace) == 8
    assert list(trace.columns()) == ["loss", "w", "b", "grad_w", "grad_b"]
    assert trace[0].params == {"w": problem.w, "b": problem.b}


# What happens


@every_loss
def test_with_the_wrong_sign_every_step_climbs_until_it_overflows(loss):
    trace = run("wrong_sign", problem_with(loss), steps=10_000)
    assert np.all(np.diff(trace.losses) > 0)
    assert len(trace) < 10_000
    assert trace.final.non_finite == ("loss",)


@every_loss
def test_without_the_input_training_comes_to_rest_at_a_wrong_place(loss):
    problem = problem_with(loss)
    answer = problem.least_squares()
    trace = run("input_forgotten", problem, steps=400)
    assert abs(trace.final.grads["w"]) < 1e-9  # at rest, by its own gradient
    assert distance_from(answer, trace)[-1] > 0.3
    assert trace.final.loss > 2 * problem.loss_at(*answer)


def test_without_the_input_w_and_b_only_move_together():
    trace = run("input_forgotten", problem_with(), steps=50)
    apart = trace.params["w"] - trace.params["b"]
    np.testing.assert_allclose(apart, apart[0], rtol=1e-12)
    assert trace.final.params["w"] != trace[0].params["w"]


@pytest.mark.parametrize(
    ("loss", "times"), [("mean", 40), ("half_sum", 2), ("mean_half_squared", 160)]
)
def test_a_gradient_without_its_factor_is_too_big_by_that_factor(loss, times):
    problem = problem_with(loss)
    wrong = run("factor_forgotten", problem, steps=0)
    right = run(None, problem, steps=0)
    for name in ("w", "b"):
        assert wrong[0].grads[name] == pytest.approx(times * right[0].grads[name], rel=1e-12)


def test_without_its_factor_the_mean_diverges_at_a_learning_rate_that_was_safe():
    trace = run("factor_forgotten", problem_with("mean"), steps=1000)
    assert trace.final.non_finite == ("loss",)


def test_without_its_factor_the_half_sum_only_learns_at_twice_the_rate():
    problem = problem_with("half_sum")
    wrong = run("factor_forgotten", problem, steps=30, speed=0.2)
    twice = run(None, problem, steps=30, speed=0.4)
    np.testing.assert_allclose(wrong.params["w"], twice.params["w"], rtol=1e-12)
    np.testing.assert_allclose(wrong.params["b"], twice.params["b"], rtol=1e-12)


@every_loss
def test_updating_b_with_the_new_w_takes_another_way_to_the_same_answer(loss):
    problem = problem_with(loss)
    wrong = run("updated_w", problem, steps=1500)
    right = run(None, problem, steps=1500)
    answer = problem.least_squares()
    assert distance_from(answer, wrong)[-1] < 1e-9
    assert distance_from(answer, right)[-1] < 1e-9
    assert abs(wrong.params["b"][1] - right.params["b"][1]) > 0.05


# What is run, with a mistake in it or without


def test_without_a_mistake_the_right_listing_runs_as_it_was_set():
    problem = problem_with()
    train = numpy_vectorized.train
    assert with_mistake(None, problem, 0.05) == (
        "",
        "",
        inspect.getsource(train),
        problem,
        0.05,
        train,
    )


@every_loss
def test_beyond_the_limit_the_right_listing_diverges(loss):
    problem = problem_with(loss)
    variant = with_mistake("beyond_limit", problem, 0.05)
    assert (variant.right, variant.problem) == ("learning_rate = 0.05", problem)
    assert float(variant.wrong.removeprefix("learning_rate = ")) == pytest.approx(
        variant.learning_rate
    )
    assert variant.learning_rate > problem.largest_stable_learning_rate
    losses = record(variant.train(problem, steps=400, learning_rate=variant.learning_rate)).losses
    assert losses[-1] > 1000 * losses[0]


def test_an_outlier_is_one_y_a_hundred_times_too_large_and_pulls_the_answer_away():
    problem = problem_with()
    before = problem.y.copy()
    variant = with_mistake("outlier", problem, 0.05)
    [i] = np.flatnonzero(variant.problem.y != problem.y)
    assert variant.problem.y[i] == 100 * problem.y[i]
    assert variant.right == f"y[{i}] = {problem.y[i]:.6g}"
    assert variant.wrong == f"y[{i}] = {variant.problem.y[i]:.6g}"
    assert abs(variant.problem.least_squares()[1] - problem.least_squares()[1]) > 3
    np.testing.assert_array_equal(problem.y, before)


def test_an_unknown_mistake_is_a_key_error():
    with pytest.raises(KeyError, match="typo"):
        with_mistake("typo", problem_with(), 0.05)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        (None, "arrives"),
        ("wrong_sign", "explodes"),
        ("input_forgotten", "elsewhere"),
        ("factor_forgotten", "explodes"),
        ("updated_w", "arrives"),
        ("beyond_limit", "explodes"),
        ("outlier", "elsewhere"),
    ],
)
def test_how_each_mistake_ends(name, end):
    problem = problem_with("mean")
    variant = with_mistake(name, problem, 0.2 * problem.largest_stable_learning_rate)
    trace = record(variant.train(variant.problem, steps=400, learning_rate=variant.learning_rate))
    assert how_it_ended(problem, trace) == end


def test_a_run_that_stops_too_early_has_not_arrived():
    problem = problem_with("mean")
    assert how_it_ended(problem, run(None, problem, steps=1)) == "elsewhere"


# What the gradient check sees


def caught(mistake, problem, h):
    """At which steps the check finds the recorded gradient wrong.

    So slow a run that no mistake diverges: at w = 1e13 no difference of losses shows anything.
    """
    trace = run(mistake, problem, steps=8, speed=0.001)
    w, b = trace.params["w"], trace.params["b"]
    grads = np.stack([trace.grads["w"], trace.grads["b"]])
    error = relative_error(grads, difference_quotient(problem, w, b, h, "central"))
    limit = error_of_a_correct_gradient(problem, w, b, slopes=grads, h=h, side="central")
    return error > limit


@pytest.mark.parametrize("name", ["wrong_sign", "input_forgotten", "factor_forgotten"])
@pytest.mark.parametrize("h", [1e-2, 1e-4, 1e-6])
@every_loss
@pytest.mark.parametrize("power", [1, 2])
def test_a_wrong_gradient_is_caught_at_every_step(name, h, loss, power):
    assert caught(name, problem_with(loss, power), h).all()


@pytest.mark.parametrize("h", [1e-2, 1e-4, 1e-6])
@every_loss
def test_a_right_gradient_used_too_late_is_not_caught(h, loss):
    assert not caught("updated_w", problem_with(loss), h).any()
