"""Where it breaks: a mistake in the hand-written gradient, the right run and the wrong one."""

from __future__ import annotations

from engines.manual_gradients.mistakes import how_it_ended
from engines.problem import preset
from views.manual_gradients import runs
from views.player import in_lecture, listing, live, now, show
from views.regression import sections
from views.regression.charts import Drawn, losses
from views.regression.surface import paths
from views.ui import mistakes
from views.ui.palette import MISTAKE, MODEL, Look
from views.ui.shell import Here
from views.ui.staging import beside, stage
from views.ui.table import html_table

PROBLEM = preset("numpy_article")
RATE, STEPS = 0.005, 120
OPENS = "input_forgotten"
MISTAKES = mistakes.told_in(__file__)
ENDS = {
    "arrives": "it arrives at the best answer",
    "elsewhere": "it ends somewhere else",
    "explodes": "the loss climbs",
}
RIGHT, WRONG = Look("the right run", MODEL), Look("the wrong run", MISTAKE, (6, 4))


def show_stage(here: Here) -> None:
    """Choose a mistake and say how it ends; then both runs are in one picture."""
    with stage(here) as play:
        labels = {name: told.label for name, told in MISTAKES.items()}
        mistake = here.controls.pills(
            "A mistake to make", "mistake", labels, OPENS, label_visibility="collapsed"
        )
        right = runs.run(PROBLEM, STEPS, RATE).trace
        drawn = [Drawn("", RIGHT, right, PROBLEM)]
        # Before the answer nothing that is played, or taken home, has the numbers of the mistake.
        known = mistake if mistakes.answered(mistake) else None
        timeline = runs.timeline(PROBLEM, STEPS, RATE, known)
        picture, loss, words = beside([6, 5, 6] if in_lecture() else [9, 9, 10])
        with words:
            wrong = runs.run(PROBLEM, STEPS, RATE, mistake)
            end = how_it_ended(PROBLEM, wrong.trace)
            variant = wrong.variant
            answered = mistakes.predict(
                MISTAKES[mistake], variant.right, variant.wrong, ENDS, end, key=mistake
            )
            if answered:
                drawn.append(Drawn("wrong_", WRONG, wrong.trace, variant.problem))
        ran = {"the right run": right} | ({"the wrong run": wrong.trace} if answered else {})
        play(
            timeline,
            ran=ran,
            begin=(0, None),
            stops=[1, 2, 5, 20, 60],
            whose=RIGHT.label,
            of=f"{mistake}, {answered}",
            plays=answered,
        )
        with picture:
            show(paths(drawn, timeline), key="paths")
        with loss:
            show(losses(drawn, timeline), key="losses")
            if answered:
                live(_numbers(), key="numbers")
    if answered and variant.wrong in variant.source:
        listing(
            variant.source,
            sections.COMPUTED,
            title="The listing that ran",
            key="wrong_listing",
            run="wrong_",
            changed=variant.wrong,
        )


def _numbers() -> str:
    """HTML: both runs at the step shown, and what the check says of the gradients."""
    rows = [
        [label, now(name), now(f"wrong_{name}")]
        for label, name in (("loss", "loss"), ("w", "w"), ("b", "b"))
    ]
    error = [now(f"{run}error", digits=2) for run in ("", "wrong_")]
    return html_table(["", RIGHT.label, WRONG.label], [*rows, ["gradient off by", *error]])
