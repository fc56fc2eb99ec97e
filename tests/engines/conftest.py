"""What the tests of engines share."""

from __future__ import annotations

import pytest


@pytest.fixture
def sessions(monkeypatch):
    """Every TensorFlow session opened in the test, held, so that nothing closes by being lost."""
    import tensorflow as tf

    opened, session_type = [], tf.compat.v1.Session

    def open_session(*args, **kwargs):
        opened.append(session_type(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(tf.compat.v1, "Session", open_session)
    return opened
