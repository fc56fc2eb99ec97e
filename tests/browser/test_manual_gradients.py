"""Manual gradients in a browser: what follows the player, links, and reruns.

The numbers read off the page are compared with a run of the engine in this process.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import record
from tests.support.playing import chip, press, readout, scrub, settle, shown, step
from tests.support.server import wait_until_idle
from views.manual_gradients import own_data
from views.ui.numbers import number

PAGE = "/manual_gradients"
ARTICLE = preset("numpy_article")
TRACE = record(numpy_vectorized.train(ARTICLE, steps=800, learning_rate=0.001))
STEPPED = record(numpy_vectorized.train(ARTICLE, steps=60, learning_rate=0.004))
HALL = {"width": 1920, "height": 1080}


def asked(url, name):
    """What an address says of this, "" if nothing."""
    return parse_qs(urlsplit(url).query).get(name, [""])[0]


def test_scrubbing_forward_and_back_shows_the_engine_s_numbers(shared):
    page = shared(PAGE + "?chapter=check")
    for k in (1, 137, 800, 20, 0):
        for at in (400, k):
            scrub(page, at)
        assert readout(page).startswith(f"step {k} of 800")
        assert f"loss {TRACE.losses[k]:.6g}"[:9] in readout(page)
        if k == 137:
            assert shown(page, "hand_w") == pytest.approx(TRACE.grads["w"][k], rel=1e-5)
            assert shown(page, "hand_w") == pytest.approx(shown(page, "numeric_w"), rel=1e-5)
            assert shown(page, "checked") == 137


def test_every_chart_follows_the_player_and_is_described(shared):
    page = shared(PAGE + "?chapter=pulls")
    charts = page.locator(".stVegaLiteChart")
    before = [charts.nth(i).screenshot() for i in range(charts.count())]
    scrub(page, 9)
    page.wait_for_timeout(200)
    after = [charts.nth(i).screenshot() for i in range(charts.count())]
    assert len(before) == 3
    described = page.locator('.stVegaLiteChart[role="graphics-document"]')
    labels = described.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert labels[1].startswith("One bar for each data point")
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_slow_motion_shows_only_what_the_phase_knows(shared):
    page = shared(PAGE + "?chapter=code")
    press(page, *["ArrowRight"] * 20)
    value = page.locator('.listing [data-now="grad_w"]').first
    moved = page.locator('.listing [data-now="w_next"]').first
    assert (step(page), chip(page), value.inner_text()) == (5, "predict", "…")
    assert "y_pred =" in page.locator(".listing li.on").first.inner_text()
    press(page, "ArrowRight", "ArrowRight")
    assert chip(page) == "gradient"
    assert shown(page, "grad_w") == pytest.approx(STEPPED.grads["w"][5], rel=1e-5)
    assert moved.inner_text() == "…"
    press(page, "ArrowRight")
    assert chip(page) == "update"
    assert shown(page, "w_next") == pytest.approx(STEPPED.params["w"][6], rel=1e-5)
    press(page, "ArrowRight")
    assert (chip(page), step(page)) == ("predict", 6)
    press(page, "ArrowLeft")
    assert (chip(page), step(page)) == ("update", 5)


def test_the_position_survives_reruns_and_a_reload_and_back_undoes_a_choice(visit):
    page = visit(PAGE + "?chapter=loss&step=37")
    page.get_by_role("radio", name="mean of (½ error)²").click()
    page.wait_for_url("**loss=mean_half_squared*")
    wait_until_idle(page)
    assert step(page) == 37
    page.locator("#player-step").focus()
    press(page, "ArrowLeft")
    assert step(page) == 36
    page.wait_for_url("**step=36*")
    page.reload()
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('#player-step')?.frame?.step === 36")
    assert "loss=mean_half_squared" in page.url
    page.go_back()
    page.wait_for_function(
        "document.querySelector('[data-now=other_grad_w]')?.closest('table').innerText.includes('0.888')"
    )
    assert "mean_half_squared" not in page.url


def test_lecture_mode_goes_with_the_links_and_its_header_comes_down_at_the_upper_edge(visit):
    page = visit("/?lecture=true", viewport=HALL)
    link = page.get_by_role("link", name="Manual gradients").first
    page.wait_for_function("document.querySelector('.contents').getBoundingClientRect().bottom < 0")
    assert link.bounding_box()["y"] < 0
    page.mouse.move(600, 3)
    page.wait_for_function("document.querySelector('.contents').getBoundingClientRect().top >= 0")
    link.click()
    page.wait_for_url("**/manual_gradients?lecture=true")
    wait_until_idle(page)
    assert page.get_by_label("Lecture mode").first.is_checked()
    size = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert size == pytest.approx(0.027 * 1080, abs=0.5)


def test_the_mistake_that_is_chosen_is_played_beside_the_right_run(visit):
    page = visit(PAGE + "?chapter=mistakes")
    page.get_by_role("radio", name="Wrong sign").click()
    page.wait_for_url("**mistake=wrong_sign*")
    wait_until_idle(page)
    page.get_by_role("radio", name="the loss climbs").click()
    answer = page.get_by_text("Yes: the loss climbs")
    answer.wait_for()
    assert answer.evaluate("one => one.closest('[aria-live=polite]') !== null")
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('#player-step').at.step > 0")  # it plays
    page.get_by_role("button", name="Pause").click()
    scrub(page, 30)
    assert shown(page, "wrong_loss") > 1e6 * shown(page, "loss")
    assert readout(page).startswith("the right run  ·  step 30 of ")


def test_a_click_on_a_point_or_a_bar_tells_its_pull(visit):
    page = visit(PAGE + "?chapter=pulls")
    points, ringed = [], "85"
    for chart, share in ((0, 0.3), (1, 0.9), (0, 0.3), (2, 0.6)):  # the third as the first
        box = page.locator(".stVegaLiteChart canvas").nth(chart).bounding_box()
        page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        page.wait_for_url(lambda url, old=ringed: asked(url, "point") not in ("", old))
        wait_until_idle(page)
        ringed = asked(page.url, "point")
        points.append(int(ringed))
        squared = number(float(ARTICLE.x[points[-1] - 1] ** 2), 3)
        assert f"x² = {squared}," in page.locator(".story").inner_text()
    assert points[0] == points[2] < 40 < points[3] < 75 < points[1]


def test_points_are_added_moved_and_removed_by_the_mouse_and_by_keys(visit):
    page = visit(PAGE + "?chapter=own_data")
    picture = page.locator(".points svg")
    known = own_data.EXAMPLES["spring"].points

    def points():
        text = asked(page.url, "data")
        return [tuple(map(float, pair.split(","))) for pair in text.split("_")]

    def changed(to):
        page.wait_for_url(lambda url: asked(url, "data").count("_") == to - 1)
        wait_until_idle(page)
        return points()

    place = picture.locator("circle[data-at]:not(.halo)").nth(2).bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y - 40)
    page.mouse.move(x + 40, y - 80)
    page.mouse.up()
    moved = changed(len(known))
    assert moved[2][0] > known[2][0]
    assert moved[2][1] > known[2][1]
    assert [one for i, one in enumerate(moved) if i != 2] == [*known[:2], *known[3:]]
    assert page.get_by_role("radio", name="Your data").is_checked()

    box = picture.bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.7 * box["height"])  # lets go
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.7 * box["height"])
    added = changed(len(known) + 1)
    assert added[:-1] == moved

    picture.focus()
    page.keyboard.press("n")  # the leftmost
    page.keyboard.press("ArrowUp")
    page.wait_for_url(lambda url: f"{known[0][0]:g},{known[0][1]:g}_" not in asked(url, "data"))
    wait_until_idle(page)
    assert points()[0][0] == known[0][0]
    assert points()[0][1] > known[0][1]
    page.keyboard.press("Delete")
    assert changed(len(known)) == added[1:]
    page.keyboard.press("Enter")
    assert len(changed(len(known) + 1)) == len(known) + 1


def test_a_line_that_has_left_the_picture_is_said_to_have(visit):
    page = visit(PAGE + "?chapter=own_data&of_limit=1.2")
    outside = page.get_by_text("the curve is outside this picture")
    outside.wait_for()
    page = visit(PAGE + "?chapter=own_data&example=years&standardise=true")
    scrub(page, 60)
    assert not page.get_by_text("the curve is outside this picture").is_visible()
    line = page.locator(".story").inner_text()
    assert re.search(r"y = 0\.\d+·x − 9\d\d\.\d", line), line


def test_the_charts_go_on_following_when_a_refusal_disappears(visit):
    page = visit(PAGE + "?chapter=two_futures&branch_step=abc")
    assert page.get_by_text("The address asks for branch_step").count() == 1
    page.get_by_label("Branch at step").fill("9")
    page.get_by_label("Branch at step").press("Enter")
    page.wait_for_url("**branch_step=9*")
    wait_until_idle(page)
    assert page.get_by_text("The address asks for branch_step").count() == 0
    charts = page.locator(".stVegaLiteChart")
    before = [charts.nth(i).screenshot() for i in range(2)]
    scrub(page, 2)
    settle(page)
    page.wait_for_timeout(200)
    assert all(one != charts.nth(i).screenshot() for i, one in enumerate(before))


def test_a_run_is_branched_at_the_step_shown(visit):
    page = visit(PAGE + "?chapter=two_futures")
    scrub(page, 20)
    page.get_by_role("button", name="Branch at the step shown").click()
    page.wait_for_url("**branch_step=20**")
    wait_until_idle(page)
    assert page.get_by_label("Branch at step").input_value() == "20"
    assert readout(page).startswith("η stays 0.004  ·  step 20 of 40")
    both = page.locator(".story b").all_text_contents()
    assert both[0] == both[1]  # up to the branch it is one run
    scrub(page, 30)
    both = [float(text) for text in page.locator(".story b").all_text_contents()]
    assert both[0] < both[1] / 2
    for end, at in (("End", "39"), ("Home", "0")):  # and again: nothing is refused
        page.locator("#player-step").focus()
        press(page, end)
        page.get_by_role("button", name="Branch at the step shown").click()
        wait_until_idle(page)
        assert page.get_by_label("Branch at step").input_value() == at
        assert page.locator("[data-testid=stAlert]").count() == 0
