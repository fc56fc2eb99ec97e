"""Measuring in a browser: one at a time, stopped by a click, and gone with the visitor."""

from __future__ import annotations

import re
import time

import psutil
import pytest

from engines.benchmark.recording import to_text
from tests.support.measurements import CARD, line, recording
from tests.support.server import open_page, wait_until_idle

# NumPy alone: it is loaded in a moment.
PAGE = "/gpu_speedup?seconds=60&largest_square=4096&frameworks=numpy"
NAMES = ("engines.benchmark", "multiprocessing.spawn")


def measuring(server):
    """The processes below the server that measure, or are to."""
    below = psutil.Process(server.pid).children(recursive=True)
    found = []
    for process in below:
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:  # it has ended meanwhile
            continue
        if any(name in line for name in NAMES):
            found.append(process)
    return found


def gone(server, seconds):
    """Whether none of them is left within so many seconds."""
    deadline = time.monotonic() + seconds
    while measuring(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not measuring(server)


def run(page):
    page.get_by_role("button", name="Measure on the server").click()


def begun(page):
    page.get_by_text(re.compile(r"^[1-9]\d* of \d+ are measured")).wait_for(timeout=60_000)


@pytest.fixture(autouse=True)
def nobody_measures(server):
    assert gone(server, 10)
    yield
    assert gone(server, 10)


def test_stop_ends_the_processes_and_keeps_what_was_measured(visit, server):
    page = visit(PAGE, player=False)
    run(page)
    begun(page)
    assert len(measuring(server)) >= 3  # the command, and a process for each number of threads
    page.get_by_role("button", name="Stop").click()
    assert gone(server, 2)
    wait_until_idle(page)
    page.get_by_text("This run ended early;").wait_for()
    assert page.get_by_role("button", name="Measure on the server").is_enabled()


def test_other_clicks_leave_it_going_and_its_result_is_on_the_screen(visit, server):
    page = visit(PAGE, player=False)
    run(page)
    begun(page)
    ours = {process.pid for process in measuring(server)}
    page.get_by_role("button", name="Just show me").click()
    page.get_by_role("slider").first.press("ArrowRight")
    begun(page)
    assert ours <= {process.pid for process in measuring(server)}
    picture = page.locator(".st-key-stage canvas").first.bounding_box()
    assert picture["y"] + picture["height"] <= page.viewport_size["height"]
    page.get_by_role("button", name="Stop").click()
    assert gone(server, 2)


def test_a_click_into_the_picture_is_a_guess_and_draws_the_curves(visit):
    page = visit("/gpu_speedup", player=False)
    wait_until_idle(page)
    box = page.locator(".st-key-stage canvas").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_text(re.compile("You said: from n = ")).wait_for()
    wait_until_idle(page)
    assert re.search(r"guess=\d+", page.url)


def test_a_visitor_who_closes_the_page_stops_their_measurement(browser, server):
    page = open_page(browser, server.url + PAGE)
    run(page)
    begun(page)
    page.close()
    assert gone(server, 2)


def test_a_second_visitor_waits_can_leave_and_is_next_when_the_first_is_gone(visit, server):
    first, second = visit(PAGE, player=False), visit(PAGE, player=False)
    run(first)
    begun(first)
    run(second)
    second.get_by_text("You are next.").wait_for()
    ours = {process.pid for process in measuring(server)}
    second.get_by_role("button", name="Leave the queue").click()
    wait_until_idle(second)
    assert not second.get_by_text("You are next.").is_visible()
    assert ours <= {process.pid for process in measuring(server)}
    run(second)
    second.get_by_text("You are next.").wait_for()
    first.get_by_role("button", name="Stop").click()
    begun(second)
    assert not ours & {process.pid for process in measuring(server)}
    second.get_by_role("button", name="Stop").click()


def test_a_recording_that_is_brought_is_laid_over_and_a_broken_one_is_refused(visit, tmp_path):
    gpu = line(20e-6, 10_000, device="cuda", threads=16)
    cpu = line(1e-6, 300, threads=16)
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(to_text(recording(gpu, cpu, name="a *large* machine", gpus=[CARD])))
    bad.write_text('{"format": "something else"}')
    page = visit("/gpu_speedup?chapter=machines", player=False)
    files = page.get_by_test_id("stFileUploaderDropzoneInput")
    files.set_input_files(bad)
    page.get_by_text("it is not a recording made by Backstep").wait_for()
    files.set_input_files(good)
    page.get_by_text("Your recording has").wait_for()
    wait_until_idle(page)
    page.get_by_role("link", name="When is it faster").first.click()
    page.get_by_text(re.compile("the GPU against 16 threads, recorded")).first.wait_for()
    wait_until_idle(page)
    assert "recording=" not in page.url  # others, with a link to it, see what the app came with
    page.get_by_role("link", name="Other machines").first.click()
    page.get_by_text("Your recording has").wait_for()
    files.set_input_files(bad)
    page.get_by_text("it is not a recording made by Backstep").wait_for()
    wait_until_idle(page)
    assert not page.get_by_text("The address asks for").count()
