"""One descent in five programs: what is left when one run is subtracted from another."""

from __future__ import annotations

from typing import Any

import numpy as np

from engines.problem import preset
from engines.regression import numpy_loops, numpy_vectorized
from engines.trace import Trace
from views.player import Timeline, cached, show, wording
from views.regression import agreement, frameworks, sections
from views.regression.runs import trained
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.staging import beside, stage

PROBLEM = preset("numpy_article")
SETTINGS: Any = {"steps": PROBLEM.steps, "rate": PROBLEM.learning_rate}
ALLOWED = 1e-12  # relative: what the tests of this project allow


def show_stage(here: Here) -> None:
    """The digits of all engines at a step, beside how far apart they are at all steps."""
    runs = _runs()
    timeline = _timeline(runs)
    others = list(runs)[1:]
    apart = np.array([timeline.series[f"{engine}_apart"].values for engine in others])
    opens = int(apart.min(axis=0).argmax())  # where even the two that agree best do not
    with stage(here, timeline, ran=runs, begin=(opens, None), whose="NumPy, whole arrays"):
        wording.markdown(
            "Five programs start from the same point and take the same steps. Their numbers have "
            "about sixteen digits, and the last few do not always agree (marked). The largest "
            f"relative difference in all {apart.shape[1] - 1} steps is "
            f"**{number(float(apart.max()), 2)}**."
        )
        left, right = beside([9, 8])
        with left:
            agreement.digits(list(runs), ("w", "b"))
        with right:
            show(agreement.differences(others, timeline, allowed=ALLOWED), key="differences")


def _runs() -> dict[str, Trace]:
    by_hand = {"numpy_vectorized": numpy_vectorized.train, "numpy_loops": numpy_loops.train}
    runs = {name: trained(name, train, PROBLEM, **SETTINGS) for name, train in by_hand.items()}
    return runs | frameworks.runs(PROBLEM, **SETTINGS)


@cached
def _timeline(runs: dict[str, Trace]) -> Timeline:
    trace = runs["numpy_vectorized"]
    series = sections.followed(trace) | agreement.followed(runs, ("w", "b"))
    return Timeline(series, len(trace) - 1)
