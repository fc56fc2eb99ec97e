"""Every question gets its answer or a reason, and all of them together no more than their time."""

import time
from contextlib import contextmanager

import numpy as np
import psutil
import pytest

from engines.benchmark import sweep
from engines.benchmark.clock import Measured
from engines.benchmark.contender import Contender, LostError, Question, Scheduled
from engines.benchmark.machine import Device
from engines.benchmark.operations import OPERATIONS
from engines.benchmark.recording import Measurement, from_text, to_text
from engines.benchmark.sweep import Plan, recorded, run, summary
from tests.support.processes import children_of, ended, plain_main

NUMPY, TORCH = Contender("numpy", "cpu", 1), Contender("torch", "cpu", 2)
TENSORFLOW = Contender("tensorflow", "cpu", 2)


@pytest.fixture(autouse=True, scope="module")
def no_script():
    with plain_main():
        yield


def plan(*contenders, sizes=(16, 64), operations=("square",), transfers=(False,), **settings):
    settings = {"precision": "float32", "seconds": 10.0, **settings}
    sizes = dict.fromkeys(operations, tuple(sizes))
    return Plan(contenders=contenders, sizes=sizes, transfers=transfers, **settings)


class Clock:
    """Time passes only where something is done."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    perf_counter = monotonic


class Processes:
    """Contenders that answer at once, by the clock: `speed` flops a second and a microsecond.

    loading: seconds. lost: those that have ended. full: from this size on memory is too small.
    """

    def __init__(self, clock, *, speed=1e9, loading=0.0, lost=(), full=10**9):
        self.clock, self.speed, self.loading = clock, speed, loading
        self.lost, self.full = set(lost), full
        self.asked, self.closed = [], []

    def __call__(self, contender):
        return Process(self, contender)


class Process:
    def __init__(self, all_of_them, contender):
        self.all, self.contender = all_of_them, contender
        self.load_seconds, self.libraries = all_of_them.loading, {}

    def loaded(self, seconds):
        if self.contender in self.all.lost:
            raise LostError
        self.all.clock.now += min(seconds, self.all.loading)
        return seconds >= self.all.loading

    def scheduled(self):  # of four seconds in which they want a core, threads have three
        return Scheduled(3 * self.all.clock.now, self.all.clock.now)

    def ask(self, question):
        if self.contender in self.all.lost:
            raise LostError
        self.all.asked.append((self.contender, question))
        if question.size >= self.all.full:
            return None
        call = 1e-6 + OPERATIONS[question.operation].flops(question.size) / self.all.speed
        calls = max(1, min(21, int(question.seconds / call)))  # then the median is known
        self.all.clock.now += call * calls
        return Measured(call, 1, [call] * (calls - 1))

    def close(self):
        self.all.closed.append(self.contender)


@pytest.fixture
def pretend(monkeypatch):
    """Contenders and a clock of the test's own."""

    def choose(**options):
        clock = Clock()
        processes = Processes(clock, **options)
        monkeypatch.setattr(sweep, "Process", processes)
        monkeypatch.setattr(sweep, "time", clock)
        return processes

    return choose


def of_kind(events, kind):
    return [event for event in events if event["event"] == kind]


def reasons(events):
    return [(e["framework"], e["size"], e["reason"]) for e in of_kind(events, "left out")]


# What is asked


def test_at_each_size_all_contenders_are_asked_in_turn():
    asked = plan(NUMPY, TORCH, sizes=(16, 64), transfers=(False, True)).questions()
    assert [(c.framework, q.size, q.transfer) for c, q in asked] == [
        ("numpy", 16, False),
        ("torch", 16, False),
        ("torch", 16, True),  # NumPy works where the data is
        ("numpy", 64, False),
        ("torch", 64, False),
        ("torch", 64, True),
    ]


def test_a_copy_is_asked_only_where_one_is_made():
    asked = plan(
        NUMPY, TORCH, TENSORFLOW, operations=("copy",), transfers=(False, True), sizes=(64,)
    ).questions()
    assert [(c.framework, q.transfer) for c, q in asked] == [("numpy", False), ("torch", False)]


def test_each_question_ends_in_one_event_and_they_are_counted(pretend):
    processes = pretend(loading=0.5)
    events = list(run(plan(NUMPY, TORCH), name="mine"))
    assert [e["event"] for e in events] == ["began", "loaded", "loaded", *["measured"] * 4]
    assert [e["done"] for e in events[3:]] == [1, 2, 3, 4]
    assert {e["of"] for e in (events[0], *events[3:])} == {4}
    assert [e["seconds"] for e in events[1:3]] == [0.5, 0.5]
    assert sorted(processes.closed) == sorted([NUMPY, TORCH])


def test_what_is_measured_says_what_was_asked(pretend):
    pretend()
    events = run(
        plan(
            TORCH,
            sizes=(100,),
            operations=("training_step",),
            transfers=(True,),
            precision="float64",
        )
    )
    measured = Measurement(**of_kind(events, "measured")[0]["measurement"])
    assert measured[:7] == ("training_step", "torch", "cpu", 2, 100, "float64", True)


def test_the_quartiles_are_those_of_the_samples():
    samples = np.random.default_rng(0).permutation(np.arange(1.0, 102.0)).tolist()
    kept = summary(NUMPY, Question("square", 64), Measured(7.0, 3, samples))
    assert kept[7:] == (7.0, 3, 101, 1.0, 26.0, 51.0, 76.0, 101.0)
    assert kept[:7] == ("square", "numpy", "cpu", 1, 64, "float32", False)


def test_how_much_of_the_time_there_was_a_core_is_told(pretend):
    pretend()
    measured = of_kind(run(plan(NUMPY, TORCH, sizes=(64,))), "measured")
    assert [one["on_core"] for one in measured] == pytest.approx([0.75, 0.75])


# How much time it takes


@pytest.mark.parametrize("seconds", [0.1, 3.0, 60.0])
@pytest.mark.parametrize("speed", [1e8, 1e12])
def test_all_together_take_no_more_than_their_time_and_one_sample(pretend, seconds, speed):
    processes = pretend(speed=speed)
    start = processes.clock.now
    events = list(run(plan(NUMPY, TORCH, sizes=OPERATIONS["square"].sizes, seconds=seconds)))
    measured = of_kind(events, "measured")
    longest = max((e["measurement"]["median"] for e in measured), default=0)
    assert processes.clock.now - start <= seconds + longest
    assert len(measured) + len(of_kind(events, "left out")) == events[0]["of"] == 20


def test_time_that_is_not_needed_goes_to_those_who_come_later(pretend):
    processes = pretend()
    list(run(plan(NUMPY, sizes=(16, 32, 1024), seconds=60.0)))
    given = [question.seconds for _, question in processes.asked]
    assert given[0] == pytest.approx(20, rel=0.01)
    assert given[1] < 1  # enough for calls that are known to be short
    assert given[2] > 20


def test_what_is_left_of_the_time_is_shared(pretend):
    processes = pretend(speed=1e6)
    others = [Contender("numpy", "cpu", threads) for threads in (2, 3)]
    list(run(plan(NUMPY, *others, sizes=(64, 80), seconds=12.0)))
    given = [question.seconds for _, question in processes.asked]
    assert given == pytest.approx([2.0] * 6, rel=0.5)


def test_a_first_question_may_need_more_than_short_calls_do(pretend):
    pretend(speed=1e8)
    (one,) = of_kind(run(plan(NUMPY, sizes=(512,), seconds=12.0)), "measured")
    assert one["measurement"]["median"] == pytest.approx(2.7, rel=0.01)


def test_what_would_not_fit_into_its_share_is_left_out_for_lack_of_time(pretend):
    pretend(speed=1e8)
    events = list(run(plan(NUMPY, sizes=(16, 64, 256, 1024, 4096), seconds=4.0)))
    assert reasons(events) == [("numpy", 1024, "time"), ("numpy", 4096, "time")]
    assert [e["measurement"]["size"] for e in of_kind(events, "measured")] == [16, 64, 256]


def test_where_loading_takes_all_the_time_nothing_is_asked(pretend):
    processes = pretend(loading=5.0)
    events = list(run(plan(NUMPY, TORCH, seconds=2.0)))
    assert [reason for *_, reason in reasons(events)] == ["loading"] * 4
    assert (processes.asked, of_kind(events, "loaded")) == ([], [])
    assert processes.clock.now == 1002
    assert sorted(processes.closed) == sorted([NUMPY, TORCH])


# Why something is left out


def test_what_needs_more_than_half_of_the_free_memory_is_not_asked(pretend, monkeypatch):
    processes = pretend(speed=1e15)
    held = 3 * 256 * 256 * 4
    monkeypatch.setattr(sweep, "memory_free", lambda: 2 * held)
    monkeypatch.setattr(sweep, "LOADED_BYTES", dict.fromkeys(sweep.LOADED_BYTES, 0))
    events = list(run(plan(TORCH, sizes=(256, 512), transfers=(False, True))))
    assert reasons(events) == [("torch", n, "memory") for n in (256, 512, 512)]
    # With the way of the data there are two of it.
    assert [question[1:4] for _, question in processes.asked] == [(256, "float32", False)]


def test_a_device_without_enough_memory_says_so_itself(pretend):
    pretend(full=64)
    gpu = Contender("torch", "cuda", 1)
    assert reasons(run(plan(gpu))) == [("torch", 64, "memory")]


def test_the_memory_of_the_processor_is_not_that_of_a_graphics_card(pretend, monkeypatch):
    pretend()
    monkeypatch.setattr(sweep, "memory_free", lambda: 1)
    monkeypatch.setattr(sweep, "LOADED_BYTES", dict.fromkeys(sweep.LOADED_BYTES, 0))
    gpu = Contender("torch", "cuda", 1)
    events = list(run(plan(NUMPY, gpu, sizes=(16,))))
    assert reasons(events) == [("numpy", 16, "memory")]
    assert len(of_kind(events, "measured")) == 1


def test_a_framework_for_which_there_is_no_room_is_not_loaded(pretend, monkeypatch):
    processes = pretend()
    monkeypatch.setattr(sweep, "memory_free", lambda: 400e6)
    events = list(run(plan(NUMPY, Contender("tensorflow", "cpu", 1), sizes=(16,))))
    assert reasons(events) == [("tensorflow", 16, "memory")]
    assert [contender for contender, _ in processes.asked] == [NUMPY]


def test_a_long_question_may_have_more_than_its_part_if_enough_is_left(pretend):
    processes = pretend(speed=1e9)
    list(run(plan(NUMPY, sizes=(128, 256, 512, *range(513, 533)), seconds=30.0)))
    given = {question.size: question.seconds for _, question in processes.asked}
    assert 30 / 23 < given[512] < 30 / 4  # a call takes 0.27 s


def test_apples_graphics_has_no_64_bits(pretend):
    pretend()
    apple = Contender("torch", "mps", 1)
    events = list(run(plan(NUMPY, apple, sizes=(16,), precision="float64")))
    assert reasons(events) == [("torch", 16, "precision")]
    assert reasons(run(plan(apple, sizes=(16,)))) == []


def test_the_others_go_on_without_one_that_is_lost(pretend):
    pretend(lost=[TORCH])
    events = list(run(plan(NUMPY, TORCH)))
    assert reasons(events) == [("torch", 16, "lost"), ("torch", 64, "lost")]
    assert [e["measurement"]["framework"] for e in of_kind(events, "measured")] == ["numpy"] * 2


def test_a_size_that_the_system_kills_for_is_left_out_for_lack_of_memory(pretend, monkeypatch):
    """It was said to be lost, with all that came after it."""
    started, killed = pretend(), []

    def ask(process, question, answer=Process.ask):
        if question.size == 64 and process.contender == TORCH:
            killed.append(question)
            raise LostError
        return answer(process, question)

    monkeypatch.setattr(Process, "ask", ask)
    monkeypatch.setattr(sweep, "killed_for_memory", lambda: len(killed))
    sizes = {"square": (16, 64, 256), "elementwise": (16, 1024)}
    asked = plan(NUMPY, TORCH)._replace(sizes=sizes)
    events = list(run(asked))
    assert reasons(events) == [("torch", 64, "memory"), ("torch", 256, "memory")]
    assert len(killed) == 1  # larger ones are not tried
    by_torch = [e["measurement"] for e in of_kind(events, "measured")]
    by_torch = [one for one in by_torch if one["framework"] == "torch"]
    assert [(one["operation"], one["size"]) for one in by_torch] == [
        ("square", 16),
        ("elementwise", 16),
        ("elementwise", 1024),
    ]
    assert started.closed.count(TORCH) == 2  # another process has answered them


def test_what_a_sweep_needs_is_said_before_it_starts(pretend):
    pretend()
    both = plan(NUMPY, TORCH, sizes=(16, 1024), transfers=(False, True))
    loaded = sweep.LOADED_BYTES["numpy"] + sweep.LOADED_BYTES["torch"]
    assert both.needed_bytes() == loaded + 2 * 3 * 1024**2 * 4
    began = next(run(both))
    assert began["needed_bytes"] == both.needed_bytes()
    assert began["free_bytes"] > 0


# The recording


def test_a_run_that_was_stopped_is_a_recording_of_what_was_measured(pretend):
    pretend()
    events = run(plan(NUMPY, TORCH, seconds=7.0), name="a machine of mine")
    some = [next(events) for _ in range(5)]
    events.close()
    recording = recorded(some)
    assert from_text(to_text(recording)) == recording
    assert recording.machine.name == "a machine of mine"
    assert recording.settings["seconds"] == 7.0
    assert [one.framework for one in recording.measurements] == ["numpy", "torch"]


def test_a_run_that_has_not_begun_is_no_recording():
    with pytest.raises(ValueError, match="not enough"):
        recorded([])


def test_cards_and_versions_that_only_a_framework_knows_are_recorded(pretend, monkeypatch):
    pretend()
    monkeypatch.setattr(Process, "loaded", lambda self, seconds: True)
    card = Device("torch", "xpu", True, "a card", "", 2**30)
    events = list(run(plan(NUMPY, sizes=(16,)), devices=[card]))
    events[1]["libraries"] = {"cuda": "12.8", "numpy": "0"}
    recording = recorded(events)
    assert recording.libraries["cuda (numpy)"] == "12.8"
    assert recording.libraries["numpy"] == np.__version__
    assert [gpu.name for gpu in recording.machine.gpus] in (["a card"], [])


# With real processes


@contextmanager
def nothing_left_of():
    before, seen = children_of(psutil.Process()), set()
    yield lambda: seen.update(children_of(psutil.Process()) - before) or seen
    assert seen
    assert ended(seen)


def test_a_real_run_outlives_its_time_by_no_more_than_a_sample():
    asked = plan(NUMPY, TORCH, sizes=(16, 64, 256), transfers=(False, True), seconds=3.5)
    with nothing_left_of() as started:
        start, events = time.monotonic(), []
        for event in run(asked):
            events.append(event)
            started()
        took = time.monotonic() - start
    assert took < 3.5 + 0.5  # the longest call is some milliseconds, to end the processes as long
    assert len(of_kind(events, "measured")) + len(of_kind(events, "left out")) == 9
    for event in of_kind(events, "measured"):
        one = Measurement(**event["measurement"])
        assert 0 < one.least <= one.low <= one.median <= one.high <= one.most < 1
        assert one.gflops < 1e5


def test_when_one_is_killed_its_questions_are_lost_and_the_others_answer():
    other = Contender("numpy", "cpu", 2)
    with nothing_left_of() as started:
        events = []
        for event in run(plan(NUMPY, other, sizes=(16, 32, 64), seconds=20.0)):
            events.append(event)
            if event["event"] == "measured" and len(events) == 4:
                for process in started():
                    if process.environ()["OMP_NUM_THREADS"] == "2":
                        process.kill()
    assert [(e["threads"], e["size"], e["reason"]) for e in of_kind(events, "left out")] == [
        (2, size, "lost") for size in (16, 32, 64)
    ]
    assert [e["measurement"]["size"] for e in of_kind(events, "measured")] == [16, 32, 64]
