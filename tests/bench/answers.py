"""One visitor's reruns, and what a first visit sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from tests.bench.options import Options
from tests.bench.staying import EMPTY_PAGE, checked, movable, visit, worked_seconds
from tests.support.server import Server, Visitor, chapters, running
from tests.support.table import Row


def reruns(options: Options) -> Iterator[Row]:
    """A warm rerun of each page against one of an empty page, in alternating blocks.

    The empty page is served as Streamlit comes, without this app's configuration.
    """
    with TemporaryDirectory() as folder:
        (Path(folder) / "empty.py").write_text(EMPTY_PAGE)
        with running() as server, running("empty.py", Path(folder)) as nothing:
            for path in chapters():
                with visit(server, path) as visitor, visit(nothing, "/") as empty:
                    rerun_block(server, visitor), rerun_block(nothing, empty)  # warm both
                    blocks = [
                        (rerun_block(nothing, empty), rerun_block(server, visitor))
                        for _ in range(options.times(24))
                    ]
                    yield compare_blocks(path, np.array(blocks))
                    yield from rerun_changed(visitor, path, options.times(12))


def rerun_block(server: Server, visitor: Visitor, size: int = 6) -> tuple[float, float]:
    """A few reruns with nothing changed: the median answer, and the server's work for each, ms."""
    before = worked_seconds(server)
    answers = [checked(visitor.rerun()).seconds for _ in range(size)]
    return 1000 * float(np.median(answers)), 1000 * (worked_seconds(server) - before) / size


def compare_blocks(path: str, blocks: NDArray[np.float64]) -> Row:
    """blocks: shape (blocks, 2, 2), by which page and by what was measured."""
    ratio = float(np.median(blocks[:, 1, 0] / blocks[:, 0, 0]))
    answer, work = np.median(blocks[:, :, 0], axis=0), np.mean(blocks[:, :, 1], axis=0)
    value = f"{ratio:.2f}x  ({answer[0]:.0f} -> {answer[1]:.0f} ms, "
    value += f"processor {work[0]:.0f} -> {work[1]:.0f})"
    return Row(f"rerun {path}", value, "1.0x", ratio <= 1.0)


def rerun_changed(visitor: Visitor, path: str, repeats: int) -> Iterator[Row]:
    """A rerun after another number of steps, new each time: training and new charts included."""
    steps = next((w for w in visitor.last.widgets if w.key == "steps" and movable(w)), None)
    if steps is not None:
        values = [float(max(steps.proto.min, steps.value - 1 - i)) for i in range(repeats)]
        taken = [1000 * checked(visitor.rerun({"steps": value})).seconds for value in values]
        yield Row(f"rerun {path}, other steps", f"{np.median(taken):.1f} ms")


def payload(options: Options) -> Iterator[Row]:
    """What a first visit sends, static files apart."""
    with running() as server:
        for path in chapters():
            with visit(server, path) as visitor:
                size = visitor.first.total_bytes / 1000
                yield Row(f"payload {path}", f"{size:.0f} KB", "250 KB", size <= 250)
