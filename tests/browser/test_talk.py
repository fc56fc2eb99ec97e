"""A talk: made of moments, walked with one key in two windows, taken along as a link and a file."""

import json

import pytest

from tests.support.playing import listens, pixels, press, readout
from tests.support.server import wait_until_idle
from views.ui.contents import PAGES
from views.ui.talk import PREPARED

STOPS = [
    ("A rate", "/manual_gradients?chapter=rate&of_limit=1.05&step=4&moment=all", "step 4 of 60"),
    ("The same, later", "/manual_gradients?chapter=rate&of_limit=1.05&step=9&moment=all", "step 9"),
    ("A moment", "/manual_gradients?step=2&moment=1", "step 2 of 60"),
    ("Another point", "/manual_gradients?chapter=pulls&point=80&step=3&moment=all", "step 3 of 60"),
    ("Another page", "/?chapter=engines&step=100&moment=all", "step 100 of 800"),
]
TALK = {
    "title": "Six minutes",
    "stops": [{"name": name, "at": at, "notes": f"Notes on {name}."} for name, at, _ in STOPS],
}


# Whether this picture is there, with something in it.
SEEN = "id => document.querySelector(`#${id} img[src]`)?.naturalWidth > 300"


def opened(page, file):
    """Open the plan, and in it this file, in place of any other talk."""
    page.once("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("t")
    page.locator(".talk-plan input[type=file]").set_input_files(
        {"name": "talk.json", "mimeType": "application/json", "buffer": file.encode()}
    )


def at_stop(page, i):
    """Wait until the stop is there: its address, and the player at its moment."""
    _, at, told = STOPS[i]
    page.wait_for_function(
        """([at, told]) => {
            const wanted = new URL(at, location.origin);
            const here = new URLSearchParams(location.search);
            return location.pathname === wanted.pathname
                && (wanted.searchParams.get("chapter") ?? "") === (here.get("chapter") ?? "")
                && document.querySelector(".player-readout")?.textContent.includes(told);
        }""",
        arg=[at, told],
    )
    wait_until_idle(page)


def test_a_moment_is_added_named_ordered_and_removed(visit):
    page = visit("/manual_gradients?chapter=rate&of_limit=0.3&step=7&moment=all")
    page.keyboard.press("a")
    assert page.locator(".talk-said").inner_text() == "Added: stop 1 of the talk."
    page.get_by_role("button", name="Add this moment to a talk").click()
    assert page.locator(".talk-said").inner_text() == "This moment is the last stop already."
    page.locator("#player-step").focus()
    press(page, "ArrowRight", "a")
    page.get_by_role("button", name="The talk (2)").click()
    names = page.get_by_label("Name of the stop")
    assert names.first.input_value() == "Manual gradients · The rate and its limit, step 7"
    names.nth(1).fill("Second")
    names.nth(1).press("Tab")
    page.get_by_role("button", name="↑").nth(1).click()
    assert [one.input_value() for one in names.all()] == [
        "Second",
        "Manual gradients · The rate and its limit, step 7",
    ]
    page.get_by_role("button", name="Remove").first.click()
    kept = json.loads(page.evaluate("localStorage.getItem('backstep talk')"))
    assert [stop["at"] for stop in kept["stops"]] == [
        "/manual_gradients?chapter=rate&of_limit=0.3&step=7&moment=all"
    ]
    page.get_by_role("button", name="Clear").click()


def test_a_talk_is_walked_forward_and_back_in_two_windows(visit, profile):
    page = visit("/manual_gradients")
    opened(page, json.dumps(TALK))
    with page.expect_popup() as window:
        page.get_by_role("button", name="Speaker’s view").click()
    speaker = window.value
    page.get_by_role("button", name="Start", exact=True).click()
    for i, (name, *_) in enumerate(STOPS):
        at_stop(page, i)
        assert speaker.locator("#name").inner_text() == name
        assert speaker.locator("#notes").inner_text() == f"Notes on {name}."
        if i + 1 < len(STOPS):
            assert speaker.locator("#next").inner_text() == f"Next: {STOPS[i + 1][0]}"
            speaker.wait_for_function(SEEN, arg="seen-now")  # what the hall sees
            if STOPS[i + 1][1].startswith("/manual_gradients"):  # and then, once it is ready
                speaker.wait_for_function(SEEN, arg="seen-next", timeout=60000)
            (page if i % 2 else speaker).keyboard.press("PageDown")
    assert (
        page.get_by_role("switch", name="Lecture mode")
        .or_(page.get_by_label("Lecture mode"))
        .first.is_checked()
    )
    for i in reversed(range(len(STOPS) - 1)):
        page.keyboard.press("PageUp")
        at_stop(page, i)
    assert speaker.locator("#place").inner_text() == "1 of 5 · Six minutes"
    before = readout(page)
    speaker.keyboard.press("ArrowRight")  # the same keys there, those of the player too
    page.get_by_role("status").filter(has_text="step 5 of 60").wait_for()
    assert readout(page) != before
    speaker.locator("#seen-now p").filter(has_text="step 5 of 60").wait_for()
    speaker.keyboard.press("b")  # told in words, and what the hall would see stays
    speaker.get_by_text("The hall sees a black screen.").wait_for()
    assert speaker.evaluate(SEEN, "seen-now")
    speaker.close()


def test_a_link_and_a_file_bring_the_same_talk(visit, tmp_path):
    page = visit("/manual_gradients")
    opened(page, json.dumps(TALK))
    page.get_by_role("button", name="Copy its link").click()
    page.locator(".talk-link:not([hidden])").wait_for()
    page.wait_for_function("document.querySelector('.talk-link input').value")
    link = page.locator(".talk-link input").input_value()
    assert len(link) < 600
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert json.loads(file.read_text()) == TALK
    page.get_by_role("button", name="Clear").click()
    path = link.partition("/?")[2]
    other = visit(f"/?{path}", player=False)
    at_stop(other, 0)
    assert json.loads(other.evaluate("localStorage.getItem('backstep talk')")) == TALK


@pytest.mark.parametrize(
    "file", ["no talk", "[]", '{"stops": [{"at": "https://example.org"}]}', '{"stops": []}']
)
def test_what_is_no_talk_is_refused(visit, file):
    page = visit("/manual_gradients")
    opened(page, json.dumps(TALK))
    page.keyboard.press("Escape")
    opened(page, file)
    page.get_by_text("This is not a talk of this app.").wait_for()
    assert page.get_by_label("Name of the stop").count() == len(STOPS)


def title_height(picture):
    """How high the letters of a picture's title are, in pixels."""
    inked = (pixels(picture.screenshot()).min(axis=2) < 110).any(axis=1)
    top = inked.argmax()
    return (~inked[top:]).argmax()


def test_the_keys_of_a_hall(visit):
    page = visit("/manual_gradients?chapter=mistakes&lecture=true")
    page.mouse.move(190, 360)
    page.keyboard.press("b")
    assert page.locator(".talk-blank").count() == 1
    page.keyboard.press(".")
    assert page.locator(".talk-blank").count() == 0
    page.keyboard.press("h")
    assert not page.locator(".player").is_visible()
    page.keyboard.press("h")
    assert page.locator(".player").is_visible()
    for full in (True, False):
        page.keyboard.press("f")
        page.wait_for_function("full => (document.fullscreenElement !== null) === full", arg=full)
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    usual, picture = page.evaluate(size), page.locator(".st-key-stage canvas").first
    before = title_height(picture)
    press(page, *"+++++")
    assert page.evaluate(size) == pytest.approx(1.5 * usual)
    page.wait_for_timeout(500)
    assert title_height(picture) == pytest.approx(1.5 * before, rel=0.1)
    column = page.locator(".st-key-stage [data-testid=stColumn]").first.bounding_box()
    assert picture.bounding_box()["width"] <= column["width"] + 1  # the picture fits
    press(page, *"-----")
    assert page.evaluate(size) == usual
    page.keyboard.press("a")  # what is said of it is on the screen
    said = page.get_by_text("Added: stop 1 of the talk.").bounding_box()
    assert 0 < said["y"] < page.viewport_size["height"] - said["height"]
    page.keyboard.press("?")
    assert page.locator(".talk-keys[open] tr").count() == 14
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.locator(".contents-all[open]").count() == 1
    before = readout(page)
    page.keyboard.press("PageDown")  # is the list's own
    assert readout(page) == before
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    chosen = page.locator("[class*=st-key-guess-of] [role=radio][aria-checked=true]")
    chosen.wait_for(state="attached")
    assert chosen.text_content() == "it ends somewhere else"


def test_a_stop_that_asks_waits_for_an_answer_each_time(visit):
    page = visit("/manual_gradients")
    stop = {"name": "Asked", "at": "/manual_gradients?chapter=mistakes&step=0&moment=all"}
    opened(page, json.dumps({"title": "", "stops": [stop, {"name": "Home", "at": "/"}]}))
    page.get_by_role("button", name="Start", exact=True).click()
    answers = page.locator(".st-key-stage [class*=st-key-guess-of] [role=radio]")
    answers.first.wait_for()
    wait_until_idle(page)
    page.keyboard.press("Enter")
    answers.locator("xpath=self::*[@aria-checked='true']").wait_for(state="attached")
    wait_until_idle(page)
    page.keyboard.press("PageDown")
    page.locator(".cards").wait_for()
    wait_until_idle(page)
    page.keyboard.press("PageUp")
    answers.first.wait_for()
    wait_until_idle(page)
    assert page.locator(".st-key-stage [role=radio][aria-checked=true]").count() == 1  # the mistake


def test_the_handout_has_every_stop_with_its_picture(visit):
    page = visit("/manual_gradients")
    opened(page, json.dumps({**TALK, "stops": TALK["stops"][:2]}))
    with page.expect_popup() as window:
        page.get_by_role("button", name="Handout").click()
    paper = window.value
    paper.locator(".wait").wait_for(state="detached", timeout=60000)
    assert paper.locator("h2").all_inner_texts() == ["1. A rate", "2. The same, later"]
    assert paper.get_by_text("Notes on A rate.").is_visible()
    paper.get_by_label("With the notes").uncheck()
    assert paper.get_by_text("Notes on A rate.").is_hidden()
    assert paper.get_by_role("button", name="Print").is_visible()
    assert paper.get_by_text("It explodes.").count() == 2
    assert paper.locator("section").first.locator("img").count() == 3
    assert paper.locator("img").evaluate_all("all => all.every(one => one.naturalWidth > 100)")
    paper.close()


def test_what_is_prepared_is_a_talk_for_each_page_and_one_for_all():
    assert set(PREPARED) == {"all", *(page.path or "home" for page in PAGES)}
    paths = {page.path: {one.name for one in page.chapters} for page in PAGES}
    for talk in PREPARED.values():
        assert talk["title"]
        for stop in talk["stops"]:
            assert stop["name"]
            assert stop["notes"].endswith((".", ")"))
            path, _, query = stop["at"].removeprefix("/").partition("?")
            settings = dict(one.split("=") for one in query.split("&") if one)
            assert settings.get("chapter") in {None, *paths[path]}
    minutes = [int(stop["notes"].split("(")[-1].split()[0]) for stop in PREPARED["all"]["stops"]]
    assert sum(minutes) == 45


def test_what_the_pointer_rests_on_grows_and_the_rest_grows_faint(visit):
    page = visit("/manual_gradients?chapter=mistakes&lecture=true")
    lens, canvas = page.locator(".pointing-lens"), page.locator(".st-key-stage canvas").first
    page.keyboard.press("p")
    canvas.hover()
    lens.wait_for()
    colours = "lens => new Set(lens.getContext('2d').getImageData(0, 0, lens.width, 90).data).size"
    assert lens.evaluate(colours) > 20  # something is drawn in it
    page.mouse.move(canvas.bounding_box()["x"] + 5, 300)
    page.wait_for_timeout(100)
    assert lens.bounding_box()["x"] == 0  # it stays on the screen
    page.keyboard.press("Enter")
    cell = page.locator(".st-key-stage td").nth(1)
    cell.wait_for()
    wait_until_idle(page)
    high = cell.bounding_box()["height"]
    cell.hover()
    page.locator("td.pointed").wait_for()
    page.wait_for_timeout(250)
    assert cell.bounding_box()["height"] == pytest.approx(1.6 * high, rel=0.1)
    others = page.locator(".st-key-stage td:not(.pointed)").first
    assert float(others.evaluate("one => getComputedStyle(one).opacity")) < 0.5
    assert lens.is_hidden()
    page.keyboard.press("p")
    assert lens.count() == page.locator(".pointed").count() == 0


def test_a_talk_is_written_down_as_it_is_typed_and_not_replaced_unasked(visit):
    page = visit("/manual_gradients")
    page.get_by_text("Lecture mode").click()
    wait_until_idle(page)
    page.mouse.move(600, 500)
    press(page, "ArrowRight", "a", "ArrowRight", "a")
    header = page.locator(".st-key-header").bounding_box()
    assert header["y"] + header["height"] < 15  # though it was pressed before, it stays away
    press(page, "t")
    notes = page.locator(".talk-stops textarea")
    for i, text in enumerate(("one", "two")):
        notes.nth(i).click()
        page.keyboard.type(text)
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator(".talk-prepared").select_option("all")
    page.reload()
    listens(page)
    page.wait_for_function("document.querySelector('#player-step')?.frame")
    press(page, "t")
    assert [notes.nth(i).input_value() for i in range(notes.count())] == ["one", "two"]
