"""The command as it is typed: what it says, the file it writes, and whom its server answers."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from backstep import server
from engines.own_training.recording import save
from engines.own_training.run import record_file

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "engines" / "own_training" / "programs"
FAILS = """
import torch

layer = torch.nn.Linear(3, 2)
for step in range(5):
    print("step", step)
    loss = layer(torch.ones(1, 3 + step // 2)).sum()
    loss.backward()
"""


def command(*arguments, **how):
    line = [sys.executable, "-m", "backstep", "play", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **how
    )


def test_an_error_is_told_with_its_line_and_explained_and_the_file_has_what_was_before(tmp_path):
    (tmp_path / "fails.py").write_text(FAILS)
    done = command("fails.py", "--out", "fails.html", cwd=tmp_path)
    printed, said = done.communicate(timeout=120)
    assert (done.returncode, printed) == (0, "step 0\nstep 1\nstep 2\n")
    assert f'File "{tmp_path / "fails.py"}", line 7, in <module>' in said
    assert "RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x4 and 3x2)" in said
    assert "ended in line 7 with that RuntimeError" in said
    assert "2 whole steps recorded. Step 2 is recorded as far as it came: the error was" in said
    assert "raised before backward() had ended, so it has no gradients." in said
    assert "what comes in has 4 columns, and the layer was made for 3" in said
    page = (tmp_path / "fails.html").read_text()
    assert "AddmmBackward0" in page
    assert not re.search(r'(src|href)="https?:', page)


def test_the_server_is_reached_from_this_machine_only_and_ends_with_the_command(tmp_path):
    assert f"--server.address={server.HOST}" in server.command(1)
    assert server.HOST == "127.0.0.1"
    running = command(PROGRAMS / "logistic_by_hand.py", "--no-browser", cwd=tmp_path)
    said = ""
    while "shows it" not in said:
        line = running.stderr.readline()
        assert line, said
        said += line
    assert "Only this machine can open it" in said
    [port] = map(int, re.findall(r"http://127\.0\.0\.1:(\d+) shows it", said))
    everyone = [
        running.pid,
        *(one.pid for one in psutil.Process(running.pid).children(recursive=True)),
    ]
    try:
        listening = [
            place.laddr.ip
            for pid in everyone
            for place in psutil.Process(pid).net_connections("inet")
            if place.status == psutil.CONN_LISTEN
        ]
        assert listening == ["127.0.0.1"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
            assert answer.status == 200
        taken = command(PROGRAMS / "marked.py", "--port", port, "--no-browser", cwd=tmp_path)
        _, refused = taken.communicate(timeout=120)
        assert (taken.returncode, "it is in use" in refused) == (2, True)
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    end = time.monotonic() + 10
    while any(map(psutil.pid_exists, everyone)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(psutil.pid_exists, everyone))


@pytest.mark.parametrize("chapter", ["graph", "training"])
@pytest.mark.parametrize("program", ["gan_two_optimizers", "char_lstm", "fails"])
def test_the_page_shows_what_was_recorded(program, chapter, tmp_path, monkeypatch):
    (tmp_path / "fails.py").write_text(FAILS)
    folder = tmp_path if program == "fails" else PROGRAMS
    save(record_file(folder / f"{program}.py", steps=4), tmp_path / "recording")
    monkeypatch.setenv(server.FILE, str(tmp_path / "recording"))
    at = AppTest.from_file(str(server.PAGE), default_timeout=60)
    at.query_params["chapter"] = chapter
    at.run()
    assert not at.exception
    assert [one.label for one in at.button_group] == ["Chapter"]
    if program == "fails":
        assert any("for 3. For an" in one.value for one in at.markdown)
