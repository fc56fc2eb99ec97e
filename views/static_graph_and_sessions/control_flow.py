"""The loop and the branch of the recurrent cell as operations of a static graph, and unrolled."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.graphs.autograd import Graph
from engines.listing import source_of
from engines.recurrent import tf_cells, tf_graphs, torch_cell
from engines.standalone import calling
from views.graphs.small_graph import draw_graph, show_graph
from views.player import (
    WHOLE_STEPS,
    Figure,
    Timeline,
    cached,
    every_step,
    in_lecture,
    listing,
    live,
    now,
    part,
    say,
    show,
)
from views.recurrent.word import own_word
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import MODEL, OTHER, Look
from views.ui.prediction import predicted
from views.ui.shell import Here, side_by_side
from views.ui.staging import beside, stage
from views.ui.table import html_table
from views.ui.texts import as_html

DRAWN_LETTERS = 3  # of the unrolled graph in the picture
CELL = 5  # operations of it
PICTURES = {
    "loop": ("The loop", "Where words come in, one operation for the loop, one for "
             "the branch, and the loss at the end."),
    "body": ("One iteration", "From the state h and the letter at t to the next "
             "state: the five operations of the cell, and one that takes a letter out of x."),
    "unrolled": (f"Unrolled, up to {DRAWN_LETTERS} letters", "The five operations of "
                 "the cell, once for each letter of the word, one below the other. The branch "
                 "follows, as in the loop."),
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
LOOKS = {
    "loop": Look("loop", MODEL),
    "unrolled": Look("unrolled", OTHER, (7, 4)),
}
MOST, OPENS = 14, 5  # letters
TABLE = {"operations, loop": "loop", "operations, unrolled": "unrolled"}
LETTERS = "letters in the word: {step}"
UNANSWERED = (
    "A graph is finished before there is a word. Either the loop and the branch are <b>operations"
    "</b> of the graph, or Python’s loop runs while the graph is built and leaves a copy of the "
    "cell for each letter: it is <b>unrolled</b>."
)
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


def show_stage(here: Here) -> str:
    """Both listings and a question; once it is answered, both graphs, and how they grow.

    Returns the word of the visitor, "" before the answer.
    """
    with here.settings, st.popover("A word of your own"):
        word = own_word(here.controls, torch_cell.LONGEST)
    with stage(here) as play:
        story = st.container()
        short, longer = count(5)[0], count(11)[0]
        right = {short: "same", short + 30: "more"}.get(longer, "longer")
        question = (
            "Before you look: how many operations does the graph of the first program have for "
            "words of 11 letters, compared with words of 5?"
        )
        answered = predicted(question, ANSWERS, right, key="a longer word")
        if answered:
            counts = _counts()
            arrays = dict(zip(tf_cells.ARRAYS, torch_cell.arrays(word), strict=True))
            letters = len(arrays["x_value"])
            ran = {
                "with a loop": calling(tf_cells.read_in_loop, **arrays),
                "unrolled": calling(tf_cells.read_unrolled, letters=letters, **arrays),
            }
            play(
                _timeline(counts),
                ran=ran,
                begin=(OPENS, None),
                readout={},
                counted=LETTERS,
                table=TABLE,
            )
        with story:
            say(_of_the_counts() if answered else UNANSWERED)
        # A hall needs larger boxes: there the picture with a single box for the loop is left out.
        drawn = list(PICTURES)[in_lecture() :]
        wide = [4, 6, 5] if in_lecture() else [4, 3, 3, 3]
        places = beside(wide if answered else 2)
        if answered:
            with places[0]:
                show(_growth(counts), key="operations written")
            _drawings(drawn, places[1:])
        else:
            _listings(places)
    return word if answered else ""


def _listings(places: Sequence[Any]) -> None:
    listings: tuple[Callable[..., Any], ...] = tf_cells.looped, tf_cells.unrolled
    for place, listed, title in zip(places, listings, READERS.values(), strict=False):
        with place:
            code = part(source_of(listed), "graph = tf.Graph()", "return Cell")
            code = code.removesuffix("return Cell(graph, x, u, w, b, loss)\n")
            listing(code, {}, title=title.replace("`", ""), key=f"listing {listed.__name__}")


def _of_the_counts() -> str:
    each, rest = _unrolled()
    return (
        "The loop is described once, whatever the word: "
        f"<b>{now('loop', digits=0)}</b> operations, with those inside it. Unrolled, a word of "
        f"this length takes {each}·{now('letters', digits=0)} + {rest} = "
        f"<b>{now('unrolled', digits=0)}</b>, and a graph of its own: each letter adds a copy."
    )


def _unrolled() -> tuple[int, int]:
    """How many operations each letter takes where the loop is unrolled, and how many the rest."""
    each = count(2)[1] - count(1)[1]
    return each, count(1)[1] - each


@cached
def _counts() -> NDArray[np.int64]:
    """Operations written for words of 0, 1, … letters: of the loop, and unrolled. Shape (k, 2)."""
    return np.array([count(letters) for letters in range(MOST + 1)])


def _timeline(counts: NDArray[np.int64]) -> Timeline:
    """A step is a letter more, from the empty word on."""
    loop, unrolled = counts.T
    columns = {"letters": np.arange(MOST + 1), "loop": loop, "unrolled": unrolled}
    return Timeline(every_step(columns), MOST, parts=WHOLE_STEPS)


def _growth(counts: NDArray[np.int64]) -> Figure:
    loop, unrolled = counts.T
    return lines(
        [Line(LOOKS["unrolled"], unrolled), Line(LOOKS["loop"], loop)],
        title="Operations written",
        y="operations",
        x="letters",
        description="Operations in the graph against the letters of the word: level where the "
        "loop is an operation, rising by the same for each letter where it is unrolled.",
        log=False,
        follows=True,
    )


def tell(word: str) -> None:
    """For those who read: a word of the visitor's in every graph, and what a session ran."""
    each, rest = _unrolled()
    longer = max(0, count(1)[0] - rest) // each + 1
    st.markdown(
        f"Operations inside the loop and inside the branches are counted. From {longer} letters on "
        "the unrolled graph is larger than the one with the loop, and for shorter words it is "
        "smaller. In the pictures, constants without a name in the listing are left out, and so is "
        "what the loss does not need. While and If are short for StatelessWhile and StatelessIf, "
        "loops and branches in which no variable is assigned, Id for Identity, Gather for "
        "GatherV2. The branch at the end is the same in both. Unrolled, the "
        "product of a letter with u waits for no h, so it stands further up."
    )
    _listings(side_by_side(2))
    with st.spinner("Reading the word in every graph."):
        static, dynamic = read(word)
    _numbers(word, static, dynamic)
    _executed(word, static)
    _branches(static)


def _drawings(names: Sequence[str], places: Sequence[Any]) -> None:
    written = drawings(DRAWN_LETTERS)
    for place, name in zip(places, names, strict=True):
        title, description = PICTURES[name]
        figure = draw_graph(
            written[name],
            key=("control flow", name),
            title=title,
            description=description,
            places=PLACES[name](written[name]) if name in PLACES else None,
            since=_copies(written[name]) if name == "unrolled" else None,
            wide=1.3,
        )
        with place:
            show(figure, key=f"{name} as written")


def _in_the_loop(graph: Graph) -> dict[int, tuple[float, float]]:
    """Column and layer of what a loop takes, in two rows of three, and of all that follows it."""
    leaves = [leaf.id for leaf in graph.leaves]
    others = [node.id for node in graph.nodes if node.id not in leaves]
    taken = {number: (float(i % 3), float(i // 3)) for i, number in enumerate(leaves)}
    return taken | {number: (1.0, float(layer)) for layer, number in enumerate(others, start=2)}


def _unrolled_places(graph: Graph) -> dict[int, tuple[float, float]]:
    """Column and layer of each copy of the cell below the last, beside the way of h."""
    tops = {"x": (0.0, 0.0), "h": (1.0, 1.0), "w": (2.0, 0.0), "u": (2.0, 1.0), "b": (2.0, 2.0)}
    cell = [(0, 0), (1, 0), (1, 1), (1, 2), (1, 3)]  # x_t @ u, h @ w, two sums, tanh
    places = {leaf.id: tops[leaf.name] for leaf in graph.leaves}
    for i, node in enumerate(_copies(graph)):
        column, layer = cell[i % CELL]
        places[node] = (float(column), 2.0 + 4 * (i // CELL) + layer)
    return {node.id: (0.0, 1.0) for node in graph.nodes} | places  # the rest takes x apart


PLACES: dict[str, Callable[[Graph], dict[int, tuple[float, float]]]] = {
    "loop": _in_the_loop,
    "unrolled": _unrolled_places,
}


def _copies(graph: Graph) -> dict[int, int]:
    """By id of what is in a copy of the cell, the letter that it is for, counted from 1."""
    leaves = {leaf.id for leaf in graph.leaves}
    cells = [n.id for n in graph.nodes if n.id not in leaves and n.kind != "Unpack"]
    return {number: 1 + i // CELL for i, number in enumerate(cells)}


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
    st.markdown(f"### “{_plain(word)}” in every graph")
    _table(heads, rows, key="word in graphs")
    st.markdown(
        "The same letters and the same u, w and b, in 64 bits. The last two columns say how far "
        "the 18 gradients are from PyTorch's, and what is in each graph for `for` and `if`. "
        "PyTorch's has nothing for them: there, Python has already decided. `tf.gradients` answers "
        "a loop with a second loop, which goes from the last letter back to the first."
    )
    shared = {"chapter": "control_flow", "word": word} | (
        {"lecture": "true"} if in_lecture() else {}
    )
    st.page_link(
        "pages/dynamic_graph.py", label="This word on the dynamic page", query_params=shared
    )


def _executed(word: str, reading: tf_graphs.Reading) -> None:
    """What the session made of the loop: simple operations that run again and again."""
    (ops, runs), (straight, straight_runs) = reading.ran
    carried = next(ops for kind, ops, _ in reading.groups if kind == "Merge")
    st.markdown(
        "### The loop as executed\n"
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
        "### The branch as executed\n"
        "Both branches are part of what the session runs. A Switch sends h to one of them, and an "
        "operation runs when all that it needs has come, so those of the other branch never do."
    )
    _table(["branch", "ran", "did not run"], rows, key="branches executed")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, key: str) -> None:
    """Rows of texts, the first of each in words, the others as digits; code is in backticks."""
    cells = ((as_html(name), *map(html.escape, others)) for name, *others in rows)
    live(html_table(heads, cells), key=key)


def _plain(text: str) -> str:
    """A visitor's text in Markdown, with nothing in it that Markdown would read."""
    return "".join(f"&#{ord(letter)};" for letter in text)
