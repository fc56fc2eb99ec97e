"""Forward builds it: each line that runs hangs an object on its result."""

from __future__ import annotations

from views.dynamic_graph import one_step
from views.ui.shell import Here

LINES = "y_pred = ", "loss = "


def show_stage(here: Here) -> None:
    """The graph of the first step as its lines build it, half way to the loss at first."""
    one_step.show_half(here, LINES, begin=2, forward=True)
