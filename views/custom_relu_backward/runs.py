"""What the page keeps for all visitors of one pass, and the timeline of its player."""

from __future__ import annotations

import numpy as np

from engines.custom_relu_backward import one_pass
from engines.custom_relu_backward.design import Design, check
from engines.network.compare import STEPS
from views.network import training
from views.player import Timeline, cached

watch = cached(one_pass.watch)
check(Design("true"))  # the first check by gradcheck loads what it needs


@cached
def play(_runs: training.Runs, dtype: str | None, in_parts: tuple[int, int, int, int]) -> Timeline:
    """Through the steps of the training, if there is one, or the moments of one pass."""
    series, last_step = training.series(_runs), STEPS if _runs else 0
    return Timeline(series, last_step, parts=in_parts, slow_at=np.array([0]), slow=True)
