"""A function that TensorFlow traces: which calls Python sees, and which run a graph alone."""

from __future__ import annotations

import html
from collections.abc import Sequence
from statistics import median

import streamlit as st

from engines.listing import source_of
from engines.recurrent import tf_cells
from engines.static_graph_and_sessions import tracing
from engines.static_graph_and_sessions.tracing import Call
from views.player import cached, live
from views.ui import texts
from views.ui.controls import Controls
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.table import html_table

TOLD = texts.read(__file__)
ANSWERS = {1: "once", 3: "three times", 0: "not at all"}

run = cached(tracing.run)


def section(controls: Controls) -> None:
    """The listing, a question, then rows of calls to choose from, and Python's `for` and `if`."""
    code, words = side_by_side([5, 4])
    with code:
        st.code(source_of(tracing.call_each), language="python")
    with words:
        st.markdown(
            "Since TensorFlow 2 nobody has to build a graph by hand. `tf.function` calls a Python "
            "function once and writes down which operations it leads to: it **traces** the "
            "function. Later calls run that graph, without the function. A line that leads to no "
            "operation, such as a `print` or this `append`, is a **side effect** in Python, and is "
            "in no graph."
        )
        times = sum(bool(call.noted) for call in run("tensors")[:3])
        question = (
            "Before you look: square is called with the tensors 1.0, 2.0 and 3.0. How often does "
            "Python run the line with append?"
        )
        answers = {str(times): answer for times, answer in ANSWERS.items()}
        answered = predicted(question, answers, str(times), key="three calls")
    if answered:
        _calls(controls)
        _rewritten()


def _calls(controls: Controls) -> None:
    labels = {name: told["label"] for name, told in TOLD.items()}
    name = controls.choice(
        st.pills, "Rows of calls", "calls", labels, "tensors", label_visibility="collapsed"
    )
    name = name or "tensors"
    calls = run(name)
    st.markdown(f"**Calls: {len(calls)}. Traces: {calls[-1].traces}.** {TOLD[name]['story']}")
    if name == "numbers":
        anew, reused = (
            median(call.milliseconds for call in run(one)[1:]) for one in ("numbers", "mended")
        )
        st.markdown(
            f"After its first, a call took {anew:.1f} ms at the median. With the same numbers as "
            f"tensors it took {reused:.1f} ms."
        )
    live(_table(calls), key="calls of a function")
    st.caption(
        "Each time was measured once, in a process that serves other visitors as well: read the "
        "order of magnitude, not the digits."
    )


def _rewritten() -> None:
    st.markdown(
        "##### Python's `for` and `if`, rewritten\n"
        "Before it traces a function, `tf.function` reads its source. A `for` over a tensor and an "
        "`if` that depends on one become operations, as with `tf.while_loop` and `tf.cond`; this "
        "part of it is called **AutoGraph**. In this listing of the recurrent cell both are "
        "rewritten. A loop over a Python list is not: it is unrolled, like any other line that "
        "runs while tracing."
    )
    st.code(source_of(tf_cells.rewritten), language="python")


def _table(calls: Sequence[Call]) -> str:
    heads = ["call", "what append noted", "traces so far", "value", "dtype", "ms"]
    rows = [
        [
            f"<code>{html.escape(call.call)}</code>",
            html.escape(call.noted) or "nothing: Python did not run",
            str(call.traces),
            html.escape(str(call.value)),
            call.dtype,
            f"{call.milliseconds:.1f}",
        ]
        for call in calls
    ]
    return html_table(heads, rows)
