"""What slow motion stops at in a step: each box as it is made, as backward() goes through it, …

A moment is one event, or several alike that follow each other: all that is in one box, all
parameters that one line updates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.graphs.autograd import Array, Event, Kind, StepGraph
from engines.listing import Place
from views.own_training.boxes import LEAF, Boxes

PHASES = ("forward", "backward", "update", "")
ONE_PHASE = ("moment", "", "", "")
PHASE_OF: dict[Kind, int] = {"forward": 0, "backward": 1, "update": 2}  # others are where they come
TOLD = {*PHASE_OF, "zero", "error"}


class Moment(NamedTuple):
    """kind: of its events. box: the id of the box that it is about, None for none.

    line: where the program is. names: of the parameters that change, or of the result. value,
    gradient: what the box's last operation made, and what arrived for it; for a leaf its .grad.
    shape: of the value. message: of an error. made: the ids of all boxes that it makes. what: the
    module that the box is, or the framework's name for the operation.
    """

    kind: Kind
    box: int | None
    line: int | None
    text: str
    names: tuple[str, ...] = ()
    value: Array | None = None
    gradient: Array | None = None
    shape: tuple[int, ...] = ()
    message: str = ""
    made: tuple[int, ...] = ()
    what: str = ""


def moments_of(step: StepGraph, boxes: Boxes, calls: Mapping[str, Place]) -> list[Moment]:
    """What happened in a step, in its order. calls: by path, where a module is called."""
    events = [event for event in step.events if event.kind in TOLD]
    groups = groupby(events, key=lambda event: _alike(event, step, boxes))
    told = [_moment(list(events), step, boxes) for _, events in groups]
    what = {node.id: node.kind for node in boxes.graph.nodes} | dict(boxes.closed)
    named = [one if one.box is None else one._replace(what=what[one.box]) for one in told]
    return [_at_its_call(moment, boxes, calls) for moment in named]


def _at_its_call(moment: Moment, boxes: Boxes, calls: Mapping[str, Place]) -> Moment:
    """Of a whole module the line is not that of its first operation, but where it is called."""
    path = boxes.closed.get(moment.box or -1, "")
    if moment.kind != "forward" or path not in calls:
        return moment
    return moment._replace(line=calls[path].line, text=calls[path].text)


def _alike(event: Event, step: StepGraph, boxes: Boxes) -> Any:
    return event.kind, event.line if event.kind in ("update", "zero") else _box(event, step, boxes)


def _box(event: Event, step: StepGraph, boxes: Boxes) -> int | None:
    """The box of what an event made, or ran. A leaf goes with what first needs it."""
    if not event.nodes:
        return None
    made = [n for n in event.nodes if step.graph[n].kind != LEAF] or event.nodes
    return boxes.of[made[-1]]


def _moment(events: Sequence[Event], step: StepGraph, boxes: Boxes) -> Moment:
    first, last = events[0], events[-1]
    box = _box(last, step, boxes)
    at = Moment(last.kind, box, first.line, first.text)
    if last.kind == "error":
        return at._replace(message=last.message)
    if last.kind in ("update", "zero"):
        names = (event.name.removesuffix(".grad") for event in events)
        value = last.value if len(events) == 1 else None
        return at._replace(names=tuple(dict.fromkeys(names)), value=value)
    numbers = [number for event in events for number in event.nodes]
    operations = [number for number in numbers if step.graph[number].kind != LEAF]
    node = step.graph[max(operations or numbers)]
    is_leaf = node.kind == LEAF
    return at._replace(
        value=node.value,
        gradient=last.value if is_leaf else node.gradient,  # of a leaf, what .grad holds now
        shape=node.shape,
        names=(node.name,) if node.name else (),
        made=tuple(dict.fromkeys(boxes.of[n] for n in numbers)) if last.kind == "forward" else (),
    )


def parts(happened: Sequence[Moment]) -> tuple[int, int, int, int]:
    """How many moments each phase of the player has; where phases alternate, all are in the first.

    The last phase has none: in a player it comes only between two steps.
    """
    phases: list[int] = []
    for moment in happened:
        phases.append(PHASE_OF.get(moment.kind, phases[-1] if phases else 0))
    if phases != sorted(phases):
        return len(phases), 0, 0, 0
    return phases.count(0), phases.count(1), phases.count(2), 0


def key(happened: Sequence[Moment]) -> tuple[Any, ...]:
    """Equal for steps that go alike: only whether gradients have been emptied may differ."""
    return tuple(
        (one.kind, one.what, one.line, one.text, one.names, one.shape)
        for one in happened
        if one.kind != "zero"
    )


def numbers(happened: Sequence[Moment], like: Sequence[Moment]) -> dict[str, float]:
    """The ends of each moment's value and gradient, by name; NaN where there is none.

    like: the moments that name them; what is not in this step is none.
    """
    found: dict[str, float] = {}
    mine = iter([one for one in happened if one.kind != "zero"])
    for m, one in enumerate(like):
        moment = one._replace(value=None) if one.kind == "zero" else next(mine)
        for name, array in (("value", moment.value), ("gradient", moment.gradient)):
            low, high = ends(array)
            found |= {f"{name}_low_{m}": low, f"{name}_high_{m}": high}
    return found


def ends(array: NDArray[Any] | None) -> tuple[float, float]:
    """The smallest and the largest of an array, or NaN twice; of complex numbers, their sizes."""
    if array is None or not array.size:
        return np.nan, np.nan
    real = np.abs(array) if np.iscomplexobj(array) else array
    return float(real.min()), float(real.max())
