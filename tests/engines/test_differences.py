"""Difference quotients, against derivatives that are known."""

import numpy as np
import pytest

from engines.differences import (
    central_difference,
    forward_difference,
    jacobian,
    relative_error,
)


def test_a_central_difference_is_exact_for_a_parabola_and_a_forward_one_is_not():
    assert central_difference(np.square, 3.0, 0.5) == 6
    assert forward_difference(np.square, 3.0, 0.5) == 6.5


def test_the_error_shrinks_with_the_square_of_the_width_or_with_the_width():
    def errors(difference):
        return [abs(difference(np.exp, 1.0, h) - np.e) for h in (1e-2, 1e-3)]

    one, other = errors(central_difference)
    assert one / other == pytest.approx(100, rel=0.01)
    one, other = errors(forward_difference)
    assert one / other == pytest.approx(10, rel=0.01)


def test_entries_are_taken_one_by_one():
    x = np.array([0.1, 1.0, 2.0])
    np.testing.assert_allclose(central_difference(np.sin, x, 1e-6), np.cos(x), rtol=1e-8)
    widths = np.array([1e-3, 1e-4, 1e-5])
    np.testing.assert_allclose(central_difference(np.sin, x, widths), np.cos(x), rtol=1e-6)


def test_the_jacobian_of_a_product_with_a_matrix_is_that_matrix():
    matrix = np.arange(6.0).reshape(2, 3)
    found = jacobian(lambda x: matrix @ x, np.ones(3), 1e-3)
    np.testing.assert_allclose(found, matrix.T, atol=1e-10)


@pytest.mark.parametrize(("shape", "result"), [((3,), ()), ((2, 3), ()), ((2, 3), (3,))])
def test_the_jacobian_has_the_shape_of_the_entries_and_then_of_the_result(shape, result):
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    found = jacobian(lambda x: np.sum(x**2, axis=0 if result else None), x, 1e-4)
    assert found.shape == shape + result
    np.testing.assert_allclose(found.reshape(*shape, -1).sum(axis=-1), 2 * x, rtol=1e-8)


def test_the_relative_error_is_over_the_longer_and_zero_for_two_zeros():
    assert relative_error([3.0, 4.0], [3.0, 4.0]) == 0
    assert relative_error([0.0, 0.0], [0.0, 0.0]) == 0
    assert relative_error([3.0, 4.0], [0.0, 0.0]) == 1
    assert relative_error([0.0, 5.0], [0.0, 10.0]) == relative_error([0.0, 10.0], [0.0, 5.0]) == 0.5


def test_several_vectors_stand_in_the_further_axes():
    one, other = np.array([[3.0, 0.0], [4.0, 1.0]]), np.array([[0.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(relative_error(one, other), [1, 0])
