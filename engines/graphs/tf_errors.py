"""What TensorFlow says when a run fails, without paths and stacks."""

from __future__ import annotations

import re

import tensorflow as tf

from engines.graphs.static import Message


def message(error: Exception) -> Message:
    """The sentence of an error that a session raised, without paths and stacks.

    A session can raise tf.errors.OpError, ValueError, TypeError and RuntimeError. Where several
    operations failed at once, TensorFlow names the one that happened to fail first.
    """
    if not isinstance(error, tf.errors.OpError):
        return Message(type(error).__name__, "", str(error))
    operation = error.op.name if error.op is not None else ""
    # The sentence is the line before the first "[[node]]"; above it stand the places in our files.
    found = re.search(r"^\s*(?:\(\d+\) \w+: )?(.+)\n\t \[\[", error.message, re.MULTILINE)
    sentence = found[1] if found else error.message.strip().splitlines()[-1]
    return Message(type(error).__name__, operation, sentence.split(" Debug info:")[0])
