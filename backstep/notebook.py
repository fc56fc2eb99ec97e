"""The player in a notebook, below the cell that records a training."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from backstep import terminal
from backstep.offline import page
from engines.own_training.functions import record_function
from engines.own_training.recording import MOST, Recording
from engines.own_training.run import RefusedError, record_file

HEIGHT = 1000  # pixels


class Player:
    """A recording that a notebook shows as the player."""

    def __init__(self, recording: Recording, height: int) -> None:
        """height: in pixels."""
        self.recording = recording
        self._height = height
        self._page = page(recording)

    def save(self, file: str | Path) -> None:
        """Write the player as one HTML file, which plays without a server and without a network."""
        Path(file).write_text(self._page, encoding="utf-8")

    def _repr_html_(self) -> str:
        style = f"width: 100%; height: {self._height}px; border: 0"
        title = escape(f"The training of {self.recording.title}")
        return f'<iframe title="{title}" style="{style}" srcdoc="{escape(self._page)}"></iframe>'

    def __repr__(self) -> str:
        """For where no HTML is shown."""
        return f"<{self.recording.title}: {terminal.summary(self.recording)}>"


def play(training: Any, *arguments: Any, steps: int = MOST, height: int = HEIGHT) -> Player | None:
    """Record a training, and show it as the last thing of a cell.

    training: a function that trains when it is called with the arguments, a generator that has not
    begun, or the path of a program. steps: it is ended after so many. What cannot be recorded is
    said in words, and there is no player then. An error of the training ends it, and is told.
    """
    try:
        if isinstance(training, str | Path):
            recorded = record_file(Path(training).absolute(), steps=steps)
        else:
            recorded = record_function(training, *arguments, steps=steps)
    except RefusedError as refused:
        terminal.say(str(refused))
        return None
    if recorded.failure:
        terminal.tell_failure(recorded.failure)
    return Player(recorded, height) if recorded.passes else None
