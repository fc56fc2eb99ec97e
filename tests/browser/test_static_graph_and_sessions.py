"""A static graph in a browser: its building and its run, forward and back, and another fetch."""

from __future__ import annotations

from engines.problem import preset
from engines.regression import tf_session
from engines.trace import record
from tests.support.playing import (
    chip,
    graph,
    marked_line,
    press,
    readout,
    scrub,
    settle,
    shown,
    step,
    story,
)
from tests.support.server import wait_until_idle

PAGE = "/static_graph_and_sessions"
ARTICLE = preset("session_article").astype("float32")
TRACE = record(tf_session.train(ARTICLE, steps=2000, learning_rate=0.01))


def test_the_regression_is_built_and_run_and_another_fetch_runs_less(visit):
    page = visit(PAGE)
    page.get_by_role("radio", name="the regression", exact=True).click()
    page.wait_for_url("**graph=regression*")
    wait_until_idle(page)
    press(page, "Home")
    assert chip(page) == "build 1/10"
    page.get_by_role("button", name="y_pred", exact=True).click()
    page.get_by_role("button", name="loss", exact=True).click()
    page.wait_for_url("**fetch=y_pred*")
    wait_until_idle(page)
    assert "88 operations are written, 9 ran:" in page.locator("body").inner_text()
    page.locator("#player-step").focus()
    press(page, *["ArrowRight"] * 40)
    assert chip(page).startswith("run ")
    assert story(page).startswith("y_pred = ")
    assert step(page) == 0


def test_a_reload_shows_the_same_moment_of_the_same_run(visit):
    page = visit(PAGE + "?graph=regression&fetch=y_pred&moment=9")
    assert "grad_w, grad_b" not in marked_line(page)
    before = marked_line(page)
    page.reload()
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('#player-step')?.frame?.moment === 9")
    settle(page)
    assert marked_line(page) == before == "initialize = tf.compat.v1.global_variables_initializer()"


def test_outside_slow_motion_the_player_goes_through_the_training(visit):
    page = visit(PAGE + "?graph=regression&moment=all")
    scrub(page, 1200)
    assert abs(shown(page, "tf_session_grad_w") - TRACE.grads["w"][1200]) < 1e-8
    assert f"w {TRACE.params['w'][1200]:.5f}" in readout(page)
    assert "Below is the whole graph" in story(page)
    page.get_by_label("slow motion").click()
    settle(page)
    assert (step(page), chip(page)) == (0, "build 1/10")


def test_an_operation_that_is_pointed_at_tells_what_became_of_it(shared):
    page = shared(PAGE + "?moment=all")
    box = graph(page).bounding_box()
    at = {"x": 0.12 * box["width"], "y": 0.6 * box["height"]}
    graph(page).hover(position=at)
    told = page.locator("#vg-tooltip-element").inner_text()
    assert "AddV2" in told
    assert "runs as it was written" in told


def test_two_visitors_run_their_own_graphs(visit):
    pages = {b: visit(PAGE + f"?b_value={b}&moment=8") for b in (10, -3)}
    for b, page in pages.items():
        assert story(page).replace("−", "-").startswith(f"c = {2 + b}.")
