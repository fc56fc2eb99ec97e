"""Where it breaks: predict what becomes of a mistake, and see it beside the right run.

The names and stories of the mistakes are in mistakes.toml.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.digit_classifier import layers, tf_reshape, torch_autograd
from engines.digit_classifier import mistakes as engine
from engines.digit_classifier.digits import scans
from engines.digit_classifier.mistakes import SETTINGS, Outcome, Settings
from engines.digit_classifier.recording import Run, watch
from engines.listing import Crash
from engines.standalone import Called, Ran
from engines.trace import Drawn, Trace, made_by
from views.digit_classifier.image_grid import show_images
from views.player import (
    WHOLE_STEPS,
    Figure,
    Timeline,
    cached,
    every_step,
    say,
    show,
    some_steps,
    wording,
)
from views.ui import mistakes
from views.ui.errors import explain_phrases, explanation
from views.ui.line_chart import Line, lines
from views.ui.palette import DATA, MISTAKE, MODEL, Look
from views.ui.shell import Here
from views.ui.slow_run import Follow, slow
from views.ui.staging import Play, beside, stage
from views.ui.texts import as_html

TOLD = mistakes.told_in(__file__)
OPENS = "not_scaled"
ENDS = {
    "crash": "it stops with an error",
    "overflow": "the loss overflows",
    "stuck": "it learns nothing",
    "by_heart": "it learns by heart, and no more",
    "learns": "it learns well",
}
RIGHT, WRONG = Look("right", MODEL), Look("mistake", MISTAKE, (6, 4))
LEARNT = Look("mistake, training", DATA, (2, 3))  # images that it learns from
TESTED = tuple(look._replace(label=f"{look.label}, test") for look in (RIGHT, WRONG))
ASKED = (
    "Each of these is the listing with some lines changed, and it is really trained. <b>Read the "
    "lines, say how it ends, and look.</b>"
)
UNITS, COLUMNS = 40, 10  # of which the weights are shown
MORE = 6  # steps of the right run that are shown after the other one has overflowed


def show_stage(here: Here) -> Outcome | None:
    """Choose a mistake and say how it ends; then see it beside the right run, or where it stops.

    Returns what became of it, None before somebody has said.
    """
    with stage(here) as play:
        labels = {name: told.label for name, told in TOLD.items()}
        name = here.controls.pills(
            "A mistake to make", "mistake", labels, OPENS, label_visibility="collapsed"
        )
        outcome, right = run(name), right_run(SETTINGS[name])
        answered = mistakes.ask(ENDS, outcome.end, key=f"digits {name}")
        # Before the answer nothing on the stage depends on what becomes of the mistake.
        shown = outcome if answered else None
        why = as_html(TOLD[name].story.partition("\n\n")[0])
        say(f"{_how_it_went(outcome, right)} {why}" if shown else ASKED)
        words, *places = beside([5, 9] if shown and shown.crash else [9, 9, 8])
        with words:
            mistakes.show_edit(outcome.listing.right, outcome.listing.wrong)
        if shown and shown.crash:
            with places[0]:
                for framework, crash in _crashes(shown.crash).items():
                    wording.markdown(f"{framework} stops at this line, with these words:")
                    wording.code(crash.text, language="python")
                    wording.code(f"{crash.error}: {crash.message}")
            play(ran={WRONG.label: _program(name, shown)})
        else:
            wrong = shown.run if shown else None
            if shown and wrong and shown.end == "overflow":
                right = _beginning(right, len(wrong.losses) + MORE)
            _pictures(play, places, right, wrong, name)
            if shown:
                play(ran={WRONG.label: _program(name, shown)})
    return shown


def _program(name: str, outcome: Outcome) -> Ran:
    """The listing with the mistake in it, to be taken home."""
    settings = SETTINGS[name]
    made = made_by(
        outcome.listing.names["train"],
        digits=scans(),
        start=Drawn(layers.start, (64,)),
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        optimizer=getattr(torch_autograd, settings.optimizer),
    )
    if outcome.run is None:
        return Called(made, fails=True)
    return Trace(outcome.run.losses, {}, {}, made)


def tell(outcome: Outcome) -> None:
    """Below the stage: the rest of its story, its errors, and the whole listing that ran."""
    st.markdown(TOLD[str(st.session_state["mistake"])].story.partition("\n\n")[2])
    for framework, crash in (_crashes(outcome.crash) if outcome.crash else {}).items():
        phrases, mend = explanation(crash.message)
        st.markdown(f"What {framework} says:")
        explain_phrases(phrases)
        st.markdown(f"**To mend it.** {mend}")
    listing = outcome.listing
    mistakes.listing_that_ran(listing.source, listing.right, listing.wrong, key="wrong listing")


def _crashes(in_torch: Crash) -> dict[str, Crash]:
    """By framework, the error in which the one mistake that raises one ends."""
    return {"PyTorch": in_torch, "TensorFlow": _on_the_tape()}


@cached
def _on_the_tape() -> Crash:
    crash = tf_reshape.wrong_reshape(scans(), layers.start(64))
    assert crash is not None
    return crash


@slow
def run(follow: Follow, name: str) -> Outcome:
    """What becomes of a mistake."""
    said = f"{TOLD[name].label}: step {{:,}} of {{:,}}."

    def told(steps: Any) -> Any:
        return follow(steps, SETTINGS[name].steps, said)

    return engine.run(name, scans(), layers.start(64), follow=told)


@slow
def right_run(follow: Follow, settings: Settings) -> Run:
    """The listing without a mistake, trained alike."""
    steps = engine.begin(torch_autograd.train, scans(), layers.start(64), settings)
    said = "The right listing: step {:,} of {:,}."
    return watch(follow(steps, settings.steps, said), scans(), at=[settings.steps])


def _pictures(play: Play, places: Any, right: Run, wrong: Run | None, name: str) -> None:
    play(
        _timeline(right, wrong),
        begin=(len(right.losses) - 1, None),
        stops=[1, 5, 20, 60],
        readout={"loss": (0, None)},
        whose=RIGHT.label,
        table={"loss": "loss", "test images read correctly, share": "test"}
        | ({"loss with the mistake": "wrong_loss", "share with it": "wrong_test"} if wrong else {}),
    )
    left, other = places
    with left:
        show(_accuracy(right, wrong), key="accuracy")
    with other:
        if name == "zeros" and wrong:
            _show_weights(right, wrong)
        else:
            show(_losses(right, wrong), key="losses")


def _beginning(run: Run, steps: int) -> Run:
    """The first steps of a run, as far as the pictures need it."""
    return run._replace(
        losses=run.losses[:steps],
        train_accuracy=run.train_accuracy[:steps],
        test_accuracy=run.test_accuracy[:steps],
    )


@cached
def _timeline(right: Run, wrong: Run | None) -> Timeline:
    columns = {"loss": right.losses, "test": right.test_accuracy}
    series = every_step(columns)
    if wrong:
        columns = {"wrong_loss": wrong.losses, "wrong_test": wrong.test_accuracy}
        series |= some_steps(columns, np.arange(len(wrong.losses)))
    return Timeline(series, len(right.losses) - 1, parts=WHOLE_STEPS)


def _accuracy(right: Run, wrong: Run | None) -> Figure:
    shown = [Line(TESTED[0], 100 * right.test_accuracy)]
    if wrong:
        shown.append(Line(LEARNT, 100 * wrong.train_accuracy))
        shown.append(Line(TESTED[1], 100 * wrong.test_accuracy))
    return lines(
        shown,
        title="Images read correctly, in percent",
        y="",
        description="How many of a hundred test images are read correctly, against step, in the "
        "right run and in the one with the mistake, dashed; dotted, how many of those that the "
        "latter learns from.",
        log=False,
        highest=100,
        follows=True,
    )


def _losses(right: Run, wrong: Run | None) -> Figure:
    shown = [Line(RIGHT, right.losses)]
    if wrong:
        shown.append(Line(WRONG, wrong.losses))
    return lines(
        shown,
        title="The loss",
        y="",
        description="The loss of the batch of a step, against step, on a logarithmic axis; that "
        "with the mistake dashed.",
        follows=True,
    )


def _show_weights(right: Run, wrong: Run) -> None:
    """Weights of the first units at the end of both runs."""
    kept = {"right": _as_images(right), "mistake": _as_images(wrong)}
    for which, images in kept.items():
        show_images(
            images,
            brightest=float(np.abs(kept["right"]).max()),
            title=f"{UNITS} units: {which}",
            told="A square for each unit, with a pixel for each of its first weights at the end.",
            columns=COLUMNS,
            signed=True,
            key=f"weights {which}",
        )


def _as_images(run: Run) -> NDArray[Any]:
    side = scans().side
    images: NDArray[Any] = run.weights["w1"][-1].astype(np.float32)[:, :UNITS].T
    return images.reshape(UNITS, side, side)


def _percent(shares: NDArray[np.float64]) -> str:
    """The last of them."""
    return f"{100 * shares[-1]:.1f}\N{NO-BREAK SPACE}%"


def _how_it_went(outcome: Outcome, right: Run) -> str:
    """HTML: how it ended, beside the right one."""
    if outcome.crash or outcome.run is None:
        return (
            "<b>It stops in the first step.</b> Of all the mistakes here it is the kindest: you "
            "are told at once, and in which line."
        )
    wrong = outcome.run
    well = _percent(right.test_accuracy)
    last = len(wrong.losses) - 1
    if outcome.end == "overflow":
        return (
            f"<b>The loss overflows at step {last}.</b> From then on there are no numbers to learn "
            f"with. After {len(right.losses) - 1} steps the right listing reads {well} of the test "
            "images."
        )
    told = [
        f"At step {last} it reads <b>{_percent(wrong.train_accuracy)}</b> of the images it learns "
        f"from, and <b>{_percent(wrong.test_accuracy)}</b> of the test images. The right listing "
        f"reads {well} of those."
    ]
    if outcome.different == 1:
        told.append(f"All {layers.SIZES[0]} units of the first layer still have equal weights.")
    elif (dead := wrong.dead[-1]).tolist() == list(layers.SIZES[:2]):
        told.append(f"All {dead.sum()} hidden units pass nothing on, for any test image.")
    return " ".join(told)
