"""Inside: what training added to the first weights, and which pixels an output answers to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.digit_classifier import layers, tf_saliency, torch_saliency
from engines.digit_classifier.digits import DIGITS, Digits
from engines.digit_classifier.inside import strongest
from engines.digit_classifier.recording import Run
from engines.listing import source_of
from views.digit_classifier import runs
from views.digit_classifier.image_grid import clicked, show_images
from views.player import WHOLE_STEPS, Timeline, cached, every_step, listing, now, say, some_steps
from views.ui.controls import Controls
from views.ui.shell import Here, side_by_side
from views.ui.staging import beside, stage

COMPARED = 24  # moments at which weights are shown
COLUMNS = {8: 6, 28: 4}  # of the wall, by the side of an image: it has as many rows
ANSWERED = 6  # test images
SHOWN = {"added": "what training added", "weights": "the weights themselves"}
WALL = "units"
EACH = {str(digit): str(digit) for digit in range(DIGITS)}


class Units(NamedTuple):
    """The first weights of the units whose sums training changed most, the most changed first.

    at: m of the steps at which weights are kept. which: the units, shape (u,). weights, added:
    shape (m, u, side, side), the second what they are more than at step 0. share: the length of
    what was added over that of the beginning, in percent, shape (m,), of all the units.
    """

    at: NDArray[np.intp]
    which: NDArray[np.intp]
    weights: NDArray[np.float32]
    added: NDArray[np.float32]
    share: NDArray[np.float64]


class Answers(NamedTuple):
    """What a unit answers to. at: m steps; images: of the tests, shape (m, ANSWERED), −1 for none.

    passes: for how many of the test images it lets something pass, shape (m,).
    """

    at: NDArray[np.intp]
    images: NDArray[np.intp]
    passes: NDArray[np.intp]


class Slopes(NamedTuple):
    """At m steps the gradient of an output by the pixels of an image, as both frameworks find it.

    by_backward, by_tape: shape (m, side, side).
    """

    at: NDArray[np.intp]
    by_backward: NDArray[np.float32]
    by_tape: NDArray[np.float32]


def show_stage(here: Here) -> None:
    """A wall of units, one of them with the images it answers to, and the slopes of an output."""
    settings = runs.choose(here)
    digits = runs.digits(settings)
    columns = COLUMNS[digits.side]
    shown_units = columns**2
    with stage(here) as play:
        place = clicked(WALL)
        if place is not None and place < shown_units:
            st.session_state["unit"] = place + 1
            Controls.moved()
        run = runs.run_of(settings)
        units, story = _units(run, digits, shown_units), st.container()
        wall, alone, slopes = beside([5, 4, 4])
        with wall:
            view = here.controls.pills(
                "Shown of each unit", "view", SHOWN, "added", label_visibility="collapsed"
            )
        with alone:
            unit = int(here.controls.number("Unit", "unit", 1, 1, shown_units, width=130))
        with slopes, st.container(horizontal=True, gap="small"):
            digit = _one(here.controls, "Test image", "image", "3")
            output = _one(here.controls, "Output", "output", "3")
        answers = _answers(run, digits, int(units.which[unit - 1]))
        shown = int(run.shown[digit])
        slopes_at, by_backward, by_tape = _slopes(run, digits, shown, output)
        play(
            _timeline(run, digits, units.share, answers, image=shown, output=output),
            ran={"": runs.as_program(settings, run.losses)},
            begin=(len(run.losses) - 1, None),
            stops=[1, 5, 20],
            readout={"loss": (0, None)},
            table={
                "what training added, in percent": "share",
                "test images that the unit answers to": "passes",
                f"output {output} for the test image": "output",
            },
        )
        with story:
            say(
                "Each square is a unit: the weights by which it multiplies the pixels, <b>teal "
                "where ink makes it stronger, brown where weaker</b>. They began as noise, and "
                f"training added <b>{now('share', digits=2)}\N{NO-BREAK SPACE}%</b> of their "
                f"size. Unit {unit} answers to <b>{now('passes', digits=0)}</b> of "
                f"{len(digits.test_images)} test images. On the right, the same "
                "<code>backward()</code> says which pixels an output answers to."
            )
        pixels = units.added if view == "added" else units.weights
        with wall:
            _show_frames(
                pixels,
                units.at,
                title=f"{shown_units} of {layers.SIZES[0]} units, the most changed",
                told=f"A square for each unit, a pixel for each of its weights: {SHOWN[view]}.",
                columns=columns,
                chosen=unit - 1,
                key=WALL,
            )
        with alone:
            _show_frames(
                pixels[:, [unit - 1]],
                units.at,
                title=f"Unit {unit}",
                told=f"A pixel for each weight of the unit that is chosen: {SHOWN[view]}.",
                columns=1,
                key="unit alone",
                scale=_scale(pixels),
            )
            show_images(
                digits.test_images,
                brightest=digits.brightest,
                title="Test images it answers to most",
                told="The test images for which the unit passes on most, the strongest first.",
                columns=ANSWERED // 2,
                picks=answers.images,
                at=answers.at,
                key="answered",
            )
        with slopes:
            show_images(
                digits.test_images[[shown]],
                brightest=digits.brightest,
                title=f"A test image of a {digit}",
                told="The image at whose pixels the slopes are taken.",
                columns=1,
                key="image shown",
            )
            _show_frames(
                np.stack([by_backward, by_tape], axis=1),
                slopes_at,
                title=f"How output {output} answers to ink",
                told=f"The gradient of output {output} by each pixel, found by backward() and by "
                "the tape: teal where ink raises the output, brown where ink lowers it.",
                columns=2,
                names=["backward()", "the tape"] * len(slopes_at),
                scale=_scale(by_backward),
                key="slopes",
            )


def tell() -> None:
    """Below the stage: how both frameworks are asked for the slopes."""
    for place, engine in zip(side_by_side(2), (torch_saliency, tf_saliency), strict=True):
        with place:
            name = engine.__name__.rsplit(".", 1)[-1]
            listing(source_of(engine.saliency), {}, title=f"{name}.py", key=name)


def _one(controls: Controls, label: str, name: str, default: str) -> int:
    return int(controls.choice(st.selectbox, label, name, EACH, default, width=130) or default)


def _show_frames(
    frames: NDArray[Any], at: NDArray[np.intp], *, scale: float = 0.0, **how: Any
) -> None:
    """Images that change: shape (m, shown, side, side), one of m for each of the steps `at` on."""
    m, shown, side, _ = frames.shape
    show_images(
        frames.reshape(m * shown, side, side),
        brightest=scale or _scale(frames),
        picks=np.arange(m * shown).reshape(m, shown),
        at=at,
        signed=True,
        **how,
    )


def _scale(frames: NDArray[Any]) -> float:
    """What is drawn in full colour. A few pixels beyond it must not make all others pale."""
    return float(np.quantile(np.abs(frames[-1]), 0.99)) or 1.0


@cached
def _units(run: Run, digits: Digits, count: int) -> Units:
    moments = runs.some_moments(run, COMPARED)
    w1 = run.weights["w1"][moments].astype(np.float32)
    added = w1 - w1[0]
    # A weight counts for as much as its pixel varies: that of one which is always paper tells no
    # image from another.
    varies = digits.scaled(digits.images).std(axis=0)[:, None]
    which = np.argsort(-np.linalg.norm(added[-1] * varies, axis=0), kind="stable")[:count]
    share = 100 * np.linalg.norm(added, axis=(1, 2)) / np.linalg.norm(w1[0])
    shape = (len(moments), count, digits.side, digits.side)
    weights, added = (one[:, :, which].swapaxes(1, 2).reshape(shape) for one in (w1, added))
    return Units(run.at[moments], which, weights, added, share)


@cached
def _answers(run: Run, digits: Digits, unit: int) -> Answers:
    moments = runs.some_moments(run, COMPARED)
    x = digits.scaled(digits.test_images)
    images = np.full((len(moments), ANSWERED), -1, np.intp)
    passes = np.zeros(len(moments), np.intp)
    for i, moment in enumerate(moments):
        params = run.params(int(moment))
        found = strongest(unit, x, params, ANSWERED)
        images[i, : len(found)] = found
        passes[i] = np.sum(layers.answer(x, params).h1[:, unit] > 0)
    return Answers(run.at[moments], images, passes)


@cached
def _slopes(run: Run, digits: Digits, image: int, output: int) -> Slopes:
    moments = runs.some_moments(run, COMPARED)
    [x] = digits.scaled(digits.test_images[[image]])
    params = [run.params(int(moment)) for moment in moments]
    grads = [
        np.array([find(x, one, output) for one in params]).reshape(-1, digits.side, digits.side)
        for find in (torch_saliency.saliency, tf_saliency.saliency)
    ]
    return Slopes(run.at[moments], *grads)


@cached
def _timeline(
    run: Run,
    digits: Digits,
    share: NDArray[np.float64],
    answers: Answers,
    *,
    image: int,
    output: int,
) -> Timeline:
    x = digits.scaled(digits.test_images[[image]])
    moments = runs.some_moments(run, COMPARED)
    outputs = [layers.answer(x, run.params(int(i))).outputs[0, output] for i in moments]
    columns = {
        "passes": answers.passes.astype(np.float64),
        "output": np.array(outputs, np.float64),
        "share": share,
    }
    series = some_steps(columns, answers.at) | every_step({"loss": run.losses})
    return Timeline(series, len(run.losses) - 1, parts=WHOLE_STEPS)
