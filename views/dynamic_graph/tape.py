"""TensorFlow's eager mode beside PyTorch: the same lines in both, and what each records.

The names and stories of the other ways to ask are in tape.toml.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from engines.dynamic_graph import tape, torch_listings
from engines.graphs.autograd import Array, Node, StepGraph
from views.player import cached, live
from views.ui.controls import Controls
from views.ui.errors import explain_phrases, explanation
from views.ui.mistakes import choose, told_in
from views.ui.numbers import number
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.table import html_table

WAYS = told_in(__file__)
FRAMEWORKS = ("TensorFlow", "PyTorch")
START = {"a": 1.0, "b": 2.0, "c": 3.0, "w": 4.0}  # E5's
BOUND = 100.0
ANSWERS = {
    "slope": "it answers with the slope",
    "nothing": "it answers with None",
    "error": "it raises an error",
}


class Answers(NamedTuple):
    """What a framework made of a, b, c and w.

    recorded: what it recorded of the parabola. said: by its name, the source of each listing, and
    what that said.
    """

    recorded: StepGraph
    said: Mapping[str, tuple[str, str]]


@cached  # here and not in runs.py, which does not need TensorFlow
def in_both(a: float, b: float, c: float, w: float) -> list[Answers]:
    """What TensorFlow and PyTorch make of these numbers."""
    numbers = (a, b, c, w)
    return [
        Answers(framework.record(*numbers), framework.run_all(*numbers))
        for framework in (tape, torch_listings)
    ]


def compare(controls: Controls) -> None:
    """E5 in both frameworks: a sum at once, a slope, what was recorded of it, other ways to ask."""
    at_once = st.container()
    numbers = _numbers(controls)
    answers = in_both(**numbers)
    with at_once:
        st.markdown(
            "#### 2 + 4 is 6 at once\n"
            "In TensorFlow 1 a line like this only drew up a plan, and a **session** had to run "
            "the plan before there was a number. In eager mode the line itself runs."
        )
        _side_by_side(answers, "two_and_four", listed=True, answered=True)
    _slope(answers, numbers)
    _records(answers)
    _other_ways(controls, answers)


def _numbers(controls: Controls) -> dict[str, float]:
    """Where the parabola is asked for its slope, and what parabola it is."""
    st.markdown(
        "#### A slope from a tape\n"
        "A `GradientTape` listens while it is open, and records each operation on what it was told "
        "to watch. Asked for the **slope** dy/dw, it goes through its list backwards. Beside it "
        "PyTorch is asked the same. Choose the numbers:"
    )
    numbers, looks = {}, {"step": 1.0, "format": "%g"}
    for place, (name, start) in zip(st.columns(4), START.items(), strict=True):
        with place:
            numbers[name] = controls.number(name, f"tape_{name}", start, -BOUND, BOUND, **looks)
    return numbers


def _slope(answers: Sequence[Answers], numbers: Mapping[str, float]) -> None:
    _side_by_side(answers, "derivative", listed=True, answered=True)
    parts = [2 * numbers["a"] * numbers["w"], numbers["b"]]
    a, b, w = (f"{numbers[name]:.6g}" for name in ("a", "b", "w"))  # LaTeX has minus signs
    slope = sum(parts)
    st.latex(
        rf"\begin{{aligned}} \frac{{dy}}{{dw}} &= 2aw + b \\ &= 2 \cdot ({a}) \cdot ({w}) + ({b}) "
        rf"\\ &= \mathbf{{{slope:.7g}}} \end{{aligned}}"
    )
    st.markdown(
        f"The backward pass meets w twice: through `w**2`, which brings {number(parts[0])}, and "
        f"through `b * w`, which brings {number(parts[1])}. What comes along both is added."
    )


def _records(answers: Sequence[Answers]) -> None:
    """What each framework recorded, in the order in which it ran."""
    st.markdown(
        "#### What was recorded\n"
        "This tape may be asked as often as we like, so it is asked about each value on the way to "
        "y. The listing has one more line, a product in which w has no part."
    )
    _side_by_side(answers, "parabola", listed=True)
    live(_table(*(answer.recorded for answer in answers)), key="recorded")
    st.markdown(
        "All of it ran while the tape was open. But there is nothing of w in `a * b`, so the tape "
        "did not record it, and PyTorch hung nothing on its result. Its slope is none: neither of "
        "them knows a way from it to y. For the rest, read a column of slopes from the bottom up. "
        "y grows exactly as fast as itself, so the last one is 1. Each operation takes the slope "
        "of its result, multiplies it by its local derivative, and hands that to what it was "
        "computed from. At w two ways meet, one through `w**2` and one through `b * w`, and what "
        "comes along them is added: dy/dw.\n\n"
        "So where is the difference? PyTorch hangs the graph on the results: `y.grad_fn` is the "
        "last operation, it leads to those before it, and once nothing holds y the graph is gone. "
        "TensorFlow writes a list beside the results: the tape holds it, and y knows nothing of "
        "it. Both are read backwards."
    )


def _other_ways(controls: Controls, answers: Sequence[Answers]) -> None:
    """Other ways to ask, each with a prediction first, and what both frameworks said."""
    st.markdown(
        "#### Ask in other ways\n"
        "Each of these really runs, with the numbers above. Choose one, and say what TensorFlow "
        "does."
    )
    way = choose(controls, WAYS, name="tape_question", label="Another way to ask")
    if way is None:
        return
    _side_by_side(answers, way, listed=True)
    said = [answer.said[way][1] for answer in answers]
    right = "nothing" if said[0] == "None" else "error" if "Error: " in said[0] else "slope"
    question = "Before you look: what does TensorFlow do when it is asked for the last time?"
    if not predicted(question, ANSWERS, right, key=f"asking {way}"):
        return
    _side_by_side(answers, way, answered=True)
    st.markdown(WAYS[way].story)
    explain_phrases({**explanation(said[0])[0], **explanation(said[1])[0]})


def _side_by_side(
    answers: Sequence[Answers], name: str, *, listed: bool = False, answered: bool = False
) -> None:
    """The listing of this name in both frameworks, and what it said."""
    for place, framework, answer in zip(side_by_side(2), FRAMEWORKS, answers, strict=True):
        listing, said = answer.said[name]
        with place:
            if listed:
                st.caption(framework)
                st.code(listing, language="python", wrap_lines=True)
            if answered:
                st.caption(f"{framework} says")
                st.code(said, language=None, wrap_lines=True)


def _table(on_tape: StepGraph, in_graph: StepGraph) -> str:
    """HTML with a row for w and each operation that ran: its value, and which recorded what."""
    values = {leaf.name: leaf.value for leaf in on_tape.graph.leaves}
    values |= {event.text: event.value for event in on_tape.events}
    records = [_recorded(on_tape), _recorded(in_graph)]
    slope = "slope dy/d(value)"
    heads = ["what ran", "value", "on TensorFlow's tape", slope, "in PyTorch's graph", slope]
    rows = []
    for text, value in values.items():
        row = [f"<code>{html.escape(text).replace(' ', '&nbsp;')}</code>", _number(value)]
        for node in (record[text] for record in records):
            row += [node.kind, _number(node.gradient)] if node else ["<b>nothing</b>", "none"]
        rows.append(row)
    return html_table(heads, rows)


def _recorded(step: StepGraph) -> dict[str, Node | None]:
    """By expression, or name of a leaf, what was recorded; None where it ran and nothing was.

    PyTorch makes w's accumulator with the first operation on w, so that event has two nodes.
    """
    operations = {
        event.text: step.graph[event.nodes[-1]] if event.nodes else None
        for event in step.events
        if event.kind in {"forward", "plain"}
    }
    return {leaf.name: leaf for leaf in step.graph.leaves} | operations


def _number(value: Array | None) -> str:
    return "none" if value is None else number(float(value), 7)
