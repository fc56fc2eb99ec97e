"""The dynamic graph in a browser: its order, its gradients, and the nodes that are inspected."""

from __future__ import annotations

import pytest

from engines.problem import preset
from engines.regression import torch_autograd
from engines.trace import record
from tests.support.playing import (
    alike,
    chip,
    graph,
    press,
    readout,
    scrub,
    settle,
    shown,
    step,
)
from tests.support.server import wait_until_idle

PAGE = "/dynamic_graph"
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
    page = visit(PAGE + "?node=0")
    arrived = page.locator('.details [data-now="arrived_low_0"]')
    assert arrived.inner_text() == "none"
    for _ in range(13):
        press(page, "ArrowRight")
    assert float(arrived.inner_text().replace("−", "-")) == pytest.approx(
        TRACE.grads["w"][0], rel=5e-3
    )


def test_slow_motion_only_goes_where_a_graph_was_read_and_the_whole_goes_everywhere(shared):
    page = shared(PAGE + "?moment=all")
    scrub(page, 100)
    assert step(page) == 100
    assert shown(page, "graph_step") <= 100
    page.get_by_label("slow motion").click()
    settle(page)
    read = step(page)
    assert 0 < read <= 100
    assert read == shown(page, "graph_step")
    for _ in range(18):
        press(page, "ArrowRight")
    assert step(page) > 100
    assert step(page) == shown(page, "graph_step")
    assert readout(page).startswith(f"step {step(page)} of 800")
    scrub(page, 799)
    assert step(page) < 799


def test_a_reload_shows_the_same_picture(visit):
    page = visit(PAGE + "?node=3")
    press(page, *["ArrowRight"] * 10)
    page.wait_for_url("**moment=10*")
    before, told = graph(page).screenshot(), page.locator(".details").inner_text()
    page.reload()
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('#player-step')?.frame?.moment === 10")
    page.wait_for_timeout(500)
    assert page.locator(".details").inner_text() == told
    assert alike(graph(page).screenshot(), before)


def test_after_the_last_step_there_is_no_update(shared):
    page = shared(PAGE)
    press(page, "End", *["ArrowRight"] * 13)
    assert chip(page) == "gradient 8/8"
    press(page, "ArrowRight")
    assert (chip(page), step(page)) == ("gradient 8/8", 800)


def test_the_stream_is_played_along(shared):
    page = shared(PAGE + "?moment=all")
    scrub(page, 800)
    assert shown(page, "stream_batch") == 8000
    assert shown(page, "stream_w") == pytest.approx(2, abs=0.1)


def test_two_visitors_see_their_own_graphs(visit):
    pages = {w: visit(PAGE + f"?w={w}&moment=17") for w in (1, -2)}
    for w, page in pages.items():
        trace = record(torch_autograd.train(ARTICLE.starting_at(w, 0), steps=1, learning_rate=1e-3))
        assert shown(page, "arrived_at_0") == pytest.approx(trace.grads["w"][0], rel=1e-5)
        assert shown(page, "moved_0") == pytest.approx(trace.params["w"][1], rel=1e-3)


def test_a_link_to_a_step_without_a_graph_opens_there_outside_slow_motion(visit):
    page = visit(PAGE + "?step=100")
    assert step(page) == 100
    assert not page.get_by_label("slow motion").is_checked()
    page.wait_for_url("**step=100*moment=all*")


def test_slow_motion_ends_where_the_right_run_does_though_a_wrong_one_goes_on(visit):
    page = visit(PAGE + "?mistake=not_zeroed&lr=0.02&steps=2000")
    press(page, "End")
    end = step(page)
    assert end < 200
    press(page, *["ArrowRight"] * 20)
    assert (step(page), chip(page)) == (end, "gradient 8/8")
    press(page, " ")
    page.wait_for_function("document.querySelector('#player-step').value === '0'")
    press(page, " ")


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


def test_a_node_is_clicked_and_clicked_again_after_another_was_chosen(visit):
    page = visit(PAGE + "?moment=17")
    assert "PowBackward0" in page.locator(".details").inner_text()

    def click():
        box = graph(page).bounding_box()
        graph(page).click(position={"x": 0.25 * box["width"], "y": 0.26 * box["height"]})
        page.wait_for_url("**node=1*")
        wait_until_idle(page)

    click()
    assert "w * x**power" in page.locator(".details").inner_text()
    assert chip(page) == "update 4/4"
    page.get_by_label("Look into", exact=True).click()
    page.keyboard.type("SumBack")
    page.get_by_role("option", name="SumBackward0").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**node=6*")
    wait_until_idle(page)
    page.wait_for_timeout(500)
    click()
