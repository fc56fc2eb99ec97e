"""Measure what the design promises: `make bench`, or `python -m tests.bench --help`.

One line for each measure: what, its value, the target, and whether it was met. Everything stays on
this machine and is bounded in number and time. On a busy machine trust the ratios.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial

from tests.bench import answers, crowds, memory, recorded, room, screen, small
from tests.bench.options import Options
from tests.support.table import Row, print_all

MEASURES: dict[str, Callable[[Options], Iterator[Row]]] = {
    measure.__name__: measure
    for measure in (
        recorded.recording,
        screen.frames,
        answers.reruns,
        screen.turning,
        screen.talk,
        answers.payload,
        memory.memory,
        crowds.visitors,
        crowds.replicas,
        crowds.capacity,
        room.room,
        small.small,
        memory.soak,
    )
}


def main() -> int:
    """Print the table. Returns 1 if a target was missed or a measure failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--only", choices=MEASURES, action="append", help="may be repeated")
    parser.add_argument("--sessions", type=int, default=500, help="for the memory's growth")
    parser.add_argument("--visitors", type=int, help="at once, at most 400")
    parser.add_argument("--minutes", type=float, default=20, help="how long `soak` takes")
    asked = parser.parse_args()
    options = Options(
        asked.quick,
        sessions=max(asked.sessions, 1),
        visitors=asked.visitors and min(max(asked.visitors, 1), 400),
        minutes=min(max(asked.minutes, 0.5), 24 * 60),
    )
    busy = os.getloadavg()[0]
    print(f"{'what':<48} {'value':<54} target  (load before it: {busy:.1f})")
    return print_all({name: partial(MEASURES[name], options) for name in asked.only or MEASURES})


if __name__ == "__main__":
    sys.exit(main())
