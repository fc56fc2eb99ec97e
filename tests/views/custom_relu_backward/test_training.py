"""The network trained at two rates: what the player has, and what is told of the units."""

import numpy as np
import pytest

from engines.network.compare import STEPS
from views.custom_relu_backward import training, units
from views.custom_relu_backward.training import SECOND
from views.player.timeline import WHOLE_STEPS
from views.ui import slow_run


@pytest.fixture
def both(monkeypatch):
    """Runs of a small network."""

    def draw(seed, dtype):
        random = np.random.default_rng(seed)
        shapes = (6, 50), (6, 2), (50, 100), (100, 2)
        return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)

    slow_run._result.clear()
    monkeypatch.setattr(training, "draw", draw)
    yield training.trained(1, "float64"), training.trained(3, "float64")
    slow_run._result.clear()


def test_the_player_has_both_runs(both):
    timeline = training._timeline(both)
    assert timeline.last_step == STEPS
    for prefix, run in zip(("", SECOND), both, strict=True):
        np.testing.assert_array_equal(
            timeline.series[f"{prefix}loss"].values, run.losses.astype("float32")
        )
        np.testing.assert_array_equal(timeline.series[f"{prefix}dead"].values, run.dead)
    assert timeline.parts == WHOLE_STEPS  # no slow motion


def test_every_unit_has_a_square_with_its_part_of_the_inputs(both):
    timeline = training._timeline(both)
    every = [*units.names(""), *units.names(SECOND)]
    first = timeline.names.index(every[0])
    assert (
        list(timeline.names[first : first + 200]) == every
    )  # the picture counts on from the first
    for prefix, run in zip(("", SECOND), both, strict=True):
        found = np.array([timeline.series[name].values for name in units.names(prefix)])
        np.testing.assert_array_equal(found, run.shares.T.astype("float32"))
        np.testing.assert_array_equal((found == 0).sum(axis=0), run.dead)
    looks = training.Look("one", "red"), training.Look("other", "blue")
    drawn = units.squares(looks, ("", SECOND), timeline)["datasets"]["units"].to_pandas()
    assert drawn["k"].tolist() == list(range(200))
    assert len(set(zip(drawn["x"], drawn["y"], strict=True))) == 200


def test_each_line_has_a_dot_at_every_step(both):
    looks = training.Look("one", "red"), training.Look("other", "blue")
    for name in training.PICTURES:
        rows = training._picture(name, looks, both)["datasets"]["rows"].to_pandas()
        for step in (0, 29, 77, 400, STEPS):
            reached = rows[(rows["x"] <= step) & (step < rows["until"])]
            assert sorted(reached["line"]) == ["one", "other"]


def test_an_overflow_is_told_instead_of_the_dead(both):
    _, faster = both
    ended = faster._replace(losses=np.array([9.0, 90.0, np.inf]))
    assert "overflows at step <b>2</b>" in training._told(ended, "Five times")
    told = training._told(faster._replace(dead=np.array([0, 3])), "Twice")
    assert "in the end <b>3</b> are dead" in told


def test_the_stops_are_where_something_happens(both):
    article, faster = both
    article = article._replace(losses=np.geomspace(1e4, 1e-2, STEPS + 1))
    faster = faster._replace(at=np.array([0, 8, 90]), dead=np.array([0, 1, 60]))
    assert training._stops((article, faster)) == [8, 90, 251]
