"""What happens at each moment of a step, told in words and numbers that follow the player.

The words are in story.toml.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import streamlit as st

from engines.graphs.autograd import Event, Node, StepGraph
from views.dynamic_graph.graph_series import edges_like, moments
from views.player import Moment, Phase, Readout, Story, live, now
from views.ui import texts
from views.ui.numbers import number
from views.ui.prediction import predicted
from views.ui.table import html_table

_texts = texts.read(__file__)
TOLD, RULES, CHAIN = _texts["moments"], _texts["rules"], _texts["chain"]
PREDICTION = "y_pred"  # the listing's variable after which the rest of the forward pass is the loss
SERIES = {"loss": "loss", "w": "w_next", "b": "b_next"}  # of what an event gives a name to
AFTER_SECOND = {
    "same": "the same gradient again",
    "both": "twice the gradient",
    "error": "nothing new: backward() raises an error",
}


# ---- Moment by moment


def story_of(step: StepGraph, source: str) -> Story:
    """What slow motion tells of this step and of all that have a graph like it.

    source: the listing that ran.
    """
    lines, happened = source.split("\n"), moments(step)
    kinds = [event.kind for event in happened]
    predicted_at = [event.name for event in happened].index(PREDICTION)
    told = []
    for m, event in enumerate(happened):
        text = _told(event, step)
        if m == kinds.index("backward"):
            text = f"{TOLD['start']} {text}"
        phase = {
            "forward": Phase.PREDICT if m <= predicted_at else Phase.LOSS,
            "backward": Phase.GRADIENT,
        }.get(event.kind, Phase.UPDATE)
        line = lines[(event.line or 1) - 1].strip()
        told.append(Moment(phase, text, line, SERIES.get(event.name, "")))
    return Story(told, whole=TOLD["whole"].format(step=now("graph_step", digits=0)))


def _told(event: Event, step: StepGraph) -> str:
    text = html.escape(event.text)
    if event.kind == "update":
        moved = now(f"moved_{_leaf(step, event.name)}", digits=4)
        return str(TOLD["update"].format(text=text, name=event.name, moved=moved))
    if event.kind == "zero":
        return str(TOLD["zero"].format(text=text))
    node = step.graph[event.nodes[-1]]
    i = step.graph.nodes.index(node)
    kept = reach("kept", i)
    if event.kind == "forward":
        leaves = [step.graph[made] for made in event.nodes if not step.graph[made].text]
        sentences = [TOLD["forward"].format(text=text, kind=node.kind)]
        sentences += [TOLD["keeps"].format(kept=kept)] * bool(node.saved)
        sentences += [TOLD["leaf"].format(name=leaf.name) for leaf in leaves]
        return " ".join(sentences)
    edges = edges_like(step.graph, step.graph)
    last = [j for j, edge in enumerate(edges) if edge.target == node.id][-1:]
    return str(
        RULES[node.kind]["backward"].format(
            arrived=reach("arrived", i),
            kept=kept,
            sent=reach("sent", *last) if last else "",
            name=node.name,
            added_up=f" {TOLD['w_added_up']}" if np.prod(node.shape) > 1 else "",
        )
    )


def readout(step: StepGraph) -> Readout:
    """For the player: when loss, w and b are known, and when the update changes them."""
    happened = [(event.kind, event.name) for event in moments(step)]
    moves = {name: happened.index(("update", name)) for name in ("w", "b")}
    return {
        "loss": (happened.index(("forward", "loss")), None),
        "w": (0, moves["w"]),
        "b": (0, moves["b"]),
    }


def reach(name: str, i: int, **when: Any) -> str:
    """HTML for an array from its smallest to its largest entry; `when` as in `player.now`."""
    return now(f"{name}_low_{i}", to=f"{name}_high_{i}", digits=3, **when)


def _leaf(step: StepGraph, name: str) -> int:
    return [node.name if not node.text else "" for node in step.graph.nodes].index(name)


# ---- Object by object


def node_details(step: StepGraph, i: int, *, points: int) -> None:
    """All that is known of one object of the graph; its numbers follow the player.

    i: its place in the graph. points: how many data points the listing has.
    """
    node, rule = step.graph.nodes[i], RULES[step.graph.nodes[i].kind]
    made = next(m for m, event in enumerate(moments(step)) if node.id in event.nodes)
    ran = moments(step).index(step.events[node.backward or 0])
    back: dict[str, Any] = {"known": ran, "unknown": "none"}
    rows = [("object", f"<b>{node.kind}</b>")]
    if node.text:
        shape = html.escape(str(node.shape))
        rows += [
            ("made by", f"<code>{html.escape(node.text)}</code>"),
            ("computes", rule["computes"]),
            ("its value", f"{reach('value', i, known=made)}, shape {shape}"),
            ("local derivative", rule["slope"]),
            ("kept for the backward pass", _kept(node, reach("kept", i, known=made))),
        ]
    by = "out" if node.text else node.name
    rows.append((f"gradient that arrived: ∂loss/∂{by}", reach("arrived", i, **back)))
    for j, edge in enumerate(edges_like(step.graph, step.graph)):
        if edge.target != node.id:
            continue
        source = step.graph[edge.source]
        arrived, slope, part = (
            now(name, digits=4, known=ran)
            for name in (f"arrived_at_{i}", f"slope_at_{j}", f"part_at_{j}")
        )
        many, one = np.prod(node.shape) > 1, source.shape == ()
        chain = CHAIN["alone" if not many else "added_up" if one else "each"]
        handed_on = chain.format(
            product=f"{arrived} · ({slope}) = {part}", sent=reach("sent", j, **back), points=points
        )
        rows.append((f"handed on to {source.kind if source.text else source.name}", handed_on))
    if not node.text:
        rows.append(("does", f"adds it to {node.name}.grad"))
    live(html_table((), rows, kind="details"), key="node_details")


def _kept(node: Node, kept: str) -> str:
    """What a node keeps, in words."""
    if not node.saved:
        return "nothing: its derivative does not depend on what went in"
    name, array = next(iter(node.saved.items()))
    return (
        f"{RULES[node.kind].get('kept', name)}, {kept}, shape {array.shape} (PyTorch calls it "
        f"<code>{name}</code>), until backward() has passed"
    )


def check_in_numbers(step: StepGraph, *, point: int) -> None:
    """Each gradient in the graph beside its central difference, at one entry: that of `point`."""
    rows = [
        (
            node.kind,
            html.escape(node.text or node.name),
            now(f"arrived_at_{i}"),
            now(f"checked_{i}"),
        )
        for i, node in reversed(list(enumerate(step.graph.nodes)))
    ]
    worst = f"<b>{now('checked_worst', digits=2)}</b>"
    rows.append(("largest relative difference", "", "", worst))
    step_and_point = f"step {now('graph_step', digits=0)}, data point {point}"
    live(html_table((step_and_point, "", "backward()", "central difference"), rows), key="check")


def predict_second_backward(once: float, both: float) -> None:
    """Ask what a second backward() without zeroing leaves in w.grad; once answered, tell.

    once, both: what the first one left there, and the two together, from the same w.
    """
    question = (
        "Before you go on: the listing sets w.grad to 0 after each step. Suppose it did not, and "
        "the same lines ran again from the same w and b, forward and backward(). What would w.grad "
        "hold?"
    )
    right = "both" if both == 2 * once else "same"
    if predicted(question, AFTER_SECOND, right, key="second backward"):
        st.markdown(
            f"After the first `backward()` w.grad is {number(once)}, after the second "
            f"{number(both)}. An accumulator adds. That is what lets a parameter be used in "
            "several places, or a batch be taken in parts."
        )
