"""A function that TensorFlow traces: which calls Python sees, and which run a graph alone."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, NamedTuple, Protocol

import streamlit as st

from views.player import live, source_of
from views.ui.controls import Controls
from views.ui.prediction import predicted
from views.ui.shell import side_by_side


class Call(Protocol):
    """One call of a traced function: the engine's Call."""

    call: str
    noted: str
    traces: int
    value: Any
    dtype: str
    milliseconds: float


Run = Callable[[str], Sequence[Call]]


class Told(NamedTuple):
    """What a visitor reads of a row of calls: its name, and what came of it."""

    label: str
    story: str


SERIES = {
    "tensors": Told(
        "Tensors",
        "The first call traced the function, the next two ran the graph that was written down. A "
        "tensor of another shape, or with another type of number (its **dtype**), needs another "
        "graph, so the function is traced again. What Python's line noted is no number either: "
        "while tracing, x is the placeholder of the graph.",
    ),
    "numbers": Told(
        "Python numbers",
        "A number of Python's is no tensor. TensorFlow takes it for a part of the program, like "
        "the number of layers, and traces the function for this number alone. The product is "
        "then Python's, and the graph holds nothing but its result. In a loop that counts its "
        "steps every call is a trace, and every graph is kept. TensorFlow "
        "warns of it, in the log of the program.",
    ),
    "reduced": Told(
        "Numbers, reduce_retracing",
        "`tf.function(square, reduce_retracing=True)` makes a trace more general where a shape has "
        "changed. It does nothing for Python numbers, for these are not arguments of the graph.",
    ),
    "mended": Told(
        "The numbers as tensors",
        "This mends it. `tf.constant(i)` makes an argument of the number, so all of them share one "
        "graph.",
    ),
    "signature": Told(
        "One signature",
        "`input_signature=[tf.TensorSpec(None, tf.float32)]` says beforehand what x will be: a "
        "tensor of any shape. One trace serves them all, and a tensor of another dtype is refused.",
    ),
    "equal": Told(
        "2, 2.0, 3.0, 3",
        "To find out whether it has a graph for a number, TensorFlow compares it with `==`, and to "
        "Python 2 and 2.0 are equal. So the second call gets the graph of the first: it was given "
        "a float and answers with a whole number. What a call returns depends on who called "
        "first.",
    ),
}
ANSWERS = {1: "once", 3: "three times", 0: "not at all"}


def tell(
    controls: Controls, call_each: Callable[..., Any], run: Run, rewritten: Callable[..., Any]
) -> None:
    """The listing, a question, then rows of calls to choose from, and Python's `for` and `if`.

    call_each, rewritten: the listings. run: makes the calls of one of SERIES.
    """
    code, words = side_by_side([5, 4])
    with code:
        st.code(source_of(call_each), language="python")
    with words:
        st.markdown(
            "Since TensorFlow 2 nobody has to build a graph by hand. `tf.function` calls a Python "
            "function once and writes down which operations it leads to: it **traces** the "
            "function. Later calls run that graph, without the function. A line that leads to no "
            "operation, such as a `print` or this `append`, is a **side effect** of Python's, and "
            "is in no graph."
        )
        calls = run("tensors")
        traced = sum(bool(call.noted) for call in calls[:3])
        question = (
            "Before you look: square is called with the tensors 1.0, 2.0 and 3.0. How often does "
            "Python run the line with append?"
        )
        answers = {str(times): answer for times, answer in ANSWERS.items()}
        answered = predicted(question, answers, str(traced), key="three calls")
    if answered:
        _series(controls, run)
        _rewritten(rewritten)


def _series(controls: Controls, run: Run) -> None:
    labels = {name: told.label for name, told in SERIES.items()}
    name = controls.choice(
        st.pills, "Rows of calls", "calls", labels, "tensors", label_visibility="collapsed"
    )
    name = name or "tensors"
    calls = run(name)
    st.markdown(f"**Calls: {len(calls)}. Traces: {calls[-1].traces}.** {SERIES[name].story}")
    if name == "numbers":
        traced, reused = (median(_times(run(one)[1:])) for one in ("numbers", "mended"))
        st.markdown(
            f"After its first, a call took {traced:.1f} ms at the median. With the same numbers as "
            f"tensors it took {reused:.1f} ms."
        )
    _table(calls)
    st.caption(
        "Each time was measured once, in a process that serves other visitors as well: read the "
        "order of magnitude, not the digits."
    )


def _rewritten(listing: Callable[..., Any]) -> None:
    st.markdown(
        "##### Python's `for` and `if`, rewritten\n"
        "Before it traces a function, `tf.function` reads its source. A `for` over a tensor and an "
        "`if` that asks one become operations, as with `tf.while_loop` and `tf.cond`; this part of "
        "it is called **AutoGraph**. In this listing of the recurrent cell both are rewritten. A "
        "loop over a list of Python's is not: it is unrolled, like any other line that runs while "
        "tracing."
    )
    st.code(source_of(listing), language="python")


def _times(calls: Sequence[Call]) -> list[float]:
    return [call.milliseconds for call in calls]


def _table(calls: Sequence[Call]) -> None:
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
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    live(f'<table class="digits"><tr>{head}</tr>{body}</table>', key="traced calls")
