"""The command: what it takes and refuses, its lines, its file, and how it is stopped."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen, run

import psutil
import pytest

from engines.benchmark import command_line, first_calls
from engines.benchmark.command_line import everyone, main
from engines.benchmark.contender import Contender
from engines.benchmark.machine import KINDS, Device
from engines.benchmark.operations import OPERATIONS
from engines.benchmark.recording import from_text, to_text
from engines.benchmark.sweep import recorded
from tests.support.measurements import events, measurement
from tests.support.processes import ended, started_by

ROOT = Path(__file__).parents[3]
TINY = "--contenders numpy:cpu:1 --operations square --sizes 16 64 --seconds"


def command(text, *more):
    """What the command says and how it ends, in a process of its own."""
    whole = [sys.executable, "-m", "engines.benchmark", *text.split(), *more]
    return run(whole, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def plans(monkeypatch):
    """What would be measured; nothing is, and no device is looked for."""
    made = []

    def measure(plan, *, name, devices):
        made.append((plan, name, list(devices)))
        yield {"event": "began"}

    found = [
        Device("numpy", "cpu", True, "a processor", "", 1),
        Device("torch", "cpu", True, "a processor", "", 1),
        Device("torch", "cuda", True, "a card", "", 1),
        Device("torch", "mps", False, "", "not this system", 0),
    ]
    monkeypatch.setattr(command_line, "run", measure)
    monkeypatch.setattr(command_line, "all_devices", lambda: found)
    monkeypatch.setattr(command_line, "cores", lambda: 4)
    return made


def planned(plans, *arguments):
    main(arguments)
    return plans[-1][0]


# What is asked for


def test_by_default_everything_that_is_found_is_measured(plans):
    plan = planned(plans)
    assert plan.contenders == (
        Contender("numpy", "cpu", 1),
        Contender("numpy", "cpu", 4),
        Contender("torch", "cpu", 1),
        Contender("torch", "cpu", 4),
        Contender("torch", "cuda", 4),
    )
    assert plan.sizes == {name: operation.sizes for name, operation in OPERATIONS.items()}
    assert (plan.precision, plan.transfers, plan.seconds) == ("float32", (False, True), 300)
    assert [device.name for device in plans[0][2]][2] == "a card"


def test_one_core_is_no_two_contenders(monkeypatch):
    monkeypatch.setattr(command_line, "cores", lambda: 1)
    found = [Device("numpy", "cpu", True, "a processor", "", 1)]
    assert everyone(found) == (Contender("numpy", "cpu", 1),)


def test_what_is_asked_for_is_measured(plans):
    asked = (
        "--contenders torch:cpu:2 torch:cuda:1 torch:cpu:2 --operations square training_step "
        "--sizes 64 16 64 --precision float64 --transfer with --seconds 2.5 --name mine"
    )
    plan = planned(plans, *asked.split())
    assert plan.contenders == (Contender("torch", "cpu", 2), Contender("torch", "cuda", 1))
    assert plan.sizes == {"square": (16, 64), "training_step": (16, 64)}
    assert (plan.precision, plan.transfers, plan.seconds) == ("float64", (True,), 2.5)
    assert plans[0][1:] == ("mine", [])


def test_no_size_is_larger_than_asked_for_or_offered(plans):
    largest = planned(plans, "--largest", "100", "--operations", "square", "copy")
    assert largest.sizes == {"square": (16, 32, 64), "copy": ()}
    too_large = planned(plans, "--sizes", "64", str(2**28), "--operations", "square", "copy")
    assert too_large.sizes == {"square": (64,), "copy": (64, 2**28)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--sizes 0", "from 1 to 268435456"),
        ("--sizes 16 -1", "from 1 to 268435456"),
        (f"--sizes {10**30}", "from 1 to 268435456"),
        ("--sizes 1" + "0" * 5000, "invalid"),
        ("--sizes 1.5", "invalid"),
        ("--sizes", "expected at least one"),
        ("--largest 0", "from 1 to 268435456"),
        ("--seconds nan", "between 0 and 86400"),
        ("--seconds inf", "between 0 and 86400"),
        ("--seconds 0", "between 0 and 86400"),
        ("--seconds -3", "between 0 and 86400"),
        ("--seconds soon", "invalid"),
        ("--contenders torch", "write it like torch:cpu:2"),
        ("--contenders torch:cpu:two", "write it like torch:cpu:2"),
        ("--contenders jax:cpu:1", "no such framework"),
        ("--contenders numpy:cuda:1", "not on such a device"),
        ("--contenders torch:banana:1", "not on such a device"),
        ("--contenders torch:cpu:0", "from 1 to 4096"),
        ("--contenders torch:cpu:5000", "from 1 to 4096"),
        ("--operations division", "invalid choice"),
        ("--precision float16", "invalid choice"),
        ("--transfer perhaps", "invalid choice"),
        ("--out no/such/folder/file.json", "folder that does not exist"),
        ("--out .", "is a folder"),
        ("--out file.json devices", "--out is for the sweep"),
        ("traps --trap nothing", "invalid choice"),
        ("traps --device banana", "invalid choice"),
        ("everything", "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_measured(
    plans, capsys, arguments, message
):
    with pytest.raises(SystemExit) as refused:
        main(arguments.split())
    assert refused.value.code == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert plans == []


@pytest.mark.parametrize(
    ("name", "why"),
    [("two\nlines", "one line"), ("x" * 201, "at most 200"), ("a bell \a", "control characters")],
)
def test_a_name_that_no_page_could_show_is_refused(plans, capsys, name, why):
    with pytest.raises(SystemExit):
        main(["--name", name])
    assert why in capsys.readouterr().err
    assert plans == []


def test_a_name_in_bytes_that_are_not_utf_8_is_read_as_latin_1():
    assert command_line._machine(os.fsdecode("ein Rechner für alle".encode("latin-1"))) == (
        "ein Rechner für alle"
    )
    assert command_line._machine("ein Rechner für alle ☃") == "ein Rechner für alle ☃"


@pytest.mark.parametrize(
    ("free", "more"), [(9e9, ""), (1e9, " What does not fit will be left out.")]
)
def test_the_memory_it_takes_is_said(free, more):
    said = command_line._memory({"needed_bytes": 2.7e9, "free_bytes": free})
    assert said == (f"This takes about 2.7 GB of memory, and {free / 1e9:.1f} GB are free.{more}")


# Lines


def test_each_result_is_a_line(monkeypatch, capsys):
    asked = []

    def results(*, quick):
        asked.append(quick)
        yield {"a": 1}
        yield {"b": [2.5]}

    monkeypatch.setattr(first_calls, "run", results)
    main(["paid_once", "--quick"])
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [{"a": 1}, {"b": [2.5]}]
    assert asked == [True]


def test_the_lines_of_a_sweep_are_a_recording():
    done = command(f"{TINY} 5")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events] == ["began", "loaded", "measured", "measured"]
    recording = recorded(events)
    assert from_text(to_text(recording)) == recording


# The file


@pytest.mark.alone  # all twelve are to be measured within the time that is given
def test_a_run_to_the_end_writes_what_was_asked_for(tmp_path):
    file = tmp_path / "mine.json"
    done = command(
        "--contenders numpy:cpu:1 torch:cpu:1 numpy:cpu:1 --operations square training_step "
        "--sizes 64 16 --transfer both --precision float64 --seconds 8 --out",
        *(str(file), "--name", "a machine of mine"),
    )
    assert done.returncode == 0, done.stderr
    assert "12 measurements" in done.stderr
    assert done.stdout == ""
    recording = from_text(file.read_bytes())
    assert {one[:7] for one in recording.measurements} == {
        (operation, framework, "cpu", 1, size, "float64", transfer)
        for operation in ("square", "training_step")
        for size in (16, 64)
        for framework, transfer in [("numpy", False), ("torch", False), ("torch", True)]
    }
    assert len(recording.measurements) == 12
    assert recording.machine.name == "a machine of mine"
    assert recording.settings["seconds"] == 8
    assert {"python", "numpy", "torch"} <= recording.libraries.keys()


def events_of(*sizes, then=None):
    """A run that measures so much, and ends like this. then: an error, or why the next is out."""
    out = {"framework": "torch", "device": "cpu", "operation": "square", "size": 512}
    left_out = [{**out, "reason": then}] if isinstance(then, str) else []
    yield from events([measurement(size, 1e-5) for size in sizes], left_out=left_out)
    if isinstance(then, BaseException):
        raise then


def test_ctrl_c_keeps_what_was_measured(monkeypatch, capsys, tmp_path):
    file = tmp_path / "some.json"
    events = events_of(16, 64, then=KeyboardInterrupt())
    monkeypatch.setattr(command_line, "run", lambda plan, **_: events)
    main([*f"{TINY} 5 --out".split(), str(file)])
    assert [one.size for one in from_text(file.read_bytes()).measurements] == [16, 64]
    assert "Stopped. What was measured so far is kept." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("then", "why"), [("time", "(time)"), ("lost", "(lost)"), (None, "no size is offered")]
)
def test_where_nothing_was_measured_no_file_is_written_and_it_says_why(
    monkeypatch, tmp_path, then, why
):
    file = tmp_path / "nothing.json"
    monkeypatch.setattr(command_line, "run", lambda plan, **_: events_of(then=then))
    with pytest.raises(SystemExit, match="Nothing was measured, and nothing was written") as ended:
        main([*f"{TINY} 5 --out".split(), str(file)])
    assert why in str(ended.value.code)
    assert not file.exists()


def test_too_little_time_ends_with_a_message_and_without_a_file(tmp_path):
    file = tmp_path / "nothing.json"
    done = command(f"{TINY} 0.01 --out", str(file))
    assert done.returncode == 1
    assert done.stderr.strip().endswith("nothing was written (loading).")
    assert not file.exists()


def test_a_recording_that_could_not_be_read_again_is_not_written(monkeypatch, tmp_path):
    file = tmp_path / "twice.json"
    monkeypatch.setattr(command_line, "run", lambda plan, **_: events_of(16, 16))
    with pytest.raises(ValueError, match="same question"):
        main([*f"{TINY} 5 --out".split(), str(file)])
    assert not file.exists()


LOUD = """
import signal, sys
from engines.benchmark import command_line
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be inherited as ignored
measure = command_line.run
def run(*args, **options):
    for event in measure(*args, **options):
        yield event
        print(event["event"], flush=True)
command_line.run = run
command_line.main(sys.argv[1:])
"""


def test_ctrl_c_in_a_terminal_ends_all_processes_and_keeps_what_was_measured(tmp_path):
    """A terminal sends it to the whole group: the contenders get it, too."""
    file = tmp_path / "some.json"
    asked = "--contenders numpy:cpu:1 torch:cpu:1 --operations square --seconds 60"
    whole = [sys.executable, "-c", LOUD, *asked.split(), "--out", str(file)]
    with Popen(
        whole, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True
    ) as running:
        while running.stdout.readline().strip() != "measured":
            assert running.poll() is None
        contenders = started_by(psutil.Process(running.pid), 2)
        start = time.monotonic()
        os.killpg(running.pid, signal.SIGINT)
        said = running.communicate(timeout=10)[1]
    assert time.monotonic() - start < 2
    assert ended(contenders)
    assert running.returncode == 0
    assert "Stopped." in said
    assert "Traceback" not in said
    assert from_text(file.read_bytes()).measurements


def test_a_framework_that_crashes_while_it_is_loaded_has_found_nothing(tmp_path):
    crashing = tmp_path / "torch"
    crashing.mkdir()
    (crashing / "__init__.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    script = (
        "from engines.benchmark import command_line\n"
        "command_line.MODULES = {'numpy': '', 'torch': ''}\n"
        "if __name__ == '__main__':\n"
        "    for one in command_line.all_devices():\n"
        "        print(one.framework, one.kind, one.found, one.reason, sep=':')\n"
    )
    (tmp_path / "look.py").write_text(script)
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = run(
        [sys.executable, str(tmp_path / "look.py")],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = done.stdout.split()
    assert lines[0] == "numpy:cpu:True:"
    assert set(lines[1:]) == {f"torch:{kind}:False:import" for kind in KINDS["torch"]} | {"fails"}
