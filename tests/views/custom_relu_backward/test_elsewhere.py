"""One network in five implementations: what is shown, and what is told."""

import numpy as np
import pytest

from engines.network.compare import TOLERANCE, Run
from views.custom_relu_backward import elsewhere
from views.custom_relu_backward.elsewhere import FIVE, LISTINGS, OURS
from views.ui import slow_run


@pytest.fixture(params=TOLERANCE)
def five(request, monkeypatch):
    """All five on a small network, and the type of its arrays."""

    def draw(seed, dtype):
        random = np.random.default_rng(seed)
        shapes = (6, 5), (6, 2), (5, 4), (4, 2)
        return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)

    slow_run._result.clear()
    monkeypatch.setattr(elsewhere, "draw", draw)
    yield elsewhere.five(request.param), request.param
    slow_run._result.clear()


def run(apart, loss_apart=1e-8):
    filler = np.zeros(2)
    return Run(
        losses=np.array([100.0, 0.01]), loss_apart=np.array([0, loss_apart]), at=np.array([0, 500]),
        active=filler, dead=filler, shares=filler, grad_w1=filler, grad_w2=filler,
        weights_apart=np.array([0.0, apart]),
    )  # fmt: skip


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_is_code_alone_from_the_function_that_runs(name):
    shown = elsewhere._listing(name)
    assert '"""' not in shown
    assert "for _ in range(steps + 1):" in shown
    assert ("@tf.custom_gradient" in shown) == (name == "custom_gradient")
    assert ("class MyReLU" in shown) == (name == "MyReLU")


def test_five_are_trained_with_the_precision_chosen_and_agree(five):
    runs, dtype = five
    assert list(runs) == list(FIVE)
    farthest = max(run.weights_apart.max() for run in runs.values())
    assert farthest < TOLERANCE[dtype]
    assert f"less than the {elsewhere.number(TOLERANCE[dtype], 1)}" in elsewhere.verdict(
        runs, dtype
    )
    series = elsewhere._timeline(runs, f"a test of {dtype}").series
    np.testing.assert_array_equal(series["loss"].values, runs[OURS].losses.astype("float32"))
    assert series["farthest"].values.max() == pytest.approx(farthest)


def test_what_is_equal_has_no_line_and_what_is_not_is_drawn_where_it_was_inspected():
    runs = {name: run(apart) for name, apart in zip(FIVE, [0, 0, 3e-6, 2e-6, 2e-6], strict=True)}
    rows = elsewhere.weights_apart(runs)["datasets"]["rows"].to_pandas()
    assert set(rows["x"]) == {500}
    assert set(rows["value"]) == {3e-6, 2e-6}
    told = elsewhere.verdict(runs, "float32")
    assert "**3.0e−6**" in told
    assert "without a line of its own: *torch.relu*." in told


def test_a_difference_that_is_too_large_is_told_as_one():
    runs = {name: run(2e-12) for name in FIVE}
    assert "**more** than the 1e−12" in elsewhere.verdict(runs, "float64")
    assert "less than the 0.0001" in elsewhere.verdict(runs, "float32")


def test_a_difference_of_losses_is_told_over_the_first_and_over_the_last():
    apart = run(1e-6)._replace(losses=np.array([100.0, 0.02]))
    runs = dict.fromkeys(FIVE, run(0.0)) | {"static graph": apart}
    told = elsewhere.verdict(runs, "float32")
    assert "Over the loss of the last step it would be 1: the loss" in told
    assert "one step sooner" not in told
    back = apart._replace(weights_apart=np.array([3e-4, 1e-4]))
    assert "one step sooner" in elsewhere.verdict(runs | {"static graph": back}, "float32")
