"""Measuring in a child process: results as they come, one at a time, and gone when it is let go."""

import json
import os
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from engines import benchmark, first_calls
from engines.benchmark import BusyError, in_child, paired


@pytest.fixture
def child(monkeypatch):
    """Have the next child run a text of Python in place of a measurement."""
    popen = benchmark.subprocess.Popen
    started = []

    def choose(source):
        def start(_, **options):
            started.append(popen([sys.executable, "-c", source], **options))
            return started[-1]

        monkeypatch.setattr(benchmark.subprocess, "Popen", start)
        return started

    return choose


def results(**options):
    return [result for result in in_child(["paid_once"], **options) if result is not None]


def alive(pid):
    """Whether a process runs; one that has ended and waits to be asked about does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # where there is such a thing
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_engines_are_measured_in_a_child_and_end_at_one_loss():
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


def test_closing_the_generator_ends_the_child_and_what_it_started(child):
    started = child(
        "import json, subprocess, sys, time\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(json.dumps({'pid': other.pid}), flush=True); time.sleep(60)"
    )
    with closing(in_child(["paid_once"])) as running:
        other = next(result for result in running if result)["pid"]
        assert alive(started[0].pid)
        assert alive(other)
    deadline = time.monotonic() + 5
    while alive(other) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(other)
    assert not alive(started[0].pid)


def test_a_second_measurement_is_refused_until_the_first_has_ended(child):
    child("import time; time.sleep(60)")
    with closing(in_child(["paid_once"])) as running:
        assert next(running) is None
        with pytest.raises(BusyError, match="another measurement"):
            next(in_child(["paid_once"]))
    child("print('{}')")
    assert results() == [{}]


def test_what_a_child_failed_with_is_raised(child):
    child("print('{\"a\": 1}', flush=True); raise ValueError('no such engine')")
    running = in_child(["paid_once"])
    with pytest.raises(ChildProcessError, match=r"ValueError: no such engine$"):
        list(running)


def test_a_measurement_that_does_not_exist_fails_with_its_command_lines_words():
    with pytest.raises(ChildProcessError, match="invalid choice: 'nothing'"):
        list(in_child(["nothing"]))


def test_a_child_that_takes_too_long_is_ended(child):
    started = child("import time; time.sleep(60)")
    with pytest.raises(TimeoutError):
        results(seconds=0.5)
    assert not alive(started[0].pid)


def test_a_child_has_an_environment_of_its_own(child, monkeypatch):
    monkeypatch.setenv("BACKSTEP_INHERITED", "yes")
    names = ["BACKSTEP_INHERITED", "BACKSTEP_OWN"]
    child(f"import json, os; print(json.dumps([os.environ.get(name) for name in {names}]))")
    assert results(environment={"BACKSTEP_OWN": "1"}) == [["yes", "1"]]
    assert "BACKSTEP_OWN" not in os.environ


def test_the_command_line_prints_a_result_on_each_line(monkeypatch, capsys):
    asked = []

    def run(*, quick):
        asked.append(quick)
        yield {"a": 1}
        yield {"b": [2.5]}

    monkeypatch.setattr(first_calls, "run", run)
    benchmark.main(["paid_once", "--quick"])
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"a": 1},
        {"b": [2.5]},
    ]
    assert asked == [True]


def test_runs_timed_in_turn_keep_their_order():
    fast, slow = paired(lambda: None, lambda: time.sleep(0.002), rounds=5)
    assert fast.low <= fast.median <= fast.high < slow.low
    assert slow.median >= 2
