"""What is sent to the player, and how charts name it."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from views.player import Series, Timeline, every_step, some_steps

WHOLE = np.array([1.0, 2.0, 3.0, 4.0])
AT = np.array([0, 2])


@pytest.fixture
def timeline():
    sparse = some_steps({"check": np.array([5.0, 6.0]), "other": np.array([7.0, 8.0])}, AT)
    return Timeline({"exact": Series(WHOLE), **every_step({"short": WHOLE}), **sparse}, last_step=3)


def test_a_series_is_named_by_its_place_behind_step_phase_and_moment(timeline):
    assert timeline.now("exact") == "toNumber(now[3 + 0])"
    assert timeline.now("other") == "toNumber(now[6 + 0])"


def test_one_step_later_stands_behind_all_series(timeline):
    assert timeline.now("exact_next") == "toNumber(now[7 + 0])"
    assert timeline.now("short_next", further="datum.i") == "toNumber(now[8 + datum.i])"


@pytest.mark.parametrize("name", ["nothing", "check_next"])
def test_an_unknown_series_is_an_error_and_one_without_every_step_has_no_next(timeline, name):
    with pytest.raises(ValueError, match="not in tuple"):
        timeline.now(name)


def test_what_is_sent_decodes_to_what_was_given(timeline):
    sent = timeline.payload
    for name, kind in (("exact", "f8"), ("short", "f4")):
        array = sent["arrays"][sent["series"][name][0]]
        assert array["type"] == kind
        decoded = np.frombuffer(base64.b64decode(array["values"]), "<" + kind)
        np.testing.assert_array_equal(decoded, WHOLE)


def test_the_same_numbers_are_sent_once():
    timeline = Timeline(every_step({"one": WHOLE, "other": WHOLE.copy(), "third": -WHOLE}), 3)
    sent = timeline.payload
    assert [place for place, _ in sent["series"].values()] == [0, 0, 1]
    assert len(sent["arrays"]) == 2


def test_slow_motion_is_told_where_it_can_go():
    timeline = Timeline({}, 9, parts=(2, 4, 8, 4), slow_at=np.array([0, 3, 9]), slow=True)
    sent = timeline.payload
    assert sent["parts"] == (2, 4, 8, 4)
    assert np.frombuffer(base64.b64decode(sent["slowAt"]), "<i4").tolist() == [0, 3, 9]


def test_steps_that_series_share_are_sent_once(timeline):
    series, at = timeline.payload["series"], timeline.payload["at"]
    assert [series[name][1] for name in ("exact", "short", "check", "other")] == [
        None,
        None,
        0,
        0,
    ]
    assert len(at) == 1
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(at[0]), "<i4"), AT)


def test_a_number_too_large_for_float32_keeps_its_run_in_float64():
    large = np.array([1.0, 1e80, np.inf])
    assert every_step({"loss": large})["loss"].values.dtype == np.float64
    assert every_step({"loss": np.array([1.0, np.inf])})["loss"].values.dtype == np.float32
