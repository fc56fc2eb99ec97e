"""The loop and the branch of the recurrent cell as operations of a static graph, and unrolled."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from engines.graphs.autograd import Graph
from engines.listing import source_of
from engines.recurrent import tf_cells, tf_graphs, torch_cell
from views.graphs.small_graph import draw_graph, show_graph
from views.player import cached, in_lecture, live
from views.recurrent.word import own_word
from views.static_graph_and_sessions import mistakes
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.prediction import predicted
from views.ui.shell import side_by_side
from views.ui.table import html_table

DRAWN_LETTERS = 2  # of the unrolled graph in the picture
PICTURES = {
    "loop": ("As written: the loop", "Where words come in, one operation for the loop, one for "
             "the branch, and the loss at the end."),
    "body": ("Inside the loop: one iteration", "From the state h and the letter at t to the next "
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
    "Shape": "counts the letters, anew in each iteration",
    "StridedSlice": "takes that count out of the shape of x",
    "Less": "is there another letter?",
    "LoopCond": "hands the answer to every Switch",
    "Switch": "sends its value into another iteration, or out",
    "Identity": "tells the constants that an iteration has begun",
    "Const": "the constants of that question, and of an iteration",
    "GatherV2": "takes the letter at t out of x",
    "MatMul": "the products of the cell",
    "AddV2": "the sums of the cell, and the counting of letters and iterations",
    "Tanh": "makes the next h",
    "NextIteration": "takes a value to the next iteration: the edge back to Merge",
    "Exit": "takes h out of the loop",
}
ANSWERS = {
    "same": "the same number",
    "more": "five more for each letter",
    "longer": "11/5 times as many",
}


count, drawings = cached(tf_graphs.count), cached(tf_graphs.drawings)


class Read(NamedTuple):
    """A word as TensorFlow's graphs read it, and the graph that PyTorch built for it."""

    static: tf_graphs.Reading
    dynamic: Graph


@cached
def read(word: str) -> Read:
    """Read a word in every graph. Raises ValueError as `torch_cell.encode` does."""
    return Read(
        tf_graphs.in_every_graph(*torch_cell.arrays(word)), torch_cell.read_and_check(word)[0]
    )


def section(controls: Controls) -> None:
    """Both listings, a question, and then a word of the visitor's in all graphs."""
    listings: tuple[Callable[..., Any], ...] = tf_cells.looped, tf_cells.unrolled
    for place, listing in zip(side_by_side(2), listings, strict=True):
        with place:
            st.code(source_of(listing), language="python")
    short, longer = count(5)[0], count(11)[0]
    right = {short: "same", short + 30: "more"}.get(longer, "longer")
    question = (
        "Before you look: the first graph can read words of 5 letters. How many operations does it "
        "need to read words of 11 letters?"
    )
    if predicted(question, ANSWERS, right, key="a longer word"):
        sizes = st.container()
        _drawings()
        word = own_word(controls, torch_cell.LONGEST)
        with sizes:
            _sizes(len(word))
        with st.spinner("Reading the word in every graph."):
            static, dynamic = read(word)
        _numbers(word, static, dynamic)
        _executed(word, static)
        _branches(static)
        mistakes.while_building(controls, word)


def _sizes(own: int) -> None:
    """How many operations are written for words of some lengths. own: letters of the visitor's."""
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
        "Operations inside the loop and inside the branches are counted. The loop is described "
        f"once, whatever the word. Unrolled, n letters make **{each}n + {rest}** operations: from "
        f"{longer} letters on that is more than the loop needs, and for shorter words it is less."
    )


def _drawings() -> None:
    written = drawings(DRAWN_LETTERS)
    places = side_by_side(len(PICTURES))
    for place, (name, (title, description)) in zip(places, PICTURES.items(), strict=True):
        figure = draw_graph(
            written[name], key=("control flow", name), title=title, description=description
        )
        with place:
            show_graph(figure, key=f"{name} as written")
    st.caption(
        "Constants without a name in the listing are left out, and so is what the loss does not "
        "need. While and If are short for StatelessWhile and StatelessIf, loops and branches in "
        "which no variable is assigned. Unrolled, the product of a letter with u waits for no h, "
        "so it stands further up."
    )


def _numbers(word: str, static: tf_graphs.Reading, dynamic: Graph) -> None:
    """What every graph says of the word, compared with PyTorch."""
    leaves = {leaf.name: leaf.gradient for leaf in dynamic.leaves}
    grads = [np.asarray(leaves[name]) for name in ("u", "w", "b")]
    loss = float(np.asarray(dynamic.nodes[-1].value))
    rows = [["PyTorch, as it reads", f"{loss:.15g}", "–", "none"]]
    for name, label in READERS.items():
        learnt = static.learnt[name]
        apart = max(np.abs(a - b).max() for a, b in zip(learnt.grads, grads, strict=True))
        rows.append([label, f"{learnt.loss:.15g}", number(apart, 2), ", ".join(learnt.control)])
    heads = ["what reads", "loss", "gradients, at most apart", "loops and branches in the graph"]
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


def _executed(word: str, reading: tf_graphs.Reading) -> None:
    """What the session made of the loop: simple operations that run again and again."""
    (ops, runs), (straight, straight_runs) = reading.ran
    carried = next(ops for kind, ops, _ in reading.groups if kind == "Merge")
    st.markdown(
        "##### The loop as executed\n"
        "A session does not run a loop operation. It takes the loop apart into simple operations "
        "that pass values round: Enter, Merge, Switch, NextIteration and Exit, and LoopCond, which "
        "says whether to go on. The picture follows h on its way, with how often each operation "
        "ran. From Next, short for NextIteration, it goes back to Merge."
    )
    left, right = side_by_side(2)
    figure = draw_graph(
        reading.path,
        key=("path of h", len(word)),
        title="What h passes in the loop",
        description="h enters at the top and passes Merge and Switch. From there it goes through "
        "the cell to NextIteration, or out through Exit.",
        labels={number: f"×{times}" for number, times in reading.runs.items()},
    )
    with left:
        show_graph(figure, key="path of h")
    order = list(DOES)
    rows = [
        [f"`{kind}` {DOES.get(kind, '')}", str(ops), str(runs)]
        for kind, ops, runs in sorted(
            reading.groups, key=lambda group: order.index(group[0]) if group[0] in DOES else 99
        )
    ]
    with right:
        _table(["in the executed loop", "how many", "each ran"], rows, key="loop executed")
    st.markdown(
        f"{carried} values go round: besides h and the two counters also x, u, w and b, which "
        "never change, because an operation in an iteration can only use what came into it. "
        "Merge and Switch run once more than the cell, the last time to find that there is no "
        f"letter left. In this run {ops} operations ran **{runs} times** in all. Of the "
        f"{straight} operations that the session made of the unrolled graph, its own `_Arg` and "
        f"`_Retval` among them, {straight_runs} ran, each once. So the loop "
        "takes more work for the same word. What it gives is one graph for words of any length."
    )


def _branches(reading: tf_graphs.Reading) -> None:
    """Both branches, and which of them ran."""
    rows = []
    for name, ops in reading.branches.items():
        ran = [f"{kind} {number(time, 2)} µs" for kind, time in ops if time is not None]
        dark = [kind for kind, time in ops if time is None]
        rows.append([name, ", ".join(ran) or "–", ", ".join(dark) or "–"])
    st.markdown(
        "##### The branch as executed\n"
        "Both branches are part of what the session runs. A Switch sends h to one of them, and an "
        "operation runs when all that it needs has come, so those of the other branch never do."
    )
    _table(["branch", "ran", "did not run"], rows, key="branches executed")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, key: str) -> None:
    """Rows of texts, the first of each in words, the others as digits; code is in backticks."""
    cells = ((_code(name), *map(html.escape, others)) for name, *others in rows)
    live(html_table(heads, cells), key=key)


def _code(text: str) -> str:
    parts = html.escape(text).split("`")
    return "".join(
        f'<code style="font-size: 0.85em">{part}</code>' if i % 2 else part
        for i, part in enumerate(parts)
    )


def _plain(text: str) -> str:
    """A visitor's text in Markdown, with nothing in it that Markdown would read."""
    return "".join(f"&#{ord(letter)};" for letter in text)
