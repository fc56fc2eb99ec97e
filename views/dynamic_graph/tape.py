"""TensorFlow's eager mode beside PyTorch: the same lines in both, and what each records.

The names and stories of the other ways to ask are in tape.toml.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from engines.dynamic_graph import tape, torch_listings
from engines.experiments import EXPERIMENTS
from engines.graphs.autograd import Array, Graph, Node, StepGraph
from engines.standalone import Called, calling
from views.dynamic_graph.graph_series import written
from views.graphs.small_graph import draw_graph, short
from views.player import Figure, cached, listing, live, part, say, show, wording
from views.ui.controls import Controls
from views.ui.errors import explain_phrases, explanation, up_to_explained
from views.ui.mistakes import answered, told_in
from views.ui.numbers import number
from views.ui.prediction import asked, opening
from views.ui.shell import Here, article, side_by_side
from views.ui.staging import beside, stage
from views.ui.table import html_table
from views.ui.texts import as_html

WAYS = told_in(__file__)
FRAMEWORKS = ("TensorFlow", "PyTorch")
RECORDED = "recorded"  # what is shown where nothing else is asked
START = {"a": 3.0, "b": 2.0, "c": 3.0, "w": 4.0}  # E5 has a = 1, where no slope but w's is seen
BOUND = 100.0
ASKED = (
    "Both programs ask for dy/dw in another way. <b>Before you look: what does TensorFlow end "
    "with, the slope, None or an error?</b>"
)
ANSWERS = {"slope": "the slope", "nothing": "None", "error": "an error"}


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
    """What both frameworks recorded of a parabola, value by value; or another way to ask.

    Returns what they answered.
    """
    with here.settings, st.popover("The parabola"):
        numbers = _numbers(here.controls)
    answers = in_both(**numbers)
    with stage(here) as play:
        labels = {RECORDED: "What was recorded"} | {way: told.label for way, told in WAYS.items()}
        way = here.controls.pills(
            "What is asked", "tape_question", labels, RECORDED, label_visibility="collapsed"
        )
        if way == RECORDED:
            _show_recorded(answers, numbers)
            play(ran=_asking("derivative", numbers))
        elif _ask(way, answers):
            play(ran=_asking(way, numbers, answers))
    return answers


def _show_recorded(answers: Sequence[Answers], numbers: Mapping[str, float]) -> None:
    slope = 2 * numbers["a"] * numbers["w"] + numbers["b"]
    say(
        "TensorFlow writes a list beside the results, its <b>tape</b>; PyTorch hangs a graph on "
        "them, whose pointers lead back from y. Read the table from the bottom up: each operation "
        "multiplies its slope, dy/d(value), by its local derivative, and hands that on. At w two "
        "ways meet and are added: "
        f"dy/dw = 2aw + b = <b>{number(slope)}</b>."
    )
    on_tape, in_graph = (answer.recorded for answer in answers)
    graph, table = beside([3, 8])
    with graph:
        show(_drawn(in_graph.graph, numbers), key="graph")
    with table:
        live(_table(on_tape, in_graph, numbers), key="recorded")


def _asking(
    way: str, numbers: Mapping[str, Any], answers: Sequence[Answers] | None = None
) -> dict[str, Called]:
    """The listing of both frameworks that asks so, to be taken home. answers: what they said."""
    said = [answer.said[way][1] for answer in answers or ()] or ["", ""]
    return {
        framework: calling(getattr(asks, way), fails="Error: " in one, **numbers)
        for framework, asks, one in zip(FRAMEWORKS, (tape, torch_listings), said, strict=True)
    }


def _ask(way: str, answers: Sequence[Answers]) -> bool:
    """Another way to ask, with a prediction first, and what both frameworks said.

    Returns whether somebody has said what they expect.
    """
    story = st.container()
    guess = asked("How it ends", ANSWERS, key=f"asking {way}", label_visibility="collapsed")
    for place, framework, answer in zip(beside(2), FRAMEWORKS, answers, strict=True):
        source, said = answer.said[way]
        with place:
            listing(part(source, "w = ", "return"), {}, title=framework, key=f"asked {framework}")
            if guess:
                wording.caption(f"{framework} says")
                wording.code(up_to_explained(said, most=1)[0])
    said = answers[0].said[way][1]
    right = "nothing" if said == "None" else "error" if "Error: " in said else "slope"
    why = as_html(WAYS[way].story.partition("\n\n")[0])
    with story:
        say(f"{opening(guess, right)} <b>{ANSWERS[right]}</b>. {why}" if guess else ASKED)
    return guess is not None


def tell(controls: Controls, answers: list[Answers]) -> None:
    """Why what is asked on the stage ends as it does; and the listings in both frameworks."""
    way = controls.chosen("tape_question", WAYS)
    if way and answered(f"asking {way}"):
        _why(way, answers)
    st.markdown(
        "### 2 + 4 is 6 at once\n"
        "In TensorFlow 1 a line like this only drew up a plan, and a **session** had to run "
        "the plan before there was a number. In eager mode the line itself runs."
    )
    _side_by_side(answers, "two_and_four", listed=True, answered=True)
    printed = EXPERIMENTS["E5"].printed["derivative"]
    st.markdown(
        "### The slope, in both\n"
        f"The article that this is from, {article('E5')}, asks with a = 1 and prints "
        f"**{printed}**. Here a begins at 3: with 1, no slope but w’s differs from 1."
    )
    _side_by_side(answers, "derivative", listed=True, answered=True)
    _records(answers)


def _numbers(controls: Controls) -> dict[str, float]:
    """Where the parabola is asked for its slope, and what parabola it is."""
    numbers = {}
    with st.container(horizontal=True, gap="small"):
        for name, start in START.items():
            numbers[name] = controls.number(
                name, f"tape_{name}", start, -BOUND, BOUND, width=150, step=1.0
            )
    return numbers


def _records(answers: Sequence[Answers]) -> None:
    """What each framework recorded, in the order in which it ran."""
    st.markdown(
        "### What was recorded\n"
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


def _why(way: str, answers: Sequence[Answers]) -> None:
    """The rest of what is told of a way to ask, and the errors, phrase by phrase."""
    said = [answer.said[way][1] for answer in answers]
    st.markdown(WAYS[way].story.partition("\n\n")[2])
    for framework, message in zip(FRAMEWORKS, said, strict=True):
        if up_to_explained(message, most=1)[0] != message:
            st.caption(f"All that {framework} says")
            st.code(message, language=None, wrap_lines=True)
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
            "through b * w, and both meet in their sum. Each box has the slope dy/d(value). "
            "Pointers lead from each operation to those it was computed from."
        ),
        labels={
            node.id: f"({number(float(node.gradient), 4)})"
            for node in graph.nodes
            if node.gradient is not None
        },
        wide=1.6,
        pointers=True,
    )


def _table(on_tape: StepGraph, in_graph: StepGraph, numbers: Mapping[str, float]) -> str:
    """HTML with a row for w and each operation that ran: its value, and which recorded what."""
    values = {leaf.name: leaf.value for leaf in on_tape.graph.leaves}
    values |= {event.text: event.value for event in on_tape.events}
    records, local = [_recorded(on_tape), _recorded(in_graph)], _local(**numbers)
    names = {
        text: short(node.kind) if node.text else node.name
        for text, node in records[1].items()
        if node
    }
    rows = []
    for text, value in values.items():
        nodes = [record[text] for record in records]
        graphed = nodes[1]
        row = [_code(written(in_graph.graph, graphed) if graphed else text), _number(value)]
        row += [node.kind if node else "<b>nothing</b>" for node in nodes]
        # One number, where both found the same.
        row.append(" / ".join({_number(node.gradient if node else None): None for node in nodes}))
        slope = nodes[0].gradient if nodes[0] else None
        row.append(
            "<br>".join(
                f"{_number(slope)} · {what} = {number(float(slope) * by, 7)} to {names[to]}"
                for to, (what, by) in local.get(text, {}).items()
                if slope is not None
            )
        )
        rows.append(row)
    return html_table(
        ["what ran", "value", "tape", "graph", "slope", "hands on"], rows, kind="recorded"
    )


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
