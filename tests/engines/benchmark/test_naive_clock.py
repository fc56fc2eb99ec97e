"""Each wrong way to time leaves out one thing, on a device that gives calls back early."""

from itertools import chain, repeat

import pytest

from engines.benchmark import naive_clock
from engines.benchmark.clock import measure
from engines.benchmark.naive_clock import MOST, one_by_one, without_waiting, without_warm_up

LAUNCH, FIRST, LATER = 1e-6, 0.2, 1e-3


class Device:
    """It needs FIRST for its first call and LATER for the others, and gives back after LAUNCH."""

    def __init__(self, monkeypatch):
        self.now = self.pending = 0.0
        self.calls = 0
        self.costs = chain([FIRST], repeat(LATER))
        monkeypatch.setattr(naive_clock.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(naive_clock, "timeit", self.timeit)

    def run(self):
        self.calls += 1
        self.now += LAUNCH
        self.pending += next(self.costs)

    def run_at_once(self):
        self.run()
        self.wait()

    def wait(self):
        self.now += self.pending
        self.pending = 0.0

    def timeit(self, run, number):
        start = self.now
        for _ in range(number):
            run()
        return self.now - start

    def honest(self):
        return measure(self.run, self.wait, seconds=10, clock=lambda: self.now).samples


@pytest.fixture
def device(monkeypatch):
    return Device(monkeypatch)


def test_without_warm_up_the_first_call_is_a_tenth_of_the_mean(device):
    naive = without_warm_up(device.run_at_once, device.wait, seconds=1)
    assert (device.calls, naive.calls) == (10, 10)
    assert naive.samples == [naive.first] == pytest.approx([FIRST / 10], rel=0.1)
    assert device.honest() == pytest.approx([LATER] * 9, rel=0.01)


def test_without_waiting_only_the_launch_is_seen(device):
    naive = without_waiting(device.run, device.wait, seconds=1)
    assert [naive.first, *naive.samples] == pytest.approx([LAUNCH] * (len(naive.samples) + 1))
    assert device.pending == 0  # and nothing has piled up
    assert device.honest() == pytest.approx([LATER] * 9, rel=0.01)


def test_one_by_one_keeps_each_call_in_order(device):
    device.costs = iter([FIRST, 0.1, 0.3, 0.2, 0.5])
    naive = one_by_one(device.run, device.wait, seconds=1.25)
    assert naive.first == pytest.approx(FIRST, rel=0.01)
    assert naive.samples == pytest.approx([0.1, 0.3, 0.2, 0.5], rel=0.01)


@pytest.mark.parametrize("how", [without_waiting, one_by_one])
def test_calls_timed_by_themselves_are_bounded_in_number_and_time(device, how):
    assert len(how(device.run, device.wait, seconds=1000).samples) == MOST - 1
    device.calls, device.costs = 0, repeat(1.0)
    how(device.run, device.wait, seconds=2.5)
    assert device.calls == 3


@pytest.mark.parametrize("how", [without_waiting, one_by_one])
def test_where_no_time_is_left_there_is_a_first_call_and_no_sample(device, how):
    naive = how(device.run, device.wait, seconds=0)
    assert (device.calls, naive.samples) == (1, [])
