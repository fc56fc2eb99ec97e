"""The gradient of an output by the pixels, from TensorFlow's tape.

Source: as torch_saliency.py, which has the same from `backward()`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from engines.digit_classifier.layers import Params


def saliency(x_value: NDArray[Any], params: Params, digit: int) -> NDArray[Any]:
    """How the output of a digit answers to each pixel: its gradient, shape (pixels,).

    x_value: one image as the network is given it, shape (pixels,), in the type of the weights.
    """
    w1, b1, w2, b2, w3, b3 = (tf.constant(value) for value in params.values())
    x = tf.Variable(x_value[None])

    with tf.GradientTape() as tape:
        out = tf.nn.relu(tf.nn.relu(x @ w1 + b1) @ w2 + b2) @ w3 + b3
        asked = out[0, digit]
    grad: NDArray[Any] = tape.gradient(asked, x).numpy()[0]
    return grad
