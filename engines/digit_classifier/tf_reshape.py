"""The article's reshape on images of another size, and what TensorFlow says to it.

Source: experiment E13. The listing: tf_tape.py. The same in PyTorch, and all other mistakes:
mistakes.py.
"""

from __future__ import annotations

import re
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from engines.digit_classifier import tf_tape
from engines.digit_classifier.digits import Digits
from engines.listing import Crash, crash_of, edited

LISTING = tf_tape.mean_squared_error, tf_tape.gradient_descent, tf_tape.train
RIGHT = "            x = tf.reshape(images, (-1, digits.side * digits.side))\n"
WRONG = "            x = tf.reshape(images, (-1, 28 * 28))\n"
# In front of its sentence TensorFlow has the operation's place on the machine, after it its name.
AROUND = re.compile(r"^\{\{.*?\}\} | \[Op:\w+\]$")


def wrong_reshape(digits: Digits, start: dict[str, NDArray[Any]]) -> Crash | None:
    """The error in which the first step ends; None for images that are 28 by 28."""
    listing = edited(LISTING, {RIGHT: WRONG})
    steps = listing.names["train"](digits, start, steps=0, learning_rate=0.0)
    try:
        next(steps)
    except tf.errors.InvalidArgumentError as error:
        crash = crash_of(error, listing.source)
        return crash._replace(message=AROUND.sub("", crash.message))
    finally:
        steps.close()
    return None
