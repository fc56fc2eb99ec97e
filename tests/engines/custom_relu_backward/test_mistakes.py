"""Each wrong backward really crashes, or is quietly off, where the page says so."""

import gc
import inspect
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
import torch

from engines.custom_relu_backward.mistakes import (
    CHECKED_AT,
    LISTING,
    MISTAKES,
    inputs_in_memory,
    make,
    relu_of,
    run,
    trained,
)
from engines.custom_relu_backward.slope_at_zero import start
from engines.network import torch_own_relu

every_mistake = pytest.mark.parametrize("name", MISTAKES)

# By name: the line of the listing that raises, and the beginning of the message.
CRASH = {
    "too_many": (
        "loss.backward()",
        "function MyReLUBackward returned an incorrect number of gradients (expected 1, got 2)",
    ),
    "wrong_shape": (
        "loss.backward()",
        "Function MyReLUBackward returned an invalid gradient at index 0 - got [30] but expected "
        "shape compatible with [64, 30]",
    ),
    "saved_in_place": (
        "(x,) = ctx.saved_tensors",
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [torch.FloatTensor [64, 30]], which is output 0 of Abs, is at version 1; "
        "expected version 0 instead.",
    ),
}
RIGHT = ["attribute", "closure"]  # the numbers are right, and something else is not
OFF = [name for name in MISTAKES if name not in CRASH and name not in RIGHT]


def train(listing_train):
    return listing_train(*start("random", seed=1), steps=40, learning_rate=3e-5)


@cache
def right():
    return trained(train(torch_own_relu.train))


def run_anew(name):
    listing = make(name)
    return run(listing, train(listing.names["train"]), right())


ran = cache(run_anew)


# The lines


@every_mistake
def test_undoing_the_change_gives_the_listing_back(name):
    original = "\n\n".join(inspect.getsource(one) for one in LISTING)
    source = make(name).source
    assert source != original
    for lines, wrong in MISTAKES[name].items():
        assert source.count(wrong) == 1
        source = source.replace(wrong, lines)
    assert source == original


def test_an_unknown_mistake_is_a_key_error():
    for ask in (make, inputs_in_memory):
        with pytest.raises(KeyError, match="typo"):
            ask("typo")


# The end


@pytest.mark.parametrize("name", CRASH)
def test_what_crashes_does_so_in_its_line_with_pytorchs_words(name):
    line, message = CRASH[name]
    crash = ran(name).crash
    assert (crash.error, crash.text) == ("RuntimeError", line)
    assert ran(name).listing.source.splitlines()[crash.line - 1].strip() == line
    assert crash.message.startswith(message)
    assert (len(ran(name).losses), ran(name).gradient_off, ran(name).end) == (0, None, "crash")


@pytest.mark.parametrize("name", OFF + RIGHT)
def test_what_does_not_crash_trains_to_its_end(name):
    assert ran(name).crash is None
    assert len(ran(name).losses) == len(ran(name).right_losses) == 41
    assert ran(name).losses[0] == ran(name).right_losses[0]


@pytest.mark.parametrize("name", ["mask_forgotten", "mask_from_gradient", "in_place_in_forward"])
def test_some_wrong_gradients_train_anyway(name):
    off = ran(name)
    assert off.end == "trains"
    assert off.losses[-1] < 0.2 * off.losses[0]
    assert 0.2 < off.gradient_off < 2


def test_a_gradient_overwritten_with_its_mask_trains_worse_than_the_right_one():
    off = ran("overwritten")
    # Ones are so small beside the gradients they replace that nearly all of the gradient is gone.
    assert off.gradient_off == pytest.approx(1, abs=0.05)
    assert off.losses[-1] > 1.5 * off.right_losses[-1]


@pytest.mark.parametrize("name", RIGHT)
def test_a_tensor_kept_elsewhere_gives_the_right_numbers(name):
    assert (ran(name).gradient_off, ran(name).end) == (0, "memory")
    np.testing.assert_array_equal(ran(name).losses, ran(name).right_losses)


@pytest.mark.parametrize("last", [9.0, np.inf, np.nan])
def test_a_loss_that_does_not_fall_is_stuck(last):
    assert ran("overwritten")._replace(losses=np.array([9.0, last])).end == "stuck"


def test_the_gradient_is_off_by_what_the_formulas_say():
    x, y, w1, w2 = (array.astype(np.float64) for array in start("random", seed=1))
    h = x @ w1
    grad_h_relu = 2 * (np.maximum(h, 0) @ w2 - y) @ w2.T
    right = x.T @ (grad_h_relu * (h >= 0))
    wrong = {
        "mask_forgotten": x.T @ grad_h_relu,
        "mask_from_gradient": x.T @ (grad_h_relu * (grad_h_relu >= 0)),
        "overwritten": x.T @ (h >= 0),
        "in_place_in_forward": x.T @ grad_h_relu,
    }
    assert sorted(wrong) == sorted(OFF)
    for name, gradient in wrong.items():
        expected = np.linalg.norm(gradient - right) / np.linalg.norm(right)
        assert ran(name).gradient_off == pytest.approx(expected, rel=1e-4)


# gradcheck


@every_mistake
def test_gradcheck_catches_what_is_wrong_in_the_function_itself(name):
    check = ran(name).check
    passing = ["saved_in_place", *RIGHT]  # there the lines around the Function are wrong, or none
    assert check.passed == (name in passing)
    assert (check.message == "") == check.passed


def test_gradcheck_sees_three_of_them_in_the_jacobian_and_three_by_their_errors():
    mismatch = {
        name for name in MISTAKES if ran(name).check.message.startswith("Jacobian mismatch")
    }
    assert mismatch == {"mask_forgotten", "mask_from_gradient", "overwritten"}
    assert ran("too_many").check.analytical is None
    assert ran("wrong_shape").check.analytical is None
    assert "modified by an inplace operation" in ran("in_place_in_forward").check.message


def test_the_jacobians_show_what_each_does():
    negative = np.ravel(CHECKED_AT) < 0
    mask = np.diag(np.where(negative, 0.0, 1.0))
    for name in MISTAKES:
        np.testing.assert_allclose(ran(name).check.numerical, mask, atol=1e-9)
    for name in ("mask_forgotten", "mask_from_gradient", "in_place_in_forward"):
        np.testing.assert_array_equal(ran(name).check.analytical, np.eye(6))
    everywhere = np.where(negative, 0.0, 1.0)[:, None] * np.ones((6, 6))
    np.testing.assert_array_equal(ran("overwritten").check.analytical, everywhere)


def test_an_attribute_is_not_watched_by_the_version_counter():
    """The change in place that save_for_backward reports goes unseen, and the gradient is off."""
    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    h = x * 1
    h_relu = relu_of(make("attribute"))(h)
    h.abs_()
    h_relu.sum().backward()
    assert x.grad.tolist() == [1, 1]


# Memory


def test_save_for_backward_gives_its_tensor_back_with_the_backward():
    kept = inputs_in_memory(None, steps=4, shape=(8, 5))
    assert kept.after_backward.tolist() == [0, 0, 0, 0]
    assert kept.after_loss == 0
    assert kept.bytes_each == 8 * 5 * 4


def test_an_attribute_keeps_its_tensor_as_long_as_the_loss_is_there():
    attribute = inputs_in_memory("attribute", steps=4, shape=(8, 5))
    assert attribute.after_backward.tolist() == [1, 1, 1, 1]
    assert attribute.after_loss == 0


def test_a_closure_keeps_its_tensor_until_the_garbage_collector_comes():
    gc.disable()
    try:
        closure = inputs_in_memory("closure", steps=4, shape=(8, 5))
    finally:
        gc.enable()
    assert closure.after_backward.tolist() == [1, 2, 3, 4]
    assert closure.after_loss == 4


# Many visitors


def test_two_threads_at_once_get_their_own_ends():
    with ThreadPoolExecutor(2) as pool:
        runs = dict(zip(MISTAKES, pool.map(run_anew, MISTAKES), strict=True))
    for name, found in runs.items():
        assert found.crash == ran(name).crash
        np.testing.assert_allclose(found.losses, ran(name).losses, rtol=1e-5)
        assert found.check.passed == ran(name).check.passed


def test_nothing_is_changed_for_others(global_state):
    right()
    before = global_state()
    run_anew("saved_in_place")
    run_anew("mask_forgotten")
    inputs_in_memory("closure", steps=2)
    assert global_state() == before
