"""What a network that has been trained looks at: which images are alike to it, and to its units.

Which pixels: torch_saliency.py and tf_saliency.py. The network: layers.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.digit_classifier.layers import Params, answer


def nearest(x: NDArray[Any], learnt: NDArray[Any], params: Params, count: int) -> NDArray[np.intp]:
    """Which of the images learnt from look most like one to the last hidden layer, nearest first.

    x: shape (pixels,). learnt: shape (n, pixels). Returns indices, shape (count,), by the distance
    between what the 128 units make of either.
    """
    own = answer(x[None], params).h2
    distance = np.square(answer(learnt, params).h2 - own).sum(axis=1)
    return np.argsort(distance, kind="stable")[:count]


def strongest(unit: int, images: NDArray[Any], params: Params, count: int) -> NDArray[np.intp]:
    """Which images a unit of the first hidden layer answers to most, the strongest first.

    images: shape (n, pixels). Returns indices, shape (count,) or fewer: only of images that it is
    active for.
    """
    active = answer(images, params).h1[:, unit]
    order = np.argsort(-active, kind="stable")[:count]
    return order[active[order] > 0]
