"""Every design runs as it is shown, is judged as it deserves, and nothing else gets to run."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from engines.custom_relu_backward.design import (
    LOUDER,
    MOST_POINTS,
    VARIANTS,
    Design,
    curves,
    function_of,
    judge,
    source_of,
    train,
    widths,
)
from engines.custom_relu_backward.slope_at_zero import start
from engines.network import torch_own_relu

POINTS = [-3.0, -0.5, 0.0, 0.25, 2.0]
RELU_BUT_FOR_ZERO = Design("slopes", below=0, at=0.5, above=1)


def losses(design, steps=3):
    arrays = start("random", seed=3)
    return [step.loss for step in train(design, *arrays, steps=steps, learning_rate=1e-4)]


# What is shown is what runs


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_listing_alone_does_what_the_design_does(variant):
    design = Design(variant, below=0.3, at=-0.7, above=1.9)
    namespace = {"torch": torch}
    exec(source_of(design), namespace)
    x = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    output = namespace["Designed"].apply(x)
    output.backward(torch.full_like(output, 3.0))
    drawn = curves(design, POINTS, arriving=3.0)
    np.testing.assert_array_equal(drawn.forward, output.detach().numpy())
    np.testing.assert_array_equal(drawn.backward, x.grad.numpy())


def test_the_three_slopes_stand_in_the_listing_and_come_out_of_it():
    design = Design("slopes", below=-0.5, at=1 / 3, above=2)
    for slope in ("-0.5", "0.3333333333333333", "2.0"):
        assert slope in source_of(design)
    drawn = curves(design, [-1.0, 0.0, 1.0])
    assert drawn.forward.tolist() == [0, 0, 1]
    assert drawn.backward.tolist() == [-0.5, 1 / 3, 2]


def test_each_variant_has_its_two_curves():
    x = np.array([-2.0, 0.0, 2.0])
    sigmoid = 1 / (1 + np.exp(-x))
    expected = {
        Design("true"): ([0, 0, 2], [0, 3, 3]),
        Design("straight_through"): ([0, 0, 2], [3, 3, 3]),
        Design("clipped"): ([0, 0, 2], [0, 1, 1]),
        Design("leaky", below=0.1): ([-0.2, 0, 2], [0.3, 3, 3]),
        Design("smooth"): (np.log(1 + np.exp(x)), 3 * sigmoid),
    }
    for design, (forward, backward) in expected.items():
        drawn = curves(design, x, arriving=3.0)
        np.testing.assert_allclose(drawn.forward, forward, rtol=1e-12, atol=0)
        np.testing.assert_allclose(drawn.backward, backward, rtol=1e-12, atol=0)


def test_a_design_written_like_the_articles_relu_trains_to_the_same_bits():
    arrays = start("random", seed=3)
    of_article = torch_own_relu.train(*arrays, steps=3, learning_rate=1e-4)
    expected = [step.loss for step in of_article]
    assert losses(Design("true")) == losses(Design("slopes", 0, 1, 1)) == expected
    assert losses(Design("straight_through"))[-1] != expected[-1]


# What cannot be designed


@pytest.mark.parametrize("slope", [5.1, -6, float("nan"), float("inf"), 1e308, "1); import os"])
@pytest.mark.parametrize("name", ["below", "at", "above"])
def test_a_slope_out_of_bounds_is_refused(name, slope):
    with pytest.raises(ValueError, match=r"slope|convert"):
        Design("slopes", **{name: slope})


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="no such variant: 'typo'"):
        Design("typo")


@pytest.mark.parametrize("slope", [np.float32(0.5), np.float64(0.5), 5, -5, True])
def test_any_kind_of_number_becomes_a_plain_one_in_the_listing(slope):
    design = Design("slopes", below=slope)
    assert f"slope[x < 0] = {float(slope)!r}\n" in source_of(design)
    assert curves(design, [-1.0]).backward.tolist() == [float(slope)]


@pytest.mark.parametrize(
    "points", [[1.0] * (MOST_POINTS + 1), [1e9], [float("nan")], [float("-inf")]]
)
def test_absurd_inputs_are_not_judged(points):
    with pytest.raises(ValueError, match="at most"):
        judge(Design(), points)


# The judge


@pytest.mark.parametrize(
    ("design", "away", "louder"),
    [
        (Design("true"), True, True),
        (RELU_BUT_FOR_ZERO, True, True),
        (Design("slopes", below=0, at=-4, above=1), True, True),
        (Design("slopes", below=0.5, at=1, above=1), False, False),
        (Design("slopes", below=0, at=1, above=0.9), False, False),
        (Design("straight_through"), False, False),
        (Design("clipped"), True, False),
        (Design("leaky", below=0.1), True, True),
        (Design("leaky", below=-1), True, True),
        (Design("smooth"), True, True),
    ],
)
def test_gradcheck_judges_each_design_away_from_zero(design, away, louder):
    verdict = judge(design, POINTS)
    assert (verdict.away.passed, verdict.louder.passed) == (away, louder)
    for check in (verdict.away, verdict.louder):
        assert check.x.tolist() == [-3.0, -0.5, 0.25, 2.0]
        # What is measured here comes to the same verdict, entry by entry.
        assert bool(check.agrees.all()) == check.passed
        assert check.message.startswith("Jacobian mismatch") != check.passed


def test_the_jacobians_are_those_in_the_message():
    check = judge(Design("slopes", below=0.25, at=0, above=1), [-1.0, 2.0]).away
    np.testing.assert_array_equal(check.analytical, [[0.25, 0], [0, 1]])
    np.testing.assert_allclose(check.numerical, [[0, 0], [0, 1]], atol=1e-9)
    np.testing.assert_array_equal(check.agrees, [[False, True], [True, True]])
    numerical, analytical = check.message.split("numerical:")[1].split("analytical:")
    assert "[0.2500, 0.0000]" in analytical
    assert "[0.2500, 0.0000]" not in numerical


def test_clipping_shows_only_where_more_than_one_arrives():
    verdict = judge(Design("clipped"), [2.0])
    assert verdict.away.analytical.tolist() == [[1]]
    assert verdict.louder.analytical.tolist() == [[1]]
    assert verdict.louder.numerical[0, 0] == pytest.approx(LOUDER)


@pytest.mark.parametrize(
    ("design", "passed", "between"),
    [
        (Design("slopes", at=0), False, True),
        (RELU_BUT_FOR_ZERO, True, True),
        (Design("slopes", at=1), False, True),
        (Design("slopes", at=1.5), False, False),
        (Design("slopes", at=-0.5), False, False),
    ],
)
def test_at_zero_gradcheck_wants_the_mean_and_any_slope_between_will_do(design, passed, between):
    at_zero = judge(design, POINTS).at_zero
    assert at_zero.has_kink
    assert (at_zero.left, at_zero.central, at_zero.right) == pytest.approx((0, 0.5, 1))
    assert at_zero.slope == design.at
    assert (at_zero.passed, at_zero.between) == (passed, between)


def test_the_smooth_one_has_no_kink_and_the_leaky_one_a_smaller_one():
    smooth = judge(Design("smooth"), [0.0]).at_zero
    assert not smooth.has_kink
    assert smooth.passed
    assert smooth.slope == 0.5
    leaky = judge(Design("leaky", below=0.1), [0.0]).at_zero
    assert (leaky.left, leaky.central, leaky.right) == pytest.approx((0.1, 0.55, 1))


def test_with_nothing_but_zeros_there_is_nothing_away_from_zero_to_judge():
    verdict = judge(Design(), [0.0, 1e-7])
    assert verdict.away is verdict.louder is None
    assert verdict.at_zero.left == 0


# The width of a difference


def test_the_error_of_a_smooth_function_is_a_v_over_the_width():
    h, central, forward = widths(Design("smooth"), 0.3)
    # Truncation: with each tenth of the width a hundredth of the error, and a tenth.
    assert central[2] / central[4] == pytest.approx(100, rel=0.02)
    assert forward[4] / forward[6] == pytest.approx(10, rel=0.02)
    # Rounding: the narrowest differences are worse than the best by far.
    assert central[-1] > 1e4 * central.min()
    assert forward[-1] > 1e4 * forward.min()
    assert 1e-6 <= h[central.argmin()] <= 1e-4
    assert h[forward.argmin()] < h[central.argmin()]


def test_near_the_kink_a_wide_difference_reaches_over_it():
    h, central, _ = widths(Design("true"), 1e-4)
    wide = h > 2e-4
    np.testing.assert_allclose(central[wide], 0.5 - 0.5 * 1e-4 / h[wide])
    assert central[(h < 1e-4) & (h > 1e-8)].max() < 1e-8


def test_no_width_makes_a_wrong_slope_right():
    h, central, forward = widths(Design("slopes", below=0, at=1, above=0.9), 0.3)
    beside_the_kink = (h < 0.3) & (h > 1e-10)
    for error in (central, forward):
        np.testing.assert_allclose(error[beside_the_kink], 0.1, rtol=1e-3)


# Many visitors


def test_two_threads_at_once_get_their_own_verdicts():
    designs = [Design("true"), Design("straight_through"), Design("smooth"), Design("clipped")] * 5
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda design: judge(design, POINTS), designs))
    assert [verdict.away.passed for verdict in verdicts] == [True, False, True, True] * 5


def test_nothing_is_changed_for_others():
    def state():
        return (
            torch.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),
            list(warnings.filters),
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.is_anomaly_enabled(),
        )

    before = state()
    judge(Design("slopes", below=2), POINTS)
    widths(Design("smooth"), 0.3)
    losses(Design("clipped"))
    assert state() == before


def test_designs_that_nobody_asks_for_any_more_are_forgotten():
    assert function_of.cache_info().maxsize is not None
    first = function_of(Design("slopes", below=0.125))
    assert function_of(Design("slopes", below=0.125)) is first
