"""Backward walks it: from the loss to the leaves, multiplying as it goes."""

from __future__ import annotations

from views.dynamic_graph import one_step
from views.ui.shell import Here

LINES = "loss.backward()", "b.grad.zero_()"


def show_stage(here: Here) -> None:
    """The same graph, from the moment at which backward() is called."""
    _, told, _ = one_step.run()
    begin = sum(told.parts[:2])
    one_step.show_half(here, LINES, begin=begin, forward=False)
