"""A custom backward in a browser: its marked cells, and slopes that are pulled."""

from __future__ import annotations

import time

from tests.support.playing import alike, chip, graph, marked_line, press, readout, scrub, shown
from tests.support.server import wait_until_idle

PAGE = "/custom_relu_backward"


def test_it_opens_where_the_gradient_is_cut_and_end_goes_to_the_end(visit):
    page = visit(PAGE)
    assert chip(page) == "backward 5/6"
    assert marked_line(page) == "grad_x[x < 0] = 0"
    press(page, "End")
    assert chip(page) == "backward 6/6"
    press(page, "Home")
    assert chip(page) == "forward 1/4"


def test_a_cell_that_is_pointed_at_is_marked_in_all_four(visit):
    page = visit(PAGE + "?moment=9")
    box = graph(page).bounding_box()
    before = graph(page).screenshot()
    graph(page).hover(position={"x": 0.14 * box["width"], "y": 0.22 * box["height"]})
    page.wait_for_timeout(300)
    assert not alike(graph(page).screenshot(), before)


def handle(page, name):
    return page.locator(f".slopes .handle[data-name={name}]")


def says(page, text, timeout=5000):
    page.wait_for_function(
        "text => document.querySelector('.story').innerText.includes(text)", arg=text,
        timeout=timeout,
    )  # fmt: skip


def test_a_slope_is_pulled_on_the_curve_and_everything_answers(visit):
    page = visit(PAGE + "?chapter=design", player=False)
    wait_until_idle(page)
    says(page, "the backward says 0.3")
    knob = handle(page, "below").locator(".knob").bounding_box()
    x, y = knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for moved in range(1, 25):
        page.mouse.move(x, y - 4 * moved)
        page.wait_for_timeout(20)
    pulled = handle(page, "below").get_attribute("aria-valuetext")
    assert float(pulled) > 0.8
    began = time.monotonic()
    page.mouse.up()
    says(page, f"the backward says {pulled}")
    assert time.monotonic() - began < 2  # a second; this machine may be busy
    page.wait_for_url(f"**below={float(pulled):g}*")
    assert f"slope[x < 0] = {float(pulled)}" in page.locator(".listing").inner_text()
    assert page.locator('[data-testid="stAlert"]').count() == 0


def test_a_slope_is_moved_with_the_keys_and_the_handle_keeps_the_focus(visit):
    page = visit(PAGE + "?chapter=design&variant=straight_through", player=False)
    wait_until_idle(page)
    handle(page, "below").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_url("**below=0.9*")  # there was no field for it before
    for _ in range(9):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(100)
    assert handle(page, "below").get_attribute("aria-valuenow") == "0"
    says(page, "gradcheck passes: away from zero")  # all the way down is the right one
    page.wait_for_url("**below=0*")
    assert page.evaluate("document.activeElement.dataset.name") == "below"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.name") == "at"
    assert page.locator(".slopes [role=slider]").count() == 3
    assert "chapter=design" in page.url


def test_the_lines_of_two_rates_are_scrubbed(visit):
    page = visit(PAGE + "?chapter=training")
    wait_until_idle(page)
    scrub(page, 0)
    assert shown(page, "faster_dead") == 0
    scrub(page, 400)
    assert shown(page, "faster_dead") == 77
    assert readout(page).startswith("η = 1e−6  ·  step 400 of 500  ·  loss ")
    assert page.get_by_label("slow motion").is_hidden()
