"""Every chapter's stage fits every screen, and the way through the chapters is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.playing import press, readout, settle
from tests.support.server import wait_until_idle
from views.ui.contents import PAGES

CHAPTERS = [(page.path, chapter.name) for page in PAGES for chapter in page.chapters]
SIZES = [(1280, 720), (1024, 720), (1280, 800), (1920, 1080), (3840, 2160)]
LEAST, LECTURE = 11, 0.026  # px; in lecture mode, the share of the window's height

HERE = Path(__file__).parent
WRITTEN = (HERE / "written.js").read_text(encoding="utf-8")
FAULTS = (HERE / "stage_faults.js").read_text(encoding="utf-8")


def drawn(page):
    """Wait until the pictures have followed the window."""
    page.wait_for_timeout(150)
    wait_until_idle(page)
    settle(page)


@pytest.mark.parametrize(("path", "chapter"), CHAPTERS, ids=lambda name: name or "home")
def test_a_stage_fits_every_screen_and_is_read_from_the_last_row(visit, path, chapter):
    address = f"/{path}?chapter={chapter}"
    page = visit(address, prepare=lambda page: page.add_init_script(WRITTEN), player=False)
    wrong = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        drawn(page)
        wrong[width, height] = page.evaluate(FAULTS, LEAST)
    page.set_viewport_size({"width": 390, "height": 844})
    drawn(page)
    wrong["phone"] = page.evaluate(FAULTS, LEAST)
    first = page.locator(".st-key-beside").bounding_box()
    assert first["y"] < 844 * 0.7  # below bar and story, on the screen
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.locator(".st-key-lecture label").click()
    drawn(page)
    for width, height in ((1920, 1080), (1280, 720), (1024, 720)):
        page.set_viewport_size({"width": width, "height": height})
        page.mouse.move(width / 2, height / 2)
        drawn(page)
        wrong["lecture", width, height] = page.evaluate(FAULTS, LECTURE * height)
    assert {size: found for size, found in wrong.items() if found} == {}


def test_links_keys_and_the_back_button_lead_through_the_chapters(visit):
    page = visit("/manual_gradients?lecture=true")
    question = page.locator(".st-key-heading h2")
    press(page, "End", "PageDown")
    page.wait_for_url("**chapter=pulls**")
    wait_until_idle(page)
    press(page, "Home", "PageUp")
    page.wait_for_url("**/manual_gradients?lecture=true&step=60&moment=2")
    wait_until_idle(page)
    assert readout(page).startswith("step 60 of 60  ·  gradient")  # its last moment
    page.go_back()
    page.wait_for_url("**chapter=pulls**")
    press(page, "o")
    page.locator("dialog").get_by_role("link", name="Where it breaks").first.click()
    page.wait_for_url("**chapter=mistakes**")
    wait_until_idle(page)
    assert question.text_content() == "What does a wrong gradient look like?"
    page.goto(page.url.split("/manual")[0] + "/manual_gradients?chapter=one_step&step=3&moment=1")
    page.wait_for_function("document.querySelector('#player-step')?.frame?.moment === 1")
    assert readout(page).startswith("step 3 of 60  ·  loss")
