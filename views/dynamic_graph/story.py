"""What happens at each moment of a step, told in words and numbers that follow the player.

The words are in story.toml.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from engines.graphs.autograd import Event, Node, StepGraph
from views.dynamic_graph.graph_series import edges_like, moments, written
from views.graphs.small_graph import short
from views.player import Moment, Phase, Readout, Story, during, live, now
from views.ui import texts
from views.ui.numbers import number
from views.ui.prediction import predicted
from views.ui.table import html_table

_texts = texts.read(__file__)
TOLD, RULES = _texts["moments"], _texts["rules"]
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
        sentences += [TOLD["leaf"].format(name=leaf.name) for leaf in leaves]
        sentences += [RULES[node.kind]["forward"].format(kept=kept)]
        sentences += [TOLD["last"]] * (event.name == "loss")
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


def details(step: StepGraph, chosen: int | None, *, point: int, last: int, forward: bool) -> None:
    """What is known of one object of the graph; its numbers follow the player.

    chosen: its place in the graph; None for the object that each moment is about. point: the data
    point that is followed. last: how many moments the player has; there it is outside slow motion.
    forward: whether it is only told how the object was made.
    """
    nodes, happened = step.graph.nodes, moments(step)
    squares = [node.kind for node in nodes].index("PowBackward0")
    blocks: dict[str, list[int]] = {}  # by what is told, at which moments
    for m in range(last + 1):
        about = squares if m == last else _object_of(step, happened[m])
        i = about if chosen is None else chosen
        changed = (
            [] if m == last else [event.name for event in happened[: m + 1] if not event.nodes]
        )
        told = _details(step, i, changed, point=point, forward=forward)
        blocks.setdefault(told, []).append(m)
    shown = [f'<div data-moments="{during(at)}">{told}</div>' for told, at in blocks.items()]
    live(f'<div class="of-moment">{"".join(shown)}</div>', key="details")


def _object_of(step: StepGraph, event: Event) -> int:
    """The place of the object that an event makes or runs, or whose leaf it changes."""
    if event.nodes:
        return step.graph.nodes.index(step.graph[event.nodes[-1]])
    return _leaf(step, event.name.removesuffix(".grad"))


def _details(step: StepGraph, i: int, changed: Sequence[str], *, point: int, forward: bool) -> str:
    """The table of an object. changed: what the listing itself has changed by then: w, w.grad, …"""
    node, rule = step.graph.nodes[i], RULES[step.graph.nodes[i].kind]
    happened = moments(step)
    made = next(m for m, event in enumerate(happened) if node.id in event.nodes)
    ran = happened.index(step.events[node.backward or 0])
    rows = [(f"<b>{node.kind}</b>", f"<code>{html.escape(written(step.graph, node))}</code>")]
    by = "out" if node.text else node.name
    computed = [
        ("computes", rule.get("computes", "nothing: it is a leaf")),
        ("its value", f"{reach('value', i, known=made)}, shape {node.shape}"),
        ("keeps", _kept(node, reach("kept", i, known=made))),
        ("local derivative", rule.get("slope", "none: backward() ends here")),
    ]
    if forward:
        return html_table((), [*rows, *computed], kind="details")
    rows += computed[-1:] if node.text else []
    rows.append((f"arrived: ∂loss/∂{by}", reach("arrived", i, known=ran, unknown="none")))
    for j, edge in enumerate(edges_like(step.graph, step.graph)):
        if edge.target != node.id:
            continue
        source = step.graph[edge.source]
        arrived, slope, part = (
            now(name, digits=4, known=ran)
            for name in (f"arrived_at_{i}", f"slope_at_{j}", f"part_at_{j}")
        )
        to = short(source.kind) if source.text else source.name
        rows.append((f"handed on to {to}", f"<b>{reach('sent', j, known=ran, unknown='none')}</b>"))
        many, one = np.prod(node.shape) > 1, source.shape == ()
        where = "which is" if not many else f"point {point} adds" if one else f"at point {point}"
        rows.append((where, f"{arrived} · ({slope}) = {part}"))
    if not node.text:
        grad, moved = f"{node.name}.grad", node.name in changed
        does = "nothing more in this step" if moved else f"adds what arrives to {grad}"
        rows.append(("does", does))
        rows += [(f"{node.name} is now", now(f"moved_{i}", digits=4))] * moved
        rows += [(f"{grad} is now", now(f"emptied_{i}", digits=4))] * (grad in changed)
    return html_table((), rows, kind="details")


def _kept(node: Node, kept: str) -> str:
    """What a node keeps, in words."""
    return f"{RULES[node.kind]['kept']}, {kept}" if node.saved else "nothing"


def check_in_numbers(step: StepGraph, *, point: int) -> None:
    """Each gradient in the graph beside its central difference, at one entry: that of `point`."""
    rows = []
    for node in step.graph.backward_order:
        i = step.graph.nodes.index(node)
        ran = moments(step).index(step.events[node.backward or 0])
        backward, measured = (now(f"{name}_{i}", known=ran) for name in ("arrived_at", "checked"))
        rows.append((f"<code>{html.escape(written(step.graph, node))}</code>", backward, measured))
    step_and_point = f"step {now('graph_step', digits=0)}, point {point}"
    live(html_table((step_and_point, "backward()", "central difference"), rows), key="check")


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
