"""Every design runs as it is shown, is checked as it deserves, and nothing else gets to run."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from engines.custom_relu_backward import gradcheck
from engines.custom_relu_backward.design import (
    POINTS,
    SCALE,
    VARIANTS,
    Design,
    check,
    curves,
    function_of,
    slopes_of_forward,
    source_of,
    try_out,
)
from engines.custom_relu_backward.slope_at_zero import start, train
from engines.differences import central_difference
from engines.network import torch_own_relu

RELU_BUT_FOR_ZERO = Design("slopes", below=0, at=0.5, above=1)


def widths(design, point):
    return gradcheck.widths(function_of(design), point)


# What is shown is what runs


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_listing_alone_does_what_the_design_does(variant):
    design = Design(variant, below=0.3, at=-0.7, above=1.9)
    namespace = {"torch": torch}
    exec(source_of(design), namespace)
    points = [-3.0, -0.5, 0.0, 0.25, 2.0]
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    output = namespace["Designed"].apply(x)
    output.backward(torch.full_like(output, 3.0))
    drawn = curves(design, points, grad_output=3.0)
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
        drawn = curves(design, x, grad_output=3.0)
        np.testing.assert_allclose(drawn.forward, forward, rtol=1e-12, atol=0)
        np.testing.assert_allclose(drawn.backward, backward, rtol=1e-12, atol=0)


def test_a_design_written_like_the_articles_relu_trains_to_the_same_bits():
    def losses(relu):
        return train(relu, "random", 3, steps=3, learning_rate=1e-4).losses.tolist()

    expected = losses(lambda x: x.clamp(min=0))
    for design in (Design("true"), Design("slopes", 0, 1, 1)):
        assert losses(function_of(design)) == expected
    assert losses(function_of(Design("straight_through")))[-1] != expected[-1]


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


# gradcheck


@pytest.mark.parametrize(
    ("design", "ones", "scaled"),
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
def test_gradcheck_finds_each_wrong_design_away_from_zero(design, ones, scaled):
    checks = check(design)
    assert (checks.ones.passed, checks.scaled.passed) == (ones, scaled)
    assert checks.passed == (ones and scaled)
    for one in (checks.ones, checks.scaled):
        assert one.x.tolist() == list(POINTS)
        # What is measured here agrees with gradcheck, entry by entry.
        assert (len(one.wrong) == 0) == one.passed
        assert one.error == ("" if one.passed else "GradcheckError")
        assert one.message.startswith("Jacobian mismatch") != one.passed


def test_the_jacobians_are_those_in_the_message():
    function = function_of(Design("slopes", below=0.25, at=0, above=1))
    one = gradcheck.check(function, [-1.0, 2.0])
    np.testing.assert_array_equal(one.analytical, [[0.25, 0], [0, 1]])
    np.testing.assert_allclose(one.numerical, [[0, 0], [0, 1]], atol=1e-9)
    assert one.wrong.tolist() == [[0, 0]]
    numerical, analytical = one.message.split("numerical:")[1].split("analytical:")
    assert "[0.2500, 0.0000]" in analytical
    assert "[0.2500, 0.0000]" not in numerical


def test_a_row_of_a_jacobian_is_an_input_and_a_column_an_output():
    class Summed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.stack((x[0], x[0] + 2 * x[1]))

        @staticmethod
        def backward(ctx, grad_output):
            return torch.stack((grad_output.sum(), 2 * grad_output[1]))

    one = gradcheck.check(Summed.apply, [3.0, 4.0])
    assert one.passed
    np.testing.assert_array_equal(one.analytical, [[1, 1], [0, 2]])
    np.testing.assert_allclose(one.numerical, [[1, 1], [0, 2]], atol=1e-9)


def judged(backward, forward=lambda x: 2 * x):
    """What is said of a function with this backward, at two inputs."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return forward(x)

    Function.backward = staticmethod(backward)
    return gradcheck.check(Function.apply, [3.0, 4.0])


@pytest.mark.parametrize(
    ("backward", "error", "said"),
    [
        (lambda ctx, g: g * ctx.scale, "AttributeError", "has no attribute 'scale'"),
        (lambda ctx, g: g * None, "TypeError", "unsupported operand"),
        (lambda ctx, g: {}[0], "KeyError", "0"),
        (lambda ctx, g: (g, g), "RuntimeError", "incorrect number of gradients"),
    ],
)
def test_whatever_a_backward_raises_is_what_is_said_of_it(backward, error, said):
    one = judged(backward)
    assert not one.passed
    assert one.error == error
    assert said in one.message
    assert one.analytical is None
    assert one.wrong.shape == (0, 2)
    np.testing.assert_allclose(one.numerical, 2 * np.eye(2), atol=1e-9)


def test_what_a_forward_raises_is_not_blamed_on_the_backward():
    with pytest.raises(ZeroDivisionError):
        judged(lambda ctx, g: g, forward=lambda x: x * (1 / 0))


def test_outputs_may_be_fewer_or_more_than_inputs():
    total = judged(lambda ctx, g: g.expand(2), forward=torch.sum)
    assert total.passed
    np.testing.assert_array_equal(total.analytical, [[1], [1]])
    twice = judged(lambda ctx, g: g[:2], forward=lambda x: torch.cat((x, x)))  # forgets two
    assert twice.error == "GradcheckError"
    assert twice.wrong.tolist() == [[0, 2], [1, 3]]
    np.testing.assert_allclose(twice.numerical, [[1, 0, 1, 0], [0, 1, 0, 1]], atol=1e-9)


def test_several_inputs_and_outputs_stand_one_after_the_other():
    def forward(a, b):  # shapes (2,), (2, 1)
        return a * a, a.sum() * b

    one = gradcheck.check(forward, [2.0, 3.0], [[5.0], [7.0]])
    assert one.passed
    assert one.x.tolist() == [2, 3, 5, 7]
    jacobian = [[4, 0, 5, 7], [0, 6, 5, 7], [0, 0, 5, 0], [0, 0, 0, 5]]
    np.testing.assert_array_equal(one.analytical, jacobian)
    np.testing.assert_allclose(one.numerical, jacobian, atol=1e-8)


def test_clipping_shows_only_where_more_than_one_arrives():
    checks = check(Design("clipped"))
    np.testing.assert_array_equal(checks.ones.analytical, np.diag([0, 0, 1, 1]))
    np.testing.assert_array_equal(checks.scaled.analytical, np.diag([0, 0, 1, 1]))
    np.testing.assert_allclose(checks.scaled.numerical, np.diag([0, 0, SCALE, SCALE]), atol=1e-7)


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
    kink = check(design).at_zero
    assert kink.has_kink
    assert (kink.left, kink.central, kink.right) == pytest.approx((0, 0.5, 1))
    assert kink.slope == design.at
    assert (kink.passed, kink.between) == (passed, between)


def test_the_smooth_one_has_no_kink_and_the_leaky_one_a_smaller_one():
    smooth = check(Design("smooth")).at_zero
    assert (smooth.has_kink, smooth.passed, smooth.slope) == (False, True, 0.5)
    leaky = check(Design("leaky", below=0.1)).at_zero
    assert (leaky.left, leaky.central, leaky.right) == pytest.approx((0.1, 0.55, 1))


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


def test_enlarged_a_straight_line_stays_one_and_ends_in_stairs():
    near = gradcheck.near(function_of(Design("true")), 0.3, [-0.5, 0, 0.5, 1])
    assert near.shape == (33, 4)
    np.testing.assert_allclose(near[2:20], [[-0.5, 0, 0.5, 1]] * 18, atol=1e-6)
    stairs = near[-1] * gradcheck.WIDTHS[-1]  # what the last digits allow
    np.testing.assert_allclose(stairs % np.spacing(0.25), 0, atol=1e-20)


# In a small network


def test_the_slope_of_a_forward_is_measured_beside_the_kink():
    x = [-2.0, -0.5, 0.5, 2.0]
    np.testing.assert_allclose(slopes_of_forward(Design("leaky", 0.2), x), [0.2, 0.2, 1, 1])
    backward = curves(Design("smooth"), x).backward
    np.testing.assert_allclose(slopes_of_forward(Design("smooth"), x), backward, rtol=1e-8)


@pytest.mark.parametrize("variant", ["true", "leaky", "smooth"])
def test_what_is_right_points_where_it_should(variant):
    tried = try_out(Design(variant, below=0.2), steps=3, learning_rate=1e-4)
    assert tried.angle < 1e-4
    assert tried.losses.shape == (4,)


def test_the_angle_is_the_one_to_differences_of_the_loss():
    design = Design("slopes", below=0.5, at=1, above=1)
    x, y, w1, w2 = (one.astype(np.float64) for one in start("random", 0))
    step = next(
        torch_own_relu.train(x, y, w1, w2, steps=0, learning_rate=0, relu=function_of(design))
    )

    def loss(w1):
        return np.sum((np.maximum(x @ w1, 0) @ w2 - y) ** 2)

    true = np.zeros_like(w1)
    for place in np.ndindex(w1.shape):
        along = np.zeros_like(w1)
        along[place] = 1
        true[place] = central_difference(lambda t, along=along: loss(w1 + t * along), 0.0, 1e-6)
    cosine = (
        np.vdot(step.grads["w1"], true) / np.linalg.norm(step.grads["w1"]) / np.linalg.norm(true)
    )
    tried = try_out(design, steps=0, learning_rate=1e-4)
    assert tried.angle == pytest.approx(np.degrees(np.arccos(cosine)), rel=1e-4)
    assert 10 < tried.angle < 40


def test_upside_down_and_nothing_at_all_have_their_angles():
    how = {"steps": 0, "learning_rate": 1e-4}
    assert try_out(Design("slopes", below=0, at=0, above=-1), **how).angle == pytest.approx(180)
    assert np.isnan(try_out(Design("slopes", below=0, at=0, above=0), **how).angle)


def test_an_overflow_ends_the_losses():
    with np.errstate(all="ignore"):
        losses = try_out(Design("true"), steps=200, learning_rate=1e-2).losses
    assert len(losses) < 100
    assert not np.isfinite(losses[-1])
    assert np.isfinite(losses[:-1]).all()


# Many visitors


def test_two_threads_at_once_get_their_own_results():
    designs = [Design("true"), Design("straight_through"), Design("smooth"), Design("clipped")] * 5
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(check, designs))
    assert [checks.ones.passed for checks in found] == [True, False, True, True] * 5


def test_nothing_is_changed_for_others(global_state):
    before = global_state()
    check(Design("slopes", below=2))
    widths(Design("smooth"), 0.3)
    train(function_of(Design("clipped")), "random", 3, steps=3, learning_rate=1e-4)
    assert global_state() == before


def test_designs_that_nobody_asks_for_any_more_are_forgotten():
    assert function_of.cache_info().maxsize is not None
    first = function_of(Design("slopes", below=0.125))
    assert function_of(Design("slopes", below=0.125)) is first
