"""The static graph in a browser: a walk back, another fetch by a click, and two visitors."""

from __future__ import annotations

import pytest

from tests.support.playing import chip, graph, marked_line, press, settle, step, story
from tests.support.server import wait_until_idle

PAGE = "/static_graph_and_sessions"


def test_a_box_that_is_clicked_is_fetched(visit):
    page = visit(PAGE)
    assert chip(page) == "walk back 3/12"
    box = graph(page).bounding_box()
    # y_pred: the second column, the third of seven rows.
    graph(page).click(position={"x": 0.4 * box["width"], "y": 0.36 * box["height"]})
    page.wait_for_url("**fetch=y_pred*")
    wait_until_idle(page)
    page.locator("#player-step").focus()
    press(page, "End")
    assert story(page).startswith("y_pred = ")
    assert "88 operations were written, 9 ran" in story(page)
    assert step(page) == 0


def test_a_reload_shows_the_same_moment_of_the_same_run(visit):
    page = visit(PAGE + "?fetch=y_pred&moment=1")
    before = marked_line(page), story(page)
    page.reload()
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('#player-step')?.frame?.moment === 1")
    settle(page)
    assert (marked_line(page), story(page)) == before
    assert before[0] == "y_pred = w * x**power + b"


def test_two_visitors_run_their_own_graphs(visit):
    pages = {b: visit(PAGE + f"?chapter=build_and_run&b_value={b}") for b in (10, -3)}
    for b, page in pages.items():
        page.locator("#player-step").focus()
        press(page, "End")
        assert story(page).replace("−", "-").startswith(f"c = {2 + b}.")


def test_the_listing_fills_its_column_and_breaks_between_names(visit):
    page = visit(PAGE + "?lecture=true", viewport={"width": 1920, "height": 1080})
    listing, column = page.locator(".listing.follows"), page.locator(".stColumn", has=graph(page))
    box, room = listing.bounding_box(), column.bounding_box()
    assert abs(box["y"] + box["height"] - room["y"] - room["height"]) < 4
    assert "x = tf.compat.v1.placeholder(" in listing.inner_text()
    broken = listing.locator(".name span").evaluate_all(
        "parts => parts.filter(part => part.getClientRects().length > 1)"
        ".map(part => part.textContent)"
    )
    assert broken == []
    assert listing.evaluate("box => box.scrollTop") == 0
    press(page, "End")
    assert marked_line(page).startswith("session.run(loss")
    assert listing.evaluate("box => box.scrollTop") > 0  # it is the listing that scrolls
    line = page.locator(".listing li.on").bounding_box()
    assert box["y"] < line["y"]
    assert line["y"] + line["height"] < box["y"] + box["height"] + 1


SCROLLED = """() => [...document.querySelectorAll(".st-key-stage *")].filter(
    (box) => box.clientHeight && box.scrollHeight > box.clientHeight + 1
        && ["auto", "scroll"].includes(getComputedStyle(box).overflowY)
).map((box) => box.className)"""


@pytest.mark.parametrize(
    ("lecture", "width", "height"), [("", 1024, 720), ("&lecture=true", 1024, 720)]
)
def test_the_longest_message_and_what_it_means_fit_and_the_wrong_lines_are_seen(
    visit, lecture, width, height
):
    page = visit(
        PAGE + f"?chapter=mistakes&mistake=if{lecture}",
        viewport={"width": width, "height": height},
        player=False,
    )
    page.get_by_text("just show me").click()
    page.get_by_text("Eager execution mode", exact=True).wait_for()
    wait_until_idle(page)
    assert set(page.evaluate(SCROLLED)) <= {"listing follows"}
    box = page.locator(".listing").bounding_box()
    lines = [line.bounding_box() for line in page.locator(".listing li.changed").all()]
    assert len(lines) == 4
    assert lines[0]["y"] >= box["y"]
    assert lines[-1]["y"] + lines[-1]["height"] <= box["y"] + box["height"]


@pytest.mark.parametrize(
    ("asked", "label", "by"),
    [("", "Feed", "mouse"), ("", "Fetch", "keyboard"), ("?lecture=true", "Feed", "mouse")],
)
def test_after_a_choice_in_a_box_the_keys_are_the_players_again(visit, asked, label, by):
    page = visit(PAGE + asked)
    box = page.locator(".st-key-stage").get_by_role("combobox", name=label)
    place = page.locator("#player-step").input_value
    if by == "mouse":
        box.click()
    else:
        box.focus()
        page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('[role=listbox]')")
    before = place()
    page.keyboard.press("ArrowDown")  # an open box keeps its arrows
    page.keyboard.press("ArrowLeft")
    assert place() == before
    assert box.get_attribute("aria-expanded") == "true"
    if by == "mouse":
        page.get_by_role("option").nth(1).click()
    else:
        page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'player-step'")
    wait_until_idle(page)
    page.keyboard.press("Home")
    assert place() == "0"
    page.keyboard.press("ArrowRight")
    assert place() == "1"
    page.keyboard.press(" ")
    assert page.locator("[data-action=play].playing").count() == 1


def test_a_box_that_is_closed_without_a_choice_keeps_the_focus(visit):
    page = visit(PAGE)
    box = page.locator(".st-key-stage").get_by_role("combobox", name="Feed")
    box.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    settle(page)
    assert box.evaluate("box => box === document.activeElement")
