"""What the command says, on standard error: what the program itself prints is left alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engines.own_training.recording import Failure, Pass, Recording

EVERY = 0.2  # seconds between two words on how far it is
ENDED = {
    "finished": "",
    "enough": " It was ended there; --steps says after how many.",
    "interrupted": " It was ended there by Ctrl+C.",
    "error": "",
}


def say(text: str) -> None:
    """A line of the command's own."""
    print(f"backstep: {text}", file=sys.stderr, flush=True)


def summary(recording: Recording) -> str:
    """What was recorded, in a sentence or two."""
    failure = recording.failure
    died = failure.step if failure else None
    steps = len(recording.passes) - (died is not None)
    graphs = [step.step for step in recording.graphs]
    nodes = max((len(step.graph.nodes) for step in recording.graphs), default=0)
    whole = "whole " * (died is not None)
    told = f"{steps or 'No'} {whole}step{'s' * (steps > 1)} recorded."
    told += ENDED[recording.ended]
    if died is not None:
        told += f" Step {died} is recorded as far as it came: the error was raised "
        if recording.passes[died].backward:
            told += "after backward()."
        else:
            told += "before backward() had ended, so it has no gradients."
    if graphs:
        which = f"Graphs of steps {', '.join(map(str, graphs))}: up to"
        told += f" {which if len(graphs) > 1 else f'Graph of step {graphs[0]}:'} {nodes} nodes."
    if recording.too_many:
        told += (
            f" A graph of more than {recording.too_many} nodes is too large to be shown: of that "
            "step only losses and gradients are kept."
        )
    return told


def tell_failure(failure: Failure) -> None:
    """What Python says of an error of the program, and what that means, if it is known."""
    from views.ui.errors import explanation  # noqa: PLC0415  # it loads Streamlit

    print(failure.told, end="", file=sys.stderr)
    where = f" in line {failure.line}" if failure.line else ""
    say(f"The program ended{where} with that {failure.error}.")
    phrases, mend = explanation(failure.message)
    for phrase, meaning in phrases.items():
        print(f"  “{phrase}”: {meaning}", file=sys.stderr)
    if mend:
        print(f"  To mend it: {mend}", file=sys.stderr)


@contextmanager
def progress(most: int) -> Iterator[Callable[[int, Pass], None]]:
    """Yields what is to be called after each step. In a terminal it keeps one line up to date."""
    shows, last = sys.stderr.isatty(), [0.0]

    def told(step: int, passed: Pass) -> None:
        if shows and time.monotonic() - last[0] > EVERY:
            last[0] = time.monotonic()
            losses = "  ".join(f"{name} {loss:.6g}" for name, loss in passed.losses.items())
            print(f"\r\033[Kstep {step} of {most} at most  {losses}", end="", file=sys.stderr)

    try:
        yield told
    finally:
        if shows:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
