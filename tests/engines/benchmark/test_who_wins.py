"""From which size on one of two lines is faster, and whether the numbers settle it."""

import math

import pytest

from engines.benchmark.who_wins import FEW, MARGIN, Crossing, crossing
from tests.support.measurements import measurement


def line(times, *, spread=0.01):
    """Measurements of times by size; spread: from the median to a quartile, as a share."""
    return [measurement(size, seconds, spread=spread) for size, seconds in times.items()]


def test_lines_that_are_straight_in_the_picture_cross_where_they_do():
    # 1e-9 n**2 and 1e-6 n are equal at n = 1000, and a twentieth later one is ahead.
    sizes = [4**k for k in range(2, 9)]
    slower = line({n: 1e-9 * n**2 for n in sizes})
    faster = line({n: 1e-6 * n for n in sizes})
    found = crossing(slower, faster)
    assert (found.verdict, found.smallest, found.largest) == ("crosses", 16, 65536)
    assert found.size == pytest.approx(1050)
    assert crossing(slower[::-1], faster[::-1]) == found


def test_the_other_way_round_it_is_never_faster_for_good():
    sizes = [4**k for k in range(2, 9)]
    found = crossing(line({n: 1e-6 * n for n in sizes}), line({n: 1e-9 * n**2 for n in sizes}))
    assert found[:4] == ("never", math.inf, 16, 65536)
    assert found.times == pytest.approx(1 / 65.536)


def test_faster_at_every_size_is_always_from_the_smallest_on():
    found = crossing(line({4: 2.0, 8: 4.0}), line({8: 1.0, 4: 1.0}))
    assert found == Crossing("always", 4, 4, 8, 4.0, (), 8)


def test_a_lead_that_is_lost_again_does_not_count():
    slower = line({1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0, 16: 1.0})
    faster = line({1: 2.0, 2: 0.5, 4: 1.1 / MARGIN, 8: 1 / 1.1 / MARGIN, 16: 0.5})
    assert crossing(slower, faster)[-2:] == ((4,), 16)  # level there, which contradicts nothing
    faster = line({1: 2.0, 2: 0.5, 4: 1.1 * MARGIN, 8: 1 / 1.1 / MARGIN, 16: 0.5})
    found = crossing(slower, faster)
    assert found.verdict == "crosses"
    assert 4 < found.size < 8


def test_a_lead_that_is_too_small_to_matter_is_none():
    slower = line({1: 1.0, 2: 1.0, 4: 1.0})
    found = crossing(slower, line({1: 0.98, 2: 0.98, 4: 0.5}, spread=0.001))
    assert (found.verdict, found.unclear) == ("always", (1, 2))
    assert crossing(slower, line({1: 0.98}, spread=0.001)).verdict == "level"


def test_only_common_sizes_count():
    slower = line({1: 1.0, 4: 1.0, 16: 1.0})
    faster = line({2: 9.0, 4: 2.0, 16: 0.5, 64: 9.0})
    found = crossing(slower, faster)
    assert found == Crossing("crosses", pytest.approx(8 * MARGIN), 4, 16, 2.0, (), 16)
    with pytest.raises(ValueError, match="no size in common"):
        crossing(slower, line({2: 1.0}))
    with pytest.raises(ValueError, match="no size in common"):
        crossing([], [])


def test_sizes_with_few_samples_do_not_count():
    slower, faster = line({4: 1.0, 8: 4.0, 16: 16.0}), line({4: 2.0, 8: 1.0, 16: 99.0})
    slower[-1] = slower[-1]._replace(samples=FEW - 1)
    without = crossing(slower[:-1], faster[:-1])
    assert crossing(slower, faster) == without._replace(beyond=16)
    few = [one._replace(samples=FEW - 1) for one in slower]
    assert crossing(few, faster)[:4] == ("few", math.inf, 4, 16)


def test_as_fast_is_not_faster():
    level = line({1: 1.0, 2: 1.0, 4: 1.0})
    found = crossing(level, level)
    assert (found.verdict, found.size) == ("level", math.inf)
    from_a_tie = crossing(level, line({1: 1.0, 2: 0.5, 4: 0.2}))
    assert (from_a_tie.verdict, from_a_tie.unclear) == ("always", (1,))


def test_a_tie_among_wins_is_no_crossing():
    """Of the two-core server: NumPy was ahead at ten widths of eleven, and level at the other."""
    torch = line({n: 2.0 * n for n in (16, 32, 64, 128)})
    numpy = line({16: 16.0, 32: 32.0, 64: 128.0, 128: 128.0})
    found = crossing(torch, numpy)
    assert (found.verdict, found.size, found.unclear) == ("always", 16, (64,))


@pytest.mark.parametrize(
    ("seconds", "verdict", "size"),
    [(0.5, "always", 8), (2.0, "never", math.inf), (0.99, "level", math.inf)],
)
def test_a_single_common_size_is_enough_for_an_answer(seconds, verdict, size):
    assert crossing(line({8: 1.0}), line({8: seconds}))[:4] == (verdict, size, 8, 8)


def test_it_is_settled_when_the_quartiles_are_apart_at_the_largest_size():
    slower = line({1: 1.0, 2: 1.0}, spread=0.1)
    close = crossing(slower, line({1: 2.0, 2: 0.85}, spread=0.1))
    apart = crossing(slower, line({1: 2.0, 2: 0.80}, spread=0.1))
    assert (close.verdict, close.settled) == ("overlap", False)
    assert apart.settled
    assert apart.verdict == "crosses"
    assert 1 < apart.size < 2
    assert close.size == math.inf
