"""Shows a recording in a browser, by a Streamlit server that only this machine can reach."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from pathlib import Path

from backstep import terminal
from engines.own_training.recording import Recording, save

HOST = "127.0.0.1"  # never anything else: the page shows what somebody has run on their machine
ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("page.py")
FILE = "BACKSTEP_RECORDING"  # the variable that tells the page where the recording is


def serve(recording: Recording, *, port: int, browser: bool) -> int:
    """Show it until Ctrl+C. port: 0 for any that is free. Returns the exit status."""
    port = port or _free()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that the server ends with it, too
    with tempfile.TemporaryDirectory(prefix="backstep-") as folder:  # of nobody else, mode 700
        file = Path(folder) / "recording"
        save(recording, file)
        server = subprocess.Popen(command(port), cwd=ROOT, env={**os.environ, FILE: str(file)})
        try:
            if not _answers(server, port):
                terminal.say("The page could not be started.")
                return 1
            url = f"http://{HOST}:{port}"
            terminal.say(f"{url} shows it. Only this machine can open it. Ctrl+C ends it.")
            if browser:
                webbrowser.open(url)
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            server.terminate()
            server.wait()


def command(port: int) -> list[str]:
    """What starts the server."""
    settings = {
        "server.address": HOST,
        "server.port": port,
        "server.headless": "true",  # the command opens the browser
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "full",
        "server.maxMessageSize": 200,
        "logger.level": "error",
    }
    said = [f"--{name}={value}" for name, value in settings.items()]
    return [sys.executable, "-m", "streamlit", "run", str(PAGE), *said]


def is_taken(port: int) -> bool:
    """Whether something listens at a port of this machine already."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex((HOST, port)) == 0


def _free() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server listens. False where it has ended instead."""
    while server.poll() is None:
        if is_taken(port):
            return True
        time.sleep(0.1)
    return False
