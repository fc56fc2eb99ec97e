"""Ask the loss: the gradient by hand against the slope that small steps really show."""

from __future__ import annotations

from engines.problem import preset
from engines.regression.gradient_check import WIDTHS
from views.manual_gradients import runs
from views.player import now, say, show
from views.regression import agreement, sections
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("numpy_article")
OPENS = 20


def show_stage(here: Here) -> None:
    """Both numbers side by side, and how far apart they are for every width of the small step."""
    timeline = runs.timeline(PROBLEM, PROBLEM.steps, PROBLEM.learning_rate, None)
    with stage(here, timeline, begin=(OPENS, None), stops=[1, 100, 400]):
        say(
            "Move w a little to either side and see how the loss changes: the slope is "
            f"{now('numeric_w')}. The formula says {now('hand_w')}. Relative to their size, the "
            f"gradients differ by {now('error', digits=2)}; rounding alone explains up to "
            f"{now('allowed', digits=2)}."
        )
        picture, numbers = beside([5, 4])
        with picture:
            show(agreement.gradient_error(timeline, WIDTHS), key="gradient_error")
        with numbers:
            sections.check_in_numbers()
