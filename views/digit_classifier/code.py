"""The code: two numbers by hand, a network in PyTorch, and on TensorFlow's tape, line by line."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent, indent
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.digit_classifier import layers, tf_tape, torch_autograd
from engines.listing import source_of
from engines.regression import numpy_vectorized
from views.digit_classifier import runs
from views.digit_classifier.runs import Settings
from views.player import (
    Phase,
    Timeline,
    cached,
    every_step,
    highlighted,
    listing,
    live,
    now,
    paragraphs,
    show_story,
)
from views.ui.shell import Here, side_by_side
from views.ui.slow_run import Follow, slow
from views.ui.staging import beside, stage

STEPS = 50
OPENS = 20
INTO = 4 * " "  # what is called stands below its call
HEADS = ("2 numbers, by hand", "{:,} numbers, PyTorch", "{:,} numbers, TensorFlow")
NAMES = ("predict", "loss", "gradient", "update")


class Both(NamedTuple):
    """The loss before each update, in PyTorch and on the tape, shape (k,) each."""

    torch: NDArray[np.float64]
    tape: NDArray[np.float64]


def show_stage(here: Here) -> Settings:
    """The four lines in three columns, and the losses of both frameworks at the step shown."""
    settings = runs.choose(here)
    with stage(here) as play:
        both = in_both(settings)
        play(
            _timeline(both),
            ran={
                "PyTorch": runs.as_program(settings, both.torch, steps=STEPS),
                "TensorFlow": runs.as_program(settings, both.tape, tf_tape, steps=STEPS),
            },
            begin=(OPENS, None),
            stops=[1, 5],
            readout={"loss": (Phase.LOSS, None)},
            whose="PyTorch",
            table={"loss in PyTorch": "loss", "loss on the tape": "tape", "apart by": "apart"},
        )
        show_story(_told(settings), key="story")
        [place] = beside(1)
        with place:
            live(_table(settings), key="four lines")
    return settings


@slow
def in_both(follow: Follow, settings: Settings) -> Both:
    """The same run in both, from the same arrays."""
    losses = []
    for engine, name in ((torch_autograd, "PyTorch"), (tf_tape, "TensorFlow")):
        steps: Any = engine.train(
            runs.digits(settings),
            layers.start(runs.INPUTS[settings.images]),
            **runs.arguments(settings, engine, steps=STEPS),
        )
        said = f"{name}: step {{:,}} of {{:,}}."
        losses.append([float(step.loss) for step in follow(steps, STEPS, said)])
    return Both(*(np.array(one) for one in losses))


@cached
def _timeline(both: Both) -> Timeline:
    apart = np.abs(both.torch - both.tape) / both.torch
    return Timeline(
        every_step({"loss": both.torch, "tape": both.tape, "apart": apart}), len(both.torch) - 1
    )


def _told(settings: Settings) -> str:
    """HTML: what is told in each phase, and last of the whole step."""
    told = [
        "<b>Predict.</b> One multiplication has become three layers. Keras keeps their weights in "
        "a model; in PyTorch they stand in the line.",
        f"<b>The loss</b> is still one number: {now('loss')} in PyTorch, and {now('tape')} on the "
        "tape.",
        "<b>The gradient.</b> By hand it is worked out on paper, a line for each number. For six "
        "arrays one call does it, and the chain rule inside is the same.",
        "<b>The update.</b> Every number takes a small step against its gradient.",
        "<b>These are the four lines of Manual gradients</b>, for two numbers and for "
        f"{runs.count(settings):,}: predict, loss, gradient, update. Both frameworks began with "
        f"the same arrays; at this step their losses are {now('loss', digits=8)} and "
        f"{now('tape', digits=8)}.",
    ]
    return paragraphs(told)


def tell(settings: Settings) -> None:
    """Below the stage: both listings, whole."""
    places = side_by_side(2)
    for place, engine in zip(places, (torch_autograd, tf_tape), strict=True):
        with place:
            name = engine.__name__.rsplit(".", 1)[-1]
            source = [getattr(engine, one) for one in (settings.loss, settings.optimizer, "train")]
            listing("\n\n".join(map(source_of, source)), {}, title=f"{name}.py", key=name)


def rows(settings: Settings) -> list[list[str]]:
    """For each phase, what each of the three listings has for that: its own lines, as they ran."""
    hand = numpy_vectorized.train
    torch, tape = torch_autograd.train, tf_tape.train
    losses, updates = (
        [getattr(engine, name) for engine in (torch_autograd, tf_tape)]
        for name in (settings.loss, settings.optimizer)
    )
    loss = "loss = "
    return [
        [_lines(hand, "y_pred"), _lines(torch, "h1", "h2", "out"), _lines(tape, "with", "out")],
        [
            _lines(hand, loss),
            *(
                _lines(train, loss) + "\n" + indent(_lines(one, "log_shares", "return"), INTO)
                for train, one in zip((torch, tape), losses, strict=True)
            ),
        ],
        [
            _lines(hand, "grad_"),
            _lines(torch, "loss.backward", "grads ="),
            _lines(tape, "grads ="),
        ],
        [_lines(hand, "w =", "b ="), *map(_of_loop, updates)],
    ]


def _lines(function: Callable[..., Any], *starts: str) -> str:
    """The lines of a listing that begin so."""
    lines = source_of(function).splitlines()
    return dedent("\n".join(line for line in lines if line.strip().startswith(starts)))


def _of_loop(update: Callable[..., Any]) -> str:
    """What an update does for each array: the lines of its innermost loop."""
    lines = source_of(update).splitlines()
    first = next(i for i, line in enumerate(lines) if line.strip().startswith("for p"))
    body = [line for line in lines[first + 1 :] if line.startswith(12 * " ")]
    return dedent("\n".join(line for line in body if not line.strip().startswith("#")))


@cached
def _table(settings: Settings) -> str:
    """HTML: the `rows`, each marked while slow motion is in its phase, with the losses."""
    values = ["", now("loss", known=Phase.LOSS, digits=8), now("tape", known=Phase.LOSS, digits=8)]
    heads = [head.format(runs.count(settings)) for head in HEADS]
    told = []
    for phase, (name, cells) in enumerate(zip(NAMES, rows(settings), strict=True)):
        columns = ""
        for head, cell, value in zip(heads, cells, values, strict=True):
            code = "".join(f"<code>{line}</code>" for line in highlighted(cell))
            said = f"<b>{value}</b>" if phase == Phase.LOSS else ""
            columns += f'<td data-head="{head}"><pre>{code}</pre>{said}</td>'
        told.append(f'<tr data-moments="{phase}"><th>{name}</th>{columns}</tr>')
    above = "".join(f"<th>{head}</th>" for head in heads)
    return f'<table class="digits lines"><tr><td></td>{above}</tr>{"".join(told)}</table>'
