"""A slope against differences of every width: what is told, and what is drawn."""

import numpy as np
import pytest

from engines.custom_relu_backward.design import Design
from engines.custom_relu_backward.gradcheck import WIDTH
from views.custom_relu_backward import check


def told(chosen, point):
    return check.told_of(check._widths(chosen, point), point)


def test_the_smooth_one_has_both_arms_of_the_v():
    said = told(Design("smooth"), 0.3)
    assert "from 0.1 to 0.01, divides that of the central difference by 100" in said
    assert "that of the forward difference by 10." in said
    assert "Narrower is not better" in said
    assert "no error at all" not in said


def test_close_to_the_kink_the_central_difference_reaches_over_it():
    said = told(Design("true"), 1e-4)
    assert "**Wider than 0.0001** the central difference reaches across the kink" in said
    assert "its error grows to 0.5." in said
    assert "of the 66 differences have no error at all" in said


def test_where_nothing_changes_only_the_kink_disturbs_a_difference():
    said = told(Design("true"), -0.3)
    assert "**Wider than 0.3** both differences reach across the kink" in said
    assert "the errors grow to 0.35 and 0.7." in said
    assert "**Narrower ones are exact.**" in said


def test_a_slope_that_is_wrong_below_zero_is_seen_only_there():
    chosen = Design("slopes", 0.25, 1, 1)
    assert told(chosen, -0.3).startswith("**No width makes it right.**")
    assert "No width" not in told(chosen, 0.3)


@pytest.mark.parametrize("point", [0.3, 1e-4])
def test_no_width_excuses_a_wrong_slope(point):
    said = told(Design("slopes", 0, 1, 0.5), point)
    assert said.startswith("**No width makes it right.**")
    assert "no error is below 0.5:" in said


def test_an_axis_without_zero_has_all_errors_but_the_exact_ones():
    errors = check._widths(Design("true"), 1e-4)
    drawing = check._errors(Design("true"), "near", check._timeline(Design("true"), 1e-4))
    rows = drawing["datasets"]["rows"].to_pandas()
    assert (rows["error"] > 0).all()
    zeros = (errors.central == 0).sum() + (errors.forward == 0).sum()
    assert len(rows) == 66 - zeros < 66
    assert drawing["datasets"]["usual"].to_pandas()["h"].tolist() == [WIDTH]


def test_the_player_goes_through_the_widths_with_both_differences():
    design = Design("smooth")
    series = check._timeline(design, 0.3).series
    widths, slope = check._widths(design, 0.3), check._slope(design, 0.3)
    wide = widths.h > 1e-10
    for kind in check.KINDS:
        np.testing.assert_allclose(
            np.abs(series[kind].values - slope)[wide], getattr(widths, kind)[wide], atol=1e-6
        )
    assert series["near30"].values.tolist() == [0] * 33  # the point itself is the middle
    assert series["central"].values.dtype == np.float64
