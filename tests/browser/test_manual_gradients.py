"""The page of manual gradients in a browser: what follows the player, links, and reruns.

The numbers read off the page are compared with a run of the engine in this process.
"""

from __future__ import annotations

import pytest

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import record
from tests.support.playing import press, readout, scrub, settle, shown, step
from tests.support.server import wait_until_idle

PAGE = "/manual_gradients"
TRACE = record(numpy_vectorized.train(preset("numpy_article"), steps=800, learning_rate=0.001))
HALL = {"width": 1920, "height": 1080}


def test_scrubbing_forward_and_back_shows_the_engine_s_numbers(shared):
    page = shared(PAGE)
    for k in (1, 137, 800, 20, 0):
        for at in (400, k):
            scrub(page, at)
        assert readout(page).startswith(f"step {k} of 800")
        expected = {name: values[k] for name, values in TRACE.columns().items()}
        for name, value in expected.items():
            assert shown(page, name) == pytest.approx(value, rel=1e-5), (k, name)
        if k < 800:
            assert shown(page, "w_next") == pytest.approx(TRACE.params["w"][k + 1], rel=1e-5)


def test_every_chart_follows_the_player(shared):
    page = shared(PAGE)
    charts = page.locator(".stVegaLiteChart")
    before = [charts.nth(i).screenshot() for i in range(charts.count())]
    scrub(page, 9)
    page.wait_for_timeout(200)
    after = [charts.nth(i).screenshot() for i in range(charts.count())]
    assert len(before) == 6
    described = page.locator('.stVegaLiteChart[role="graphics-document"]')
    labels = described.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert len(labels) == 6
    assert labels[1].startswith("Curves of equal loss")
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_slow_motion_shows_only_what_the_phase_knows(shared):
    page = shared(PAGE)
    scrub(page, 5)
    page.get_by_label("slow motion").click()
    settle(page)
    chip = page.locator(".player-phases li.on")
    value = page.locator('.listing [data-now="grad_w"]').first
    moved = page.locator('.listing [data-now="w_next"]').first
    assert (chip.inner_text(), value.inner_text()) == ("predict", "…")
    assert "y_pred =" in page.locator(".listing li.on").first.inner_text()
    press(page, "ArrowRight", "ArrowRight")
    assert chip.inner_text() == "gradient"
    assert shown(page, "grad_w") == pytest.approx(TRACE.grads["w"][5], rel=1e-5)
    assert moved.inner_text() == "…"
    press(page, "ArrowRight")
    assert chip.inner_text() == "update"
    assert shown(page, "w_next") == pytest.approx(TRACE.params["w"][6], rel=1e-5)
    press(page, "ArrowRight")
    assert (chip.inner_text(), step(page)) == ("predict", 6)
    press(page, "ArrowLeft")
    assert (chip.inner_text(), step(page)) == ("update", 5)


def test_the_position_survives_reruns_and_a_reload_and_one_player_listens(visit):
    page = visit(PAGE + "?step=137")
    field = page.get_by_label("Steps", exact=True)
    field.fill("500")
    field.press("Enter")
    page.wait_for_function("document.querySelector('#player-step').max === '500'")
    assert step(page) == 137
    field.fill("100")
    field.press("Enter")
    page.wait_for_function("document.querySelector('#player-step').max === '100'")
    assert step(page) == 100
    wait_until_idle(page)
    assert page.locator('[data-testid="stAlert"]').filter(has_text="The address").count() == 0
    page.locator("h1").click()
    press(page, "ArrowLeft")
    assert step(page) == 99
    page.wait_for_url("**step=99*")
    page.reload()
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('#player-step')?.frame?.step === 99")


def test_the_settings_of_a_shared_link_are_kept_by_a_reload(visit):
    page = visit(PAGE + "?preset=loops_article&lr=0.02&steps=50")
    assert readout(page).startswith("step 0 of 50")
    page.reload()
    wait_until_idle(page)
    assert "preset=loops_article" in page.url
    assert "lr=0.02" in page.url
    assert page.get_by_label("Data", exact=True).input_value() == "Line through noisy points"


def test_back_undoes_a_choice(visit):
    page = visit(PAGE)
    data = page.get_by_label("Data", exact=True)
    data.click()
    page.get_by_role("option", name="Line through noisy points").click()
    page.wait_for_function("document.querySelector('#player-step').max === '1000'")
    page.go_back()
    page.wait_for_function("document.querySelector('#player-step').max === '800'")
    assert data.input_value() == "Parabola, as printed"


def test_lecture_mode_and_the_page_links_keep_company(visit):
    page = visit("/?lecture=true", viewport=HALL)
    page.get_by_role("link", name="Manual gradients").first.click()
    page.wait_for_url("**/manual_gradients?lecture=true")
    wait_until_idle(page)
    assert page.get_by_label("Lecture mode").first.is_checked()
    size = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert size >= 22
    widest = page.locator(".stVegaLiteChart").first.bounding_box()
    assert widest["height"] >= 500


def test_the_mistake_chosen_below_is_played_by_the_one_player(visit):
    page = visit(PAGE + "?steps=60")
    page.get_by_role("radio", name="Wrong sign").click()
    page.get_by_role("radio", name="the loss climbs").click()
    page.get_by_text("Yes: the loss climbs").wait_for()
    wait_until_idle(page)
    scrub(page, 30)
    right, wrong = shown(page, "grad_w"), shown(page, "wrong_grad_w")
    assert abs(wrong) > 100 * abs(right)


def test_the_player_stays_in_sight_while_the_page_scrolls(shared):
    page = shared(PAGE)
    page.get_by_text("Where it breaks").scroll_into_view_if_needed()
    page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 2000)")
    box = page.locator(".player").bounding_box()
    assert 0 <= box["y"] < 100


def test_the_charts_go_on_following_when_a_refusal_disappears(visit):
    page = visit(PAGE + "?steps=abc")
    assert page.get_by_text("The address asks for steps").count() == 1
    page.get_by_role("button", name="Time both").click()
    page.get_by_text("Point by point the same numbers").wait_for()
    wait_until_idle(page)
    assert page.get_by_text("The address asks for steps").count() == 0
    charts = page.locator(".stVegaLiteChart")
    before = [charts.nth(i).screenshot() for i in range(3)]
    scrub(page, 9)
    page.wait_for_timeout(200)
    assert all(one != charts.nth(i).screenshot() for i, one in enumerate(before))


def test_the_check_compares_one_step_with_itself(shared):
    page = shared(PAGE)
    scrub(page, 137)
    assert shown(page, "hand_w") == pytest.approx(shown(page, "numeric_w"), rel=1e-5)
    assert shown(page, "hand_w") == shown(page, "grad_w")
    assert shown(page, "checked") == 137
