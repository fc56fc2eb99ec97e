"""The slope at zero of TensorFlow's ways to write max(x, 0).

Source: the documentation page "Introduction to gradients and automatic differentiation"; in
PyTorch: slope_at_zero.py.
"""

from __future__ import annotations

import tensorflow as tf

# Each is run as it is written here.
EXPRESSIONS = (
    "tf.nn.relu(x)",
    "tf.maximum(x, 0.0)",
    "tf.maximum(0.0, x)",
    "tf.clip_by_value(x, 0.0, x.dtype.max)",
)


def slopes() -> dict[str, tuple[float, ...]]:
    """By expression: its value at 0, and its derivative at -1, 0 and 1, by TensorFlow."""
    found = {}
    for expression in EXPRESSIONS:
        relu = eval(f"lambda x: {expression}", {"tf": tf})
        x = tf.constant([-1.0, 0.0, 1.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = relu(x)
        found[expression] = (float(y[1]), *tape.gradient(y, x).numpy().tolist())
    return found
