"""What a browser shows of the player, and how a test moves it."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image


def readout(page):
    return page.locator(".player-readout").inner_text()


def step(page):
    return page.locator("#player-step").evaluate("range => range.at.step")


def shown(page, name):
    """The value of a series as the page writes it, from the first place that does."""
    text = page.locator(f'[data-now="{name}"]').first.text_content()
    return float(text.replace("−", "-"))


def settle(page):
    """Two frames: the player has told everybody, and everybody has drawn."""
    page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def scrub(page, k):
    page.locator("#player-step").evaluate(
        """(range, k) => {
            const moments = range.at.moment === null ? 1 : range.frame.moments;
            range.value = k * moments;
            range.dispatchEvent(new Event('input', {bubbles: true}));
        }""",
        k,
    )
    settle(page)


def press(page, *keys):
    """Press keys; with the focus in the player, where it is nowhere else."""
    page.evaluate(
        "document.activeElement === document.body && document.querySelector('#player-step').focus()"
    )
    for key in keys:
        page.keyboard.press(key)
        settle(page)


def listens(page):
    """Wait until the page hears its keys: their scripts are fetched after it is drawn."""
    page.wait_for_function("window.backstepRoom && document.querySelector('.talk')?.off")


def begin_again(page, *, slow):
    """Go to the start, in slow motion or not, with the keys free for the player."""
    page.locator("#player-step").focus()
    page.mouse.move(0, 0)
    toggle = page.locator("[data-control=slow]")
    if toggle.is_checked() != slow:
        toggle.click()
    if page.locator("[data-action=play].playing").count():
        press(page, " ")
    press(page, "Home")


def chip(page):
    """The phase that the readout names, as in "gradient 1/3"."""
    return page.locator(".player-phase").inner_text()


def story(page):
    return page.locator(".story p.on").inner_text()


def marked_line(page):
    """The first line of the listing that is marked, "" where none is."""
    return "".join(page.locator(".listing li.on code").all_inner_texts()[:1]).strip()


def graph(page):
    return page.locator(".stVegaLiteChart").first


def pixels(picture):
    return np.asarray(Image.open(BytesIO(picture)).convert("RGB")).astype(int)


def alike(one, other, most=20):
    """Whether two screenshots show the same; a canvas may smooth an edge one way or the other."""
    different = np.abs(pixels(one) - pixels(other)).max(axis=2) > 8
    return different.sum() < most


class Walked(NamedTuple):
    """What slow motion showed at each moment."""

    told: list[str]
    chips: list[str]
    lines: list[str]
    pictures: list[Any]


def walk(page, moments):
    """Go forward through so many moments, and note what is shown at each."""
    walked = Walked([], [], [], [])
    for moment in range(moments):
        if moment:
            press(page, "ArrowRight")
        walked.told.append(story(page))
        walked.chips.append(chip(page))
        walked.lines.append(marked_line(page))
        walked.pictures.append(graph(page).screenshot())
    return walked
