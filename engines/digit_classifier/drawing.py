"""From the strokes of a pen to pixels, as those of the data were made from paper.

The scans were cut out, enlarged to fill a bitmap of 32 by 32, and counted in blocks of 4 by 4: see
digits.py. A drawing goes the same way, so that it may be drawn anywhere and at any size, with the
pen as thick as it takes to have as much ink as a scan.

Source: scikit-learn's description of `load_digits`; for MNIST, that of LeCun, Cortes and Burges: a
box of 20 by 20 in the middle of 28 by 28, by its centre of mass.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engines.digit_classifier.digits import Digits

Floats = NDArray[np.float64]
Strokes = Sequence[Sequence[tuple[float, float]]]  # each a line through points (x, y), y downwards
FINE = 4  # a pixel is counted in so many by so many places
PENS = np.arange(0.10, 0.33, 0.02)  # how thick a line may be, as a part of the image's height
INK = 0.305  # how much of a scan is ink, on the mean over all, and much the same for every digit
MNIST_PEN, MNIST_BOX = 0.1, 20 / 28


def pixels(strokes: Strokes, digits: Digits) -> NDArray[np.uint8]:
    """The image that a drawing becomes, shape (side, side), from 0 to `brightest`.

    strokes: in any unit, at least one point in all. Raises ValueError for none.
    """
    points = [point for stroke in strokes for point in stroke]
    if not points:
        raise ValueError("nothing is drawn")
    fine = digits.side * FINE
    if digits.side == 28:
        ink = _drawn(_placed(strokes, points, MNIST_BOX - MNIST_PEN), fine, MNIST_PEN)
        off = 0.5 - (np.argwhere(ink).mean(axis=0)[::-1] + 0.5) / fine  # of the centre of mass
        lines = [line + off for line in _placed(strokes, points, MNIST_BOX - MNIST_PEN)]
        ink = _drawn(lines, fine, MNIST_PEN)
    else:
        for pen in PENS:
            ink = _drawn(_placed(strokes, points, 1 - pen), fine, pen)
            if ink.mean() >= INK:
                break
    counts = ink.reshape(digits.side, FINE, digits.side, FINE).mean(axis=(1, 3))
    image: NDArray[np.uint8] = np.round(counts * digits.brightest).astype(np.uint8)
    return image


def _placed(strokes: Strokes, points: Sequence[tuple[float, float]], size: float) -> list[Floats]:
    """The strokes in the middle of the square from 0 to 1, its longer side `size` long."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    extent = float((high - low).max())
    scale = size / extent if extent else 0.0  # a dot stays one
    middle = (low + high) / 2
    return [(np.array(stroke) - middle) * scale + 0.5 for stroke in strokes if len(stroke)]


def _drawn(lines: Sequence[Floats], size: int, pen: float) -> NDArray[np.bool_]:
    """Where there is ink, shape (size, size). lines: of points in 0 to 1."""
    centres = (np.arange(size) + 0.5) / size
    at = np.stack(np.meshgrid(centres, centres), axis=-1)  # (size, size, 2), as (x, y)
    ink = np.zeros((size, size), bool)
    for line in lines:
        for a, b in zip(line, line[1:] if len(line) > 1 else line, strict=False):
            along = b - a
            length = float(along @ along)
            t = np.clip((at - a) @ along / length, 0, 1) if length else np.zeros((size, size))
            ink |= np.square(at - a - t[..., None] * along).sum(axis=-1) <= (pen / 2) ** 2
    return ink


def _arc(
    middle: tuple[float, float], radii: tuple[float, float], start: float, end: float
) -> list[tuple[float, float]]:
    """Part of an ellipse; angles in quarters of a turn, clockwise from the right."""
    angles = np.linspace(start, end, 24) * np.pi / 2
    return [
        (middle[0] + radii[0] * float(np.cos(t)), middle[1] + radii[1] * float(np.sin(t)))
        for t in angles
    ]


# A digit of each kind as somebody might write it, x and y from 0 to 1.
READY: dict[int, list[list[tuple[float, float]]]] = {
    0: [_arc((0.5, 0.5), (0.26, 0.4), -1, 3)],
    1: [[(0.36, 0.28), (0.54, 0.1), (0.54, 0.9)]],
    2: [[*_arc((0.5, 0.32), (0.24, 0.22), -2, 0.5), (0.28, 0.9), (0.78, 0.9)]],
    3: [[*_arc((0.46, 0.3), (0.24, 0.2), -1.7, 1), *_arc((0.46, 0.7), (0.26, 0.2), -1, 1.7)]],
    4: [[(0.42, 0.1), (0.26, 0.58), (0.76, 0.58)], [(0.6, 0.34), (0.56, 0.92)]],
    5: [[(0.74, 0.1), (0.34, 0.1), (0.32, 0.45), *_arc((0.48, 0.66), (0.26, 0.24), -1.2, 1.6)]],
    6: [[(0.62, 0.08), (0.4, 0.34), (0.31, 0.62), *_arc((0.5, 0.7), (0.2, 0.2), 2, -2)]],
    7: [[(0.24, 0.12), (0.76, 0.12), (0.44, 0.92)], [(0.34, 0.5), (0.7, 0.5)]],
    8: [[*_arc((0.5, 0.3), (0.15, 0.2), 1, 5), *_arc((0.5, 0.7), (0.19, 0.2), -1, -5)]],
    9: [[*_arc((0.5, 0.32), (0.21, 0.21), 0, -4), (0.69, 0.5), (0.6, 0.92)]],
}
