"""A custom backward in a browser: its marked cells, and a design that is tried."""

from __future__ import annotations

from tests.support.playing import (
    alike,
    graph,
)
from tests.support.server import wait_until_idle

PAGE = "/custom_relu_backward"


def test_a_cell_that_is_pointed_at_is_marked_in_all_four(visit):
    page = visit(PAGE + "?moment=9")
    box = graph(page).bounding_box()
    before = graph(page).screenshot()
    graph(page).hover(position={"x": 0.12 * box["width"], "y": 0.2 * box["height"]})
    page.wait_for_timeout(300)
    assert not alike(graph(page).screenshot(), before)


def test_a_design_is_chosen_and_its_verdict_follows(visit):
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
