"""When it is let go: the objects of a graph through the first three steps."""

from __future__ import annotations

from views.dynamic_graph import lifetime, one_step
from views.player import paragraphs, show, show_story
from views.ui.shell import Here
from views.ui.staging import beside, stage

OPENS = 2  # in the second step, while the old graph is still there beside the new one


def show_stage(here: Here) -> None:
    """How many objects are alive at each moment, beside two graphs with a number on each object."""
    steps, told, timeline = one_step.run()
    predict, loss, gradient, _ = told.parts
    built, walked = predict + loss, predict + loss + gradient
    texts = [
        *["A new object is made. The old graph is still alive: the name loss holds it."]
        * (built - 1),
        "<b>loss is given to the new result.</b> Nothing holds the old objects any more: they go, "
        "and the count falls.",
        *["backward() lets go of what each object had kept; the objects themselves stay."]
        * gradient,
        *["The update and the zeroing make no objects: nothing is recorded there."]
        * (len(told.moments) - walked),
        "Objects come and go with each step, and never pile up.",
    ]
    begin = (1, OPENS)
    with stage(here, timeline, begin=begin, readout={"loss": (built - 1, None)}):
        show_story(paragraphs(texts), key="story")
        count, one, other = beside([6, 4, 4])
        with count:
            show(lifetime.living_objects(steps, timeline), key="lifetime")
        lifetime.two_graphs(steps[:2], (one, other))
