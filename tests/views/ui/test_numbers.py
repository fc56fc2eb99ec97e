"""Numbers as they are written on the pages."""

import numpy as np
import pytest

from views.ui.numbers import number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (12.5, 6, "12.5"),
        (-0.00123, 6, "−0.00123"),
        (2 / 3, 3, "0.667"),
        (0.0, 6, "0"),
        (-0.0, 6, "0"),
        (1e-4, 6, "0.0001"),
        (9.9e-5, 2, "9.9e−5"),
        (1e6, 2, "1.0e6"),
        (-1.3e7, 2, "−1.3e7"),
        (123456.0, 3, "123456"),
        (999999.0, 6, "999999"),
        (1e-300, 3, "1.00e−300"),
        (float("inf"), 6, "∞"),
        (float("-inf"), 6, "−∞"),
        (float("nan"), 6, "not a number"),
        (np.float32(0.1), 6, "0.1"),
        (7, 6, "7"),
    ],
)
def test_a_number_has_its_digits_a_true_minus_and_a_power_of_ten_where_it_needs_one(
    value, digits, text
):
    assert number(value, digits) == text
