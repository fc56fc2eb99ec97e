"""What a browser shows of the player, and how a test moves it."""

from __future__ import annotations


def readout(page):
    return page.locator(".player-readout").inner_text()


def step(page):
    return int(page.locator("#player-step").input_value())


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
            range.value = k;
            range.dispatchEvent(new Event('input', {bubbles: true}));
        }""",
        k,
    )
    settle(page)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
        settle(page)
