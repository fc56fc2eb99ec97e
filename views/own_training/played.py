"""A recording as the player plays it: its steps, and the moments of those with a like graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engines.graphs.autograd import StepGraph
from engines.own_training.recording import Recording
from views.own_training.boxes import Boxes, in_boxes
from views.own_training.moments import Moment, key, moments_of, numbers, parts
from views.own_training.sizes import summed
from views.player import Computed, Series, Timeline, cached, every_step, some_steps


@dataclass(frozen=True, eq=False)
class Played:
    """What a stage shows of a recording.

    steps: those that slow motion goes through; their graphs are alike. boxes, happened: of the one
    that is drawn. timeline: all of it, every step's losses among them.
    """

    steps: Sequence[StepGraph]
    boxes: Boxes
    happened: Sequence[Moment]
    timeline: Timeline
    key: str

    @property
    def opens(self) -> int:
        """The moment at which the player opens: the last before backward(), or an error."""
        if self.happened and self.happened[-1].kind == "error":
            return len(self.happened) - 1
        forward = [m for m, one in enumerate(self.happened) if one.kind == "forward"]
        return forward[-1] if forward else 0

    @property
    def computed(self) -> dict[int, Computed]:
        """At which moments to mark which line of the program, and the number that it made."""
        lines: dict[int, Computed] = {}
        origins = {one.box: one.line for one in self.happened if one.kind == "forward"}
        for m, one in enumerate(self.happened):
            box = next((node for node in self.boxes.graph.nodes if node.id == one.box), None)
            alone = box is not None and "nodes" not in box.settings
            single = alone and one.kind == "forward" and one.shape == () and one.names
            line_of_box = origins.get(one.box, box.line if box else None)
            made = line_of_box if one.kind == "backward" else None
            for line in {one.line, made} - {None}:
                assert line is not None
                before = lines.get(line, Computed([]))
                made_now = single and line == one.line
                series = f"value_low_{m}" if made_now else before.series
                known = m if made_now else before.known
                lines[line] = Computed([*before.moments, m], series, known)
        return lines


@cached
def groups(recording: Recording) -> list[list[int]]:
    """The steps that have been inspected, by their place; those that go alike together.

    The one that ended in an error is the first, then as they came.
    """
    found: dict[object, list[int]] = {}
    for i in range(len(recording.graphs)):
        found.setdefault(key(_told(recording, i, "")[1]), []).append(i)
    return sorted(found.values(), key=lambda some: recording.graphs[some[0]].error is None)


@cached
def _told(recording: Recording, i: int, within: str) -> tuple[Boxes, list[Moment]]:
    """The boxes and the moments of the step at this place among those that were inspected."""
    step = recording.graphs[i]
    drawn = in_boxes(step.graph, recording.modules, within)
    return drawn, moments_of(step, drawn, recording.calls)


@cached
def play(recording: Recording, *, group: int = 0, within: str = "") -> Played:
    """The recording with the graph of one group of steps. within: the module that is open."""
    places = groups(recording)[group]
    # What is open now may have gone another way in some of them.
    alike = key(_told(recording, places[0], within)[1])
    places = [i for i in places if key(_told(recording, i, within)[1]) == alike]
    steps = [recording.graphs[i] for i in places]
    every = [_told(recording, i, within) for i in places]
    # The one that tells most: in the first step there is no gradient to be emptied.
    drawn, happened = max(every, key=lambda one: len(one[1]))
    rows = [numbers(mine, happened) for _, mine in every]
    at = np.array([step.step for step in steps])
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]} if happened else {}
    series = of_training(recording) | some_steps(columns, at)
    last = len(recording.passes) - 1
    timeline = Timeline(series, last, parts(happened), slow_at=at, slow=True)
    return Played(steps, drawn, happened, timeline, f"{recording.key} {group} {within}")


@cached
def of_training(recording: Recording) -> dict[str, Series]:
    """Every step's losses and the sizes of gradients and parameters."""
    numbered = {"graph_step": np.arange(len(recording.passes), dtype=float)}
    losses = {name: Series(values) for name, values in recording.columns("losses").items()}
    sizes = {
        f"{kind} {name}": values
        for kind in ("gradients", "parameters")
        for name, values in summed(recording, kind).items()
    }
    return losses | every_step(sizes | numbered)
