"""The training: losses, gradients and parameters over all steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from engines.own_training.recording import Recording
from views.own_training.played import of_training
from views.own_training.sizes import practically_zero, summed
from views.player import WHOLE_STEPS, Figure, Timeline, now, say, show
from views.ui.line_chart import Line, lines
from views.ui.palette import DATA, GRADIENT, MODEL, OTHER, Look
from views.ui.shell import Here
from views.ui.staging import beside, stage

# Each chart in the colour of what it shows: its lines differ in tone and in dashes.
LOSSES, GRADIENTS, PARAMETERS = (MODEL, OTHER), (GRADIENT, "#a8693f"), (MODEL, "#5b7fa6")
DASHES = ((1, 0), (7, 3), (2, 2))


def show_stage(here: Here, recording: Recording) -> None:
    """Three charts under one player."""
    if not recording.columns("losses"):
        with stage(here):
            say("No step came as far as backward(), so there is nothing to follow.")
        return
    timeline, how = played(recording)
    with stage(here, timeline, **how):
        say(told(recording))
        places = beside([4, 3, 3])
        for place, draw in zip(places, (losses, gradients, parameters), strict=True):
            with place:
                draw(recording)


def played(recording: Recording) -> tuple[Timeline, dict[str, Any]]:
    """All steps, and what the player is told."""
    timeline = Timeline(of_training(recording), len(recording.passes) - 1, parts=WHOLE_STEPS)
    names = list(recording.columns("losses"))[:2]
    return timeline, {"readout": dict.fromkeys(names, (0, None)), "begin": (0, None)}


def told(recording: Recording) -> str:
    """HTML: the losses at the step shown, from which step on one is no number, what a step is."""
    sentences = []
    for name in recording.columns("losses"):
        sentences.append(f"<b>{escape(name)}</b> is {now(name, digits=9)}")
        found = ((k, one.losses.get(name, 0.0)) for k, one in enumerate(recording.passes))
        if (first := next((k for k, loss in found if not math.isfinite(loss)), None)) is not None:
            sentences[-1] += f" (at step {first} it became {_called(recording, name, first)})"
    return "; ".join(sentences) + ". " + _several(recording) + _loops(recording)


def _called(recording: Recording, name: str, step: int) -> str:
    return "not a number" if math.isnan(recording.passes[step].losses[name]) else "infinite"


def losses(recording: Recording) -> None:
    """What backward() was called on."""
    columns = recording.columns("losses")
    show(_chart(columns, LOSSES, title="Loss"), key="losses")


def gradients(recording: Recording) -> None:
    """How large the gradients were that backward() left."""
    columns = summed(recording, "gradients")
    show(_chart(columns, GRADIENTS, title="Size of gradients"), key="gradients")


def parameters(recording: Recording) -> None:
    """How large the parameters were that the step began with."""
    columns = summed(recording, "parameters")
    show(_chart(columns, PARAMETERS, title="Size of parameters"), key="parameters")


def _chart(columns: Mapping[str, Any], tones: Sequence[str], *, title: str) -> Figure:
    shown = []
    nothing = practically_zero(columns)  # it would press all others into one line
    for i, (name, values) in enumerate(columns.items()):
        at = np.flatnonzero(np.isfinite(values))
        dash = DASHES[i // len(tones) % len(DASHES)]
        label = f"{name}: practically 0" if name in nothing else name
        drawn = np.full(len(at), np.nan) if name in nothing else values[at]
        shown.append(Line(Look(label, tones[i % len(tones)], dash), drawn, at))
    finite = [line for line in shown if len(line.values)] or [Line(Look("none", DATA), np.ones(1))]
    low = min(np.nanmin(line.values, initial=np.inf) for line in finite)
    high = max(np.nanmax(line.values, initial=-np.inf) for line in finite)
    return lines(
        finite,
        title=title,
        y="",
        description=f"{title} against step: {', '.join(columns)}.",
        log=low > 0 and high > 10 * low,
        follows=True,
        legend=len(columns) > 1,
    )


def _several(recording: Recording) -> str:
    """That a step went backward more than once from what has one name."""
    most = max(len(one.backward) - len(set(one.backward)) for one in recording.passes)
    told = "A step calls backward() several times; of one name this is the last. "
    return told if most else ""


def _loops(recording: Recording) -> str:
    """What a step is."""
    if not recording.loops:
        return "A step is one pass of the loop that says so." if len(recording.passes) > 1 else ""
    where = " and ".join(map(str, recording.loops))
    many = "s" if len(recording.loops) > 1 else ""
    return f"A step is one pass of the loop{many} in line{many} {where}."
