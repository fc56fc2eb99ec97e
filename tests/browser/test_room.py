"""A class of two phones follows its lecturer, answers, looks around, and is shown what happens."""

import re
from contextlib import ExitStack

import pytest

from tests.support.playing import listens, press, step
from tests.support.server import open_page, wait_until_idle

PHONE = {"width": 390, "height": 844}
HALL = {"width": 1280, "height": 720}
# All of the code that a question is about, between the upper edge and the strip of the room.
CODE_IN_SIGHT = """() => {
    const code = [...document.querySelectorAll(".edit")].at(-1)?.getBoundingClientRect();
    const strip = document.querySelector(".room-dock").getBoundingClientRect();
    return code?.top > 0 && code.bottom < strip.top;
}"""


@pytest.fixture
def somebody(browser, server):
    """A browser of somebody's own, at this path; nothing may go wrong in it."""
    errors = []
    with ExitStack() as stack:

        def opened(path, viewport, prepare=None):
            context = browser.new_context()
            stack.callback(context.close)

            def listen(page):
                page.on("pageerror", lambda error: errors.append(str(error)))
                if prepare:
                    prepare(page)

            page = open_page(context, server.url + path, viewport=viewport, prepare=listen)
            listens(page)
            return page

        yield opened
    assert errors == []


def asked_of_the_server(sent):
    """Note in `sent` what a page asks of Streamlit, but for signs of life."""

    def listen(page):
        def keep(payload):
            sent.append(payload)

        def opened(socket):
            if "_stcore/stream" in socket.url:
                socket.on("framesent", keep)

        page.on("websocket", opened)

    return listen


def opened_room(lecturer):
    """Open a room with the keyboard; returns its code."""
    lecturer.keyboard.press("r")
    lecturer.get_by_role("button", name="Open a room").click()
    lecturer.locator(".room-code img").wait_for()
    code = lecturer.locator(".room-code strong").inner_text()
    assert lecturer.get_by_text(f"/?room={code}").count() == 1
    lecturer.keyboard.press("r")
    return code


def told(page):
    return page.locator(".room-told")


def at(page, chapter, wanted):
    """Wait until the page is at that chapter and that step."""
    page.wait_for_function(
        """([chapter, wanted]) =>
            new URLSearchParams(location.search).get("chapter") === chapter
            && document.querySelector("#player-step")?.at?.step === wanted""",
        arg=[chapter, wanted],
    )


def followed(lecturer, phones, sent):
    """Steps reach the phones, and the server runs nothing for it."""
    sent.clear()
    press(lecturer, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft")
    for phone in phones:
        at(phone, "rate", step(lecturer))
    assert step(lecturer) > 4
    assert sent == []


def answered(lecturer, phones):
    """The next question is answered, counted, and then shown on all screens."""
    lecturer.locator(".contents-chapters a", has_text="Where it breaks").evaluate("a => a.click()")
    for phone in phones:
        phone.locator(".room-asks button").first.wait_for()
        assert phone.locator("[class*=st-key-guess-of]").is_hidden()
        phone.wait_for_function(CODE_IN_SIGHT)
    wait_until_idle(lecturer)
    ends = phones[0].locator(".room-asks button").all_inner_texts()
    for phone, end in zip(phones, ends, strict=False):
        phone.get_by_role("button", name=end).click()
        assert phone.locator(".room-asks li.given").inner_text() == end
        assert phone.locator(".room-asks b").count() == 0
    told(lecturer).filter(has_text="Answers so far: 2.").wait_for()
    counts = lecturer.locator(".room-asks b").all_inner_texts()
    assert counts == ["1", "1"] + ["0"] * (len(ends) - 2)
    for page in (lecturer, *phones):
        assert page.get_by_text(re.compile("^(The answer|Yes|Not quite):")).count() == 0
    lecturer.keyboard.press("Enter")
    shown = lecturer.locator(".st-key-stage p", has_text="The answer:").inner_text()
    right = shown.removeprefix("The answer: ").removesuffix(".")
    for phone, end in zip(phones, ends, strict=False):
        said = phone.get_by_text(f"{'Yes' if end == right else 'Not quite'}: {right}.")
        said.wait_for()
        phone.wait_for_timeout(700)
        assert 0 < said.bounding_box()["y"] < phone.viewport_size["height"]
        assert phone.locator(".room-asks b").all_inner_texts() == counts
    wait_until_idle(lecturer)
    lecturer.keyboard.press("Enter")  # once more changes nothing
    lecturer.wait_for_timeout(400)
    assert lecturer.locator(".room-asks b").all_inner_texts() == counts


def pointed_at(lecturer, phone):
    """What the lecturer points at grows on a phone too, a cell or a place in a picture."""
    lecturer.locator(".st-key-stage td").nth(1).hover()
    lecturer.keyboard.press("p")  # what the pointer rests on, at once; its number may be changing
    for page in (lecturer, phone):
        page.wait_for_function(
            "document.querySelectorAll('.st-key-stage td')[1].classList.contains('pointed')"
        )
        assert page.locator("td.pointed").count() == 1
    grown = phone.locator("td.pointed").bounding_box()  # not behind the room, at the lower edge
    assert 0 < grown["y"] < 0.6 * phone.viewport_size["height"]
    lecturer.locator(".st-key-stage canvas.marks").nth(1).hover()
    lens = phone.locator(".pointing-lens")
    lens.wait_for()
    assert phone.locator("td.pointed").count() == 0
    picture = phone.locator(".st-key-stage canvas.marks").nth(1).bounding_box()
    shown = lens.bounding_box()
    middle = picture["y"] + picture["height"] / 2
    assert shown["y"] <= middle <= shown["y"] + shown["height"]
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= PHONE["width"]
    lecturer.keyboard.press("p")
    lens.wait_for(state="detached")


def looked_around(lecturer, one, other):
    """One goes elsewhere, and comes back; another one only touches the player."""
    one.get_by_role("button", name="Look around").click()
    one.locator(".contents-open").click()
    one.locator(".contents-all").get_by_text("Who pulls").click()
    one.wait_for_url(re.compile("chapter=pulls"))
    wait_until_idle(one)
    press(lecturer, "Home", "ArrowRight", "ArrowRight")
    at(other, "mistakes", step(lecturer))
    assert told(one).inner_text() == "You look around by yourself."
    one.wait_for_timeout(300)
    assert "chapter=pulls" in one.url
    one.get_by_role("button", name="Back to the lecture").click()
    at(one, "mistakes", step(lecturer))
    wait_until_idle(other)
    other.locator("[data-action=back]").click()
    told(other).filter(has_text="You look around by yourself.").wait_for()
    other.reload()
    wait_until_idle(other)
    told(other).filter(has_text="You look around by yourself.").wait_for()


def test_a_lecture_is_followed_answered_and_left(somebody):
    lecturer = somebody("/manual_gradients?chapter=rate&of_limit=1.05&lecture=true", HALL)
    code = opened_room(lecturer)
    secret = lecturer.evaluate("JSON.parse(localStorage['backstep room']).secret")
    sent = []
    one = somebody(f"/?room={code}", PHONE, asked_of_the_server(sent))
    two = somebody("/", PHONE)
    two.get_by_role("button", name="Join a class").click()
    for typed in ("no", code.lower()):
        two.get_by_label("Its code").fill(typed)
        two.get_by_role("button", name="Join", exact=True).click()
        if typed == "no":
            two.get_by_role("alert").filter(has_text="There is no room with this code.").wait_for()
    for phone in (one, two):
        at(phone, "rate", step(lecturer))
        assert "of_limit=1.05" in phone.url
        assert "lecture" not in phone.url
        assert secret not in phone.content()
        assert "but not who" in phone.locator(".room-private").inner_text()
        wait_until_idle(phone)
    told(lecturer).filter(has_text="2 are here.").wait_for()
    followed(lecturer, (one, two), sent)
    answered(lecturer, (one, two))
    pointed_at(lecturer, one)
    looked_around(lecturer, one, two)

    lecturer.reload()
    wait_until_idle(lecturer)
    told(lecturer).filter(has_text="2 are here.").wait_for()
    press(lecturer, "Home", "ArrowRight", "ArrowRight", "ArrowRight")
    at(one, "mistakes", step(lecturer))
    lecturer.keyboard.press("r")
    lecturer.get_by_role("button", name="Close the room").click()
    for page in (one, two, lecturer):
        page.get_by_text("The room has been closed.").wait_for()
        assert page.locator(".room-dock").is_hidden()
    assert lecturer.evaluate("localStorage['backstep room'] ?? null") is None


def test_an_unknown_code_and_another_window_are_told(somebody):
    lost = somebody("/?room=AAAAA", PHONE)
    lost.get_by_role("alert").filter(has_text="There is no room with this code.").wait_for()
    assert lost.locator(".room-plan button").all_inner_texts() == ["✕", "Join"]
    lecturer = somebody("/manual_gradients?lecture=true", HALL)
    opened_room(lecturer)
    other = lecturer.context.new_page()
    other.goto(lecturer.url)
    other.locator(".room-told", has_text="Your room is led from another window.").wait_for()
    other.get_by_role("button", name="Lead it from here").click()
    told(other).filter(has_text="Nobody is here yet.").wait_for()
    told(lecturer).filter(has_text="Your room is led from another window.").wait_for()
