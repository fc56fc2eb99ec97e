"""Colours with a meaning, the same on every page.

Each colour means one thing, and each is light enough for the dark theme and dark enough for the
light one. None of them ever says something alone: marks differ in shape, place or label too. What
a visitor has chosen or is to look at is outlined in the colour of the text.
"""

from typing import NamedTuple


class Look(NamedTuple):
    """How a line or a mark looks: its name in a legend, its colour, its dashes, its shape.

    dash: the lengths that are drawn and left out by turns.
    """

    label: str
    color: str
    dash: tuple[int, int] = (1, 0)
    shape: str = "circle"


# Only where engines are compared with each other: a run that is looked at for itself is a MODEL.
ENGINES = {
    "numpy_vectorized": Look("NumPy, whole arrays", "#1798ac", shape="circle"),
    "numpy_loops": Look("NumPy, point by point", "#6fb9c6", shape="square"),
    "torch_autograd": Look("PyTorch, autograd", "#a8437f", shape="triangle-up"),
    "tf_tape": Look("TensorFlow, tape", "#8f961c", shape="diamond"),
    "tf_session": Look("TensorFlow, session", "#6d7a2f", shape="cross"),
}

DATA = "#7d8b99"
MODEL = "#1f7fc4"  # the run that is looked at: its curve, its path, what it has computed
RESIDUAL = "#c9a227"
GRADIENT = "#e0701a"  # gradients, and whatever goes backward
BEST = "#7a5fc0"  # what is aimed at: the lowest loss, the true values
OTHER = "#0f9d76"  # a second run or way that is neither right nor wrong
MISTAKE = "#c8443f"
QUIET = "#8b98a5"
PLUS, MINUS = "#13857b", "#a0622a"  # the signs of single numbers
