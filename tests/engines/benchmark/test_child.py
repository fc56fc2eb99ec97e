"""Measuring in a child process: results as they come, in turn, and gone when it is let go."""

import gc
import os
import sys
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread

import psutil
import pytest

from engines.benchmark import child as children
from engines.benchmark import first_calls
from engines.benchmark.child import Waiting, answers, in_child
from tests.support.processes import alive, children_of, ended, started_by

ROOT = Path(__file__).parents[3]
FOREVER = "import time; print('{}', flush=True); time.sleep(60)"
SETTINGS = ["--operations", "square", "--seconds", "60", "--contenders", "numpy:cpu:1"]
SWEEP, SLOW = [*SETTINGS, "numpy:cpu:2"], [*SETTINGS, "torch:cpu:1"]  # PyTorch takes long to load


@pytest.fixture
def child(monkeypatch):
    """Have the next child run a text of Python in place of a measurement."""
    popen = children.subprocess.Popen
    started = []

    def choose(source):
        def start(_, **options):
            started.append(popen([sys.executable, "-c", source], **options))
            return started[-1]

        monkeypatch.setattr(children.subprocess, "Popen", start)
        return started

    return choose


def results(**options):
    return [result for result in in_child(["paid_once"], **options) if result is not None]


def first(running):
    """The next result that says something."""
    return next(result for result in running if result is not None)


@pytest.fixture
def nothing_left():
    """No process that the test has started is there when it is over."""
    before = children_of(psutil.Process())
    yield
    assert ended(children_of(psutil.Process()) - before)


# What comes of it


def test_engines_are_measured_in_a_child_and_end_at_one_loss(nothing_left):
    *rows, machine = [row for row in in_child(["paid_once", "--quick"]) if row is not None]
    assert machine == {"cores": os.cpu_count()}
    assert [row["engine"] for row in rows] == ["tf_session", "torch_autograd"]
    assert {row["engine"] for row in rows} <= first_calls.ENGINES.keys()
    assert rows[0]["loss"] == pytest.approx(rows[1]["loss"], rel=1e-5)


def test_results_come_one_by_one_and_none_while_there_is_nothing_new(child):
    child("import time; print('{\"a\": 1}', flush=True); time.sleep(0.7); print('{\"a\": 2}')")
    seen = list(in_child(["paid_once"]))
    assert [one for one in seen if one] == [{"a": 1}, {"a": 2}]
    first, last = seen.index({"a": 1}), seen.index({"a": 2})
    assert seen[first + 1 : last].count(None) >= 2


def test_what_a_child_failed_with_is_raised(child):
    started = child("print('{\"a\": 1}', flush=True); raise ValueError('no such engine')")
    running = in_child(["paid_once"])
    with pytest.raises(ChildProcessError, match=r"ValueError: no such engine$"):
        list(running)
    assert started[0].returncode == 1


def test_a_worker_that_is_killed_from_outside_ends_the_measurement(nothing_left):
    before = children_of(psutil.Process())
    running = in_child(["paid_once"])
    next(running)
    [measuring] = started_by(psutil.Process(), 1, but=before)
    [worker] = started_by(measuring, 1)
    worker.kill()
    began = time.monotonic()
    with pytest.raises(ChildProcessError, match="BrokenProcessPool"):
        list(running)
    assert time.monotonic() - began < 10  # and not the three minutes that it may take


def test_the_queue_has_an_end(child):
    child(FOREVER)
    running = [in_child(["paid_once"]) for _ in range(children.MOST_IN_LINE)]
    try:
        for one in running:
            next(one)
        with pytest.raises(children.FullError):
            next(in_child(["paid_once"]))
    finally:
        for one in reversed(running):
            one.close()
    assert children.in_line() == 0


def test_a_measurement_that_does_not_exist_fails_with_its_command_lines_words():
    with pytest.raises(ChildProcessError, match="invalid choice: 'nothing'"):
        list(in_child(["nothing"]))


def test_what_is_no_text_does_not_stop_the_others(child):
    child('import os; os.write(1, b\'{"a": "\\xff"}\\n{"b": 2}\\n\')')
    assert results() == [{"a": "\ufffd"}, {"b": 2}]


def test_all_answers_at_once_do_not_wait_for_those_who_measure(child):
    child(FOREVER)
    with closing(in_child(["paid_once"])) as running:
        first(running)
        child("print('{\"a\": 1}'); print('{\"a\": 2}')")
        assert answers(["devices"]) == [{"a": 1}, {"a": 2}]
    child("raise ValueError('no devices')")
    with pytest.raises(ChildProcessError, match="no devices"):
        answers(["devices"])


def test_answers_that_take_too_long_are_ended_with_all_they_have_started(child, nothing_left):
    child(
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "time.sleep(60)"
    )
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        answers(["devices"], seconds=0.5)
    assert time.monotonic() - start < 3


# How it ends


def test_closing_the_generator_ends_the_child_and_what_it_started(child):
    started = child(
        "import json, subprocess, sys, time\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(json.dumps({'pid': other.pid}), flush=True); time.sleep(60)"
    )
    with closing(in_child(["paid_once"])) as running:
        other = psutil.Process(first(running)["pid"])
        assert alive(psutil.Process(started[0].pid))
        assert alive(other)
    assert ended([other])
    assert started[0].returncode == -9


def test_a_child_that_takes_too_long_is_ended(child):
    started = child(FOREVER)
    with pytest.raises(TimeoutError):
        results(seconds=0.5)
    assert started[0].returncode == -9


def test_a_child_that_has_said_everything_and_does_not_end_is_ended(child, monkeypatch):
    monkeypatch.setattr(children, "TO_END", 0.3)
    started = child("import os, time; print('{}', flush=True); os.close(1); time.sleep(60)")
    with pytest.raises(TimeoutError, match="did not end"):
        results()
    assert started[0].returncode == -9


def test_a_child_whose_visitor_has_vanished_is_ended(child):
    started = child(FOREVER)
    running = in_child(["paid_once"])
    first(running)
    del running
    gc.collect()
    assert started[0].returncode == -9
    child("print('{}')")
    assert results() == [{}]


HEARING = """
import time
from engines.benchmark import child
child.SILENCE = 0.6
child.end_with_the_listener()
print('{}', flush=True)
time.sleep(60)
"""


def test_a_child_ends_in_silence_and_only_then(child):
    started = child(HEARING)
    with closing(in_child(["paid_once"])) as running:
        first(running)
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            assert next(running) is None
        assert started[0].poll() is None
        assert ended([psutil.Process(started[0].pid)], seconds=4)  # nobody asks for more
        with pytest.raises(ChildProcessError):
            list(running)


def test_a_child_ends_with_the_process_that_listens_also_when_it_has_nothing_to_say():
    """It reads that its input has ended; no pipe that breaks would tell it."""
    quiet = [sys.executable, "-c", HEARING.replace("child.SILENCE = 0.6", "")]
    with Popen(quiet, cwd=ROOT, stdin=PIPE, stdout=PIPE, start_new_session=True) as running:
        running.stdout.readline()
        assert running.poll() is None
        running.stdin.close()
        assert ended([psutil.Process(running.pid)])


def test_a_sweep_ends_at_once_while_its_contenders_load_and_while_they_measure(nothing_left):
    others = children_of(psutil.Process())
    for sweep, until in ((SLOW, "began"), (SWEEP, "measured")):
        with closing(in_child(sweep)) as running:
            while first(running)["event"] != until:
                pass
            # The child and two contenders.
            processes = started_by(psutil.Process(), 3, but=others)
            start = time.monotonic()
        assert ended(processes)
        assert time.monotonic() - start < 2


def test_a_killed_app_leaves_nothing_behind():
    app = f"""
from engines.benchmark.child import in_child
for event in in_child({SWEEP}):
    if event:
        print(event["event"], flush=True)
"""
    with Popen([sys.executable, "-c", app], cwd=ROOT, stdout=PIPE, text=True) as running:
        while running.stdout.readline().strip() != "measured":
            assert running.poll() is None
        processes = started_by(psutil.Process(running.pid), 3)
        running.kill()
        assert ended(processes)


def test_a_child_that_is_killed_leaves_nothing_behind():
    others = children_of(psutil.Process())
    with closing(in_child(SWEEP)) as running:
        while first(running)["event"] != "measured":
            pass
        processes = started_by(psutil.Process(), 3, but=others)
        (measuring,) = (one for one in processes if "engines.benchmark" in one.cmdline())
        measuring.kill()
        with pytest.raises(ChildProcessError):
            list(running)
        assert ended(processes)


# The queue


def test_visitors_wait_in_line_and_move_up(child):
    child(FOREVER)
    one, two, three, four = (in_child(["paid_once"]) for _ in range(4))
    assert first(one) == {}
    assert [next(two), next(three), next(four)] == [Waiting(1), Waiting(2), Waiting(3)]
    two.close()  # one leaves from the middle
    assert [next(three), next(four)] == [Waiting(1), Waiting(2)]
    one.close()
    assert first(three) == {}
    assert next(four) == Waiting(1)
    three.close()
    assert first(four) == {}
    four.close()
    child("print('{}')")
    assert results() == [{}]


def test_who_has_not_begun_to_wait_is_not_in_the_line(child):
    child(FOREVER)
    idle = in_child(["paid_once"])
    with closing(in_child(["paid_once"])) as running:
        assert first(running) == {}
    idle.close()


@pytest.mark.parametrize(
    ("failing", "error"),
    [
        ("import time; time.sleep(0.5); raise ValueError", ChildProcessError),
        ("import time; time.sleep(60)", TimeoutError),
        ("import time; time.sleep(0.5); print('no JSON')", ValueError),
    ],
)
def test_a_failure_lets_the_next_one_begin(child, failing, error):
    child(failing)
    one, two = in_child(["paid_once"], seconds=1.5), in_child(["paid_once"])
    assert next(one) is None
    assert next(two) == Waiting(1)
    with pytest.raises(error):
        list(one)
    child("print('{}')")
    assert first(two) == {}
    two.close()


def test_three_visitors_measure_one_after_the_other(child):
    child(
        "import json, time; a = time.time(); time.sleep(0.3); print(json.dumps([a, time.time()]))"
    )
    seen = {}

    def visit(name):
        seen[name] = list(in_child(["paid_once"]))

    visitors = [Thread(target=visit, args=(name,)) for name in "abc"]
    for visitor in visitors:
        visitor.start()
        time.sleep(0.05)
    for visitor in visitors:
        visitor.join(timeout=20)
    times = [next(one for one in seen[name] if isinstance(one, list)) for name in "abc"]
    for (_, end), (start, _) in pairwise(times):
        assert end < start
    places = [[one.before for one in seen[name] if isinstance(one, Waiting)] for name in "abc"]
    assert places[0] == []
    assert set(places[1]) == {1}
    assert places[2] == sorted(places[2], reverse=True)
    assert set(places[2]) == {2, 1}


def test_waiting_costs_the_one_who_waits_none_of_the_time(child):
    child(FOREVER)
    one, two = in_child(["paid_once"]), in_child(["paid_once"], seconds=1.0)
    first(one)
    until = time.monotonic() + 1.3
    while time.monotonic() < until:
        assert next(two) == Waiting(1)
    one.close()
    assert first(two) == {}
    two.close()
