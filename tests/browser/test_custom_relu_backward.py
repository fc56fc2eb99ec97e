"""A custom backward in a browser: its slow motion, its marked cells, and a design judged."""

from __future__ import annotations

from itertools import pairwise

from tests.support.playing import (
    alike,
    graph,
    press,
    step,
    story,
    walk,
)
from tests.support.server import wait_until_idle

PAGE = "/custom_relu_backward"


def test_a_pass_goes_forward_and_back_moment_by_moment(visit):
    page = visit(PAGE)
    told, chips, lines, pictures = walk(page, 10)
    assert chips == [
        *(f"forward {k}/4" for k in (1, 2, 3, 4)),
        *(f"backward {k}/6" for k in range(1, 7)),
    ]
    assert lines[1] == "ctx.save_for_backward(x)"
    assert lines[2] == "return x.clamp(min=0)"
    assert lines[8] == "grad_x[x < 0] = 0"
    assert len(set(told)) == 10
    assert not any(alike(one, other) for one, other in pairwise(pictures))
    for moment in reversed(range(9)):
        press(page, "ArrowLeft")
        assert story(page) == told[moment]
        # A row of text may stand half a pixel lower than before.
        assert alike(graph(page).screenshot(), pictures[moment], most=2000)
    assert step(page) == 0


def test_a_cell_that_is_pointed_at_is_marked_in_all_four(visit):
    page = visit(PAGE + "?moment=9")
    box = graph(page).bounding_box()
    before = graph(page).screenshot()
    graph(page).hover(position={"x": 0.12 * box["width"], "y": 0.2 * box["height"]})
    page.wait_for_timeout(300)
    assert not alike(graph(page).screenshot(), before)


def test_a_design_is_chosen_and_judged(visit):
    page = visit(PAGE)
    body = page.locator("body")
    assert "It passes." in body.inner_text()
    page.get_by_role("radio", name="Straight-through").or_(
        page.get_by_role("button", name="Straight-through")
    ).first.click()
    page.wait_for_url("**variant=straight_through*")
    wait_until_idle(page)
    assert "It passes." not in body.inner_text()
    assert "return grad_output" in body.inner_text()
