"""Chapters of the dynamic graph in a browser: what is on the stage when a question is answered."""

from __future__ import annotations

from tests.support.playing import press, readout, scrub, shown
from tests.support.server import wait_until_idle

PAGE = "/dynamic_graph?chapter="


def test_an_error_takes_the_player_with_it_and_another_mistake_brings_it_back(visit):
    page = visit(PAGE + "mistakes&mistake=backward_twice")
    assert readout(page).startswith("the right run  ·  step 4 of 160")
    page.get_by_role("radio", name="just show me").click()
    page.get_by_text("What it says").first.wait_for()
    wait_until_idle(page)
    assert page.locator("#player-step").count() == 0
    page.get_by_role("radio", name="Gradients not zeroed").click()
    page.wait_for_function("document.querySelector('#player-step')?.frame")
    assert readout(page).startswith("the right run")


def test_a_stream_has_no_slow_motion_and_reads_its_own_batch(visit):
    page = visit(PAGE + "stream&moment=2")
    assert not page.get_by_label("slow motion").is_visible()
    scrub(page, 400)
    assert readout(page).startswith("batch 8000 of 8000")
    assert shown(page, "stream_batch") == 8000
    press(page, "Home")
    assert readout(page).startswith("batch 0 of 8000")
