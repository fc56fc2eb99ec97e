"""A room, among hundreds who shout and guess."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
from websockets.exceptions import WebSocketException

from tests.attack.witness import answered, fine, witness
from tests.support.room import connected
from tests.support.server import Server
from tests.support.table import Row


def rooms(server: Server, chance: random.Random) -> Iterator[Row]:
    """A class follows its lecturer, while hundreds guess codes, shout, and open rooms."""

    def shout(i: int) -> str:
        said = ("[" * 50_000, "x" * 120_000, '{"join": "AAAAA"}', '{"open": true}', '{"lead": 1}')
        told = ""
        with suppress(WebSocketException, TimeoutError, OSError), connected(server.url) as one:
            for text in (said[i % len(said)],) * 40:
                one.say_text(text)
            told = str(one.hear("refused")["refused"])
        return told

    with connected(server.url) as lecturer, connected(server.url) as member:
        lecturer.say(open=True)
        member.say(join=lecturer.hear("leads", "here")["leads"])
        lecturer.hears(here=1)
        taken = []
        with witness(server) as answers, ThreadPoolExecutor(60) as pool:
            shouting = [pool.submit(shout, i) for i in range(400)]
            while not all(one.done() for one in shouting):
                began = time.monotonic()
                lecturer.say(at={"step": len(taken), "moment": None})
                member.hears(at={"step": len(taken), "moment": None})
                taken.append(time.monotonic() - began)
                time.sleep(0.1)
        told = sorted({one.result() for one in shouting} - {""})
        p95 = float(np.percentile(taken, 95))
        held = fine(answers) and p95 < 1
        met = f"steps told p95 {p95:.2f} s; {answered(answers)}; refused as {', '.join(told)}"
        yield Row("400 shout and guess in rooms", met, held)
