"""Words of different lengths, each beside the graph that reading it built."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from engines.graphs.autograd import Graph, Node
from engines.recurrent import torch_cell
from engines.standalone import Called, calling
from engines.trace import Drawn
from views.dynamic_graph import runs
from views.graphs.small_graph import KEPT, draw_graph, folded, repetitions, short
from views.player import live, show
from views.recurrent.word import own_word
from views.ui.controls import Controls
from views.ui.numbers import extent, number
from views.ui.prediction import predicted
from views.ui.table import html_table

WORDS = ("slope", "graph")  # of one length, and yet of two branches
SHORT = ("a", "at")  # seen before the question
ANSWERS = {count: f"{count} nodes" for count in ("20", "25", "30", "50")}


def predict_nodes() -> bool:
    """Ask how large the graph of a five-letter word is. Returns whether it is answered."""
    one, two, five = (len(runs.read_word(word)[0].nodes) for word in ("a", "at", "graph"))
    question = (
        f"Reading “a” builds **{one} nodes**, and reading “at”, with a letter more, **{two} "
        "nodes**. Before you look: how many does reading “graph” build, with its five letters?"
    )
    return predicted(question, ANSWERS, str(five), key="five letters")


def told_of_nodes() -> str:
    """HTML: where the nodes come from, of the loop each time it ran, of the `if` one branch."""
    one, two = (len(runs.read_word(word)[0].nodes) for word in SHORT)
    each = two - one
    first, second = (short(_branch(runs.read_word(word)[0]).kind) for word in WORDS)
    return (
        f"Each letter adds {each} nodes: two products (Mm), two sums (Add) and one Tanh. The other "
        f"{one - each} are always there: u, w, b, and two for the loss. So n letters make "
        f"<b>{each}n + {one - each}</b> nodes: the graph has no <code>for</code>. Nor has it an "
        f"<code>if</code>: before the last Sum “{WORDS[0]}” has <b>{first}</b>, and “{WORDS[1]}” "
        f"<b>{second}</b>."
    )


def words(controls: Controls) -> tuple[str, ...]:
    """The words that are compared, the last of them the visitor's."""
    return (*WORDS, own_word(controls, torch_cell.LONGEST))


def reading(word: str) -> Called:
    """The listing that reads this word, to be taken home."""
    leaves: dict[str, Any] = {
        name: Drawn(torch_cell.parameters, (), name) for name in ("u", "w", "b")
    }
    return calling(torch_cell.read, word=word, **leaves)


def draw_words(shown: tuple[str, ...], places: Sequence[Any]) -> None:
    """Words side by side, each with the graph that reading it built. places: as many."""
    graphs = [runs.read_word(word)[0] for word in shown]
    for i, (place, word, graph) in enumerate(zip(places, shown, graphs, strict=True)):
        figure = draw_graph(
            folded(graph),
            key=("word", word),
            title=f"{len(graph.nodes)} · {word}",
            description=(
                f"The graph that reading this word built, {len(graph.nodes)} nodes: the parameters "
                "at the top, the same five operations for each letter below, the loss at the end. "
                "Pointers lead from each node to those it was made from."
            ),
            pointers=True,
        )
        with place:
            show(figure, key=f"graph of word {i}")


def tell_words(compared: tuple[str, ...]) -> None:
    """What is in the graph of each word, and whether its gradients are right."""
    graphs, errors = zip(*(runs.read_word(word) for word in compared), strict=True)
    if repetitions(graphs[-1]) > 2 * KEPT:
        st.caption(
            f"Of a word with more than {2 * KEPT} letters, the first {KEPT} and the last {KEPT} "
            "repetitions are drawn, and a dashed band for those between. What is counted and "
            "checked is the whole graph."
        )
    live(_table(compared, graphs, errors), key="words")


def _branch(graph: Graph) -> Node:
    """The node of the branch that was taken: what the loss, made last, was computed from."""
    return graph[graph.inputs(graph.nodes[-1].id)[0].source]


def _table(words: tuple[str, ...], graphs: tuple[Graph, ...], errors: tuple[float, ...]) -> str:
    """What is in each word's graph, one column for each word."""
    losses, branches = [graph.nodes[-1] for graph in graphs], [_branch(graph) for graph in graphs]
    leaves = [{leaf.name: leaf for leaf in graph.leaves} for graph in graphs]
    rows: dict[str, list[Any]] = {
        "letters, so repetitions of the loop": [repetitions(graph) for graph in graphs],
        "nodes": [len(graph.nodes) for graph in graphs],
        "the branch taken": [f"<code>{html.escape(loss.text)}</code>" for loss in losses],
        "its node": [node.kind for node in branches],
        "loss": [extent(loss.value) for loss in losses],
        **{
            f"gradient of {name}, smallest … largest": [extent(of[name].gradient) for of in leaves]
            for name in ("u", "w", "b")
        },
        "relative error of the gradients": [f"<b>{number(error, 2)}</b>" for error in errors],
    }
    # A word of 59 letters must not make its column as wide as the page.
    heads = [
        f'<span style="overflow-wrap: anywhere">“<bdi>{html.escape(word)}</bdi>”</span>'
        for word in words
    ]
    return html_table(("", *heads), [(name, *map(str, cells)) for name, cells in rows.items()])
