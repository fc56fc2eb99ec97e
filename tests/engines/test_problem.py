"""The problems are the articles' own, and what is said about them without training is true."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.problem import LOSSES, PRESETS, Problem, custom, preset
from engines.regression import numpy_vectorized
from engines.trace import record

SETTINGS = {  # name: points, dtype, power, loss, learning rate, steps (EXPERIMENTS.md)
    "numpy_article": (100, np.float64, 2, "half_sum", 0.001, 800),
    "numpy_article_straight": (100, np.float64, 2, "half_sum", 0.001, 800),
    "loops_article": (100, np.float64, 1, "mean", 0.01, 1000),
    "autograd_article": (100, np.float32, 2, "half_sum", 0.001, 800),
    "stream_article": (8, np.float32, 1, "half_sum", 0.001, 8000),
    "session_article": (100, np.float32, 2, "mean", 0.01, 2000),
    "update_styles_article": (8, np.float32, 1, "mean_half_squared", 0.001, 80_000),
}
A_LINE = {"slope": 1.5, "offset": -0.5, "noise": 0.3, "points": 11, "power": 1, "seed": 4}


@pytest.fixture
def numpy_seeds():
    """NumPy's global seed, as the articles set it, and the state of before put back at the end."""
    before = np.random.get_state()
    yield np.random.seed
    np.random.set_state(before)


@pytest.fixture
def torch_seeds():
    """PyTorch's global seed, as the articles set it, in a fork of the global state."""
    with torch.random.fork_rng(devices=[]):
        yield torch.manual_seed


def problems():
    """Every preset in float64, and one problem of each loss and power."""
    articles = [pytest.param(preset(name).astype(np.float64), id=name) for name in PRESETS]
    ours = [
        pytest.param(custom(**{**A_LINE, "power": power}, loss=loss), id=f"{loss}-{power}")
        for loss in LOSSES
        for power in (1, 2)
    ]
    return articles + ours


# The presets


def test_there_is_a_preset_for_every_name_in_the_design():
    assert set(PRESETS) == set(SETTINGS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_the_settings_of_its_article(name):
    points, dtype, power, loss, learning_rate, steps = SETTINGS[name]
    problem = preset(name)
    assert problem.x.shape == problem.y.shape == (points,)
    assert {a.dtype for a in (problem.x, problem.y, problem.w, problem.b)} == {np.dtype(dtype)}
    assert (problem.power, problem.loss) == (power, loss)
    assert (problem.learning_rate, problem.steps) == (learning_rate, steps)


@pytest.mark.parametrize(
    ("name", "cell_runs"), [("numpy_article_straight", 1), ("numpy_article", 3)]
)
def test_the_numpy_article_is_drawn_as_its_notebook_drew_it(name, cell_runs, numpy_seeds):
    numpy_seeds(666)
    x = np.linspace(-1, 1, 100).reshape(100, 1)
    y = 3 * np.power(x, 2) + 2 + 0.2 * np.random.rand(x.size).reshape(100, 1)
    for _ in range(cell_runs):
        w = np.random.rand(1, 1)
        b = np.random.rand(1, 1)

    problem = preset(name)
    np.testing.assert_array_equal(problem.x, x[:, 0])
    np.testing.assert_array_equal(problem.y, y[:, 0])
    assert (problem.w, problem.b) == (w[0, 0], b[0, 0])


def test_the_autograd_article_is_drawn_as_its_notebook_drew_it(torch_seeds):
    torch_seeds(666)
    x = torch.unsqueeze(torch.linspace(-1, 1, 100), dim=1)
    y = 3 * x.pow(2) + 2 + 0.2 * torch.rand(x.size())
    w = torch.randn(1, 1)

    problem = preset("autograd_article")
    np.testing.assert_array_equal(problem.x, x[:, 0].numpy())
    np.testing.assert_array_equal(problem.y, y[:, 0].numpy())
    assert (problem.w, problem.b) == (w.item(), 0)


def test_the_stream_article_starts_with_the_batch_and_the_weights_its_script_drew(torch_seeds):
    torch_seeds(1000)
    x = torch.rand(8, 1) * 20
    y = x * 2 + 3 + 3 * torch.randn(8, 1)
    w, b = torch.rand(1, 1), torch.rand(1, 1)

    problem = preset("stream_article")
    np.testing.assert_array_equal(problem.x, x[:, 0].numpy())
    np.testing.assert_array_equal(problem.y, y[:, 0].numpy())
    assert (problem.w, problem.b) == (w.item(), b.item())


def test_the_session_article_is_drawn_in_float64_and_fed_as_float32(numpy_seeds):
    numpy_seeds(100)
    x = np.linspace(-1, 1, 100).reshape(100, 1)
    y = 3 * np.power(x, 2) + 2 + 0.2 * np.random.rand(x.size).reshape(100, 1)

    problem = preset("session_article")
    np.testing.assert_array_equal(problem.x, x[:, 0].astype(np.float32))
    np.testing.assert_array_equal(problem.y, y[:, 0].astype(np.float32))
    assert (str(problem.w), problem.b) == ("0.20236146", 0)


def test_the_loops_article_draws_each_x_with_its_noise_and_starts_at_zero(numpy_seeds):
    numpy_seeds(1)
    points = []
    for _ in range(100):
        x = np.random.uniform(-10.0, 10.0)
        eps = np.random.normal(0.0, 0.1)
        points.append([x, 1.477 * x + 0.089 + eps])

    problem = preset("loops_article")
    np.testing.assert_array_equal(np.stack([problem.x, problem.y], axis=1), points)
    assert (problem.w, problem.b) == (0, 0)


def test_the_update_styles_article_has_little_noise_around_its_line():
    problem = preset("update_styles_article")
    noise = problem.y - (3 * problem.x + 1)
    assert problem.x.min() > 0
    assert 10 < problem.x.max() < 20
    assert 0 < np.abs(noise).max() < 0.04
    assert 0 < problem.w < 1
    assert 0 < problem.b < 1


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_neither_reads_nor_changes_global_random_state(name, numpy_seeds, torch_seeds):
    drawn = []
    for seed in (0, 1):
        numpy_seeds(seed)
        torch_seeds(seed)
        numpy_before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()
        problem = preset(name)
        drawn.append([*problem.x, *problem.y, problem.w, problem.b])
        np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
        assert torch.equal(torch.get_rng_state(), torch_before)
    assert drawn[0] == drawn[1]


def test_an_unknown_preset_is_a_key_error():
    with pytest.raises(KeyError, match="no_such_article"):
        preset("no_such_article")


# A problem of one's own


def test_a_custom_problem_without_noise_lies_on_its_curve():
    problem = custom(slope=3, offset=2, noise=0, points=5, power=2, seed=0)
    np.testing.assert_array_equal(problem.x, [-1, -0.5, 0, 0.5, 1])
    np.testing.assert_allclose(problem.y, [5, 2.75, 2, 2.75, 5], rtol=1e-15)
    assert (problem.w, problem.b) == (0, 0)


def test_the_noise_of_a_custom_problem_has_the_standard_deviation_asked_for():
    problem = custom(slope=0, offset=0, noise=0.25, points=4000, power=1, seed=3)
    assert np.std(problem.y) == pytest.approx(0.25, rel=0.03)


def test_a_seed_always_draws_the_same_custom_problem_and_another_seed_another():
    first, again, other = (custom(**{**A_LINE, "seed": seed}).y for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)


@pytest.mark.parametrize(
    "setting",
    [
        {"points": 2},
        {"power": 0},
        {"power": 3},
        {"noise": -0.1},
        {"loss": "absolute"},
        {"seed": -1},
    ],
    ids=str,
)
def test_a_setting_that_leaves_no_problem_to_solve_is_refused(setting):
    with pytest.raises(ValueError, match=r"needs at least|non-negative"):
        custom(**{**A_LINE, **setting})


@pytest.mark.parametrize("name", ["slope", "offset", "noise"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_setting_that_is_not_finite_is_refused(name, value):
    with pytest.raises(ValueError, match="finite"):
        custom(**{**A_LINE, name: value})


# What is known without training


@pytest.mark.parametrize(
    ("loss", "as_written"),
    [
        ("half_sum", lambda difference: 0.5 * np.sum(difference**2)),
        ("mean", lambda difference: np.mean(difference**2)),
        ("mean_half_squared", lambda difference: np.mean((0.5 * difference) ** 2)),
    ],
)
@pytest.mark.parametrize("power", [1, 2])
def test_the_factor_makes_each_loss_the_one_its_article_wrote(loss, as_written, power):
    problem = custom(**{**A_LINE, "power": power}, loss=loss)
    difference = 0.7 * problem.x**power - 0.2 - problem.y
    assert problem.loss_at(0.7, -0.2) == pytest.approx(as_written(difference), rel=1e-14)


def test_losses_of_many_points_come_in_the_shape_of_the_points():
    problem = custom(**A_LINE)
    w, b = np.meshgrid([0.0, 1.0, 2.0], [-1.0, 1.0])
    losses = problem.loss_at(w, b)
    assert losses.shape == (2, 3)
    assert losses[1, 2] == pytest.approx(float(problem.loss_at(2, 1)), rel=1e-15)


@pytest.mark.parametrize("problem", problems())
def test_least_squares_agrees_with_polyfit(problem):
    expected = np.polyfit(problem.x**problem.power, problem.y, deg=1)
    assert problem.least_squares() == pytest.approx(tuple(expected), rel=1e-10)


@pytest.mark.parametrize("problem", problems())
def test_every_way_away_from_least_squares_makes_the_loss_larger(problem):
    w, b = problem.least_squares()
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    around = problem.loss_at(w + 0.01 * np.cos(angles), b + 0.01 * np.sin(angles))
    assert around.min() > problem.loss_at(w, b)


@pytest.mark.parametrize("problem", problems())
def test_the_hessian_is_what_second_differences_of_the_loss_show(problem):
    def loss(w, b):
        return float(problem.loss_at(problem.w + w, problem.b + b))

    by_w = loss(1, 0) - 2 * loss(0, 0) + loss(-1, 0)
    by_b = loss(0, 1) - 2 * loss(0, 0) + loss(0, -1)
    by_both = (loss(1, 1) - loss(1, -1) - loss(-1, 1) + loss(-1, -1)) / 4
    scale = np.abs(problem.hessian).max()
    np.testing.assert_allclose(
        problem.hessian, [[by_w, by_both], [by_both, by_b]], rtol=1e-9, atol=1e-9 * scale
    )


@pytest.mark.parametrize("problem", problems())
def test_two_over_lambda_max_divides_converging_from_diverging(problem):
    w, b = problem.least_squares()
    least = problem.loss_at(w, b)

    def misfit_after(learning_rate):
        run = record(numpy_vectorized.train(problem, steps=600, learning_rate=learning_rate))
        return run.losses[-1] - least

    misfit = problem.loss_at(problem.w, problem.b) - least
    assert misfit_after(0.99 * problem.largest_stable_learning_rate) < misfit
    assert misfit_after(1.01 * problem.largest_stable_learning_rate) > 10 * misfit


# The same problem in another type, or from another start


@pytest.mark.parametrize("dtype", [np.float32, "float64"])
def test_astype_changes_the_type_of_everything_and_nothing_else(dtype):
    problem = preset("numpy_article")
    same = problem.astype(dtype)
    assert {a.dtype for a in (same.x, same.y, same.w, same.b)} == {np.dtype(dtype)}
    np.testing.assert_allclose(same.y, problem.y, rtol=1e-7)
    assert (same.w, same.b) == pytest.approx((problem.w, problem.b), rel=1e-7)
    assert (same.loss, same.power, same.steps) == (problem.loss, problem.power, problem.steps)


@pytest.mark.parametrize("dtype", ["float16", "int64", "complex128"])
def test_astype_refuses_types_that_no_engine_trains_in(dtype):
    with pytest.raises(ValueError, match=dtype):
        custom(**A_LINE).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_starting_at_moves_the_start_and_keeps_data_and_type(dtype):
    problem = custom(**A_LINE).astype(dtype)
    moved = problem.starting_at(0.1, -7)
    assert (moved.w, moved.b) == (dtype(0.1), dtype(-7))
    assert moved.w.dtype == moved.b.dtype == np.dtype(dtype)
    assert moved.x is problem.x
    assert moved.y is problem.y
    assert (problem.w, problem.b) == (0, 0)


def test_a_key_is_equal_for_problems_that_train_alike():
    again = custom(**A_LINE)
    assert custom(**A_LINE).key == again.key
    hash(again.key)


@pytest.mark.parametrize(
    "other",
    [
        custom(**A_LINE).starting_at(0.1, 0),
        custom(**A_LINE).starting_at(0, 0.1),
        custom(**A_LINE).astype(np.float32),
        custom(**{**A_LINE, "seed": 5}),
        custom(**{**A_LINE, "points": 12}),
        replace(custom(**A_LINE), power=2),
        replace(custom(**A_LINE), loss="half_sum"),
    ],
    ids=["w", "b", "dtype", "y", "points", "power", "loss"],
)
def test_a_key_differs_where_training_would(other):
    assert custom(**A_LINE).key != other.key


# Data that people bring


def with_data(x, y, power=1):
    x, y = np.array(x, np.float64), np.array(y, np.float64)
    return Problem(x, y, np.float64(0), np.float64(0), power, "mean", learning_rate=0.1, steps=10)


@pytest.mark.parametrize("first", [0, 2015, 1.7e9, 1e15])
def test_least_squares_is_right_however_far_from_zero_the_data_are(first):
    x = first + np.array([0, 1, 2, 3, 4, 5.0])
    w, b = with_data(x, 2 * (x - first) + 7).least_squares()
    assert w == pytest.approx(2, rel=1e-12)
    assert w * first + b == pytest.approx(7, abs=max(1e-12, 1e-15 * first * w))


@pytest.mark.parametrize(("x", "y"), [([3], [5]), ([0], [5]), ([2, 2, 2], [1, 2, 9]), ([1e9], [1])])
@pytest.mark.parametrize("power", [1, 2])
def test_of_many_best_answers_least_squares_is_the_one_nearest_to_zero(x, y, power):
    problem = with_data(x, y, power)
    features = np.stack([problem.x**power, np.ones_like(problem.x)], axis=1)
    expected, *_ = np.linalg.lstsq(features, problem.y, rcond=None)
    np.testing.assert_allclose(problem.least_squares(), expected, rtol=1e-9)
    assert problem.condition == np.inf


@pytest.mark.parametrize(("x", "condition"), [([-1, 1], 1), ([-2, 2], 4), ([0, 1, 2, 5], None)])
def test_the_condition_says_how_long_the_bowl_is(x, condition):
    problem = with_data(x, x)
    low, high = np.linalg.eigvalsh(problem.hessian)
    assert problem.condition == pytest.approx(condition or high / low)


def test_the_condition_of_seconds_since_1970_is_not_lost_in_rounding():
    x = 1.7e9 + np.arange(10.0)
    # λ is twice the mean of x², and the product of both four times the variance of x.
    assert with_data(x, x).condition == pytest.approx(np.mean(x**2) ** 2 / 8.25, rel=1e-9)
