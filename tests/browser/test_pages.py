"""Every page as it is first met: drawn, within its width, in both themes, and silent."""

from __future__ import annotations

import re
import statistics
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from tests.support.playing import readout, settle, step
from tests.support.server import has_player, open_page, pages, wait_until_idle

PHONE = {"width": 390, "height": 844}
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 24, 31)"}
INPUT = "document.querySelector('#player-step')"


def watching(asked, sent):
    """What to attach to a page before it loads, to see whom it asks and what it says."""

    def prepare(page):
        page.on("request", lambda request: asked.append(request.url))

        def opened(socket):
            asked.append(socket.url)
            socket.on("framesent", lambda frame: sent.append(frame))  # noqa: PLW0108

        page.on("websocket", opened)

    return prepare


def shows_its_first_step(page, path):
    charts = page.locator(".stVegaLiteChart svg, .stVegaLiteChart canvas")
    assert charts.count() >= 1
    if has_player(path) and path != "/":  # which plays by itself
        opens, *_ = page.evaluate(f"[{INPUT}.frame.step, {INPUT}.frame.moment]")
        page.wait_for_timeout(300)
        assert page.evaluate(f"{INPUT}.frame.step") == opens
        first = {"/custom_relu_backward": "backward", "/static_graph_and_sessions": "walk back"}
        assert re.match(first.get(path, rf"step {opens} of \d+\b"), readout(page))


def plays(page):
    button = page.locator("[data-action=play]")
    if page.locator(".playing").count():  # by itself
        button.click()
    page.emulate_media(reduced_motion="reduce")
    assert button.evaluate("one => getComputedStyle(one).transitionProperty") in ("none", "all")
    assert button.evaluate("one => getComputedStyle(one).transitionDuration") == "0s"
    page.emulate_media(reduced_motion="no-preference")
    page.get_by_role("button", name="One step forward").click()
    before = page.evaluate(f"[{INPUT}.frame.step, {INPUT}.frame.moment]")
    assert before != [0, 0]
    button.click()
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Pause").click()


def follows_the_theme(page, path):
    """The scheme is changed where the page is already open, and back."""
    place = ".player" if has_player(path) else ".stApp"
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            """([place, color]) => getComputedStyle(document.querySelector(place))
                .backgroundColor === color""",
            arg=[place, BACKGROUNDS[scheme]],
        )


def scrolls_by_key(page):
    """Nothing has the focus yet."""
    main = page.get_by_test_id("stMain")
    page.set_viewport_size({"width": 1280, "height": 500})
    page.keyboard.press("PageDown")
    page.wait_for_function("main => main.scrollTop > 0", arg=main.element_handle())
    page.keyboard.press("Home")
    page.wait_for_function("main => main.scrollTop === 0", arg=main.element_handle())


def fits_a_phone(page):
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(500)  # charts are drawn anew
    wait_until_idle(page)
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= PHONE["width"]
    for choices in page.locator("[data-testid=stButtonGroup] > [role]").all():
        assert choices.evaluate("row => row.scrollWidth - row.clientWidth") <= 0
    for chart in page.locator(".stVegaLiteChart").all():
        box = chart.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]


def asked_only_this_machine(asked):
    parts = [urlsplit(url) for url in asked]
    assert {"http", "ws"} <= {part.scheme for part in parts}
    assert {part.hostname for part in parts if part.scheme not in ("blob", "data")} == {"127.0.0.1"}


@pytest.mark.parametrize("path", pages())
def test_a_page_is_whole_at_a_first_visit_in_both_themes_and_on_a_phone(visit, path):
    asked = []
    page = visit(path, prepare=watching(asked, []))  # which sees errors and charts left unbound
    shows_its_first_step(page, path)
    scrolls_by_key(page)
    if has_player(path):
        plays(page)
    follows_the_theme(page, path)
    fits_a_phone(page)
    asked_only_this_machine(asked)


@pytest.mark.alone
@pytest.mark.parametrize(
    "path",
    [
        "/manual_gradients?chapter=check",
        "/dynamic_graph?chapter=training",
        "/static_graph_and_sessions?chapter=training",
    ],
)
def test_scrubbing_keeps_up_with_the_screen_and_says_nothing_to_the_server(browser, server, path):
    asked, sent = [], []
    page = open_page(browser, server.url + path, prepare=watching(asked, sent))
    page.wait_for_function(f"{INPUT}?.frame")
    assert sent  # the page's own first request was seen, so a later one would be
    settle(page)
    page.wait_for_timeout(300)
    sent.clear()
    times = page.evaluate(
        """() => new Promise(done => {
            const range = document.querySelector('#player-step'), times = [];
            const frame = time => {
                times.push(time);
                range.value = times.length;
                range.dispatchEvent(new Event('input', {bubbles: true}));
                times.length > 60 ? done(times) : requestAnimationFrame(frame);
            };
            requestAnimationFrame(frame);
        })"""
    )
    frames = [after - before for before, after in pairwise(times)]
    assert len(frames) == 60
    assert statistics.median(frames) < 50  # the bench says more; a busy machine must not fail this
    assert sent == []
    assert step(page) == 61
    page.close()
