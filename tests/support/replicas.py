"""Replicas behind the nginx of deploy/: the system's nginx, with that file."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.server import REPOSITORY, free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@contextmanager
def nginx(folder: Path, one: int, two: int) -> Iterator[str]:
    """The nginx of deploy/, on a port of its own, before replicas on these ports."""
    port = free_port()
    text = (REPOSITORY / "deploy" / "nginx.conf").read_text()
    for address, theirs in (("172.30.87.11", one), ("172.30.87.12", two)):
        text = text.replace(f"{address}:8501", f"127.0.0.1:{theirs}")
        text = text.replace(re.escape(address) + ":8501", rf"127\.0\.0\.1:{theirs}")
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace(
        "/run/nginx/", f"{folder}/"
    )
    file = folder / "nginx.conf"
    file.write_text(text.replace("worker_processes auto", "worker_processes 1"))
    process = subprocess.Popen([str(NGINX), "-c", str(file), "-g", "daemon off; user root;"])
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(100):
            try:
                fetched(url)
                break
            except OSError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def fetched(url: str, **headers: str) -> Any:
    """The answer to a request, whatever its status."""
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10)
    except urllib.error.HTTPError as error:
        return error
