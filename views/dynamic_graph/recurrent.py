"""Words of different lengths, each beside the graph that reading it built."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import streamlit as st

from engines.graphs.autograd import Graph, brief
from views.graphs.small_graph import KEPT, folded, height, repetitions, small_graph
from views.player import live, show
from views.recurrent.word import own_word
from views.ui.controls import Controls
from views.ui.prediction import predicted

# What a page says of a word: its graph, and the relative error of the gradients in that.
Look = Callable[[str], tuple[Graph, float]]

WORDS = ("slope", "graph")  # of one length, and yet of two branches
ANSWERS = {number: f"{number} nodes" for number in ("20", "25", "30", "50")}


def ask(look: Look) -> bool:
    """Ask how large the graph of a five-letter word is; once answered, tell. Returns whether."""
    one, two, five = (len(look(word)[0].nodes) for word in ("a", "at", "graph"))
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


def compare(controls: Controls, look: Look, *, longest: int, lecture: bool) -> None:
    """Three words side by side, the last of them the visitor's: graphs, and what is in them.

    longest: letters that a word can have.
    """
    own = own_word(controls, longest)
    words = (*WORDS, own)
    seen = [look(word) for word in words]
    places = st.columns(len(words))
    for i, (place, word, (graph, _)) in enumerate(zip(places, words, seen, strict=True)):
        drawing = small_graph(
            folded(graph),
            key=("word", word),
            title=f"“{word}”",
            description=(
                f"The graph that reading this word built, {len(graph.nodes)} nodes: the parameters "
                "at the top, the same five operations for each letter below, the loss at the end."
            ),
            lecture=lecture,
        )
        with place:
            show(drawing, key=f"graph of word {i}", height=height(drawing, lecture=lecture))
    if repetitions(seen[-1][0]) > 2 * KEPT:
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
    _table(words, seen)


def _table(words: tuple[str, ...], seen: list[tuple[Graph, float]]) -> None:
    """What is in each word's graph, one column for each word."""
    graphs = [graph for graph, _ in seen]
    losses = [graph.nodes[-1] for graph in graphs]
    chosen = [
        graph[graph.inputs(loss.id)[0].source] for graph, loss in zip(graphs, losses, strict=True)
    ]
    leaves = [{leaf.name: leaf for leaf in graph.leaves} for graph in graphs]
    rows: dict[str, list[Any]] = {
        "letters, so repetitions of the loop": [repetitions(graph) for graph in graphs],
        "nodes": [len(graph.nodes) for graph in graphs],
        "the branch taken": [f"<code>{html.escape(loss.text)}</code>" for loss in losses],
        "its node": [node.kind for node in chosen],
        "loss": [brief(loss.value) for loss in losses],
        **{
            f"gradient of {name}, smallest..largest": [brief(of[name].gradient) for of in leaves]
            for name in ("u", "w", "b")
        },
        "relative error of the gradients": [f"<b>{error:.1e}</b>" for _, error in seen],
    }
    head = "".join(
        f'<th style="overflow-wrap: anywhere">“<bdi>{html.escape(word)}</bdi>”</th>'
        for word in words
    )
    body = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in rows.items()
    )
    live(f'<table class="digits"><tr><th></th>{head}</tr>{body}</table>', key="words")
