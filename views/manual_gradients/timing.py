"""The two listings in NumPy timed against each other, on the machine that serves the page."""

from __future__ import annotations

import streamlit as st

from engines.benchmark.clock import paired
from engines.problem import Problem
from engines.regression import numpy_loops, numpy_vectorized
from engines.trace import record
from views.ui.numbers import number


def compare(problem: Problem, rate: float, *, steps: int = 20, rounds: int = 25) -> None:
    """Time so many steps of both, in turn, and say how they compare."""
    arrays, loops = paired(
        lambda: record(numpy_vectorized.train(problem, steps=steps, learning_rate=rate)),
        lambda: record(numpy_loops.train(problem, steps=steps, learning_rate=rate)),
        rounds=rounds,
    )
    fast, slow = (
        f"**{number(one.median, 3)} ms** ({number(one.low, 3)} to {number(one.high, 3)})"
        for one in (arrays, loops)
    )
    st.markdown(
        f"{steps} steps over {len(problem.x)} points, median and middle half of {rounds} runs "
        f"taken in turn: whole arrays {fast}, point by point {slow}. Point by point the same "
        f"numbers take **{number(loops.median / arrays.median, 2)} times** as long."
    )
