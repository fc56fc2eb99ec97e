"""Differentiating twice: what the player goes through, and what is told."""

import numpy as np
import pytest

from engines.custom_relu_backward.double_backward import FUNCTIONS
from views.custom_relu_backward import double_backward
from views.custom_relu_backward.double_backward import CALLS, PLACES

RIGHT = ("in_place", "multiplied")


@pytest.mark.parametrize("by", CALLS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_player_has_both_derivatives_at_every_x(name, by):
    series = double_backward._timeline(name, by).series
    x, first, second, truth = (
        series[one].values.astype(float) for one in ("x", "first", "second", "truth")
    )
    np.testing.assert_allclose(x, PLACES, atol=1e-6)
    np.testing.assert_allclose(first, 2 * np.maximum(PLACES, 0), atol=1e-6)
    assert set(truth[PLACES > 0]) == {2}
    assert set(truth[PLACES < 0]) == {0}
    if name in RIGHT:
        np.testing.assert_array_equal(second, truth)
    elif (name, by) == ("once_differentiable", "backward"):
        assert np.isnan(second).all()
    else:
        assert set(second[PLACES > 0]) == {1}


def test_the_sentence_says_what_autograd_did():
    right, silent, refused = (
        double_backward._told(double_backward._at_x(name, "backward"))
        for name in ("in_place", "in_numpy", "once_differentiable")
    )
    assert "can be differentiated again" in right
    # Left of zero both are 0, and no sentence says there that they differ.
    assert "Right of zero these differ, and the red line is not the curve’s tangent." in silent
    assert "but" not in silent
    assert "There is no error, and no warning." in silent
    assert "raises <b>an error</b>" in refused


def test_only_a_right_second_derivative_is_not_drawn_as_a_mistake():
    for name, right in (("in_place", True), ("in_numpy", False)):
        found = double_backward._everywhere(name, "backward")
        figure = double_backward._second(found, double_backward._timeline(name, "backward"))
        assert {"name": "right", "value": right} in figure["params"]
