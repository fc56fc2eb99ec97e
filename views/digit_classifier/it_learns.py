"""It learns: test images, the wrong ones marked, while loss and accuracy go their way."""

from __future__ import annotations

import numpy as np

from engines.digit_classifier.digits import Digits
from engines.digit_classifier.recording import Run
from views.digit_classifier import runs
from views.digit_classifier.confusion import counts, matrix
from views.digit_classifier.image_grid import show_images
from views.digit_classifier.runs import Settings
from views.player import WHOLE_STEPS, Figure, Timeline, cached, every_step, now, say, show
from views.ui.line_chart import Line, lines
from views.ui.numbers import number
from views.ui.palette import DATA, MODEL, Look
from views.ui.shell import Here
from views.ui.staging import beside, stage

OPENS = 20
COLUMNS, SHOWN = 8, 96  # test images on the wall: rather high than wide
LEARNT, TESTED = Look("training", DATA, (6, 4)), Look("test", MODEL)


def show_stage(here: Here) -> Run:
    """The wall of test images, the two curves, and the table of what is read as what."""
    settings = runs.choose(here)
    with stage(here) as play:
        run = runs.run_of(settings)
        digits = runs.digits(settings)
        timeline = _timeline(run, digits)
        play(
            timeline,
            ran={"": runs.as_program(settings, run.losses)},
            begin=(min(OPENS, len(run.losses) - 1), None),
            stops=_stops(run),
            readout={"loss": (0, None)},
            table={
                "loss": "loss",
                "test images read correctly": "right",
                "of the test images, share": "test",
                "of the images it learns from, share": "train",
            },
        )
        say(_told(run, settings))
        if runs.was_stopped(settings):
            runs.go_on()
        wall, curves, table = beside([8, 7, 9])
        with wall:
            show_images(
                digits.test_images[:SHOWN],
                brightest=digits.brightest,
                title=f"{SHOWN} of the {len(digits.test_images)} test images",
                told=f"{SHOWN} test images, {{wrong}} of them misread: those have a frame, and in "
                "a corner the digit that is read.",
                columns=COLUMNS,
                labels=digits.test_labels[:SHOWN],
                read=run.predicted[:, :SHOWN],
                key="wall",
            )
        with curves:
            show(_accuracy(run), key="accuracy")
            show(_loss(run), key="loss curve")
        with table:
            most = int(np.bincount(digits.test_labels).max())
            show(matrix(most, timeline), key="confusion")
    return run


@cached
def _timeline(run: Run, digits: Digits) -> Timeline:
    columns = {
        "loss": run.losses,
        "test": run.test_accuracy,
        "train": run.train_accuracy,
        "percent": np.round(100 * run.test_accuracy, 1),
        "right": np.round(run.test_accuracy * run.predicted.shape[1]),
    }
    series = counts(run, digits) | every_step(columns)
    return Timeline(series, len(run.losses) - 1, parts=WHOLE_STEPS)


def _stops(run: Run) -> list[int]:
    """Where a half, nine tenths and 95 of 100 test images are first read correctly."""
    return [
        int(np.argmax(run.test_accuracy >= share))
        for share in (0.5, 0.9, 0.95)
        if run.test_accuracy.max() >= share
    ]


def _told(run: Run, settings: Settings) -> str:
    """HTML: how many test images are read correctly at this step, and in the end."""
    tested = run.predicted.shape[1]
    first = (
        "<b>Predict, loss, gradient, update</b>, as with two numbers. These "
        f"{runs.count(settings):,} began at random. By this step they read "
        f"<b>{now('right', digits=0)}</b> of {tested} images that they never learn from."
    )
    if not np.isfinite(run.losses[-1]):
        return f"{first} The rate is too far: the loss overflows at step {len(run.losses) - 1}."
    if len(run.losses) <= runs.STEPS:
        return f"{first} Here the training was stopped."
    return (
        f"{first} In the end it is {round(run.test_accuracy[-1] * tested)}, which is "
        f"{number(100 * run.test_accuracy[-1], 3)}\N{NO-BREAK SPACE}%."
    )


def _accuracy(run: Run) -> Figure:
    return lines(
        [
            Line(LEARNT, 100 * run.train_accuracy),
            Line(TESTED, 100 * run.test_accuracy),
        ],
        title="Read correctly, in percent",
        x="",
        y="",
        description="How many of a hundred images are read correctly, against step.",
        log=False,
        highest=100,
        follows=True,
    )


def _loss(run: Run) -> Figure:
    return lines(
        [Line(Look("loss", MODEL), run.losses)],
        title="The loss of the batch",
        y="",
        legend=False,
        description="The loss of the batch that a step learns from, against step.",
        follows=True,
    )
