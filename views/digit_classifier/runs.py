"""The runs of this page: which ones can be asked for, and what is kept of them for all visitors."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.digit_classifier import layers, torch_autograd
from engines.digit_classifier.digits import BATCH, Digits, scans
from engines.digit_classifier.recording import Recorder, Run, moments
from engines.trace import Drawn, Trace, made_by
from views.ui import shell, turns
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.shell import Here
from views.ui.slow_run import Follow, slow

STEPS = 300
RUNNING, STOPPED = "running", "stopped run"  # in the session: settings, and what there is
NO_MNIST = "no MNIST"  # in the session: why it could not be had
IMAGES = {"scans": "scans, 8 by 8", "mnist": "MNIST, 28 by 28"}
INPUTS = {"scans": 64, "mnist": 784}  # numbers of an image
LOSSES = {"mean_squared_error": "mean squared error", "cross_entropy": "cross-entropy"}
OPTIMIZERS = {"gradient_descent": "gradient descent", "momentum": "momentum", "adam": "Adam"}
TIMES = {"1/4": "a quarter", "1/2": "half", "1": "usual", "2": "twice"}
BATCHES = {"32": "32", "128": "128", "512": "512"}
# By loss and optimizer, a rate that learns quickly and does not overflow with 64 inputs.
RATES = {
    ("mean_squared_error", "gradient_descent"): 0.5,
    ("mean_squared_error", "momentum"): 0.05,
    ("mean_squared_error", "adam"): 0.001,
    ("cross_entropy", "gradient_descent"): 0.1,
    ("cross_entropy", "momentum"): 0.02,
    ("cross_entropy", "adam"): 0.001,
}


class Settings(NamedTuple):
    """What a run depends on, by name."""

    loss: str = "mean_squared_error"
    optimizer: str = "gradient_descent"
    times: str = "1"
    batch: int = BATCH
    images: str = "scans"

    @property
    def rate(self) -> float:
        """The learning rate.

        A step changes a sum of the first layer by the rate times the squares of all inputs, so it
        has to be the shorter, the more of them there are. Adam divides that out itself.
        """
        rate = RATES[self.loss, self.optimizer] * float(Fraction(self.times))
        return rate if self.optimizer == "adam" else rate * INPUTS["scans"] / INPUTS[self.images]


def choose(here: Here) -> Settings:
    """The controls for a run, in the place for what is not the chapter's point.

    Where somebody asks for MNIST and it cannot be had, it is said why, and the scans are used.
    """
    controls = here.controls
    if why := st.session_state.pop(NO_MNIST, None):
        st.session_state["images"] = "scans"
        controls.tell(f"MNIST could not be had, so these are the scans. {why}")
    with here.settings, st.popover("Settings"):
        images = controls.pills("Images", "images", IMAGES, "scans")
        loss = controls.pills("Loss", "loss", LOSSES, "mean_squared_error")
        optimizer = controls.pills("Update", "optimizer", OPTIMIZERS, "gradient_descent")
        times = controls.pills("Learning rate", "times", TIMES, "1")
        batch = controls.pills("Images a step", "batch", BATCHES, str(BATCH))
        settings = Settings(loss, optimizer, times, int(batch), images)
        st.caption(f"The rate is {number(settings.rate, 3)}.")
    if images == "mnist":
        _wait_for_mnist()
    return settings


def _wait_for_mnist() -> None:
    with shell.loading("TensorFlow"):
        from engines.digit_classifier import mnist
    place = st.empty()
    with (
        turns.given_back(place),
        place,
        st.spinner("Asking Keras for MNIST."),
    ):
        offer = mnist.offer()
    if offer.digits is None:
        st.session_state[NO_MNIST] = offer.why
        Controls.moved()
        st.rerun()


def digits(settings: Settings) -> Digits:
    """The digits that this page learns to read, with settings that it has chosen."""
    if settings.images == "scans":
        return scans()
    from engines.digit_classifier import mnist  # which TensorFlow comes with

    found = mnist.offer().digits
    assert found is not None
    return found


def count(settings: Settings) -> int:
    """How many numbers are learnt."""
    return layers.count(layers.start(INPUTS[settings.images]))


def run_of(settings: Settings) -> Run:
    """The run, or as much of it as there was when this visitor stopped it."""
    if was_stopped(settings):
        stopped: Run = st.session_state[STOPPED][1]
        return stopped
    place = st.empty()
    if not trained.known(settings):
        place.button("Stop here", on_click=_stop, key="stop training")
    run = trained(settings)
    place.empty()
    return run


def some_moments(run: Run, count: int) -> NDArray[np.intp]:
    """Places in `at`: so many of the moments at which weights are kept, the last among them."""
    return np.unique(np.linspace(0, len(run.at) - 1, count).round().astype(np.intp))


def was_stopped(settings: Settings) -> bool:
    """Whether the run is one that this visitor stopped."""
    return bool(st.session_state.get(STOPPED, ((),))[0] == settings)


def go_on() -> None:
    """A button with which a run that was stopped is trained to its end."""
    st.button("Train to the end", on_click=_forget)


def _stop() -> None:
    settings, recorder = st.session_state.get(RUNNING, (None, None))
    if recorder:
        with suppress(ValueError):  # before its first step there is nothing to show
            st.session_state[STOPPED] = settings, recorder.run()
    Controls.moved()


def _forget() -> None:
    st.session_state.pop(STOPPED, None)
    Controls.moved()


def as_program(
    settings: Settings, losses: Any, engine: Any = torch_autograd, *, steps: int | None = None
) -> Trace:
    """A run of these settings, of which only the losses are kept, with what made it.

    With MNIST, which is too much to write into a program, nothing is said of that. engine: a module
    with the listing.
    """
    if settings.images == "mnist":
        return Trace(np.asarray(losses), {}, {})
    start = Drawn(layers.start, (INPUTS[settings.images],))
    given: dict[str, Any] = {"digits": digits(settings), "start": start}
    made = made_by(engine.train, **given, **arguments(settings, engine, steps=steps))
    return Trace(np.asarray(losses), {}, {}, made)


def arguments(
    settings: Settings, engine: Any = torch_autograd, *, steps: int | None = None
) -> dict[str, Any]:
    """How the listing of this module is trained with these settings. steps: STEPS if not said."""
    return {
        "steps": steps or STEPS,
        "learning_rate": settings.rate,
        "batch": settings.batch,
        "loss_of": getattr(engine, settings.loss),
        "optimizer": getattr(engine, settings.optimizer),
    }


@slow
def trained(follow: Follow, settings: Settings) -> Run:
    """A run in PyTorch, from the same start as all others."""
    learnt, start = digits(settings), layers.start(INPUTS[settings.images])
    steps: Any = torch_autograd.train(learnt, start, **arguments(settings))
    recorder = Recorder(learnt, at=moments(STEPS, layers.count(start)))
    st.session_state[RUNNING] = settings, recorder
    run = recorder.watch(follow(steps, STEPS, "It is learning: step {:,} of {:,}."))
    st.session_state.pop(RUNNING)
    return run
