"""One connection that says what no browser says, or more of it than any."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.attack.witness import answered, at, fine, left, quiet_again, witness
from tests.support.server import Server, chapters
from tests.support.table import Row

WRONG: list[dict[str, Any]] = [
    {"double_value": math.nan},
    {"double_value": math.inf},
    {"double_value": -1e308},
    {"string_value": "x" * 200_000},
    {"int_value": 2**62},
    {"bool_value": True},
    {"json_value": "{"},
    {"json_value": "[" * 50_000},
    {"bytes_value": b"\xff\x00"},
    {"trigger_value": True},
]


def states(server: Server, chance: random.Random) -> Iterator[Row]:
    """For each control of each chapter a state that no browser sends, then the page again."""
    sent, spoiled, kept = 0, 0, []
    for path in chapters():
        visitor = at(server, path)
        whole = len(visitor.first.widgets)
        for widget in visitor.first.widgets:
            wrong = chance.choice(WRONG)
            visitor.ask_with([WidgetState(id=widget.id, **wrong)])
            spoiled += bool(visitor.answer().errors)
            sent += 1
            after = visitor.rerun()
            if after.errors or not after.widgets:
                kept.append(f"{path} {widget.key} {next(iter(wrong))}")
                visitor.close()
                visitor = at(server, path)
        visitor.ask_with(WidgetState(id=f"$$ID-{i}-none", int_value=i) for i in range(5000))
        kept += [path] * (abs(len(visitor.answer().widgets) - whole) > 3)
        visitor.close()
    met = f"{sent} states: {spoiled} spoiled their run, {len(kept)} the next: {kept[:2]}"
    yield Row("states that no browser sends", met, ok=not kept)


def flood(server: Server, chance: random.Random) -> Iterator[Row]:
    """One connection asks for 500 runs, and one for what only a developer asks for."""
    before = left(server)
    with witness(server) as answers:
        visitor, most = at(server, "/dynamic_graph"), 0
        for _ in range(500):
            visitor.ask()
            most = max(most, left(server)[0])
        time.sleep(3)
        visitor.vanish()
    ended, said = quiet_again(server, before)
    met = f"{answered(answers)}; at most {most} threads; {said}"
    yield Row("500 runs at once", met, ok=fine(answers) and ended)
    with at(server, "/dynamic_graph") as visitor:
        known = visitor.rerun().seconds
        for name in ("clear_cache", "load_git_info", "set_run_on_save"):
            visitor.send(BackMsg(**{name: True}))
        run = visitor.rerun()
    kinds = {message.WhichOneof("type") for message in run.messages}
    held = "git_info_changed" not in kinds and run.seconds < max(0.5, 5 * known)
    yield Row("messages of a developer", f"a run {known:.2f} -> {run.seconds:.2f} s", ok=held)
