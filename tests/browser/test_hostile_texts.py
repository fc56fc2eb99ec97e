"""Somebody else's texts on a page are texts: no markup, no link, and nothing is asked for."""

import json
from itertools import pairwise

from tests.support.hostile import (
    SHORT,
    TEXTS,
    bring,
    elsewhere,
    hostile_recording,
    not_shown,
    understood,
)
from tests.support.server import wait_until_idle
from views.ui.contents import page_of


def test_of_a_recording_that_is_brought_every_text_is_a_text(visit):
    page = visit("/gpu_speedup?chapter=machines", player=False)
    asked = elsewhere(page)
    bring(page, hostile_recording())
    page.get_by_text("Your recording has").wait_for()
    wait_until_idle(page)
    assert not_shown(page.locator("body").inner_text()) == []
    for chapter in page_of("pages/gpu_speedup.py").chapters:
        page.get_by_role("link", name=chapter.title).first.click()
        page.locator(".st-key-heading h2", has_text=chapter.question).wait_for()
        wait_until_idle(page)
        assert (chapter.name, understood(page)) == (chapter.name, [])
        if chapter.name == "speed":
            page.get_by_role("button", name="Settings").click()
            chosen = page.get_by_label("Recording").first
            chosen.wait_for()
            assert chosen.input_value() in [f"Your own recording: {text}" for text in TEXTS]
    assert asked == []


def test_of_a_file_that_is_no_recording_no_text_is_markup(visit):
    page = visit("/gpu_speedup?chapter=machines", player=False)
    asked = elsewhere(page)
    for text in TEXTS[:: len(TEXTS) // 5]:  # a visit may upload ten files
        broken = json.loads(hostile_recording()) | {text: text}
        bring(page, json.dumps(broken), f"{text[:9].replace('/', '_')}.json")
        page.get_by_text("A part of the recording is not what it must be").wait_for()
        wait_until_idle(page)
        assert (text, understood(page)) == (text, [])
    assert asked == []


def test_of_pasted_columns_every_name_is_a_text(visit):
    page = visit("/manual_gradients?chapter=own_data")
    asked = elsewhere(page)
    for one, other in pairwise(SHORT[::3]):
        page.get_by_role("button", name="Paste data").click()
        field = page.get_by_label("Two columns from a spreadsheet, x and y")
        field.fill(f"{one}\t{other}\n1\t2\n2\t{other}\n2\t3\n3\t5\n")
        field.press("Control+Enter")
        wait_until_idle(page)
        page.get_by_role("button", name="Use these").click()
        wait_until_idle(page)
        assert (one, understood(page)) == (one, [])
        shown = page.locator(".points").inner_text()
        assert one in shown or '"' in one
        if page.get_by_role("button", name="Use these").is_visible():
            page.get_by_role("button", name="Paste data").click()
            wait_until_idle(page)
    assert asked == []


def test_of_a_talk_every_text_is_a_text(visit):
    talk = {
        "title": TEXTS[0],
        "stops": [
            {"name": text, "at": "/manual_gradients?chapter=rate", "notes": text} for text in TEXTS
        ],
    }
    page = visit("/manual_gradients?chapter=rate")
    asked = elsewhere(page)
    page.keyboard.press("t")
    page.locator(".talk-plan input[type=file]").set_input_files(
        {"name": "talk.json", "mimeType": "application/json", "buffer": json.dumps(talk).encode()}
    )
    names = page.get_by_label("Name of the stop")
    names.first.wait_for()
    assert [one.input_value() for one in names.all()] == list(TEXTS)
    with page.expect_popup() as window:
        page.get_by_role("button", name="Speaker’s view").click()
    page.get_by_role("button", name="Start", exact=True).click()
    speaker = window.value
    speaker.locator("#name", has_text="evil").wait_for()
    assert speaker.locator("#name").inner_text() == TEXTS[0]
    assert understood(page) == understood(speaker) == []
    page.keyboard.press("t")
    page.get_by_role("button", name="Copy its link").click()
    page.wait_for_function("document.querySelector('.talk-link input').value")
    link = page.locator(".talk-link input").input_value()
    linked = visit(f"/?{link.partition('/?')[2]}", player=False)
    linked.wait_for_function("localStorage.getItem('backstep talk')")
    linked.wait_for_url("**/manual_gradients*")
    wait_until_idle(linked)
    assert understood(linked) == []
    speaker.close()
    # A stop is an address of this app, or the talk is none.
    for at in ("https://evil.example/", "//evil.example/", "javascript:evil=1", "/x/../evil"):
        page.locator(".talk-plan input[type=file]").set_input_files(
            {
                "name": "talk.json",
                "mimeType": "application/json",
                "buffer": json.dumps(talk | {"stops": [{"name": "a", "at": at}]}).encode(),
            }
        )
        page.get_by_text("This is not a talk").wait_for()
    assert asked == []
