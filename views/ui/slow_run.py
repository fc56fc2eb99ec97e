"""A run that takes some seconds: how far it is, a way to stop it, and its result kept for all.

    @slow
    def trained(follow: Follow, dtype: str) -> list[float]:
        steps = torch_own_relu.train(…)
        return [step.loss for step in follow(steps, 500, "Step {:,} of {:,}.")]

Who asks first has it computed, with a progress bar. Who asks for the same meanwhile waits for that
result. A control that is moved ends the run; then nothing is kept, and `stopped` says where.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from views.player import cached
from views.ui import turns

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
SHOW_EVERY = 0.2  # seconds between two moves of the bar
SAME = "Somebody else has asked for the same, and it is being computed."


class Follow(Protocol):
    """Takes steps as they come and moves the bar.

    last: the number of the last step. said: a text with two places, for the step and the last.
    """

    def __call__(
        self, steps: Generator[T, None, None], last: int, said: str
    ) -> Generator[T, None, None]:
        """The same steps."""


class _Result:
    """A place for one result, and the turn to compute it."""

    def __init__(self) -> None:
        self.turn = Lock()
        self.found: list[Any] = []


@cached
def _result(function: str, args: tuple[Any, ...], named: dict[str, Any]) -> _Result:
    return _Result()


class slow(Generic[P, R]):
    """A function that takes seconds and is given `follow` first. Called without it."""

    def __init__(self, function: Callable[Concatenate[Follow, P], R]) -> None:
        """function: what it returns is kept for all visitors, by the other arguments."""
        self._function = function
        self._name = f"{function.__module__}.{function.__qualname__}"
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **named: P.kwargs) -> R:
        """The result: a known one at once, else with a progress bar."""
        result = _result(self._name, args, named)
        if not result.found:
            bar = st.empty()
            with _alone(result.turn, bar):
                if not result.found:
                    follow = partial(_follow, bar, self._name)
                    result.found.append(self._function(follow, *args, **named))
                    _give_memory_back()
            bar.empty()
        found: R = result.found[0]
        return found

    def known(self, *args: P.args, **named: P.kwargs) -> bool:
        """Whether a call with these arguments would find its result."""
        return bool(_result(self._name, args, named).found)

    def stopped(self) -> int | None:
        """The step at which this visitor stopped the last run, told once; None if it was whole."""
        step: int | None = st.session_state.pop(f"stopped {self._name}", None)
        return step


def _give_memory_back() -> None:
    """Let the system have what a run has freed.

    glibc would keep it, for each thread apart: of twenty visitors who train at once some 10 MB
    each, though what is kept of a run is a quarter of that.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


@contextmanager
def _alone(turn: Lock, bar: DeltaGenerator) -> Iterator[None]:
    """Hold the turn to compute a result, after whoever has it."""
    held = turn.acquire(blocking=False)
    try:
        if not held:
            with turns.given_back(bar):  # whoever computes may be waiting for it
                while not (held := turn.acquire(timeout=SHOW_EVERY)):
                    bar.progress(0.0, SAME)  # also where a run ends that nobody wants any more
        yield
    finally:
        if held:
            turn.release()


def _follow(
    bar: DeltaGenerator, name: str, steps: Generator[T, None, None], last: int, said: str
) -> Generator[T, None, None]:
    due = 0.0
    try:
        for k, step in enumerate(steps):
            if time.monotonic() >= due:
                # Noted here, not at the end: the next run of the page does not wait for this one.
                st.session_state[f"stopped {name}"] = k
                turns.let_others(bar)
                bar.progress(k / last, said.format(k, last))
                due = time.monotonic() + SHOW_EVERY
            yield step
        st.session_state.pop(f"stopped {name}", None)
    finally:
        steps.close()
