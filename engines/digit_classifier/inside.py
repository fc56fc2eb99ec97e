"""What a network that has been trained looks at: the pixels, the units, the images that it learnt.

The gradient of an output by the pixels is found as that of the loss by the weights is: a forward
pass, and `backward()`.

Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks: Visualising Image
Classification Models and Saliency Maps" (2013). The network: torch_autograd.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.digit_classifier.layers import Params, answer


def saliency(x_value: NDArray[Any], params: Params, digit: int) -> NDArray[Any]:
    """How the output of a digit answers to each pixel: its gradient, shape (pixels,).

    x_value: one image as the network is given it, shape (pixels,), in the type of the weights.
    """
    w1, b1, w2, b2, w3, b3 = (torch.tensor(value) for value in params.values())
    x = torch.tensor(x_value, requires_grad=True)

    out = torch.relu(torch.relu(x @ w1 + b1) @ w2 + b2) @ w3 + b3
    out[digit].backward()
    grad: NDArray[Any] = x.grad.numpy()
    return grad


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
