"""The loop and the branch of the recurrent cell as operations of a static graph, and unrolled."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.graphs.autograd import Graph
from views.graphs.small_graph import height, small_graph
from views.player import live, show, source_of
from views.recurrent.word import own_word
from views.ui.controls import Controls
from views.ui.prediction import predicted
from views.ui.shell import side_by_side


class Learnt(Protocol):
    """Loss, gradients by u, w and b, and the kinds of the graph's loops and branches."""

    loss: float
    grads: Sequence[NDArray[Any]]
    control: Sequence[str]


class Looked(Protocol):
    """A word as each graph reads it: engines.recurrent.tf_graphs.Looked says what these are."""

    learnt: Mapping[str, Learnt]
    ran: Sequence[tuple[int, int]]
    groups: Sequence[tuple[str, int, int]]
    way: Graph
    runs: Mapping[int, int]
    branches: Mapping[str, Sequence[tuple[str, float | None]]]


# How many operations the loop's graph has, and the unrolled one, for so many letters.
Count = Callable[[int], tuple[int, int]]
# A word in TensorFlow's graphs, and the graph that PyTorch built as it read the word.
Look = Callable[[str], tuple[Looked, Graph]]

DRAWN_LETTERS = 2  # of the unrolled graph in the picture
PICTURES = {
    "loop": ("As written: the loop", "Where words come in, one operation for the loop, one for "
             "the branch, and the loss at the end."),
    "body": ("Inside of the loop: a round", "From the state h and the letter at t to the next "
             "state: the five operations of the cell, and one that takes a letter out of x."),
    "unrolled": (f"As written: unrolled, {DRAWN_LETTERS} letters", "The five operations of the "
                 "cell for each letter, one below the other, then the branch."),
}  # fmt: skip
READERS = {
    "loop": "session, `while_loop` and `cond`",
    "unrolled": "session, unrolled",
    "rewritten": "`tf.function`, with Python's `for` and `if`",
}
DOES = {  # by kind, in the order in which a value meets them
    "Enter": "takes a value into the loop",
    "Merge": "hands on what has come: from Enter first, from NextIteration ever after",
    "Shape": "counts the letters, anew in each round",
    "StridedSlice": "takes that count out of the shape of x",
    "Less": "asks whether there is another letter",
    "LoopCond": "hands the answer to every Switch",
    "Switch": "sends its value into another round, or out",
    "Identity": "tells the constants that a round has begun",
    "Const": "the constants of that question, and of a round",
    "GatherV2": "takes the letter at t out of x",
    "MatMul": "the products of the cell",
    "AddV2": "the sums of the cell, and the counting of letters and rounds",
    "Tanh": "makes the next h",
    "NextIteration": "takes a value to the next round: the edge back to Merge",
    "Exit": "takes h out of the loop",
}
ANSWERS = {
    "same": "the same number",
    "more": "five more for each letter",
    "longer": "11/5 times as many",
}


def ask(listings: Sequence[Callable[..., Any]], count: Count) -> bool:
    """Show both listings and ask how the graph of the first grows. Returns whether answered."""
    st.markdown(
        "A **recurrent cell** reads a word letter by letter: from its state h and the letter x_t "
        "it makes the next state, each time with the same parameters u, w and b. On the dynamic "
        "page Python's `for` and `if` see to that, because PyTorch builds its graph while the word "
        "is read. A static graph is finished before there is a word. Either the loop and the "
        "branch are **operations** of the graph, as in the first listing. Or Python's loop runs "
        "while the graph is built and leaves a copy of the cell for each letter, as in the second: "
        "the loop is **unrolled**."
    )
    places = side_by_side(2)
    for place, listing in zip(places, listings, strict=True):
        with place:
            st.code(source_of(listing), language="python")
    five, eleven = count(5)[0], count(11)[0]
    right = {five: "same", five + 30: "more"}.get(eleven, "longer")
    return predicted(
        "Before you look: the first graph can read words of 5 letters. How many "
        "operations does it need to read words of 11 letters?",
        ANSWERS,
        right,
        key="a longer word",
    )


def compare(
    controls: Controls,
    count: Count,
    drawings: Mapping[str, Graph],
    look: Look,
    *,
    longest: int,
) -> str:
    """Both graphs as written, a word of the visitor's in each, and what ran. Returns the word.

    drawings: "loop", "body" and "unrolled". longest: letters that a word can have.
    """
    growth = st.container()
    _drawings(drawings)
    word = own_word(controls, longest)
    with growth:
        _growth(count, len(word))
    with st.spinner("Reading the word in every graph."):
        looked, built = look(word)
    _numbers(word, looked.learnt, built)
    _executed(word, looked)
    _branches(looked)
    return word


def _growth(count: Count, own: int) -> None:
    lengths = sorted({1, 2, 5, own})
    looped, unrolled = zip(*map(count, lengths), strict=True)
    each = count(2)[1] - count(1)[1]
    rest = count(1)[1] - each
    longer = max(0, count(1)[0] - rest) // each + 1
    _table(
        ["letters", *map(str, lengths)],
        [
            ["operations written, loop", *map(str, looped)],
            ["operations written, unrolled", *map(str, unrolled)],
        ],
        key="operations written",
    )
    st.markdown(
        "What is inside of the loop and of the branches is counted. The loop is described once, "
        f"whatever the word. Unrolled, n letters make **{each}n + {rest}** operations: from "
        f"{longer} letters on that is more than the loop needs, and for shorter words it is less."
    )


def _drawings(drawings: Mapping[str, Graph]) -> None:
    places = side_by_side(len(PICTURES))
    for place, (name, (title, description)) in zip(places, PICTURES.items(), strict=True):
        drawing = small_graph(
            drawings[name],
            key=("control flow", name),
            title=title,
            description=description,
        )
        with place:
            show(drawing, key=f"{name} as written", height=height(drawing))
    st.caption(
        "Constants without a name in the listing are left out, and so is what the loss does not "
        "need. While and If are short for StatelessWhile and StatelessIf, loops and branches in "
        "which no variable is assigned. Unrolled, the product of a letter with u waits for no h, "
        "so it stands further up."
    )


def _numbers(word: str, learnt: Mapping[str, Learnt], built: Graph) -> None:
    """What every graph says of the word, beside PyTorch."""
    leaves = {leaf.name: leaf.gradient for leaf in built.leaves}
    grads = [np.asarray(leaves[name]) for name in ("u", "w", "b")]
    loss = float(np.asarray(built.nodes[-1].value))
    rows = [["PyTorch, as it reads", f"{loss:.15g}", "–", "none"]]
    for name, label in READERS.items():
        its = learnt[name]
        apart = max(np.abs(a - b).max() for a, b in zip(its.grads, grads, strict=True))
        cells = [f"{its.loss:.15g}", f"{apart:.1e}", ", ".join(its.control)]
        rows.append([label, *cells])
    heads = ["who reads", "loss", "gradients, at most apart", "loops and branches in the graph"]
    st.markdown(f"##### “{_plain(word)}” in every graph")
    _table(heads, rows, key="word in graphs")
    st.markdown(
        "The same letters and the same u, w and b, in 64 bits. The last two columns say how far "
        "the 18 gradients are from PyTorch's, and what is in each graph for `for` and `if`. "
        "PyTorch's has nothing for them: there, Python has already decided. `tf.gradients` answers "
        "a loop with a second loop, which goes from the last letter back to the first."
    )
    shared = {"word": word} | ({"lecture": "true"} if in_lecture() else {})
    st.page_link(
        "pages/dynamic_graph.py", label="This word on the dynamic page", query_params=shared
    )


def _executed(word: str, looked: Looked) -> None:
    """What the session made of the loop: simple operations that run again and again."""
    (ops, runs), (straight, straight_runs) = looked.ran
    carried = next(ops for kind, ops, _ in looked.groups if kind == "Merge")
    rounds = len(word)
    st.markdown(
        "##### The loop as executed\n"
        "A session does not run a loop operation. It takes the loop apart into simple operations "
        "that hand values round: Enter, Merge, Switch, NextIteration and Exit, and LoopCond, which "
        "says whether to go on. The picture follows h on its way, with how often each operation "
        "ran. From Next, short for NextIteration, it goes back to Merge."
    )
    left, right = side_by_side(2)
    drawing = small_graph(
        looked.way,
        key=("way of h", rounds),
        title="What h passes in the loop",
        description="h enters at the top and passes Merge and Switch. From there it goes through "
        "the cell to NextIteration, or out through Exit.",
        labels={number: f"×{times}" for number, times in looked.runs.items()},
    )
    with left:
        show(drawing, key="way of h", height=height(drawing))
    order = list(DOES)
    rows = [
        [f"`{kind}` {DOES.get(kind, '')}", str(ops), str(runs)]
        for kind, ops, runs in sorted(
            looked.groups, key=lambda group: order.index(group[0]) if group[0] in DOES else 99
        )
    ]
    with right:
        _table(["in the executed loop", "how many", "each ran"], rows, key="loop executed")
    st.markdown(
        f"{carried} values go round: besides h and the two counters also x, u, w and b, which "
        "never change, because an operation in a round can only use what came into that round. "
        "Merge and Switch run once more than the cell, the last time to find that there is no "
        f"letter left. In this run {ops} operations ran **{runs} times** in all. Of the "
        f"{straight} operations that the session made of the unrolled graph, its own `_Arg` and "
        f"`_Retval` among them, {straight_runs} ran, each once. So the loop "
        "takes more work for the same word. What it gives is one graph for words of any length."
    )


def _branches(looked: Looked) -> None:
    """Both branches, and which of them ran."""
    rows = []
    for name, ops in looked.branches.items():
        ran = [f"{kind} {time:.2g} µs" for kind, time in ops if time is not None]
        dark = [kind for kind, time in ops if time is None]
        rows.append([name, ", ".join(ran) or "–", ", ".join(dark) or "–"])
    st.markdown(
        "##### The branch as executed\n"
        "Both branches are part of what the session runs. A Switch sends h to one of them, and an "
        "operation runs when all that it needs has come, so those of the other branch never do."
    )
    _table(["branch", "ran", "did not run"], rows, key="branches executed")


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], *, key: str) -> None:
    """Rows of texts, the first of each in words, the others as digits; code is in backticks."""
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join(
        f'<tr><th style="font-weight: 400">{_code(name)}</th>'
        f"{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"
        for name, *cells in rows
    )
    live(f'<table class="digits"><tr>{head}</tr>{body}</table>', key=key)


def _code(text: str) -> str:
    parts = html.escape(text).split("`")
    return "".join(
        f'<code style="font-size: 0.85em">{part}</code>' if i % 2 else part
        for i, part in enumerate(parts)
    )


def _plain(text: str) -> str:
    """A visitor's text in Markdown, with nothing in it that Markdown would read."""
    return "".join(f"&#{ord(letter)};" for letter in text)
