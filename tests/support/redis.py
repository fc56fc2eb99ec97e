"""A Redis of our own, on a port of this machine: the system's redis-server."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.support.server import free_port

REDIS_SERVER = shutil.which("redis-server")
# As in ../conftest.py.
NO_REDIS = "no Redis on this machine: the tests of rooms that replicas share did not run"


@contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """Run it, with nothing kept on the disk; yields its address. Skips the test without one."""
    if REDIS_SERVER is None and "BACKSTEP_NEEDS_BROWSER" not in os.environ:
        pytest.skip(NO_REDIS)
    port = port or free_port()
    with TemporaryDirectory() as folder:
        command = [str(REDIS_SERVER), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        command += ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
        process = subprocess.Popen(command)
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(port: int) -> None:
    with Redis(port=port) as client:
        for _ in range(200):
            try:
                client.ping()
                return
            except RedisError:
                time.sleep(0.02)
    raise RuntimeError("Redis does not answer")
