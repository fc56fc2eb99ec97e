"""The dynamic graph in a browser: its order, its gradients, and the nodes that are inspected."""

from __future__ import annotations

import pytest

from engines.problem import preset
from engines.regression import torch_autograd
from engines.trace import record
from tests.support.playing import alike, chip, graph, press, readout, scrub, shown, step
from tests.support.server import wait_until_idle

PAGE = "/dynamic_graph?chapter=backward"
ARTICLE = preset("autograd_article")
TRACE = record(torch_autograd.train(ARTICLE, steps=800, learning_rate=0.001))


def test_the_engine_s_order_is_told_from_the_loss_to_the_leaves(shared):
    page = shared(PAGE)
    press(page, *["ArrowRight"] * 6)
    ran = []
    for _ in range(8):
        ran.append(page.locator(".story p.on b").first.inner_text())
        press(page, "ArrowRight")
    assert ran == [
        "MulBackward0",
        "SumBackward0",
        "PowBackward0",
        "SubBackward0",
        "AddBackward0",
        "AccumulateGrad",
        "MulBackward0",
        "AccumulateGrad",
    ]


def test_a_gradient_is_none_until_it_arrives(visit):
    page = visit(PAGE + "&node=0")
    arrived = page.locator('.details [data-now="arrived_low_0"]').first
    assert arrived.inner_text() == "none"
    press(page, *["ArrowRight"] * 7)
    assert float(arrived.inner_text().replace("−", "-")) == pytest.approx(
        TRACE.grads["w"][0], rel=5e-3
    )


def test_outside_slow_motion_the_whole_graph_is_there_and_a_reload_shows_the_same(visit):
    page = visit(PAGE + "&node=3")
    press(page, "ArrowRight", "ArrowRight")
    page.wait_for_url("**moment=8*")
    before, told = graph(page).screenshot(), page.locator(".of-moment > .on").inner_text()
    page.reload()
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('#player-step')?.frame?.moment === 8")
    page.wait_for_timeout(500)
    assert page.locator(".of-moment > .on").inner_text() == told
    assert alike(graph(page).screenshot(), before)
    page.get_by_label("slow motion").click()
    scrub(page, 100)
    assert (step(page), shown(page, "graph_step")) == (100, pytest.approx(100, abs=27))
    page.get_by_label("slow motion").click()
    assert step(page) == 2  # the last of the steps that slow motion has


def test_the_loss_is_in_the_readout_when_it_is_computed_and_w_moves_in_the_update(shared):
    page = shared(PAGE)
    press(page, *["ArrowRight"] * 4)
    assert "loss …" in readout(page)
    press(page, "ArrowRight")
    assert f"loss {TRACE.losses[0]:.6g}" in readout(page)
    assert "w 0.375" in readout(page)
    press(page, *["ArrowRight"] * 9)
    assert f"w → {TRACE.params['w'][1]:.6f}" in readout(page)
    assert "b 0.0" in readout(page)


def test_forward_goes_no_further_than_the_loss_and_the_next_chapter_begins_there(visit):
    page = visit("/dynamic_graph?lecture=true")
    press(page, "End")
    assert chip(page) == "loss 4/4"
    assert page.get_by_text("Next: Backward walks it").is_visible()
    press(page, "PageDown")
    page.wait_for_url("**chapter=backward*")
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('#player-step')?.frame?.moment === 6")
    assert chip(page) == "gradient 1/8"


@pytest.mark.parametrize("touch", [False, True])
def test_a_node_is_chosen_by_a_click_or_a_tap_and_by_name(browser, server, touch):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, has_touch=touch)
    page = context.new_page()
    page.goto(server.url + PAGE)
    page.wait_for_function("document.querySelector('#player-step')?.frame")
    wait_until_idle(page)
    page.wait_for_timeout(500)
    assert "factor" in page.locator(".of-moment > .on").inner_text()
    box = graph(page).bounding_box()
    place = box["x"] + 0.25 * box["width"], box["y"] + 0.42 * box["height"]
    if touch:
        page.touchscreen.tap(*place)
    else:
        page.mouse.click(*place)
    page.wait_for_url("**node=1*")
    wait_until_idle(page)
    assert "w * x**power" in page.locator(".of-moment > .on").inner_text()
    assert chip(page) == "gradient 1/8"
    context.close()
