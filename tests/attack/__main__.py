"""Attack a fresh server on this machine, and see what gives way: `python -m tests.attack`.

One line for each attack: what it met, and whether the server held. All of it stays on 127.0.0.1, is
bounded in count and time (some ten minutes), and ends what it starts. Two things are asked each
time: whether a witness, who visits meanwhile as anybody would, is answered; and whether afterwards
nothing is left of it.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

from tests.attack import apart, crowds, files, messages, outages, rooms
from tests.attack.witness import LONG_RUN, MEASUREMENT, at
from tests.support.server import REPOSITORY, Server, running
from tests.support.table import Row, print_all

Attack: TypeAlias = Callable[[Server, random.Random], Iterator[Row]]
ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        messages.states,
        messages.flood,
        crowds.deaf,
        crowds.stampede,
        crowds.cut_off,
        crowds.connections,
        rooms.rooms,
        files.uploads,
        files.markup,
        apart.interleaved,
        outages.killed,
        outages.disk_full,
    )
}


def on_a_fresh_server(attack: Attack, of: Path, seed: int) -> Iterator[Row]:
    """The rows of an attack on a server that has loaded what it will need."""
    with running(cwd=of) as server:
        for path in ("/manual_gradients", "/dynamic_graph", MEASUREMENT, LONG_RUN[:44]):
            at(server, path).close()  # what it loads once is not the attack's doing
        yield from attack(server, random.Random(seed))


def main() -> int:
    """Print the table. Returns 1 if something gave way."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--only", choices=ATTACKS, action="append", help="may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="of what is chosen at random")
    parser.add_argument("--of", type=Path, default=REPOSITORY, help="the folder of another version")
    asked = parser.parse_args()
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # to be put out is what is tried
    rows = {
        name: partial(on_a_fresh_server, ATTACKS[name], asked.of, asked.seed)
        for name in asked.only or ATTACKS
    }
    return print_all(rows, good="held", bad="GAVE WAY")


if __name__ == "__main__":
    sys.exit(main())
