"""Ask the loss: every gradient in the graph against a central difference."""

from __future__ import annotations

from views.dynamic_graph import graph_drawing, one_step, runs, story
from views.player import Phase, now, say, show
from views.ui.shell import Here
from views.ui.staging import beside, stage


def show_stage(here: Here) -> None:
    """The graph after its backward pass, and beside it each gradient, checked."""
    steps, told, timeline = one_step.run()
    begin = sum(told.parts[: Phase.UPDATE]) - 1
    point = one_step.POINT
    ran = {"": runs.trained(one_step.PROBLEM, **one_step.SETTINGS)}
    with stage(here, timeline, ran=ran, begin=(0, begin), readout=story.readout(steps[0])):
        say(
            "Make one entry of one result a little larger, then a little smaller, and run the rest "
            "again: how fast the loss changes is the gradient that should have arrived there. The "
            "largest relative difference is "
            f"<b>{now('checked_worst', digits=2, known=begin)}</b>."
        )
        graph, numbers = beside([3, 2])
        with graph:
            structure = graph_drawing.structure_of(steps[0])
            figure = graph_drawing.step_graph(steps[0], structure, timeline, node=None)
            show(figure, key="graph")
        with numbers:
            story.check_in_numbers(steps[0], point=point + 1)
