"""The code that measures, why its answer is a median, and its results beside PyTorch's timer."""

import inspect
import re
from html import unescape
from statistics import fmean, median

import pytest

from engines.benchmark import clock
from engines.listing import body
from tests.support.chapters import chapter, measure
from tests.support.chapters import told as said
from tests.support.measurements import measurement
from tests.support.visit import components, table, titles
from views.gpu_speedup.clock import CODE, recorded_calls, told, why_the_median
from views.ui import shell
from views.ui.measuring import _latest


@pytest.fixture(scope="module", autouse=True)
def settled():
    """As a page does it: else each visit would look through the frameworks for garbage."""
    shell.settle("the tests of a section")


@pytest.fixture(autouse=True)
def nothing_measured():
    _latest().clear()


def compared(operation, size, ours, theirs):
    asked = {"event": "compared", "operation": operation, "size": size}
    return {**asked, "ours": ours, "theirs": theirs}


CLOSE = [
    compared("row_by_column", 65536, 6.2e-5, 6e-5),
    compared("square", 512, 1.8e-3, 1.9e-3),
    compared("training_step", 100, 3e-4, 3e-4),
]
FAR = compared("elementwise", 65536, 1.5e-2, 1.2e-5)


def test_where_all_agree_the_largest_difference_is_told():
    assert told(CLOSE) == (
        "**3 of 3 medians agree** within 10 %. The largest difference is 5.3 %."  # 1.8 of 1.9
    )


def test_where_some_do_not_agree_they_are_named_and_noise_is_the_first_suspect():
    text = told([*CLOSE, FAR, compared("square", 64, 1e-6, 2e-6)])
    assert text.startswith("**3 of 5 medians agree** within 10 %.")
    assert "Further apart: elementwise, n = 65,536; square product, n = 64." in text
    assert "noise" in text


def test_a_tenth_is_the_limit():
    assert told([compared("square", 64, 1.1, 1.0 + 1e-9)]).startswith("**1 of 1")
    assert told([compared("square", 64, 1.12, 1.0)]).startswith("**0 of 1")


def visit(answers=(), *, click=True):
    at = chapter("clock", answers, clock="timer")
    return measure(at) if click else at


def test_the_code_is_the_one_that_measures_and_its_numbers_stand_in_the_text():
    at = visit(click=False)
    [shown] = [one["html"] for one in components(at) if "listing" in one.get("html", "")]
    code = unescape(re.sub("<[^>]*>", "", "\n".join(re.findall("<code>(.*?)</code>", shown))))
    made, (measuring, enough) = {}, code.split("\n\ndef known")
    assert measuring.strip() == body(inspect.getsource(clock.measure)).strip()
    exec(f"from __future__ import annotations\ndef known{enough}", vars(clock) | made, made)
    assert made["known"]([1.0] * clock.LEAST_SAMPLES)
    assert not made["known"]([1.0])
    assert f"at least {clock.LEAST_SAMPLES} samples" in said(at)
    assert f"a block takes {1000 * clock.BLOCK_SECONDS:.0f} ms" in said(at)
    assert f"no farther than {100 * clock.CLOSE_ENOUGH:g} %" in said(at)
    for name in CODE.split("`")[1::2]:
        assert name in code


def test_before_it_was_compared_nothing_is_claimed():
    at = visit(click=False)
    assert "medians agree" not in said(at)
    assert "ran" not in at.session_state


def test_both_medians_stand_in_a_table_with_their_difference():
    at = visit([*CLOSE, FAR])
    assert at.session_state["ran"] == [("check",)]
    assert "| row by column, n = 65,536 | 62 µs | 60 µs | +3.3 % |" in said(at)
    assert "| square product, n = 512 | 1.8 ms | 1.9 ms | −5.3 % |" in said(at)
    assert "| elementwise, n = 65,536 | 15 ms | 12 µs | +124,900 % |" in said(at)
    assert "3 of 4 medians agree" in said(at)


def test_a_failure_halfway_keeps_what_came_and_shows_no_path():
    at = visit([*CLOSE[:1], ChildProcessError("/a/path")])
    assert "1 of 1 medians agree" in said(at)
    assert "has ended before it was done" in said(at)
    assert "/a/path" not in said(at)
    assert "This run ended early." in at.warning[-1].value


def test_a_failure_at_once_leaves_the_question():
    at = visit([ChildProcessError("/a/path")])
    assert "medians agree" not in said(at)
    assert "has ended before it was done" in said(at)


# Why the median


def test_one_disturbed_call_moves_the_mean_and_hardly_the_median():
    calls = [1e-5] * 50 + [1.02e-5] * 49 + [1e-3]
    text = why_the_median(calls)
    assert "The **shortest** of 100 calls took 10 µs, and 98 others came within 5 %" in text
    assert "not what is usual" not in text  # here it is
    assert "the longest call alone, 1 ms, moves it by 98.0 %" in text
    assert "moves it by 1.0 %." in text  # by half the distance of two calls in the middle
    assert fmean(calls) / fmean(calls[:-1]) == pytest.approx(1.98, abs=0.01)


def test_a_shortest_call_that_is_rare_is_told_as_such():
    assert "what is possible, not what is usual." in why_the_median([1e-5, *[2e-5] * 99])


def test_it_opens_on_recorded_calls_and_then_shows_those_of_this_run():
    at = chapter("clock")
    calls, where = recorded_calls()
    assert list(table(at, 0, "calls")["seconds"]) == list(calls)
    assert f"The **shortest** of {len(calls)} calls" in said(at)
    assert where in said(at)
    levels = table(at, 0, "rules").set_index("kind")["seconds"]
    assert levels["median"] == pytest.approx(median(calls))
    assert levels["shortest"] < levels["median"] < levels["mean"]

    part = {"event": "part", "part": "naive", "samples": [2e-6, 1e-6, 3e-6]}
    at = measure(chapter("clock", [part | {"measurement": measurement(64, 2e-6)._asdict()}]))
    assert list(table(at, 0, "calls")["seconds"]) == [2e-6, 1e-6, 3e-6]
    assert "The **shortest** of 3 calls took 1 µs" in said(at)
    assert "on the server that runs this page" in said(at)


def test_both_timers_are_drawn_beside_each_other():
    at = visit(CLOSE)
    assert titles(at)[0] == "The same calls, timed twice"
    assert len(table(at, 0, "timers")) == 2 * len(CLOSE)


def test_on_a_busy_server_the_timers_are_drawn_and_not_judged():
    at = visit([{**row, "on_core": 0.4} for row in CLOSE])
    assert len(table(at, 0, "timers")) == 2 * len(CLOSE)
    assert "medians agree" not in said(at)
