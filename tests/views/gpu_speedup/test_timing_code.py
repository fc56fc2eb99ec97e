"""The code that measures, and its comparison with PyTorch's timer, as a visitor meets them."""

import pytest
from streamlit.testing.v1 import AppTest

from engines.benchmark import clock
from tests.support.visit import words
from views.gpu_speedup.timing_code import told
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


def section():
    """A page that has nothing but this, and a child that says what it is told to."""
    import streamlit as st

    from views.gpu_speedup import timing_code
    from views.ui.measuring import Measuring

    def in_child(arguments, *, seconds):
        st.session_state["ran"] = arguments
        yield None
        yield from st.session_state["answers"]
        if st.session_state.get("fails"):
            raise ChildProcessError("/a/path/of/this/machine")

    measuring = Measuring(in_child)
    timing_code.code()
    timing_code.check(measuring)
    measuring.run()


def visit(answers=(), *, fails=False, click=True):
    at = AppTest.from_function(section, default_timeout=60)
    at.session_state["answers"] = list(answers)
    at.session_state["fails"] = fails
    at.run()
    if click:
        at.button(key="measure check").click().run()
    assert not at.exception
    return at


def test_the_code_is_the_one_that_measures_and_its_numbers_stand_in_the_text():
    at = visit(click=False)
    [code] = at.code
    made = {}
    exec(f"from __future__ import annotations\n{code.value}", vars(clock) | made, made)
    assert made["known"]([1.0] * clock.LEAST_SAMPLES)
    assert not made["known"]([1.0])
    assert f"at least {clock.LEAST_SAMPLES} samples" in words(at)
    assert f"a block takes {1000 * clock.BLOCK_SECONDS:.0f} ms" in words(at)
    assert f"no farther than {100 * clock.CLOSE_ENOUGH:g} %" in words(at)


def test_every_name_that_the_text_points_at_stands_in_the_code():
    at = visit(click=False)
    text, code = at.markdown[0].value, at.code[0].value
    for name in text.split("`")[1::2]:
        assert name in code


def test_before_it_was_compared_nothing_is_claimed():
    at = visit(click=False)
    assert "medians agree" not in words(at)
    assert "ran" not in at.session_state


def test_both_medians_stand_in_a_table_with_their_difference():
    at = visit([*CLOSE, FAR])
    assert at.session_state["ran"] == ("check",)
    assert "| row by column, n = 65,536 | 62 µs | 60 µs | +3.3 % |" in words(at)
    assert "| square product, n = 512 | 1.8 ms | 1.9 ms | −5.3 % |" in words(at)
    assert "| elementwise, n = 65,536 | 15 ms | 12 µs | +124,900 % |" in words(at)
    assert "3 of 4 medians agree" in words(at)
    assert "stopped" not in at.caption[-1].value


def test_a_failure_halfway_keeps_what_came_and_shows_no_path():
    at = visit(CLOSE[:1], fails=True)
    assert "1 of 1 medians agree" in words(at)
    assert "has ended before it was done" in words(at)
    assert "/a/path" not in words(at)
    assert "This run ended early." in at.warning[-1].value


def test_a_failure_at_once_leaves_the_question():
    at = visit(fails=True)
    assert "medians agree" not in words(at)
    assert "has ended before it was done" in words(at)
