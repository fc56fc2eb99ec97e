"""Two futures: stop at a step, change the rate, and see where both runs go from there."""

from __future__ import annotations

import streamlit as st

from engines.manual_gradients import two_rates
from engines.problem import preset
from views.manual_gradients import runs
from views.player import cached, live, now, say, show
from views.regression import sections
from views.regression.charts import Drawn, losses
from views.regression.settings import choose_part_of_limit
from views.regression.surface import paths
from views.ui.numbers import number
from views.ui.palette import MODEL, OTHER, Look
from views.ui.shell import Here
from views.ui.staging import asked_step, beside, stage

PROBLEM = preset("numpy_article")
RATE, STEPS = 0.004, 40
PARTS = ("0.02", "0.1", "0.3", "0.5", "0.7", "0.8", "0.9", "0.95", "1.02", "1.1", "1.2")
BRANCH = 3  # some error is left along both axes
ASKS = '<button type="button" class="asks" data-asks-step>Branch at the step shown</button>'
branched = cached(two_rates.run)
SECOND = "other_"  # the prefix of the second future's series


def show_stage(here: Here) -> None:
    """One run, and another that leaves it at a chosen step with another rate."""
    with stage(here) as play:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            asked = asked_step(here)
            if asked is not None:
                st.session_state["branch_step"] = min(asked, STEPS - 1)
            at = int(
                here.controls.number(
                    "Branch at step", "branch_step", BRANCH, 0, STEPS - 1, width=130
                )
            )
            with st.container(width="content"):
                live(ASKS, key="asks")
            with st.container(width="stretch"):
                rate = choose_part_of_limit(
                    here.controls,
                    "Learning rate from there on",
                    "branch_rate",
                    PROBLEM,
                    parts=PARTS,
                    start="0.9",
                )
        trace = runs.run(PROBLEM, STEPS, RATE).trace
        other = branched(PROBLEM, STEPS, RATE, at=at, then=rate)
        timeline = sections.played_together({"": trace, SECOND: other})
        looks = (
            Look(f"η stays {number(RATE, 3)}", MODEL),
            Look(f"η = {number(rate, 3)} from step {at}", OTHER, (6, 4)),
        )
        table = {
            f"{name}, {look.label}": prefix + name
            for prefix, look in zip(("", SECOND), looks, strict=True)
            for name in ("loss", "w", "b")
        }
        stops, opens = [at, at + 1, at + 2, at + 10], (min(at + 6, STEPS), None)
        ran = {looks[0].label: trace, looks[1].label: other}
        play(timeline, ran=ran, begin=opens, stops=stops, whose=looks[0].label, table=table)
        say(
            f"Up to step {at} there is one run. From there on the dashed run has "
            f"η = {number(rate, 3)} instead of {number(RATE, 3)}. Its loss is now "
            f"<b>{now(SECOND + 'loss', digits=4)}</b>; with the old rate it would be "
            f"<b>{now('loss', digits=4)}</b>."
        )
        runs_drawn = [
            Drawn("", looks[0], trace, PROBLEM),
            Drawn(SECOND, looks[1], other, PROBLEM),
        ]
        picture, loss = beside([1, 1])
        with picture:
            show(paths(runs_drawn, timeline), key="paths")
        with loss:
            show(losses(runs_drawn, timeline), key="losses")
