"""The gradient of an output by the pixels, from PyTorch's `backward()`.

It is found as that of the loss by the weights is: a forward pass, and one call.

Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks: Visualising Image
Classification Models and Saliency Maps" (2013). The network: torch_autograd.py. The same from a
tape: tf_saliency.py.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from engines.digit_classifier.layers import Params


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
