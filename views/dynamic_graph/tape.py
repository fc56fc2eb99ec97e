"""TensorFlow's eager mode beside PyTorch: the same lines in both, and what each records.

The names and stories of the other ways to ask are in tape.toml.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from engines.dynamic_graph import tape, torch_listings
from engines.experiments import EXPERIMENTS
from engines.graphs.autograd import Array, Graph, Node, StepGraph
from views.graphs.small_graph import draw_graph
from views.player import Figure, cached, live, say, show
from views.ui.controls import Controls
from views.ui.errors import explain_phrases, explanation
from views.ui.mistakes import choose, told_in
from views.ui.numbers import number
from views.ui.prediction import predicted
from views.ui.shell import Here, side_by_side
from views.ui.staging import beside, stage
from views.ui.table import html_table

WAYS = told_in(__file__)
FRAMEWORKS = ("TensorFlow", "PyTorch")
START = {"a": 3.0, "b": 2.0, "c": 3.0, "w": 4.0}  # E5 has a = 1, where no slope but w's is seen
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


def show_stage(here: Here) -> list[Answers]:
    """What both frameworks recorded of a parabola, value by value. Returns what they answered."""
    with stage(here):
        numbers = _numbers(here.controls)
        answers = in_both(**numbers)
        slope = 2 * numbers["a"] * numbers["w"] + numbers["b"]
        say(
            "TensorFlow writes a list beside the results, its "
            "<b>tape</b>; PyTorch hangs a graph on them. Read the table from the bottom up: each "
            "operation multiplies its slope, dy/d(value), by its local derivative, and hands that "
            "on. At w two ways meet and are added: "
            f"dy/dw = 2aw + b = <b>{number(slope)}</b>."
        )
        on_tape, in_graph = (answer.recorded for answer in answers)
        graph, table = beside([3, 10])
        with graph:
            show(_drawn(in_graph.graph, numbers), key="graph")
        with table:
            live(_table(on_tape, in_graph, numbers), key="recorded")
    return answers


def tell(controls: Controls, answers: list[Answers]) -> None:
    """The listings in both frameworks, a sum at once, and other ways to ask."""
    st.markdown(
        "#### 2 + 4 is 6 at once\n"
        "In TensorFlow 1 a line like this only drew up a plan, and a **session** had to run "
        "the plan before there was a number. In eager mode the line itself runs."
    )
    _side_by_side(answers, "two_and_four", listed=True, answered=True)
    printed = EXPERIMENTS["E5"].printed["derivative"]
    st.markdown(
        "#### The slope, in both\n"
        f"The article asks with a = 1 and prints **{printed}**. Here a begins at 3: with 1, no "
        "slope but w’s differs from 1."
    )
    _side_by_side(answers, "derivative", listed=True, answered=True)
    _records(answers)
    _other_ways(controls, answers)


def _numbers(controls: Controls) -> dict[str, float]:
    """Where the parabola is asked for its slope, and what parabola it is."""
    numbers, looks = {}, {"step": 1.0, "format": "%g"}
    with st.container(horizontal=True, gap="small"):
        for name, start in START.items():
            numbers[name] = controls.number(
                name, f"tape_{name}", start, -BOUND, BOUND, width=150, **looks
            )
    return numbers


def _records(answers: Sequence[Answers]) -> None:
    """What each framework recorded, in the order in which it ran."""
    st.markdown(
        "#### What was recorded\n"
        "This tape may be asked as often as we like, so it is asked about each value on the way to "
        "y. The listing has one more line, a product in which w has no part."
    )
    _side_by_side(answers, "parabola", listed=True)
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


def _local(a: float, b: float, c: float, w: float) -> dict[str, dict[str, tuple[str, float]]]:
    """By operation, what it hands its slope on to, and by which local derivative multiplied."""
    return {
        "w**2": {"w": ("2w", 2 * w)},
        "a * w**2": {"w**2": ("a", a)},
        "b * w": {"w": ("b", b)},
        "a * w**2 + b * w": {"a * w**2": ("1", 1), "b * w": ("1", 1)},
        "a * w**2 + b * w + c": {"a * w**2 + b * w": ("1", 1)},
    }


def _drawn(graph: Graph, numbers: Mapping[str, float]) -> Figure:
    """PyTorch's graph, with the slope of y at each value."""
    return draw_graph(
        graph,
        key=("parabola", *numbers.values()),
        title="Each slope",
        description=(
            "The graph that PyTorch hung on y: from w one way leads through w**2, the other "
            "through b * w, and both meet in their sum. Each box has the slope dy/d(value)."
        ),
        labels={
            node.id: f"({number(float(node.gradient), 4)})"
            for node in graph.nodes
            if node.gradient is not None
        },
        wide=1.6,
    )


def _table(on_tape: StepGraph, in_graph: StepGraph, numbers: Mapping[str, float]) -> str:
    """HTML with a row for w and each operation that ran: its value, and which recorded what."""
    values = {leaf.name: leaf.value for leaf in on_tape.graph.leaves}
    values |= {event.text: event.value for event in on_tape.events}
    records, local = [_recorded(on_tape), _recorded(in_graph)], _local(**numbers)
    heads = ["what ran", "value", "on the tape", "slope", "in PyTorch’s graph", "slope"]
    rows = []
    for text, value in values.items():
        row = [_code(text), _number(value)]
        nodes = [record[text] for record in records]
        for node in nodes:
            row += [node.kind, _number(node.gradient)] if node else ["<b>nothing</b>", "none"]
        slope = nodes[0].gradient if nodes[0] else None
        row.append(
            "<br>".join(
                f"{_number(slope)} · {what} = {number(float(slope) * by, 7)} to {_code(to)}"
                for to, (what, by) in local.get(text, {}).items()
                if slope is not None
            )
        )
        rows.append(row)
    return html_table([*heads, "hands on"], rows)


def _code(text: str) -> str:
    return f"<code>{html.escape(text).replace(' ', '&nbsp;')}</code>"


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
