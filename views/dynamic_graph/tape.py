"""TensorFlow's eager mode beside PyTorch: the same lines in both, and what each writes down."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from engines.graphs.autograd import Array, Node, StepGraph
from views.player import live
from views.ui.controls import Controls
from views.ui.errors import explain_phrases
from views.ui.prediction import predicted
from views.ui.shell import side_by_side

# What a framework made of a, b, c and w, as tape.py and torch_listings.py in engines/dynamic_graph
# return it: what it recorded, and by its name each listing that ran, with what that said.
Ran = tuple[StepGraph, Mapping[str, tuple[str, str]]]

FRAMEWORKS = ("TensorFlow", "PyTorch")
START = {"a": 1.0, "b": 2.0, "c": 3.0, "w": 4.0}  # E5's
BOUND = 100.0


class Told(NamedTuple):
    """What a visitor reads of another way to ask.

    label: its name. story: what came of it. phrases: by phrase of a framework's error, what that
    means.
    """

    label: str
    story: str
    phrases: Mapping[str, str] = {}


WAYS = {
    "not_watched": Told(
        "Without watch",
        "A tape writes down only what comes from something that it **watches**. Here w is a "
        "constant, and nobody asked the tape to watch it, so the tape stays empty. It answers "
        "None, which is not zero: it says that nothing is known. TensorFlow takes that for an "
        "answer, and something fails only when a later line computes with it. PyTorch's word for "
        "watching is `requires_grad=True`. Without it there is no graph behind y, and `backward()` "
        "says so at once.",
        {
            "element 0 of tensors": "The first of the tensors to go backward from. Here it is the "
            "only one: y.",
            "does not require grad": "Nothing that it was computed from requires a gradient.",
            "does not have a grad_fn": "No recorded operation has made it. grad_fn would be its "
            "place in the graph.",
        },
    ),
    "variable": Told(
        "With a variable",
        "A `tf.Variable` is a tensor whose value may change, as the parameters of a model do. A "
        "tape watches it by itself, so nobody has to remember `watch`. In PyTorch the same is true "
        "of an `nn.Parameter`: it requires its gradient by itself.",
    ),
    "asked_twice": Told(
        "Asked twice",
        "What is written down takes memory, so a tape throws it away once it has been asked. "
        "PyTorch keeps the graph, but frees the values that were saved for the way back. The "
        "first answer was right in both; the second question finds nothing to read.",
        {
            "A non-persistent GradientTape": "A tape that was made without persistent=True. That "
            "is the usual kind.",
            "can only be used to compute one set of gradients": "It answers one call of "
            "gradient(). That call may ask for several slopes at once, as in "
            "tape.gradient(y, [w, b]).",
            "(or jacobians)": "A jacobian holds the slopes of many results at once. Asking for one "
            "counts as a question, too.",
            "Trying to backward through the graph a second time": "backward() has already been "
            "through this graph.",
            "Saved intermediate values of the graph are freed": "What the operations had saved, "
            "such as the w of w**2, was thrown away by the first call.",
            "Specify retain_graph=True": "Given to the first call, that would keep it.",
        },
    ),
    "kept": Told(
        "Asked twice, and kept",
        "A **persistent** tape keeps what it wrote for as long as the tape itself lives, and "
        "`retain_graph=True` keeps what PyTorch's graph has saved. Look at the second answer. A "
        "tape hands the slope out, the same each time. PyTorch adds it to `w.grad`, which then "
        "holds it twice. This is why training in PyTorch has lines that set gradients to zero, and "
        "training with a tape has none.",
    ),
}
ANSWERS = {
    "slope": "it answers with the slope",
    "nothing": "it answers with None",
    "error": "it raises an error",
}


def compare(controls: Controls, look: Callable[..., Sequence[Ran]]) -> None:
    """E5 in both frameworks: a sum at once, a slope, what was recorded of it, other ways to ask.

    look: what TensorFlow and PyTorch made of a, b, c and w.
    """
    at_once = st.container()
    numbers = _numbers(controls)
    ran = look(*numbers.values())
    with at_once:
        _two_and_four(ran)
    _slope(ran, numbers)
    _records(ran)
    _other_ways(controls, ran)


def _numbers(controls: Controls) -> dict[str, float]:
    """Where the parabola is asked for its slope, and what parabola it is."""
    st.markdown(
        "#### A slope from a tape\n"
        "A `GradientTape` listens while it is open, and writes down each operation on what it was "
        "told to watch. Asked for the **slope** dy/dw, it goes through its list backwards. PyTorch "
        "is asked the same beside it. Choose the numbers:"
    )
    numbers, looks = {}, {"step": 1.0, "format": "%g"}
    for place, (name, start) in zip(st.columns(4), START.items(), strict=True):
        with place:
            numbers[name] = controls.number(name, f"tape_{name}", start, -BOUND, BOUND, **looks)
    return numbers


def _two_and_four(ran: Sequence[Ran]) -> None:
    st.markdown(
        "#### 2 + 4 is 6 at once\n"
        "In TensorFlow 1 a line like this only drew up a plan, and a **session** had to run the "
        "plan before there was a number. In eager mode the line itself runs."
    )
    _side_by_side(ran, "two_and_four", listed=True, answered=True)


def _slope(ran: Sequence[Ran], numbers: Mapping[str, float]) -> None:
    _side_by_side(ran, "derivative", listed=True, answered=True)
    ways = [2 * numbers["a"] * numbers["w"], numbers["b"]]
    a, b, w = (f"{numbers[name]:.6g}" for name in ("a", "b", "w"))
    slope = sum(ways)
    st.latex(
        rf"\begin{{aligned}} \frac{{dy}}{{dw}} &= 2aw + b \\ &= 2 \cdot ({a}) \cdot ({w}) + ({b}) "
        rf"\\ &= \mathbf{{{slope:.7g}}} \end{{aligned}}"
    )
    st.markdown(
        f"On the way back w is met twice: through `w**2`, which brings {ways[0]:.6g}, and through "
        f"`b * w`, which brings {ways[1]:.6g}. What comes along both is added."
    )


def _records(ran: Sequence[Ran]) -> None:
    """What each framework wrote down, in the order in which it ran."""
    st.markdown(
        "#### What was written down\n"
        "This tape may be asked as often as we like, so it is asked about each value on the way. "
        "The listing has one more line, a product in which w has no part."
    )
    _side_by_side(ran, "parabola", listed=True)
    live(_table(ran[0][0], ran[1][0]), key="recorded")
    st.markdown(
        "All of it ran while the tape was open. But there is nothing of w in `a * b`, so the tape "
        "did not write it down, and PyTorch hung nothing on its result. Its slope is none: "
        "neither of them knows a way from it to y. For the rest, read a column of slopes from the "
        "bottom up. y grows exactly as fast as itself, so the last one is 1. Each operation "
        "takes the slope of its result, multiplies it by its local derivative, and hands that to "
        "what it was computed from. At w two ways meet, one through `w**2` and one through "
        "`b * w`, and what comes along them is added: dy/dw.\n\n"
        "So where is the difference? PyTorch hangs the graph on the results: `y.grad_fn` is the "
        "last operation, it leads to those before it, and once nothing holds y the graph is gone. "
        "TensorFlow writes a list beside the results: the tape holds it, and y knows nothing of "
        "it. Both are read backwards."
    )


def _other_ways(controls: Controls, ran: Sequence[Ran]) -> None:
    """Other ways to ask, each with a prediction first, and what both frameworks said."""
    st.markdown(
        "#### Ask in other ways\n"
        "Each of these really runs, with the numbers above. Choose one, and say what TensorFlow "
        "does."
    )
    labels = {name: told.label for name, told in WAYS.items()}
    way = controls.choice(
        st.pills, "Another way to ask", "ask", labels, None, label_visibility="collapsed"
    )
    if way is None:
        return
    _side_by_side(ran, way, listed=True)
    tape = ran[0][1][way][1]
    right = "nothing" if tape == "None" else "error" if "Error: " in tape else "slope"
    question = "Before you look: what does TensorFlow do when it is asked for the last time?"
    if not predicted(question, ANSWERS, right, key=f"asking {way}"):
        return
    _side_by_side(ran, way, answered=True)
    st.markdown(WAYS[way].story)
    explain_phrases(WAYS[way].phrases)


def _side_by_side(
    ran: Sequence[Ran], name: str, *, listed: bool = False, answered: bool = False
) -> None:
    """The listing of this name in both frameworks, and what it said."""
    places = side_by_side(2)
    for place, framework, (_, said) in zip(places, FRAMEWORKS, ran, strict=True):
        listing, answer = said[name]
        with place:
            if listed:
                st.caption(framework)
                st.code(listing, language="python", wrap_lines=True)
            if answered:
                st.caption(f"{framework} says")
                st.code(answer, language=None, wrap_lines=True)


def _table(tape: StepGraph, graph: StepGraph) -> str:
    """HTML with a row for w and each operation that ran: its value, and who wrote down what."""
    values = {leaf.name: leaf.value for leaf in tape.graph.leaves}
    values |= {event.text: event.value for event in tape.events}
    on_tape, in_graph = _written(tape), _written(graph)
    rows = ""
    for text, value in values.items():
        cells = [f"<code>{html.escape(text).replace(' ', '&nbsp;')}</code>", _number(value)]
        for node in (on_tape[text], in_graph[text]):
            cells += [node.kind, _number(node.gradient)] if node else ["<b>nothing</b>", "none"]
        rows += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    slope = "slope dy/d(value)"
    heads = ["what ran", "value", "on TensorFlow's tape", slope, "in PyTorch's graph", slope]
    head = "".join(f"<th>{text}</th>" for text in heads)
    return f'<table class="digits"><tr>{head}</tr>{rows}</table>'


def _written(ran: StepGraph) -> dict[str, Node | None]:
    """By expression, or name of a leaf, what was written down; None where it ran and nothing was.

    PyTorch makes w's accumulator with the first operation on w, so that event has two nodes.
    """
    operations = {
        event.text: ran.graph[event.nodes[-1]] if event.nodes else None
        for event in ran.events
        if event.kind in {"forward", "plain"}
    }
    return {leaf.name: leaf for leaf in ran.graph.leaves} | operations


def _number(value: Array | None) -> str:
    return "none" if value is None else f"{float(value):.7g}"
