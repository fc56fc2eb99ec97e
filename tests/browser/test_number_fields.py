"""What people type and paste into a field for numbers is taken as they mean it, or refused."""

import pytest

from tests.support.server import open_page, wait_until_idle

ADDING = "/static_graph_and_sessions?chapter=build_and_run"
WORDS = "Only a number can stand here, such as 1000, 7.5 or 1e-3."
TYPED = {
    "7,5": "7.5",
    "1e-3": "0.001",
    "−0,5": "-0.5",
    " 0.01 ": "0.01",
    "1 000": "1000",
    "７。２": "7.2",
}
PASTED = {"7,5": "7.5", "−0,5": "-0.5", "1.000,25": "1000.25", "1,000.5": "1000.5", "2’000": "2000"}
PASTED |= {"3,000,000": "3000000"}  # more than the field takes: Streamlit says so
IN_ADDRESS = "(text) => new URLSearchParams(location.search).get('a_value') === text"


@pytest.fixture(scope="module")
def page(browser, server):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = open_page(context, server.url + ADDING)
    page.get_by_role("button", name="Settings").click()
    yield page
    context.close()


def enter(page, text, key, *, pasted):
    """Put the text in place of the first number to add, press a key, and return the field."""
    field = page.get_by_label("a", exact=True)
    field.blur()
    field.focus()
    field.select_text()
    if pasted:
        page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        page.keyboard.press("Control+V")
    else:
        page.keyboard.type(text)
    page.keyboard.press(key)
    return field


@pytest.mark.parametrize(("texts", "pasted"), [(TYPED, False), (PASTED, True)])
def test_a_number_is_taken_as_people_write_it(page, texts, pasted):
    for i, (text, meant) in enumerate(texts.items()):
        field = enter(page, text, ("Enter", "Tab")[i % 2], pasted=pasted)
        assert (text, field.input_value()) == (text, meant)
        if float(meant) < 1e6:
            page.wait_for_function(IN_ADDRESS, arg=meant)
    assert not page.locator(".no-number").is_visible()


def test_what_is_no_number_is_refused_in_words(page):
    enter(page, "3", "Enter", pasted=False)
    page.wait_for_function(IN_ADDRESS, arg="3")
    refused = [(text, False) for text in ("abc", "1e", "--5", "-")]
    refused += [(text, True) for text in ("abc", "1.2.3", "5 px", "<b>5</b>")]
    note = page.locator(".no-number")
    for text, pasted in refused:
        note.evaluate("(note) => note.hidePopover()")
        field = enter(page, text, "Enter", pasted=pasted)
        assert (text, note.is_visible(), note.inner_text()) == (text, True, WORDS)
        note.evaluate("(note) => note.hidePopover()")
        page.keyboard.press("Tab")
        assert (text, field.input_value()) == (text, "3")
    note.evaluate("(note) => note.hidePopover()")
    enter(page, "1,000,000", "Escape", pasted=False)  # of which the second comma is refused
    assert note.is_visible()
    wait_until_idle(page)
    page.wait_for_function(IN_ADDRESS, arg="3")
