"""A visitor who opens a page, looks at it, and moves a control now and then."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.support.server import Run, Server, Visitor, Widget

EMPTY_PAGE = 'import streamlit as st\n\nst.write("An empty page.")\n'
LONG_RUN = "/manual_gradients?steps=8000"
THINK_SECONDS = 2.0


@dataclass
class Stay:
    """What one visitor met: the first paint, the first answer, the later ones, and what went wrong.

    Times are in seconds.
    """

    painted: float = 0.0
    first: float = 0.0
    answers: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def stay(
    server: Server,
    path: str,
    seconds: float,
    chance: random.Random,
    *,
    moving: bool,
    answered: list[tuple[float, float]] | None = None,
) -> Stay:
    """One visitor, who stays for so long after the first answer, and leaves at an error.

    answered: where each later run is noted as well, with the time of its end.

    A run that does not end within RUN_SECONDS is an error.
    """
    met = Stay()
    try:
        with visit(server, path) as visitor:
            met.painted, met.first = visitor.first.painted, visitor.first.seconds
            leaves = time.monotonic() + seconds
            while time.monotonic() < leaves:
                time.sleep(THINK_SECONDS * chance.uniform(0.5, 1.5))
                change = a_move(visitor.last, chance) if moving else {}
                met.answers.append(checked(visitor.rerun(change)).seconds)
                if answered is not None:
                    answered.append((time.monotonic(), met.answers[-1]))
    except Exception as error:
        met.errors.append(f"{path}: {type(error).__name__}: {error}")
    return met


def visit(server: Server, path: str, **more: Any) -> Visitor:
    """Open a page, which must show no error. more: for Visitor."""
    page, _, query = path.partition("?")
    visitor = Visitor(server.url, page, query, **more)
    checked(visitor.first)
    return visitor


def checked(run: Run) -> Run:
    """The run, if the page showed no error. What a broken page costs says nothing."""
    if run.errors:
        raise RuntimeError("; ".join(run.errors))
    return run


def a_move(run: Run, chance: random.Random) -> dict[str, Any]:
    """Another value for one control of the page, as a hand would set it; none if it has none."""
    candidates = [widget for widget in run.widgets if movable(widget)]
    if not candidates:
        return {}
    widget = chance.choice(candidates)
    return {widget.key: moved(widget, chance)}


def movable(widget: Widget) -> bool:
    """Whether `moved` knows the control, and a visitor could reach it."""
    known = widget.kind in ("number_input", "checkbox", "selectbox", "slider")
    return known and bool(widget.key) and not widget.proto.disabled and widget.value is not None


def moved(widget: Widget, chance: random.Random) -> Any:
    """A value near, or beside, the one the control showed first."""
    if widget.kind == "checkbox":
        return chance.random() < 0.5
    if widget.options:
        choice = chance.choice(widget.options)
        return [choice] if widget.kind == "slider" else choice
    proto = widget.proto
    several = isinstance(widget.value, list)
    value = widget.value[0] if several else widget.value
    value += chance.choice((-3, -2, -1, 1, 2, 3)) * proto.step
    value = float(min(max(value, proto.min), proto.max))
    return [value] if several else value


def worked_seconds(*servers: Server) -> float:
    """Processor time of the servers so far, in ticks of 10 ms; without any, of this process."""
    processes = [psutil.Process(server.pid) for server in servers] or [psutil.Process()]
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))
