"""Handwritten digits: 1797 scans that ship with the app, and some of MNIST where it can be had.

The scans are the file behind scikit-learn's `load_digits`, byte for byte: the library itself, with
all it needs, is a hundred megabytes for 57 kB of data. A scan was a bitmap of 32 by 32; each of its
8 by 8 pixels counts how many of a block of 4 by 4 were on, from 0 to 16.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits" (1998), UCI Machine
Learning Repository, CC BY 4.0; scikit-learn 1.9.1, sklearn/datasets/data/digits.csv.gz.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_suffix(".csv.gz")
TESTED = 360  # of the 1797 scans
SEED = 13  # of the split
BATCH = 128  # images a step, where nothing else is said; the article takes 512
DIGITS = 10


@dataclass(frozen=True, eq=False)
class Digits:
    """Images with the digit that each one shows, split into those to learn from and the others.

    name: what they are called. images: shape (n, side, side), whole numbers from 0, which is paper,
    to `brightest`, which is ink. labels: shape (n,), 0 to 9. test_images, test_labels: the same of
    those that nothing is learnt from.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    brightest: int

    @property
    def key(self) -> str:
        """Equal for the same images: what a cache may go by."""
        return f"{self.name} {self.images.shape} {len(self.test_images)}"

    @property
    def side(self) -> int:
        """How many pixels an image is wide, and high."""
        return int(self.images.shape[1])

    def scaled(self, images: NDArray[Any], dtype: Any = np.float32) -> NDArray[Any]:
        """Images as the network is given them: rows of numbers from −1 to 1, shape (n, side²)."""
        flat = images.reshape(len(images), self.side * self.side).astype(dtype)
        return 2 * flat / self.brightest - 1


def split(
    name: str, images: NDArray[Any], labels: NDArray[Any], *, tested: int, brightest: int
) -> Digits:
    """Digits of which `tested`, drawn with a fixed seed, are kept apart. No global seed is set."""
    order = np.random.default_rng(SEED).permutation(len(images))
    images, labels = images.astype(np.uint8)[order], labels.astype(np.uint8)[order]
    return Digits(
        name, images[tested:], labels[tested:], images[:tested], labels[:tested], brightest
    )


@cache
def scans() -> Digits:
    """The 1797 scans of 8 by 8 pixels: 1437 to learn from, 360 to test with."""
    table = np.loadtxt(FILE, delimiter=",", dtype=np.uint8)
    return split(
        "scans", table[:, :-1].reshape(-1, 8, 8), table[:, -1], tested=TESTED, brightest=16
    )
