"""MNIST through Keras, as in the article: where it is on the disk already, or comes within seconds.

It is offered and never needed. Of its 70,000 images some thousands are used, and no others are
kept, so that a visitor's run takes seconds and some megabytes.

Source: experiment E13. The digits that come along: digits.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Any, NamedTuple

from numpy.typing import NDArray
from tensorflow.keras.datasets import mnist

from engines.digit_classifier.digits import Digits, split

USED, TESTED = 3500, 500  # images, and how many of them are kept apart
PATIENCE = 5.0  # seconds
Arrays = tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]


class Offer(NamedTuple):
    """The digits, or in words why they could not be had."""

    digits: Digits | None
    why: str = ""


_lock = threading.Lock()
_fetching: list[Future[Digits]] = []  # at most one, which goes on after those who wait have left


def offer(load: Callable[[], Arrays] = mnist.load_data, *, patience: float = PATIENCE) -> Offer:
    """MNIST, after at most `patience` seconds.

    load: what reads it from the disk, or fetches it first. What takes longer goes on alone, and
    whoever asks later finds it.
    """
    with _lock:
        if not _fetching:
            _fetching.append(_begin(load))
        fetching = _fetching[0]
    try:
        return Offer(fetching.result(patience))
    except Late:
        return Offer(None, f"It did not come within {patience:g} seconds.")
    except Exception as error:  # Keras raises a plain one where it cannot fetch
        with _lock:
            if fetching in _fetching:
                _fetching.remove(fetching)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Offer(None, f"Keras could not fetch it: {reason[:200]}")


def _begin(load: Callable[[], Arrays]) -> Future[Digits]:
    future: Future[Digits] = Future()

    def work() -> None:
        try:
            (images, labels), _ = load()
            used = images[:USED], labels[:USED]
            future.set_result(split("MNIST", *used, tested=TESTED, brightest=255))
        except Exception as error:
            future.set_exception(error)

    # Not to be waited for where the program ends: a connection may hang for as long as it likes.
    threading.Thread(target=work, name="fetching MNIST", daemon=True).start()
    return future
