"""Colours with a meaning, the same on every page.

After Okabe and Ito's colours for colour-blind readers, each light enough for the dark theme and
dark enough for the light one. None of them ever says something alone: marks differ in shape,
place or label too.
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


ENGINES = {
    "numpy_vectorized": Look("NumPy, whole arrays", "#1f7fc4", shape="circle"),
    "numpy_loops": Look("NumPy, point by point", "#4aa8d8", shape="square"),
    "torch_autograd": Look("PyTorch, autograd", "#d95f02", shape="triangle-up"),
    "tf_tape": Look("TensorFlow, tape", "#0f9d76", shape="diamond"),
    "tf_session": Look("TensorFlow, session", "#bf68a5", shape="cross"),
}

DATA = "#7d8b99"
MODEL = ENGINES["numpy_vectorized"].color
RESIDUAL = "#c9a227"
GRADIENT = "#e0701a"
BEST = "#7a5fc0"
OTHER = "#0f9d76"  # a second run, neither right nor wrong
MISTAKE = "#c8443f"
QUIET = "#8b98a5"
