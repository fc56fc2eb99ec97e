"""A function that TensorFlow traces: which calls Python sees, and which run a graph alone."""

from __future__ import annotations

import html
from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from engines.listing import source_of
from engines.recurrent import tf_cells
from engines.standalone import calling
from engines.static_graph_and_sessions import tracing
from engines.static_graph_and_sessions.tracing import Call
from views.player import (
    STEP,
    WHOLE_STEPS,
    Drawing,
    Filling,
    Timeline,
    between,
    cached,
    drawing,
    every_step,
    listing,
    live,
    part,
    picture,
    reached,
    say,
    show,
)
from views.ui import texts
from views.ui.numbers import number
from views.ui.palette import MODEL
from views.ui.prediction import predicted
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import html_table

TOLD = texts.read(__file__)
ANSWERS = {1: "once", 3: "three times", 0: "not at all"}
FIRST = "tensors"  # the row of calls that is asked about
ASKED = 3  # of its calls
TABLE = {"traces so far": "traces"}
CALL = "call {step} of {last}"
CODE = "noted = []", "traced = tf.function"
HEADS = ["call", "append noted", "traces", "returned"]
ACROSS = 3  # graphs beside each other

run = cached(tracing.run)


def show_stage(here: Here) -> str:
    """The function, a question, then rows of calls, played call by call.

    Returns the name of the row that is shown, "" before the question is answered.
    """
    with stage(here) as play:
        say(
            "Since TensorFlow 2 you neither build a graph by hand nor open a session: "
            "<code>tf.function</code> calls your Python function once, writes down the operations "
            "that it leads to (it <b>traces</b> the function), and from then on runs that graph."
        )
        calls = run(FIRST)[:ASKED]
        times = sum(bool(call.noted) for call in calls)
        question = (
            "Before you look: square is called with the tensors 1.0, 2.0 and 3.0. How often does "
            "Python run the line with append?"
        )
        answers = {str(count): answer for count, answer in ANSWERS.items()}
        if not predicted(question, answers, str(times), key="three calls"):
            table, code = beside([8, 5])
            with table:
                asked = [[f"<code>{html.escape(call.call)}</code>", *"???"] for call in calls]
                live(html_table(HEADS, asked), key="calls of a function")
            with code:
                _code(FIRST)
            return ""
        labels = {name: told["label"] for name, told in TOLD.items()}
        name = here.controls.pills(
            "Rows of calls", "calls", labels, FIRST, label_visibility="collapsed"
        )
        calls = run(name)
        played = _timeline(calls)
        ran = {"": calling(tracing.run, varies=("milliseconds",), name=name)}
        play(played, ran=ran, begin=(ASKED, None), readout={}, counted=CALL, table=TABLE)
        table, code = beside([8, 5])
        with table:
            live(_table(calls), key="calls of a function")
        with code:
            _code(name)
            show(graphs(played, tuple(calls)), key="graphs")
    return name


def tell(name: str) -> None:
    """For those who read: what came of a row of calls, and Python's `for` and `if`."""
    calls = run(name)
    st.markdown(f"**Calls: {len(calls)}. Traces: {calls[-1].traces}.** {TOLD[name]['story']}")
    if name == "numbers":
        st.markdown(_times())
    st.markdown(
        "### Python’s `for` and `if`, rewritten\n"
        "Before it traces a function, `tf.function` reads its source. A `for` over a tensor and an "
        "`if` that depends on one become operations, as with `tf.while_loop` and `tf.cond`; this "
        "part of it is called **AutoGraph**. In this listing of the recurrent cell both are "
        "rewritten. A loop over a Python list is not: it is unrolled, like any other line that "
        "runs while tracing."
    )
    st.code(_rewritten(), language="python")


def _rewritten() -> str:
    return part(source_of(tf_cells.rewritten), "def read", "traced = ")


def _code(name: str) -> None:
    """The function, with the settings that this row of calls has."""
    settings = "".join(f", {one}" for one in TOLD[name].get("settings", []))
    source = part(source_of(tracing.call_each), *CODE).replace(", **settings", settings)
    listing(source, {}, title="tracing.py: what is traced", key="traced")


@cached
def _timeline(calls: Sequence[Call]) -> Timeline:
    """How many traces there are after so many calls."""
    traces = np.array([0, *(call.traces for call in calls)])
    return Timeline(every_step({"traces": traces}), len(calls), parts=WHOLE_STEPS)


def _table(calls: Sequence[Call]) -> str:
    """HTML: a row for each call, filled in when the player reaches it."""
    steps = list(range(1, len(calls) + 1))
    rows = [
        [
            reached(f"<code>{html.escape(call.call)}</code>", steps, i),
            *map(_own, (_noted(call), str(call.traces), f"{call.value}, {call.dtype}")),
        ]
        for i, call in enumerate(calls)
    ]
    return html_table(HEADS, rows)


def _noted(call: Call) -> str:
    if not call.noted:
        return "nothing"
    argument = _argument(call.noted)
    return argument if argument.startswith("x = ") else f"a tensor, no value: {argument}"


def _own(cell: str) -> str:
    return f'<span class="own">{html.escape(cell)}</span>'


@picture
def graphs(timeline: Timeline, calls: Sequence[Call]) -> Filling:
    """A box for each graph that the function has so far; the one that the last call ran is marked.

    A call that was not traced ran the graph that was traced last.
    """
    made = [k for k, call in enumerate(calls, start=1) if call.noted]
    ends = [*made[1:], len(calls) + 1]
    rows = [
        {
            "column": i % ACROSS,
            "row": i // ACROSS,
            "made": made[i],
            "until": ends[i],
            "label": _argument(calls[made[i] - 1].noted),
        }
        for i in range(len(made))
    ]
    down = max(2, -(-len(made) // ACROSS))
    return {"graphs": pd.DataFrame(rows)}, {"down": down}


@graphs.drawing
def _(timeline: Timeline) -> Drawing:
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, ACROSS], nice=False))
    y = alt.Y("y:Q", axis=None, scale=between("down", "0"))
    runs = f"datum.made <= {STEP} && {STEP} < datum.until"
    there = (
        alt.Chart(alt.NamedData("graphs"))
        .transform_filter(f"datum.made <= {STEP}")
        .transform_calculate(
            x="datum.column + 0.04",
            x2="datum.column + 0.96",
            y="datum.row + 0.06",
            y2="datum.row + 0.94",
            middle="datum.column + 0.5",
            upper="datum.row + 0.34",
            lower="datum.row + 0.68",
            ran=f"min({STEP} + 1, datum.until) - datum.made",
        )
        .transform_calculate(times="datum.ran == 1 ? 'ran once' : 'ran ' + datum.ran + ' times'")
    )
    color = MODEL
    boxes = there.mark_rect(
        cornerRadius=4,
        fill=color,
        stroke=color,
        fillOpacity=alt.ExprRef(f"{runs} ? 0.3 : 0.06"),
        strokeWidth=alt.ExprRef(f"{runs} ? 3 : 1.2"),
    ).encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
    middle = alt.X("middle:Q", axis=None)
    ink = alt.ExprRef("ink")
    limit = alt.ExprRef(f"0.9 * width / {ACROSS}")
    labels = there.mark_text(color=ink, fontWeight=600, limit=limit).encode(
        x=middle, y=alt.Y("upper:Q", axis=None), text="label:N"
    )
    times = there.mark_text(color=ink, limit=limit).encode(
        x=middle, y=alt.Y("lower:Q", axis=None), text="times:N"
    )
    return drawing(
        alt.layer(boxes, labels, times),
        title="The graphs it keeps",
        description="A box for each graph that the function has been traced into so far, with "
        "what it was traced for and how often it ran. The one that the last call ran is marked.",
    )


def _argument(noted: str) -> str:
    """What a graph was traced for, in short: x = 3, or the type and the shape of a tensor."""
    number_, tensor = "the number ", "a tensor without a value, "
    if noted.startswith(number_):
        return f"x = {noted.removeprefix(number_)}"
    dtype, shape = noted.removeprefix(tensor).split(", shape ")
    return f"{dtype} {shape.replace('<unknown>', 'any')}"


@cached
def _times() -> str:
    """What a trace costs: Python numbers against tensors, where the quartiles settle it."""
    anew, reused = (
        np.percentile([call.milliseconds for call in run(name)[1:]], [25, 50, 75])
        for name in ("numbers", "mended")
    )
    if reused[2] > anew[0]:
        return "How long the calls took says nothing here: this machine is too busy."
    told = [
        f"**{number(median, 2)} ms** ({number(low, 2)} to {number(high, 2)})"
        for low, median, high in (anew, reused)
    ]
    return (
        f"After its first, a call took {told[0]} at the median, with its quartiles. With the same "
        f"numbers as tensors it took {told[1]}."
    )
