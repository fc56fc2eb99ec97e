"""The page of one's own training, as the command opens it, and the player of a notebook."""

import os
import re
import subprocess
import sys

import pytest

from backstep.notebook import play
from tests.support.playing import press, readout
from tests.support.server import REPOSITORY, open_page, wait_until_idle

PROGRAMS = REPOSITORY / "tests" / "engines" / "own_training" / "programs"


@pytest.fixture
def address():
    """Where the command shows the transformer."""
    line = [sys.executable, "-m", "backstep", "play", PROGRAMS / "transformer_block.py"]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    shows = subprocess.Popen(
        [*line, "--no-browser"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    said = ""
    while "shows it" not in said:
        line = shows.stderr.readline()
        assert line, said
        said += line
    yield re.search(r"http://\S+", said)[0]
    shows.terminate()
    shows.communicate(timeout=30)


def test_a_click_opens_a_module_and_slow_motion_tells_its_moments(address, profile):
    errors = []
    listen = lambda page: page.on("pageerror", lambda error: errors.append(str(error)))  # noqa: E731
    page = open_page(profile, f"{address}/?moment=3", prepare=listen)
    page.wait_for_function("document.querySelector('#player-step')?.frame")
    assert "layers.0" in page.locator(".story p.on").inner_text()
    closed = readout(page)
    assert "x = layer(x)" in page.locator(".listing li.on").inner_text()
    picture = page.locator("canvas.marks").first
    box = picture.bounding_box()
    for down in range(10, int(box["height"]), 12):  # wherever the layout has put its boxes
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + down)
        wait_until_idle(page)
        if "module=" in page.url:
            break
    assert re.search(r"module=model\.\w+", page.url)
    page.wait_for_function("document.querySelector('#player-step')?.frame")
    assert readout(page) != closed
    page.locator("#player-step").focus()
    told = set()
    for _ in range(6):
        press(page, "ArrowRight")
        told.add(page.locator(".story p.on").inner_text())
    assert len(told) == 6
    page.close()
    assert errors == []


def test_the_player_of_a_notebook_steps_in_its_frame(profile, tmp_path):
    file = tmp_path / "cell.html"
    file.write_text(f"<body>{play(PROGRAMS / 'xor_sequential.py')._repr_html_()}</body>")
    page, errors = profile.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("body[data-drawn]").wait_for(timeout=60000)
    frame.locator("#player-step").focus()
    before = frame.locator(".story p.on").inner_text()
    page.keyboard.press("ArrowRight")
    after = frame.locator(".story p.on", has_text="loss.backward()")
    after.wait_for()
    assert after.inner_text() != before
    page.wait_for_timeout(400)  # the address is written a little later, where there is one
    page.close()
    assert errors == []
