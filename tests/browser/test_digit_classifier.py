"""The digit classifier in a browser: drawn on, stepped back, and never asked in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engines.digit_classifier import layers, torch_autograd
from engines.digit_classifier.digits import scans
from engines.digit_classifier.drawing import READY
from engines.digit_classifier.recording import moments, watch
from tests.support.playing import press, scrub, shown
from tests.support.server import Visitor, wait_until_idle

PAGE = "/digit_classifier"
WALL = ".images canvas[data-wrong]"


@pytest.fixture(scope="module")
def run():
    steps = torch_autograd.train(scans(), layers.start(64), steps=300, learning_rate=0.5)
    return watch(steps, scans(), at=moments(300, 50_826))


def on_the_sheet(page, x, y):
    """Where a place of the sheet, from 0 to 1, is in the window."""
    # At once, for an answer of the server puts a new sheet in its place.
    box = page.evaluate("document.querySelector('.pen svg').getBoundingClientRect().toJSON()")
    size = min(box["width"], box["height"])
    return box["x"] + (box["width"] - size) / 2 + x * size, box["y"] + y * size


def draw(page, strokes):
    for stroke in strokes:
        page.mouse.move(*on_the_sheet(page, *stroke[0]))
        page.mouse.down()
        for at in stroke[1:]:
            page.mouse.move(*on_the_sheet(page, *at), steps=2)
        page.mouse.up()
    page.get_by_role("radio", name="your drawing").wait_for()
    wait_until_idle(page)


def test_the_wall_follows_the_player(visit, run):
    page = visit(PAGE)
    for step in (0, 20, 300, 5):
        scrub(page, step)
        wrong = int((run.predicted[step, :96] != scans().test_labels[:96]).sum())
        page.wait_for_function(f"document.querySelector('{WALL}').dataset.wrong === '{wrong}'")
        assert f"{wrong} of them misread" in page.locator(WALL).get_attribute("aria-label")
        assert shown(page, "right") == round(360 * run.test_accuracy[step])


def test_what_is_drawn_is_read_and_forgotten_and_learnt_again_without_a_message(visit):
    sent = []
    page = visit(
        PAGE + "?chapter=draw",
        prepare=lambda page: page.on(
            "websocket",
            lambda socket: socket.on("framesent", lambda frame: sent.append(frame)),  # noqa: PLW0108
        ),
    )
    draw(page, [[(x / 2, 0.3 + y / 2) for x, y in stroke] for stroke in READY[7]])
    assert shown(page, "read") == 7
    assert page.locator(".pen path").count() == len(READY[7])
    before = len(sent)
    forgotten = []
    for step in (0, 1, 2, 3):
        scrub(page, step)
        forgotten.append(shown(page, "read"))
    assert set(forgotten) != {7}
    press(page, "End")
    assert shown(page, "read") == 7
    assert len(sent) == before
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("An empty sheet").wait_for()
    assert page.locator(".pen path").count() == 0


def test_it_can_be_drawn_on_with_a_finger(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(server.url + PAGE + "?chapter=draw")
    page.wait_for_function("document.querySelector('#player-step')?.frame")
    wait_until_idle(page)
    touch = context.new_cdp_session(page)

    def send(kind, *places):
        points = [{"x": x, "y": y} for x, y in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    [stroke] = READY[0]
    top = page.evaluate("document.querySelector('.stMain').scrollTop")
    send("touchStart", on_the_sheet(page, *stroke[0]))
    for at in stroke[1:]:
        send("touchMove", on_the_sheet(page, *at))
    send("touchEnd")
    page.get_by_role("radio", name="your drawing").wait_for()
    wait_until_idle(page)
    assert shown(page, "read") == 0
    assert page.evaluate("document.querySelector('.stMain').scrollTop") == top  # nothing scrolled
    context.close()


def test_without_a_pointer_a_ready_made_digit_is_chosen_and_stepped_through(visit):
    page = visit(PAGE + "?chapter=draw")
    pills = page.get_by_role("radiogroup", name="A digit that is ready").get_by_role("radio")
    pills.nth(5).focus()
    page.keyboard.press("Space")
    page.wait_for_url("**digit=5*")
    wait_until_idle(page)
    assert shown(page, "read") == 5
    page.locator("#player-step").focus()
    press(page, "Home")
    first = shown(page, "read")
    press(page, "End")
    assert shown(page, "read") == 5 != first


def test_a_unit_is_chosen_with_a_click_and_fades_when_it_is_stepped_back(visit, run):
    page = visit(PAGE + "?chapter=inside")
    wall = page.locator(".images canvas").first
    box = wall.bounding_box()
    cell = min(box["width"], box["height"]) / 6
    wall.click(position={"x": 2.5 * cell, "y": 1.5 * cell})
    page.wait_for_url("**unit=9*")
    wait_until_idle(page)
    assert page.get_by_role("spinbutton", name="Unit").input_value() == "9"
    start, last = (run.weights["w1"][i].astype(np.float32) for i in (0, -1))
    share = 100 * np.linalg.norm(last - start) / np.linalg.norm(start)
    assert shown(page, "share") == pytest.approx(share, rel=0.05)
    scrub(page, 0)
    assert shown(page, "share") == 0


def test_visitors_who_train_at_once_are_told_their_place_in_line_and_all_get_theirs(server):
    wanted = ["optimizer=adam", "optimizer=momentum", "loss=cross_entropy"]
    wanted += [wanted[0]]  # somebody asks for the same as the first
    wanted += [f"chapter=check&handful={seed}" for seed in range(2, 6)]  # these let nobody pass

    def train(query):
        with Visitor(server.url, PAGE, query) as visitor:
            return visitor.first

    with ThreadPoolExecutor(len(wanted)) as pool:
        runs = list(pool.map(train, wanted))
    for run in runs:
        assert run.errors == []
        sent = [m.delta.new_element for m in run.messages if m.HasField("delta")]
        assert any('"lastStep":300' in one.bidi_component.json.replace(" ", "") for one in sent)
    told = [m.delta.new_element.alert.body for run in runs for m in run.messages]
    assert any("This page is number" in one for one in told)
    assert train(wanted[0]).seconds < 0.5 * min(run.seconds for run in runs)  # it was kept
