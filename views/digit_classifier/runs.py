"""The runs of this page: which ones can be asked for, and what is kept of them for all visitors."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engines.digit_classifier import layers, torch_autograd
from engines.digit_classifier.digits import BATCH, Digits, scans
from engines.digit_classifier.recording import Recorder, Run, moments
from engines.trace import Drawn, Made, made_by
from views.ui.controls import Controls
from views.ui.numbers import number
from views.ui.slow_run import Follow, slow

STEPS = 300
RUNNING, STOPPED = "running", "stopped run"  # in the session: settings, and what there is
LOSSES = {"mean_squared_error": "mean squared error", "cross_entropy": "cross-entropy"}
OPTIMIZERS = {"gradient_descent": "gradient descent", "momentum": "momentum", "adam": "Adam"}
TIMES = {"1/4": "a quarter", "1/2": "half", "1": "usual", "2": "twice"}
BATCHES = {"32": "32", "128": "128", "512": "512"}
# By loss and optimizer, a rate that learns quickly and does not overflow.
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

    @property
    def rate(self) -> float:
        """The learning rate."""
        parts = self.times.split("/")
        return RATES[self.loss, self.optimizer] * float(parts[0]) / float(parts[-1])


def choose(controls: Controls) -> Settings:
    """The controls for a run, in the place for what is not the chapter's point."""
    with st.popover("Settings"):
        loss = controls.pills("Loss", "loss", LOSSES, "mean_squared_error")
        optimizer = controls.pills("Update", "optimizer", OPTIMIZERS, "gradient_descent")
        times = controls.pills("Learning rate", "times", TIMES, "1")
        batch = controls.pills("Images a step", "batch", BATCHES, str(BATCH))
        settings = Settings(loss, optimizer, times, int(batch))
        st.caption(f"The rate is {number(settings.rate, 3)}.")
    return settings


def digits() -> Digits:
    """The digits that this page learns to read."""
    return scans()


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


def made(settings: Settings) -> Made:
    """What makes the run of these settings."""
    start = Drawn(layers.start, (digits().side ** 2,))
    return made_by(torch_autograd.train, digits=digits(), start=start, **_arguments(settings))


def _arguments(settings: Settings) -> dict[str, Any]:
    return {
        "steps": STEPS,
        "learning_rate": settings.rate,
        "batch": settings.batch,
        "loss_of": getattr(torch_autograd, settings.loss),
        "optimizer": getattr(torch_autograd, settings.optimizer),
    }


@slow
def trained(follow: Follow, settings: Settings) -> Run:
    """A run in PyTorch, from the same start as all others."""
    start = layers.start(digits().side ** 2)
    steps: Any = torch_autograd.train(digits(), start, **_arguments(settings))
    recorder = Recorder(digits(), at=moments(STEPS, layers.count(start)))
    st.session_state[RUNNING] = settings, recorder
    run = recorder.watch(follow(steps, STEPS, "It is learning: step {:,} of {:,}."))
    st.session_state.pop(RUNNING)
    return run
