"""A small host: the server in a control group of Linux, with little memory or a tenth of a core.

Only where control groups can be made: by root, and not in every container.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.benchmark.machine import CONTROL_GROUPS
from tests.bench.options import Options
from tests.bench.staying import visit
from tests.support.server import Server, chapters, running
from tests.support.table import Row

ENTER = 'for group; do [ "$group" = -- ] && break; shift; echo $$ > "$group/cgroup.procs"; done; '
ENTER += 'shift; exec "$@"'


def small(options: Options) -> Iterator[Row]:
    """Every chapter on hosts with 690 MB, 1 GB and 2.7 GB; then the first pages on 0.1 core."""
    for megabytes in (690, 1000, 2700):
        with host(megabytes * 10**6) as (server, group):
            yield from every_chapter(server, f"a host of {megabytes} MB", group)
    began = time.monotonic()
    with host(2700 * 10**6, 0.1) as (server, _):
        yield Row("a tenth of a core, until it answers", f"{time.monotonic() - began:.0f} s")
        for path in chapters() if not options.quick else chapters()[:2]:
            began = time.monotonic()
            with visit(server, path, patience=600) as visitor:
                opened = time.monotonic() - began
                again = visitor.rerun().seconds
            yield Row(
                f"a tenth of a core, {path}", f"opened in {opened:.1f} s, rerun {again:.1f} s"
            )


def every_chapter(server: Server, what: str, group: Path) -> Iterator[Row]:
    """One after the other, until the server is gone."""
    served, failed = 0, list[str]()
    for path in chapters():
        try:
            visit(server, path).close()
            served += 1
        except Exception as error:
            failed.append(f"{path} {type(error).__name__}")
        if not Path(f"/proc/{server.pid}").exists():
            break
    peak = int(_first(group / "memory.peak", group / "memory.max_usage_in_bytes")) / 1e6
    value = f"{served} of {len(chapters())} chapters, at most {peak:.0f} MB {failed[:2] or ''}"
    yield Row(what, value, "all", served == len(chapters()))


@contextmanager
def host(memory: int, cores: float = 16) -> Iterator[tuple[Server, Path]]:
    """A server in a group of its own, and the group that counts its memory, in bytes."""
    name, microseconds = f"backstep-{os.getpid()}", int(cores * 100_000)
    if (CONTROL_GROUPS / "cgroup.controllers").exists():  # version 2
        groups = [CONTROL_GROUPS / name]
        wanted = [{"memory.max": memory, "cpu.max": f"{microseconds} 100000"}]
    else:
        groups = [CONTROL_GROUPS / "memory" / name, CONTROL_GROUPS / "cpu" / name]
        wanted = [{"memory.limit_in_bytes": memory}, {"cpu.cfs_quota_us": microseconds}]
    try:
        for group, limits in zip(groups, wanted, strict=True):
            group.mkdir()
            for file, limit in limits.items():
                (group / file).write_text(str(limit))
        enter = ["sh", "-c", ENTER, "sh", *map(str, groups), "--"]
        with running(through=enter) as server:
            yield server, groups[0]
    finally:
        for group in filter(Path.exists, groups):
            _emptied(group)


def _emptied(group: Path) -> None:
    """Remove a group once the last process has left it."""
    for _ in range(100):
        try:
            return group.rmdir()
        except OSError:
            time.sleep(0.1)
    raise OSError(f"{group} is still in use")


def _first(*files: Path) -> str:
    return next(file.read_text() for file in files if file.exists())
