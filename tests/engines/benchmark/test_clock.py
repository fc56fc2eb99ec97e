"""Timing done right, on clocks that only move when something is done."""

import subprocess
import sys
import time
from itertools import chain, cycle, repeat
from pathlib import Path

import numpy as np
import pytest

from engines.benchmark.clock import (
    BLOCK_SECONDS,
    CLOSE_ENOUGH,
    LEAST_SAMPLES,
    MOST_SAMPLES,
    known,
    measure,
    paired,
)


class Device:
    """A clock, and a device on which each call takes the next of `costs`.

    late: it gives a call back after `late` seconds, before it is done, as a GPU does.
    """

    def __init__(self, costs, late=None):
        self.costs, self.late = iter(costs), late
        self.now = self.pending = 0.0
        self.began = []  # when each call began
        self.waits = 0

    def run(self):
        self.began.append(self.now)
        cost = next(self.costs)
        if self.late is None:
            self.now += cost
        else:
            self.now += self.late
            self.pending += cost

    def wait(self):
        self.waits += 1
        self.now += self.pending
        self.pending = 0.0

    def measured(self, seconds):
        return measure(self.run, self.wait, seconds=seconds, clock=lambda: self.now)


def noisy(least, most, seed=0):
    rng = np.random.default_rng(seed)
    return iter(lambda: rng.uniform(least, most), None)


@pytest.mark.parametrize("cost", [1e-6, 1e-4, 3e-3, 0.02, 1.5])
def test_as_many_calls_in_a_row_as_a_clock_can_time_are_a_sample(cost):
    measured = Device(repeat(cost)).measured(seconds=100)
    assert measured.calls * cost >= BLOCK_SECONDS
    assert measured.calls == 1 or measured.calls * cost < 2 * BLOCK_SECONDS
    assert measured.samples == pytest.approx([cost] * LEAST_SAMPLES)


def test_the_first_call_and_the_warm_up_are_no_samples():
    slow_at_first = chain([2.0], [5e-4] * 7, repeat(1e-4))
    measured = Device(slow_at_first).measured(seconds=100)
    assert measured.first == pytest.approx(2.0)
    assert measured.samples == pytest.approx([1e-4] * LEAST_SAMPLES)


def test_one_call_that_was_held_up_does_not_make_the_samples_short():
    measured = Device(chain([1e-5], [0.05], repeat(1e-5))).measured(seconds=100)
    assert measured.calls * 1e-5 >= BLOCK_SECONDS
    assert measured.samples == pytest.approx([1e-5] * LEAST_SAMPLES)


def test_a_device_that_gives_calls_back_early_is_waited_for():
    device = Device(repeat(1e-3), late=1e-6)
    device.pending = 7.0  # somebody else's
    measured = device.measured(seconds=100)
    assert measured.first == pytest.approx(1e-3, rel=1e-2)
    assert measured.samples == pytest.approx([1e-3] * LEAST_SAMPLES, rel=1e-2)
    assert device.pending == 0


def test_the_waiting_is_spread_over_all_calls_of_a_sample():
    """Else a launch that takes a microsecond would seem to take as long as the waiting does."""
    device = Device(repeat(1e-6))
    waiting = device.wait

    def wait():
        waiting()
        device.now += 5e-5

    measured = measure(device.run, wait, seconds=100, clock=lambda: device.now)
    assert measured.first > 5e-5
    assert measured.samples == pytest.approx([1e-6] * LEAST_SAMPLES, rel=0.01)


def test_the_more_the_calls_differ_the_more_samples_are_taken():
    counts = [
        len(Device(noisy(1 - spread, 1 + spread)).measured(seconds=1e6).samples)
        for spread in (0.001, 0.03, 0.1)
    ]
    assert counts[0] == LEAST_SAMPLES < counts[1] < counts[2] < MOST_SAMPLES


def test_samples_that_agree_on_no_median_end_at_some_number():
    measured = Device(cycle([1.0, 1.0, 3.0, 3.0])).measured(seconds=1e6)
    assert len(measured.samples) == MOST_SAMPLES


@pytest.mark.parametrize("seconds", [0.3, 3.5, 20.0])
@pytest.mark.parametrize("costs", [(0.5, 1.5), (0.01, 0.09), (1e-4, 9e-4)])
def test_no_sample_begins_after_the_time_is_over(seconds, costs):
    device = Device(noisy(*costs))
    measured = device.measured(seconds=seconds)
    last = device.began[-measured.calls :]  # the calls of one sample
    assert last[0] < seconds
    assert device.now < seconds + measured.calls * costs[1]
    assert known(measured.samples) or device.now >= seconds


def test_of_long_calls_all_but_the_first_are_samples():
    measured = Device(repeat(1.0)).measured(seconds=3.5)
    assert (measured.calls, measured.samples) == (1, [1.0, 1.0, 1.0])


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0])
def test_where_the_first_call_takes_all_the_time_there_are_no_samples(seconds):
    device = Device(repeat(1.0))
    assert device.measured(seconds=seconds) == (1.0, 1, [])
    assert len(device.began) == 1


def test_a_short_time_is_spent_on_short_samples():
    measured = Device(repeat(1e-5)).measured(seconds=0.02)
    assert measured.calls * 1e-5 < BLOCK_SECONDS
    assert len(measured.samples) >= LEAST_SAMPLES


@pytest.mark.parametrize(
    ("samples", "enough"),
    [
        ([], False),
        ([1.0] * (LEAST_SAMPLES - 1), False),
        ([1.0] * LEAST_SAMPLES, True),
        # Quartiles 0.1 apart: 1.57 · 0.1 / √n is 0.01 at n = 246.
        (np.linspace(0.9, 1.1, 240), False),
        (np.linspace(0.9, 1.1, 252), True),
        # One that was held up says nothing about the median.
        ([1.0] * 20 + [50.0], True),
        ([1.0, 2.0] * (MOST_SAMPLES // 2 - 1), False),
        ([1.0, 2.0] * (MOST_SAMPLES // 2), True),
    ],
)
def test_a_median_is_known_when_its_notch_is_small(samples, enough):
    assert known(list(samples)) is enough


def test_what_is_known_is_as_close_as_it_says():
    """Times have a least value and a long tail. Nearly all medians must be right, not just most."""
    rng, right = np.random.default_rng(7), np.exp(-3)
    apart = []
    for _ in range(150):
        times = iter(lambda: rng.lognormal(-3, 0.06), None)
        samples = Device(times).measured(seconds=1e9).samples
        assert len(samples) < MOST_SAMPLES
        apart.append(abs(np.median(samples) / right - 1))
    assert np.mean(np.array(apart) < CLOSE_ENOUGH) > 0.85
    assert np.mean(np.array(apart) < 2 * CLOSE_ENOUGH) > 0.97


def test_runs_timed_in_turn_keep_their_order():
    fast, slow = paired(lambda: None, lambda: time.sleep(0.002), rounds=5)
    assert fast.low <= fast.median <= fast.high < slow.low
    assert slow.median >= 2


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "engines.benchmark", "--help"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("usage: python -m engines.benchmark")
