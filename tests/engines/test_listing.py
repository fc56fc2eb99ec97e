"""A listing with lines changed is the listing otherwise; what is said is what was computed."""

from __future__ import annotations

import gc
import inspect
import sys
import traceback
from threading import Thread

import numpy as np
import pytest

from engines import listing
from engines.listing import EDITED, edited

FACTOR = 3


def twice(x):
    """A listing."""
    y = x + x
    return y * FACTOR


def uses(x):
    return twice(x) + 1


def test_a_change_is_run_and_the_listing_in_its_file_stays():
    changed = edited(twice, {"    y = x + x\n": "    y = x * x\n"})
    assert changed.names["twice"](5) == 25 * FACTOR
    assert twice(5) == 10 * FACTOR
    assert (changed.right, changed.wrong) == ("y = x + x", "y = x * x")
    assert changed.source == inspect.getsource(twice).replace("x + x", "x * x")


def test_what_calls_the_changed_listing_is_defined_anew_with_it():
    changed = edited([twice, uses], {"    y = x + x\n": "    y = x * x\n"})
    assert changed.names["uses"](5) == 25 * FACTOR + 1
    assert uses(5) == 10 * FACTOR + 1


def test_several_changes_are_told_in_their_order():
    changed = edited(
        twice, {"    y = x + x\n": "    y = x\n", "    return y * FACTOR\n": "    return y\n"}
    )
    assert changed.right == "y = x + x\nreturn y * FACTOR"
    assert changed.wrong == "y = x\nreturn y"
    assert changed.names["twice"](7) == 7


@pytest.mark.parametrize("right", ["not there", "x", ""])
def test_a_change_must_be_there_exactly_once(right):
    with pytest.raises(ValueError, match="times in the listing"):
        edited(twice, {right: "y"})


def test_a_traceback_names_the_edited_listing():
    changed = edited(twice, {"x + x": "x / 0"})
    with pytest.raises(ZeroDivisionError) as raised:
        changed.names["twice"](1)
    assert traceback.extract_tb(raised.tb)[-1].filename == EDITED


def test_what_a_listing_says_is_what_it_returned_or_its_error():
    def two(x):
        return x, np.float32(0.1)

    def fails(x):
        raise RuntimeError("no")

    assert listing.run(two, x=1 / 3) == (inspect.getsource(two), "0.33333334\n0.1")
    assert listing.run(fails, x=1)[1] == "RuntimeError: no"
    assert list(listing.run_each([two, fails], x=1)) == ["two", "fails"]


def test_a_waiting_listing_is_closed_in_the_end():
    ended = []

    def waits(x):
        y = x + 1
        try:
            yield y
        finally:
            ended.append(y)

    with listing.waiting(waits(2)) as names:
        assert (names["x"], names["y"], ended) == (2, 3, [])
    assert ended == [3]


class Collected:
    """Has a finalizer in Python, as much garbage has: while it runs, another thread may go on."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        sum(range(100))


def test_a_class_is_read_by_two_at_once():
    read = listing.source_lines.__wrapped__  # not from the cache
    found = []

    def many():
        for _ in range(100):
            garbage = [Collected() for _ in range(30)]
            del garbage
            found.append(read(Collected)[0][0])

    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-5)
    gc.set_threshold(10)
    try:
        threads = [Thread(target=many) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
    assert found == ["class Collected:\n"] * 200
