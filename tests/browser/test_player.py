"""The player by itself, on a page without Streamlit, with a made-up run of nine steps."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock, patch

import numpy as np
import pytest

from tests.support.playing import chip, press, readout, scrub, settle, step
from views.player import Series, Timeline, bar, every_step, some_steps

FILE = Path(bar.__file__)  # beside which its script, its style and its HTML stand
ADDRESS = "http://127.0.0.1/player"  # answered by the browser itself, see `open_player`
LOSSES = 2.0 ** -np.arange(10)
WEIGHTS = np.arange(10) - 0.5
MADE_UP = Timeline(every_step({"loss": LOSSES, "w": WEIGHTS}), last_step=9)
PAGE = """
<!doctype html><meta charset="utf-8"><style>:root {{ --st-primary-color: #d95f02; }} {css}</style>
<h1>A page</h1> <input id="field" value="12"> <button id="other">another button</button>
<div id="root"></div> <div id="bar">{html}</div>
<script type="module">
import player from "/bar.js";
const parentElement = document.querySelector("#bar");
window.call = data => {{ window.cleanUp = player({{parentElement, data}}); }};
window.heard = 0;
window.turns = [];
document.addEventListener("player-turn", event => turns.push(event.detail));
document.querySelector("#root").addEventListener("player", () => window.heard++);
call({data});
</script>
"""


def payload(timeline, lecture=True, **options):
    """What bar.py hands to bar.js."""
    component = Mock()
    in_lecture = patch.object(bar, "in_lecture", return_value=lecture)
    with patch.object(bar, "_player", component), patch.object(bar, "st"), in_lecture:
        bar.player(timeline, readout={"loss": (1, None), "w": (0, 3)}, **options)
    return json.loads(json.dumps(component.call_args.kwargs["data"]))


@pytest.fixture(scope="module")
def window(browser):
    """A window for all tests of this file; what went wrong in it."""
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/bar.js", lambda route: route.fulfill(
        body=FILE.with_suffix(".js").read_text(), content_type="text/javascript"
    ))  # fmt: skip
    yield page, errors
    page.close()


@pytest.fixture
def open_player(window):
    page, errors = window

    def open_player(query="", timeline=MADE_UP, **options):
        text = PAGE.format(
            css=FILE.with_suffix(".css").read_text(),
            html=FILE.with_suffix(".html").read_text(),
            data=json.dumps(payload(timeline, **options)),
        )
        page.unroute("**/player*")
        page.route("**/player*", lambda route: route.fulfill(body=text, content_type="text/html"))
        page.goto(ADDRESS + query)
        page.wait_for_function("document.querySelector('#player-step').frame")
        return page

    yield open_player
    assert errors == []


def values(page):
    return page.evaluate("document.querySelector('#player-step').frame.values")


def choose_speed(page, rate):
    page.locator(".player-more summary").click()
    page.locator("[data-control=speed]").select_option(rate)
    page.locator("h1").click()


def told(page):
    """What charts are told: step, phase, moment, then the values of all series."""
    return page.locator("#root").evaluate("root => root.value").split(",")


def call(page, timeline=MADE_UP, **options):
    """As Streamlit does when a run of the page brings other data."""
    page.evaluate("data => call(data)", payload(timeline, **options))


@contextmanager
def played_to(page, k):
    """Play until a step is reached, and pause afterwards."""
    press(page, " ")
    page.wait_for_function(f"document.querySelector('#player-step').at.step >= {k}")
    yield
    press(page, " ")


# ---- Moving


def test_every_step_has_its_numbers_forward_and_back(open_player):
    page = open_player()
    for k in (1, 9, 4, 0):
        scrub(page, k)
        assert readout(page).startswith(f"step {k} of 9")
        assert values(page)["loss"] == pytest.approx(LOSSES[k], rel=1e-6)
        assert (values(page).get("w_next") is None) == (k == 9)
        place = 3 + MADE_UP.names.index("w_next")
        assert told(page)[:3] == [str(k), "4", "4"]
        assert told(page)[place] == (f"{WEIGHTS[k + 1]:g}" if k < 9 else "")


def test_the_keys_step_jump_play_and_pause(open_player):
    page = open_player()
    press(page, "ArrowRight", "ArrowRight", "ArrowRight")
    assert step(page) == 3
    press(page, "ArrowLeft", "ArrowLeft")
    assert step(page) == 1
    press(page, "Shift+ArrowRight")
    assert step(page) == 9
    press(page, "Shift+ArrowLeft")
    assert step(page) == 0
    press(page, "End")
    assert step(page) == 9
    press(page, "ArrowRight")
    assert step(page) == 9
    press(page, "Home", "ArrowLeft")
    assert step(page) == 0
    choose_speed(page, "15")
    press(page, "Home")
    page.locator("h1").click()
    with played_to(page, 3):
        pass
    rest = step(page)
    page.wait_for_timeout(300)
    assert step(page) == rest


def test_the_keys_are_not_stolen_while_somebody_types(open_player):
    page = open_player()
    page.locator("#field").click()
    press(page, "End", "ArrowLeft", " ", "Home", "PageDown")
    assert step(page) == 0
    assert page.locator("#field").input_value() == "1 2"
    page.locator("#other").focus()
    press(page, " ")  # it is the button's
    page.wait_for_timeout(1200)
    assert step(page) == 0
    page.keyboard.press("Control+End")
    assert step(page) == 0


def test_the_mouse_leaves_the_keys_to_the_player(open_player):
    page = open_player(timeline=Timeline(MADE_UP.series, 9, slow=True), lecture=False)
    page.get_by_label("slow motion").click()
    page.get_by_label("slow motion").click()
    press(page, "ArrowRight")
    assert chip(page) == "loss"
    page.get_by_label("slow motion").click()
    press(page, "ArrowRight", "ArrowRight", "ArrowLeft")
    assert step(page) == 1
    with played_to(page, 2):
        assert not page.get_by_label("slow motion").is_checked()


def test_the_buttons_do_what_they_say(open_player):
    page = open_player()
    for label in ("One step forward", "One step forward", "One step back", "To the end"):
        page.get_by_role("button", name=label).click()
    assert step(page) == 9
    page.get_by_role("button", name="Play").click()  # at the end, play starts over
    page.wait_for_function("document.querySelector('#player-step').value < 9")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="To the start").click()
    assert step(page) == 0


def test_speed_is_in_steps_a_second_and_a_loop_begins_anew(open_player):
    page = open_player()
    offered = page.locator("[data-control=speed] option").all_text_contents()
    assert offered == ["1 steps/s", "4 steps/s", "15 steps/s", "60 steps/s", "240 steps/s"]
    assert page.locator("[data-control=speed]").input_value() == "1"  # nine steps are short
    choose_speed(page, "60")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Play").wait_for()  # it pauses at the end by itself
    assert step(page) == 9
    page.locator(".player-more summary").click()
    page.get_by_role("checkbox", name="loop").click()
    page.get_by_role("button", name="Play").click()
    for _ in range(2):
        page.wait_for_function("document.querySelector('#player-step').value > 5")
        page.wait_for_function("document.querySelector('#player-step').value < 5")
    page.get_by_role("button", name="Pause").click()


def test_it_can_be_read_by_a_screen_reader_and_seen_with_the_keyboard(open_player):
    page = open_player()
    slider = page.get_by_role("slider", name="Training step")
    scrub(page, 7)
    assert slider.get_attribute("aria-valuetext").startswith("step 7 of 9")
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


# ---- Slow motion


def test_slow_motion_knows_what_the_phase_knows(open_player):
    page = open_player("?step=5")
    page.get_by_label("slow motion").click()
    settle(page)
    assert (chip(page), told(page)[:3]) == ("predict", ["5", "0", "0"])
    assert readout(page).endswith("loss …  ·  w 4.50000")
    press(page, "ArrowRight")
    assert readout(page).endswith("loss 0.0312500  ·  w 4.50000")
    press(page, "ArrowRight")
    assert chip(page) == "gradient"
    press(page, "ArrowRight")
    assert chip(page) == "update"
    assert readout(page).endswith("w → 5.50000")
    press(page, "ArrowRight")
    assert (chip(page), step(page)) == ("predict", 6)
    press(page, "ArrowLeft")
    assert (chip(page), step(page)) == ("update", 5)


def test_a_phase_has_as_many_moments_as_it_is_given(open_player):
    page = open_player(timeline=Timeline(MADE_UP.series, 9, parts=(2, 0, 3, 1), slow=True))
    chips = [chip(page)]
    for _ in range(5):
        press(page, "ArrowRight")
        chips.append(chip(page))
    assert chips == [
        "predict 1/2", "predict 2/2", "gradient 1/3", "gradient 2/3", "gradient 3/3", "update",
    ]  # fmt: skip


def test_after_the_last_step_there_is_no_update(open_player):
    page = open_player("?step=9&moment=2")
    assert chip(page) == "gradient"
    press(page, "ArrowRight")
    assert (chip(page), step(page)) == ("gradient", 9)


def test_slow_motion_only_goes_where_it_may(open_player):
    some = Timeline(MADE_UP.series, 9, slow_at=np.array([0, 4, 7]), slow=True)
    page = open_player("?step=5", timeline=some)
    assert not page.get_by_label("slow motion").is_checked()  # a step that slow motion lacks
    page.get_by_label("slow motion").click()
    settle(page)
    assert step(page) == 4
    press(page, *["ArrowRight"] * 4)
    assert (step(page), chip(page)) == (7, "predict")
    press(page, *["ArrowRight"] * 9)
    assert (step(page), chip(page)) == (7, "gradient")
    scrub(page, 1)  # the slider has its moments, and no place for the steps between
    assert (step(page), chip(page)) == (4, "predict")
    press(page, "End")
    assert (step(page), chip(page)) == (7, "gradient")


def test_end_is_the_last_moment_and_slow_motion_is_read_at_the_pace_of_its_text(open_player):
    page = open_player(timeline=Timeline(MADE_UP.series, 2, slow=True), then="Next: who pulls")
    assert page.locator("#player-step").get_attribute("max") == "10"  # 3 steps of 4, less an update
    assert not page.get_by_text("Next: who pulls").is_visible()
    press(page, "End")
    assert (step(page), chip(page)) == (2, "gradient")
    assert page.get_by_text("Next: who pulls").is_visible()
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend',"
        " `<div class=story><p class=on>${'word '.repeat(20)}</p></div>`)"
    )
    page.locator(".player-more summary").click()
    offered = page.locator("[data-control=speed] option").all_text_contents()
    assert offered == ["0.5×", "1×", "2×", "4×"]
    page.locator("[data-control=speed]").select_option("4")
    press(page, "Home")
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(900)  # (1.2 s + 50 ms for each of 100 letters) / 4 = 1.55 s
    assert chip(page) == "predict"
    page.wait_for_function("document.querySelector('#player-step').at.moment === 1")
    page.get_by_role("button", name="Pause").click()


# ---- Who has the keys


def test_a_speed_chosen_with_the_mouse_leaves_the_keys_to_the_player(open_player):
    page = open_player(lecture=False)
    page.locator(".player-more summary").click()
    speed = page.locator("[data-control=speed]")
    focused = "document.activeElement.dataset.control || document.activeElement.id"
    speed.dispatch_event("pointerdown")
    speed.select_option("60")
    assert page.evaluate(focused) == "player-step"
    speed.focus()
    page.keyboard.press("ArrowDown")  # with the keys one goes on through the list
    assert page.evaluate(focused) == "speed"


def test_outside_a_lecture_the_keys_are_the_pages_until_the_focus_is_in_the_player(open_player):
    page = open_player(lecture=False)
    for key in ("End", "ArrowRight", "PageDown", " "):
        page.keyboard.press(key)
    assert (step(page), page.evaluate("turns")) == (0, [])
    page.locator("#player-step").focus()
    press(page, "ArrowRight")
    assert step(page) == 1
    page.get_by_role("button", name="One step back").click()
    press(page, "End")
    assert step(page) == 9


def test_a_clicker_goes_to_where_something_happens_and_then_beyond_the_ends(open_player):
    page = open_player(stops=[3, 7])
    reached = []
    for key in ["PageDown"] * 4 + ["PageUp"] * 4:
        press(page, key)
        reached.append(step(page))
    assert reached == [3, 7, 9, 9, 7, 3, 0, 0]
    assert page.evaluate("turns") == [1, -1]
    slowly = Timeline(MADE_UP.series, 9, slow=True)
    page = open_player(timeline=slowly, stops=[3, 7])
    press(page, "PageDown")
    assert (step(page), chip(page)) == (0, "loss")
    press(page, *["PageDown"] * 3)  # not through all moments of all steps
    assert (step(page), chip(page)) == (3, "predict")
    press(page, "PageUp")
    assert (step(page), chip(page)) == (0, "update")


def test_it_opens_where_it_is_told_or_at_the_end_and_the_address_says_what_differs(open_player):
    slowly = Timeline(MADE_UP.series, 9, slow=True)
    page = open_player(timeline=slowly, begin=(2, 1))
    assert (step(page), chip(page)) == (2, "loss")
    press(page, "Home")
    page.wait_for_url("**?step=0")
    page.reload()
    page.wait_for_function("document.querySelector('#player-step')?.frame?.step === 0")
    page = open_player(timeline=slowly, begin=(2, 1), at_end=True)
    assert (step(page), chip(page)) == (9, "gradient")
    page = open_player(timeline=slowly, begin=(0, 2))
    press(page, "Home")
    page.wait_for_url("**?moment=0")


def test_this_moment_can_be_read_as_a_table(open_player):
    page = open_player("?step=5", whose="the right run", table={"the loss": "loss"})
    assert readout(page).startswith("the right run  ·  step 5 of 9")
    page.locator(".player-more summary").click()
    page.wait_for_function("document.querySelector('.player-options tbody').rows.length")
    row = page.get_by_role("table", name="At this moment").get_by_role("row")
    assert row.inner_text().split("\t") == ["the loss", "0.0312500"]
    press(page, "ArrowLeft")
    assert row.inner_text().split("\t") == ["the loss", "0.0625000"]


# ---- Series


def test_a_series_with_gaps_keeps_its_earlier_value(open_player):
    gaps = some_steps({"checked": np.array([10.0, 30.0, 70.0])}, np.array([0, 3, 7]))
    exact = {"exact": Series(LOSSES / 3)}
    page = open_player(timeline=Timeline({**MADE_UP.series, **gaps, **exact}, 9))
    for k, expected in {0: 10, 2: 10, 3: 30, 6: 30, 7: 70, 9: 70}.items():
        scrub(page, k)
        assert values(page)["checked"] == expected
        assert values(page)["exact"] == LOSSES[k] / 3
        assert "checked_next" not in values(page)


def test_numbers_that_are_none_are_told_as_such(open_player):
    diverged = every_step(
        {"loss": np.array([1.0, np.inf, np.nan]), "w": np.array([-1.0, 1e-5, 3e9])}
    )
    page = open_player(timeline=Timeline(diverged, 2))
    told = []
    for k in range(3):
        scrub(page, k)
        told.append(readout(page).split("  ·  ")[1:])
    assert told == [
        ["loss 1.00000", "w −1.00000"], ["loss ∞", "w 1.000e−5"],
        ["loss not a number", "w 3.000e9"],
    ]  # fmt: skip


# ---- The address


def test_a_link_opens_at_its_moment_and_the_address_follows(open_player):
    page = open_player("?step=5&lr=0.1")
    assert readout(page).startswith("step 5 of 9")
    press(page, "ArrowRight")
    page.wait_for_url("**?step=6&lr=0.1")
    page.get_by_label("slow motion").click()
    press(page, "ArrowRight")
    page.wait_for_url("**?step=6&lr=0.1&moment=1")
    page.reload()
    page.wait_for_function("document.querySelector('#player-step')?.frame?.moment === 1")
    page.get_by_label("slow motion").click()
    press(page, "Home")
    page.wait_for_url("**?lr=0.1")


@pytest.mark.parametrize("asked", ["-3", "abc", "", "1e1", "<b>"])
def test_an_address_that_makes_no_sense_opens_at_the_start(open_player, asked):
    page = open_player(f"?step={asked}&moment={asked}")
    assert step(page) == 0
    assert not page.get_by_label("slow motion").is_checked()


def test_an_address_beyond_the_end_opens_at_the_end(open_player):
    page = open_player("?step=99&moment=99")
    assert (step(page), chip(page)) == (9, "gradient")


# ---- Called again


def test_called_again_it_stays_where_it_is_and_a_shorter_run_bounds_it(open_player):
    page = open_player("?step=5")
    call(page, Timeline(MADE_UP.series, 7))
    assert step(page) == 5
    call(page, Timeline(MADE_UP.series, 3))
    assert step(page) == 3


def test_only_one_listens_after_many_calls_and_none_after_its_end(open_player):
    page = open_player()
    for _ in range(3):
        call(page)
    page.evaluate("heard = 0")
    press(page, "ArrowRight")
    assert (step(page), page.evaluate("heard")) == (1, 1)
    page.evaluate("cleanUp()")
    press(page, "ArrowRight", "End")
    assert (step(page), page.evaluate("heard")) == (1, 1)


def test_playing_goes_on_with_other_data(open_player):
    page = open_player(timeline=Timeline(MADE_UP.series, 9))
    choose_speed(page, "4")
    page.get_by_role("button", name="Play").click()
    call(page)
    reached = step(page)
    page.wait_for_function(f"document.querySelector('#player-step').value > {reached + 2}")
    page.get_by_role("button", name="Pause").click()


@pytest.mark.parametrize(("motion", "reached"), [("no-preference", 1), ("reduce", 9)])
def test_what_is_to_play_by_itself_begins_anew_where_it_is_something_else(
    open_player, motion, reached
):
    page = open_player("?step=5", of="one")
    page.emulate_media(reduced_motion=motion)
    call(page, of="one", plays=True)
    assert step(page) == 5
    call(page, of="another", plays=True)
    assert step(page) == (0 if reached == 1 else 9)  # the end, without motion
    page.wait_for_function(f"document.querySelector('#player-step').at.step >= {reached}")
    page.emulate_media(reduced_motion="no-preference")


def test_on_a_small_screen_the_readout_is_whole(open_player):
    page = open_player("?step=5", whose="a run with a rather long name")
    page.set_viewport_size({"width": 390, "height": 844})
    box = page.locator(".player-readout")
    assert box.evaluate(
        "one => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight"
    )
    heights = box.locator("span").evaluate_all("all => all.map(one => one.getClientRects().length)")
    assert heights == [1, 1, 1, 1]  # what belongs together is in one line
    page.set_viewport_size({"width": 1280, "height": 720})


def test_slow_motion_of_something_else_begins_anew(open_player):
    page = open_player("?step=2&moment=2", of="one")
    assert chip(page) == "gradient"
    call(page, of="one")
    assert chip(page) == "gradient"
    call(page, of="another")
    assert (chip(page), step(page)) == ("predict", 2)
