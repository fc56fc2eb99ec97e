"""What happens at each moment of a step, told in words and numbers that follow the player."""

from __future__ import annotations

import html
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from engines.graphs.autograd import Event, Node, StepGraph
from views.dynamic_graph.graph_series import edges_like, moments
from views.player import Computed, Readout, Timeline, listing, live, now, paragraphs, show_story
from views.ui.prediction import predicted


class Rule(NamedTuple):
    """What an operation does forward, how fast its result grows, and what it does backward."""

    computes: str
    slope: str
    backward: str


# The placeholders are ranges of numbers: what arrived, what was kept, what was handed on.
RULES = {
    "MulBackward0": Rule(
        "out = p · q, of which p has a gradient and q is only a number",
        "∂out/∂p = q",
        "<b>MulBackward0</b> is handed {arrived}. A product grows with one factor as fast as the "
        "other factor is large. So it multiplies by the other factor, which it kept ({kept}), "
        "and hands on {sent}.{added_up}",
    ),
    "AddBackward0": Rule(
        "out = p + q",
        "∂out/∂p = 1, ∂out/∂q = 1",
        "<b>AddBackward0</b> is handed {arrived}. Each term moves a sum one to one, so both get "
        "the same. But b is one number for all points: its share is added up to {sent}.",
    ),
    "SubBackward0": Rule(
        "out = p − q, of which p has a gradient and q is data",
        "∂out/∂p = 1",
        "<b>SubBackward0</b> is handed {arrived}. A difference moves one to one with its first "
        "term: {sent} goes on as it came. Nobody asked for the gradient of y, so nothing goes "
        "there.",
    ),
    "PowBackward0": Rule(
        "out = p²",
        "∂out/∂p = 2p",
        "<b>PowBackward0</b> is handed {arrived}. The square of p grows 2p times as fast as p. So "
        "it multiplies by 2p, twice the residuals that it kept ({kept}), and hands on {sent}.",
    ),
    "SumBackward0": Rule(
        "out = p₁ + p₂ + …",
        "∂out/∂pᵢ = 1",
        "<b>SumBackward0</b> is handed {arrived}. Each term counts once in a sum, so it hands that "
        "same number, {sent}, to each of the points.",
    ),
    "AccumulateGrad": Rule(
        "",
        "",
        "The way ends at a leaf. <b>AccumulateGrad</b> adds {arrived} to <code>{name}.grad</code>. "
        "It adds; it does not replace.",
    ),
}
START = (
    "<code>loss.backward()</code> calls the node that the loss hangs on, with the number 1: the "
    "loss grows exactly as fast as itself."
)
FORWARD = (
    "<code>{text}</code> has run, on the marked line. PyTorch attaches an object to its result, "
    "<b>{kind}</b>: a note of which operation made it, and from what."
)
KEEPS = "For the way back it keeps {kept}."
LEAF = (
    "The way back will end at <b>AccumulateGrad</b>, the object that fills {name}.grad. It is "
    "there because {name} was made with requires_grad=True."
)
PRESS = "<i>Press the right arrow key, or the button right of play, to go on.</i>"
W_ADDED_UP = "That is one number: w is the same for all points, so their shares are added up."
UPDATE = (
    "<code>{text}</code> moves {name} to {moved}. Inside <code>no_grad</code> nobody takes notes: "
    "no object is made."
)
ZERO = (
    "<code>{text}</code>: the gradient has been used. backward() adds to it, so the next step must "
    "find it empty. The graph lives on until the name loss is given to the next one."
)
KEPT = {"MulBackward0": "the other factor q", "PowBackward0": "its input p"}
SECOND_BACKWARD = (
    "Before you go on: the listing sets w.grad to 0 after each step. Suppose it did not, and the "
    "same lines ran again from the same w and b, forward and backward(). What would w.grad hold?"
)
AFTER_SECOND = {
    "same": "the same gradient again",
    "both": "twice the gradient",
    "error": "nothing new: backward() raises an error",
}
# The chain rule in numbers, for one number, for one point of many, and where all are added up.
ALONE = "∂loss/∂out · ∂out/∂p = {product}"
EACH = "{sent}. At the point followed, ∂loss/∂out · ∂out/∂p = {product}"
ADDED_UP = (
    "<b>{sent}</b>, the sum over all {points} points, because all of them use this one number. The "
    "point followed adds ∂loss/∂out · ∂out/∂p = {product}"
)
WHOLE = (
    "Below is the whole graph of step {step}, the last one that was looked at, with its update "
    "still to come. Switch on slow motion to go through it object by object."
)


def story(step: StepGraph, timeline: Timeline) -> None:
    """One paragraph for each moment, of which the player shows the one it is at."""
    happened = moments(step)
    backward = sum(timeline.parts[:2])  # its first moment
    told = [_told(event, step, first=m == backward) for m, event in enumerate(happened)]
    told[0] += f" {PRESS}"
    told.append(WHOLE.format(step=now("graph_step", digits=0)))
    show_story(paragraphs(told), key="story")


def _told(event: Event, step: StepGraph, *, first: bool) -> str:
    text = html.escape(event.text)
    if event.kind == "update":
        i = _leaf(step, event.name)
        return UPDATE.format(text=text, name=event.name, moved=now(f"moved_{i}", digits=4))
    if event.kind == "zero":
        return ZERO.format(text=text)
    node = step.graph[event.nodes[-1]]
    i = _place(step, node)
    kept = reach("kept", i)
    if event.kind == "forward":
        leaves = [step.graph[number] for number in event.nodes if not step.graph[number].text]
        sentences = [FORWARD.format(text=text, kind=node.kind)]
        sentences += [KEEPS.format(kept=kept)] * bool(node.saved)
        sentences += [LEAF.format(name=leaf.name) for leaf in leaves]
        return " ".join(sentences)
    last = [
        j for j, edge in enumerate(edges_like(step.graph, step.graph)) if edge.target == node.id
    ][-1:]
    numbers = {
        "arrived": reach("arrived", i),
        "kept": kept,
        "sent": reach("sent", *last) if last else "",
        "name": node.name,
        "added_up": f" {W_ADDED_UP}" if np.prod(node.shape) > 1 else "",
    }
    return f"{START} " * first + RULES[node.kind].backward.format(**numbers)


def node_details(step: StepGraph, i: int, *, points: int) -> None:
    """All that is known of one object of the graph; its numbers follow the player.

    i: its place in the graph. points: how many data points the listing has.
    """
    node, rule = step.graph.nodes[i], RULES[step.graph.nodes[i].kind]
    made = next(m for m, event in enumerate(moments(step)) if node.id in event.nodes)
    ran = moments(step).index(step.events[node.backward or 0])
    back: dict[str, Any] = {"known": ran, "unknown": "none"}
    shape = html.escape(str(node.shape))
    rows = {"object": f"<b>{node.kind}</b>"}
    if node.text:
        rows |= {
            "made by": f"<code>{html.escape(node.text)}</code>",
            "computes": rule.computes,
            "its value": f"{reach('value', i, known=made)}, shape {shape}",
            "local derivative": rule.slope,
            "kept for the way back": _kept(node, reach("kept", i, known=made)),
        }
    by = "out" if node.text else node.name
    rows[f"gradient that arrived: ∂loss/∂{by}"] = reach("arrived", i, **back)
    for j, edge in enumerate(edges_like(step.graph, step.graph)):
        if edge.target != node.id:
            continue
        source = step.graph[edge.source]
        arrived, slope, part = (
            now(name, digits=4, known=ran)
            for name in (f"arrived_at_{i}", f"slope_at_{j}", f"part_at_{j}")
        )
        product = f"{arrived} · ({slope}) = {part}"
        sent = reach("sent", j, **back)
        many, one = np.prod(node.shape) > 1, source.shape == ()
        chain = ALONE if not many else ADDED_UP if one else EACH
        rows[f"handed on to {source.kind if source.text else source.name}"] = chain.format(
            product=product, sent=sent, points=points
        )
    if not node.text:
        rows["does"] = f"adds it to {node.name}.grad"
    cells = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows.items())
    live(f'<table class="digits details">{cells}</table>', key="node_details")


def check_in_numbers(step: StepGraph, *, point: int) -> None:
    """Each gradient in the graph beside its central difference, at one entry: that of `point`."""
    rows = "".join(
        f"<tr><th>{node.kind}</th><td>{html.escape(node.text or node.name)}</td>"
        f"<td>{now(f'arrived_at_{i}')}</td><td>{now(f'checked_{i}')}</td></tr>"
        for i, node in reversed(list(enumerate(step.graph.nodes)))
    )
    head = f"<th>step {now('graph_step', digits=0)}, data point {point}</th><th></th>"
    worst = f"<td></td><td></td><td><b>{now('checked_worst', digits=2)}</b></td>"
    live(
        f'<table class="digits"><tr>{head}<th>backward()</th><th>central difference</th></tr>{rows}'
        f"<tr><th>largest relative difference</th>{worst}</tr></table>",
        key="check",
    )


def _kept(node: Node, kept: str) -> str:
    """What a node keeps, in words."""
    if not node.saved:
        return "nothing: its derivative does not depend on what went in"
    name, array = next(iter(node.saved.items()))
    return (
        f"{KEPT.get(node.kind, name)}, {kept}, shape {array.shape} (PyTorch calls it "
        f"<code>{name}</code>), until backward() has passed"
    )


def predict_second_backward(once: float, both: float) -> None:
    """Ask what a second backward() without zeroing leaves in w.grad; once answered, tell.

    once, both: what the first one left there, and the two together, from the same w.
    """
    right = "both" if both == 2 * once else "same"
    if predicted(SECOND_BACKWARD, AFTER_SECOND, right, key="second backward"):
        st.markdown(
            f"After the first `backward()` w.grad is {once:.6g}, after the second {both:.6g}. An "
            "accumulator adds. That is what lets a parameter be used in several places, or a batch "
            "be taken in parts."
        )


def code(step: StepGraph, source: str, *, title: str) -> None:
    """The listing, with the line marked that runs at the moment shown, and what lines compute."""
    listing(source, computed(step, source), title=title, key="listing", follows=True)


def readout(step: StepGraph) -> Readout:
    """For the player: when loss, w and b are known, and when the update changes them."""
    happened = [(event.kind, event.name) for event in moments(step)]
    moves = {name: happened.index(("update", name)) for name in ("w", "b")}
    return {
        "loss": (happened.index(("forward", "loss")), None),
        "w": (0, moves["w"]),
        "b": (0, moves["b"]),
    }


def computed(step: StepGraph, source: str) -> dict[str, Computed]:
    """Which of its lines run at which moments, and what they compute."""
    lines = source.split("\n")
    series = {"loss": "loss", "w": "w_next", "b": "b_next"}
    found: dict[str, Computed] = {}
    for m, event in enumerate(moments(step)):
        start = lines[(event.line or 1) - 1].strip()
        before = found.get(start, Computed([]))
        found[start] = Computed([*before.moments, m], before.series or series.get(event.name, ""))
    return found


def reach(name: str, i: int, **when: Any) -> str:
    """HTML for an array from its smallest to its largest entry; `when` as in `live.now`."""
    return now(f"{name}_low_{i}", to=f"{name}_high_{i}", digits=3, **when)


def _place(step: StepGraph, node: Node) -> int:
    return [other.id for other in step.graph.nodes].index(node.id)


def _leaf(step: StepGraph, name: str) -> int:
    return [node.name if not node.text else "" for node in step.graph.nodes].index(name)
