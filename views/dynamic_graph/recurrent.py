"""Words of different lengths, each beside the graph that reading it built."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from engines.graphs.autograd import Graph
from engines.recurrent.torch_cell import LONGEST
from views.dynamic_graph import runs
from views.graphs.small_graph import KEPT, draw_graph, folded, repetitions, show_graph
from views.player import live
from views.recurrent.word import own_word
from views.ui.controls import Controls
from views.ui.numbers import extent, number
from views.ui.prediction import predicted
from views.ui.table import html_table

WORDS = ("slope", "graph")  # of one length, and yet of two branches
ANSWERS = {count: f"{count} nodes" for count in ("20", "25", "30", "50")}


def predict_nodes() -> bool:
    """Ask how large the graph of a five-letter word is; once answered, tell. Returns whether."""
    one, two, five = (len(runs.read_word(word)[0].nodes) for word in ("a", "at", "graph"))
    st.markdown(
        f"Reading “a” builds a graph of **{one} nodes**. Reading “at”, which has a letter more, "
        f"builds one of **{two} nodes**."
    )
    question = "Before you look: how many does reading “graph” build, with its five letters?"
    answered = predicted(question, ANSWERS, str(five), key="five letters")
    if answered:
        each = two - one
        st.markdown(
            f"Each letter adds {each}: two products (Mm), two sums (Add) and one Tanh. The other "
            f"{one - each} are there however short the word is: one for each of the parameters u, "
            "w and b, which every letter shares, and two for the loss. So n letters make "
            f"**{each}n + {one - each}** nodes."
        )
    return answered


def compare_words(controls: Controls) -> None:
    """Three words side by side, the last of them the visitor's: graphs, and what is in them."""
    words = (*WORDS, own_word(controls, LONGEST))
    graphs, errors = zip(*(runs.read_word(word) for word in words), strict=True)
    for i, (place, word, graph) in enumerate(
        zip(st.columns(len(words)), words, graphs, strict=True)
    ):
        figure = draw_graph(
            folded(graph),
            key=("word", word),
            title=f"“{word}”",
            description=(
                f"The graph that reading this word built, {len(graph.nodes)} nodes: the parameters "
                "at the top, the same five operations for each letter below, the loss at the end."
            ),
        )
        with place:
            show_graph(figure, key=f"graph of word {i}")
    if repetitions(graphs[-1]) > 2 * KEPT:
        st.caption(
            f"Of a word with more than {2 * KEPT} letters, the first {KEPT} and the last {KEPT} "
            "repetitions are drawn, and a dashed band for those between. What is counted and "
            "checked is the whole graph."
        )
    st.markdown(
        "Another word is another graph, and another value of h takes the other branch: a **Pow** "
        "or an **Abs** before the last Sum. Each graph is as PyTorch built it, and `backward()` "
        "needs nothing else. To check it, each of the 18 numbers in u, w and b is moved by a "
        "millionth to both sides and the word is read again: the **relative error** compares these "
        "slopes with the gradients."
    )
    live(_table(words, graphs, errors), key="words")


def _table(words: tuple[str, ...], graphs: tuple[Graph, ...], errors: tuple[float, ...]) -> str:
    """What is in each word's graph, one column for each word."""
    losses = [graph.nodes[-1] for graph in graphs]
    branches = [
        graph[graph.inputs(loss.id)[0].source] for graph, loss in zip(graphs, losses, strict=True)
    ]
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
