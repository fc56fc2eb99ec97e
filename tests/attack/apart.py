"""Two visitors on one server see what each would see alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.attack.witness import at
from tests.support.server import Run, Server, running
from tests.support.table import Row


def interleaved(server: Server, chance: random.Random) -> Iterator[Row]:
    """Two visitors with other settings, in turn on one server: each gets what they get alone."""
    walks = [
        ["chapter=rate&of_limit=0.5", "chapter=own_data&example=years", "chapter=pulls&point=3"],
        [
            "chapter=rate&of_limit=0.9",
            "chapter=own_data&example=noisy_line",
            "chapter=pulls&point=9",
        ],
    ]
    alone = []
    for walk in walks:
        with running(cwd=Path(server.cwd)) as fresh:
            alone.append([numbers(at(fresh, f"/manual_gradients?{query}").first) for query in walk])
    with running(cwd=Path(server.cwd)) as fresh, ThreadPoolExecutor(2) as pool:
        visits = [
            partial(at, fresh, f"/manual_gradients?{q}")
            for pair in zip(*walks, strict=True)
            for q in pair
        ]
        together = [numbers(one.first) for one in pool.map(lambda visit: visit(), visits)]
    wrong = sum(together[i::2][k] != alone[i][k] for i in (0, 1) for k in range(3))
    differ = sum(a != b for a, b in zip(*alone, strict=True))
    met = f"{wrong} of 6 pages differ from those alone; {differ} of 3 between the two"
    yield Row("two visitors in turn", met, ok=wrong == 0 and differ == 3)


def numbers(run: Run) -> list[str]:
    """All that a run has sent to be seen: charts with their data, texts, what the player has."""
    elements = (m.delta.new_element for m in run.messages if m.delta.HasField("new_element"))
    texts = [one.bidi_component.json or one.markdown.body or one.html.body for one in elements] + [
        table.data.data.hex()
        for m in run.messages
        for table in m.delta.new_element.vega_lite_chart.datasets
    ]
    return [text for text in texts if text]
