"""How a contest ended, in words, or why these numbers cannot tell: the same in every chapter."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from engines.benchmark.who_wins import FEW, Crossing
from views.gpu_speedup.contenders import digits


def verdict(contest: str, turn: Crossing, size_name: str) -> str:
    """A sentence. contest: as in "2 threads against 1 thread". size_name: "n", "hidden units"."""
    last = at(turn.largest, size_name)
    by = f"{digits(turn.times)} times as fast at {last}"
    since = at(about(turn.size), size_name) if turn.verdict == "crosses" else ""
    told = {
        "few": f"not known. Nowhere do both have {FEW} samples.",
        "overlap": f"too close to tell. At {last} their quartiles overlap: the middle half of the "
        "samples of one reaches into that of the other.",
        "level": f"too close to tell. At {last} the medians lie within a twentieth of each other.",
        "never": f"**not ahead** at {last}. There it takes {digits(1 / turn.times)} times as long.",
        "always": f"**ahead at every size** that was measured, and {by}.",
        "crosses": f"ahead **from about {since} on**, and {by}.",
    }[turn.verdict]
    if turn.settled and turn.unclear and turn.verdict == "always":
        told = f"**ahead** wherever these numbers can tell, and {by}."
    if turn.settled and turn.unclear and turn.verdict != "never":
        told += f" At {_listed(turn.unclear, size_name)} it is too close to tell."
    if turn.beyond > turn.largest and turn.verdict != "few":
        told += f" Of larger sizes there are fewer than {FEW} samples."
    return f"{contest}: {told}"


def answer(guess: float, turn: Crossing, name: str, size_name: str) -> str:
    """What was guessed, infinity for never, beside what was measured. name: of the framework."""
    said = "never" if math.isinf(guess) else f"from {at(guess, size_name)} on"
    if not turn.settled:
        return f"You said: **{said}**. For {name} these numbers cannot tell."
    if turn.verdict == "never" and math.isinf(guess):
        return f"You said: **{said}**. For {name} it is so, as far as was measured."
    if turn.verdict == "never":
        end = at(turn.largest, size_name)
        return f"You said: **{said}**. For {name} it was **not ahead** at {end}."
    near = turn.verdict == "crosses" and turn.size / 2 <= guess <= 2 * turn.size
    if near or (turn.verdict == "always" and guess <= turn.smallest):
        return f"You said: **{said}**. For {name} that was measured, to a factor of two."
    if turn.verdict == "always":
        start = at(turn.smallest, size_name)
    else:
        start = f"about {at(about(turn.size), size_name)}"
    return f"You said: **{said}**. For {name} it was **from {start} on**."


def at(size: float, size_name: str) -> str:
    """A size as it stands in a sentence: "n = 64", or "64 hidden units"."""
    return f"n = {size:,.0f}" if size_name == "n" else f"{size:,.0f} {size_name}"


def about(size: float) -> float:
    """To two figures: no crossing is known better than that."""
    return float(f"{size:.2g}")


def as_html(text: str) -> str:
    """Markdown of ours as HTML, for a story: what is bold there is bold here."""
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)


def _listed(sizes: Sequence[int], size_name: str) -> str:
    numbers = [f"{size:,}" for size in sizes]
    joined = " and ".join([", ".join(numbers[:-1]), numbers[-1]] if numbers[1:] else numbers)
    return f"n = {joined}" if size_name == "n" else f"{joined} {size_name}"
