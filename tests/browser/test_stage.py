"""Every chapter's stage fits every screen, and the way through the chapters is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.playing import press, readout, settle
from tests.support.server import wait_until_idle
from views.ui.contents import PAGES

SIZES = [(1280, 720), (1024, 720), (1280, 800), (1920, 1080), (3840, 2160), (390, 844)]
HALLS = [(1920, 1080), (1280, 720), (1024, 720)]
# Answers and mistakes are many: each is measured where there is least room.
TIGHT, TIGHT_HALLS = [(1024, 720), (390, 844)], [(1920, 1080), (1024, 720)]
CHOICES = "mistakes", "traps", "tape"  # chapters whose first choice is what is asked about
LEAST, LECTURE = 11, 0.026  # px; in lecture mode, the share of the window's height

HERE = Path(__file__).parent
WRITTEN = (HERE / "written.js").read_text(encoding="utf-8")
FAULTS = (HERE / "stage_faults.js").read_text(encoding="utf-8")
# Every picture is drawn anew at another size; what was written before says nothing of this one.
FOLLOWED = """[...document.querySelectorAll(".st-key-stage .stVegaLiteChart canvas")]
    .every(canvas => drawnFor.get(canvas) === windowSize())"""
# Where the first picture ends, if nothing stands above it but bar, story and controls.
FIRST_PICTURE_ENDS = """(() => {
    const [all, box] = [".st-key-beside", ".st-key-beside .stVegaLiteChart"].map((part) =>
        document.querySelector(part)?.getBoundingClientRect());
    return box && Math.abs(box.top - all.top) < 30 ? box.bottom : 0;
})()"""


def chapters(visit, there, address, **options):
    """Open each chapter of a page as a clicker does, one after the other."""
    page = visit(
        address, prepare=lambda page: page.add_init_script(WRITTEN), player=False, **options
    )
    page.mouse.move(190, 360)  # in a lecture the upper edge brings the header
    for chapter in there.chapters:
        if chapter is not there.chapters[0]:
            page.evaluate("document.dispatchEvent(new CustomEvent('player-turn', {detail: 1}))")
            page.locator(".st-key-heading h2", has_text=chapter.question).wait_for()
            wait_until_idle(page)
        yield page, chapter.name


def answered(page, chapter):
    """Let a chapter that asks first show its answer, that of each mistake in turn; their names."""
    stage = page.locator(".st-key-stage")
    names = [""]
    if chapter in CHOICES:
        choices = stage.get_by_test_id("stButtonGroup").first
        names = choices.get_by_role("radio").all_inner_texts()
    for name in names:
        if name:
            choices.get_by_role("radio", name=name, exact=True).click()
            wait_until_idle(page)
        show = stage.get_by_role("radio", name="just show me")
        asked = show.count()  # an answered question leaves the stage of a lecture
        if asked:
            show.click()
            wait_until_idle(page)
        if name or asked:
            yield name


def faults(page, width, height, least):
    """What is cut, too small or overlaps, once the pictures have followed the window."""
    if page.viewport_size != {"width": width, "height": height}:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(FOLLOWED)
    settle(page)
    for late in (0, 500, 2000, 4000):  # ms: on a busy machine the rest follows late
        page.wait_for_timeout(late)
        found = page.evaluate(FAULTS, least)
        if not found:
            break
    return found


@pytest.mark.parametrize("there", PAGES, ids=lambda page: page.path or "home")
def test_each_stage_fits_every_screen(visit, there):
    found = {}
    for page, chapter in chapters(visit, there, f"/{there.path}"):
        for width, height in SIZES:
            found[chapter, width, height] = faults(page, width, height, LEAST)
        # On a phone: below bar and story, all of it on the screen.
        assert page.locator(".st-key-beside").bounding_box()["y"] < 844 * 0.7
        assert page.evaluate(FIRST_PICTURE_ENDS) <= 844 + 2, chapter
        for name in answered(page, chapter):
            for width, height in TIGHT:
                found[chapter, name, width, height] = faults(page, width, height, LEAST)
    assert {where: wrong for where, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("there", PAGES, ids=lambda page: page.path or "home")
def test_each_stage_is_read_from_the_last_row(visit, there):
    found = {}
    address = f"/{there.path}?lecture=true"
    for page, chapter in chapters(visit, there, address, color_scheme="dark"):
        question = page.locator(".st-key-stage .question")
        assert question.inner_text() == there.chapter(chapter).question
        for width, height in HALLS:
            found[chapter, width, height] = faults(page, width, height, LECTURE * height)
        for name in answered(page, chapter):
            for width, height in TIGHT_HALLS:
                least = LECTURE * height
                found[chapter, name, width, height] = faults(page, width, height, least)
    assert {where: wrong for where, wrong in found.items() if wrong} == {}


def test_links_keys_and_the_back_button_lead_through_the_chapters(visit):
    page = visit("/manual_gradients?lecture=true")
    question = page.locator(".st-key-heading h2")
    press(page, "End", "PageDown")
    page.wait_for_url("**chapter=pulls**")
    wait_until_idle(page)
    # What is drawn anew, in a window of another size, still finds what the player has said.
    assert page.evaluate("document.querySelector('#root').value")
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
