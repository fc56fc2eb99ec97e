"""The graph of a step: forward builds it, backward walks it, beside the lines that do it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engines.own_training.recording import Recording
from views.own_training import graph_drawing, story
from views.own_training.moments import ONE_PHASE, PHASES
from views.own_training.played import Played, groups, play
from views.player import listing, paragraphs, say, show, show_story
from views.ui.controls import Controls
from views.ui.shell import Here
from views.ui.staging import beside, stage

ALL = "auto"


def show_stage(here: Here, recording: Recording) -> None:
    """A step with as many modules open as there is room for, and in any case the one asked for."""
    if not recording.graphs:
        with stage(here):
            say("No graph was kept. The other chapter has the losses and the gradients.")
        return
    with here.settings, st.popover("Settings"):
        group, within = _choose(here.controls, recording)
    shown = play(recording, group=group, within=within)
    with stage(here, shown.timeline, **playing(recording, shown)):
        tell(recording, shown)
        graph, code = beside([5, 4])
        with graph:
            draw(recording, shown, picks=True)
        with code:
            show_code(recording, shown)


def playing(recording: Recording, shown: Played) -> dict[str, Any]:
    """What the player is told."""
    known = {name: m for m, one in reversed([*enumerate(shown.happened)]) for name in one.names}
    names = list(recording.columns("losses"))[:2]
    return {
        "readout": {name: (known.get(name, shown.opens), None) for name in names},
        "phases": PHASES if any(shown.timeline.parts[1:]) else ONE_PHASE,
        "begin": (shown.steps[0].step, shown.opens),
        "of": shown.key,
    }


def tell(recording: Recording, shown: Played) -> None:
    """The sentence of each moment."""
    sentences = [
        story.told(shown.happened, m, shown.boxes, recording.modules)
        for m in range(len(shown.happened))
    ]
    read = ", ".join(str(step.step) for step in shown.steps)
    whole = f"Slow motion goes through the steps whose graphs were read and are like this: {read}."
    show_story(paragraphs([*sentences, whole]), key="story")


def draw(recording: Recording, shown: Played, *, picks: bool = False) -> None:
    """The graph. picks: whether a click on a module opens it."""
    figure = graph_drawing.graph(
        shown.boxes, shown.happened, recording.modules, key=shown.key, title=_title(shown)
    )
    if not picks:
        show(figure, key="boxes")
        return

    def clicked() -> None:
        match st.session_state["boxes"].get("selection"):
            case {"picked": [{"path": str(path)}, *_]}:
                opened = path  # a browser can send anything: the choice looks whether it is one
            case _:  # beside all boxes
                opened = ALL
        if opened:
            st.session_state["module"] = opened
            Controls.moved()

    show(figure, key="boxes", on_select=clicked, selection_mode="picked")


def show_code(recording: Recording, shown: Played) -> None:
    """The program with its lines marked, and what is known of the box of this moment."""
    listing(recording.source, shown.computed, title=recording.title, key="listing", follows=True)
    story.details(shown.happened, shown.boxes, recording.modules)


def _title(shown: Played) -> str:
    nodes = len(shown.steps[0].graph.nodes)
    many = (
        f"{nodes} nodes"
        if nodes == len(shown.boxes.graph.nodes)
        else (f"{nodes} nodes in {len(shown.boxes.graph.nodes)} boxes")
    )
    return f"PyTorch's graph of a step: {many}"


def _choose(controls: Controls, recording: Recording) -> tuple[int, str]:
    alike = groups(recording)
    group = 0
    if len(alike) > 1:
        options = {str(i): _steps(recording, steps) for i, steps in enumerate(alike)}
        group = int(
            controls.choice(st.selectbox, "Steps whose graphs are alike", "graph", options, "0")
            or 0
        )
    ran = {node.module for i in alike[group] for node in recording.graphs[i].graph.nodes}
    above = {
        path for path in recording.modules if any(f"{one}.".startswith(f"{path}.") for one in ran)
    }
    options = {ALL: "As many as there is room for"} | {
        path: f"{path}: {recording.modules[path]}" for path in recording.modules if path in above
    }
    within = controls.choice(st.selectbox, "The module to open", "module", options, ALL)
    return group, "" if within in (None, ALL) else str(within)


def _steps(recording: Recording, places: list[int]) -> str:
    steps = [str(recording.graphs[i].step) for i in places]
    return f"{'Step' if len(steps) == 1 else 'Steps'} {', '.join(steps)}"
