"""When it is let go: one graph gives way to the next, in two moments."""

from __future__ import annotations

import html
from typing import Any

from engines.graphs.autograd import StepGraph
from views.dynamic_graph import lifetime, one_step, runs
from views.dynamic_graph.graph_series import moments
from views.graphs.small_graph import short
from views.player import Timeline, paragraphs, show, show_story
from views.ui.shell import Here
from views.ui.staging import beside, stage

OPENS = 4  # in the second step, while the old graph is still there beside the new one
PARTS = ["old graph", "new graph", "loss moves"]


def show_stage(here: Here) -> None:
    """The old graph and the new one, object by object, beside the count of those alive."""
    steps, _, _ = one_step.run()
    lives = lifetime.lives_of(steps)
    built = len(lives) - 4  # moments in which the second step makes an object
    timeline = Timeline({}, 0, parts=(2, built, 2, 0), slow=True)
    ran = {"": runs.trained(one_step.PROBLEM, **one_step.SETTINGS)}
    playing: Any = {"begin": (0, OPENS), "readout": {}, "phases": [*PARTS, ""]}
    with stage(here, timeline, ran=ran, **playing):
        show_story(paragraphs(told(steps, lives)), key="story")
        graphs, count = beside([1, 1])
        with graphs:
            show(lifetime.two_graphs(steps[:2], timeline), key="graphs")
        with count:
            show(lifetime.living_objects(steps[:2], lives, timeline), key="lifetime")


def told(steps: list[StepGraph], lives: list[lifetime.Life]) -> list[str]:
    """What is told at each moment of this chapter, and last, outside slow motion."""
    one, other = steps[:2]
    alive = [life.alive for life in lives]
    kept = sum(bool(node.saved) for node in one.graph.nodes)
    shared = {node.id for node in one.graph.nodes} & {node.id for node in other.graph.nodes}
    gone = len(one.graph.nodes) - len(shared)
    numbers = " and ".join(f"#{number}" for number in sorted(shared))
    made = [event for event in moments(other) if event.kind == "forward"]
    texts = [
        f"Step 0 has gone forward. The name <code>loss</code> holds {alive[0]} objects, and {kept} "
        "of them keep numbers for backward().",
        "<b>Let go, first:</b> backward() has run, and each object has let go of what it kept. So "
        f"it cannot run again. The {alive[1]} objects themselves are still there.",
    ]
    for m, event in enumerate(made, start=2):
        node = other.graph[event.nodes[-1]]
        texts.append(
            f"Step 1 runs <code>{html.escape(event.text)}</code> and makes {short(node.kind)} "
            f"#{node.id}. The old graph is of no more use, but <code>loss</code> still holds it: "
            f"<b>{alive[m]}</b> objects are alive."
        )
    return [
        *texts,
        "<b>Let go, second:</b> the name <code>loss</code> is given to the new result. Nothing "
        f"holds the {gone} old operations now, and they are gone: {alive[-2]} objects are alive.",
        f"Only the accumulators {numbers} are in both graphs. PyTorch holds them weakly; they "
        "lived on because the old graph still pointed to them when the new one was built.",
        f"Each step makes {gone} objects and lets {gone} go. They never pile up.",
    ]
