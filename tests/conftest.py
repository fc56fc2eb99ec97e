"""What the tests share: one server and one browser, and a plain word where there is none."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.sync_api import Browser, Page

from tests.support.server import chromium, has_player, open_page, running

NO_BROWSER = "no Chromium on this machine: the browser tests did not run"


@pytest.fixture(scope="session")
def browser():
    if shutil.which("chromium") is None and "BACKSTEP_NEEDS_BROWSER" not in os.environ:
        pytest.skip(NO_BROWSER)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def server(browser: Browser):
    with running() as server:
        yield server


@pytest.fixture
def visit(server, browser):
    """Open a path as a new visitor; every page opened is closed again, and no error went unseen."""
    opened: list[Page] = []
    errors: list[str] = []

    def unbound(
        text,
    ):  # a chart that did not find the player when it was drawn: it would stay still
        if "bind element not found" in text:
            errors.append(text)

    def open_path(path, **options):
        def listen(page):
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda message: unbound(message.text))

        page = open_page(browser, server.url + path, prepare=listen, **options)
        if has_player(path):
            page.wait_for_function("document.querySelector('#player-step')?.frame")
        opened.append(page)
        return page

    yield open_path
    for page in opened:
        assert page.locator('[data-testid="stException"]').count() == 0
        page.close()
    assert errors == []


@pytest.fixture
def sessions(monkeypatch):
    """Every TensorFlow session opened in the test, held, so that nothing closes by being lost."""
    import tensorflow as tf

    opened, session_type = [], tf.compat.v1.Session

    def open_session(*args, **kwargs):
        opened.append(session_type(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(tf.compat.v1, "Session", open_session)
    return opened


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if any(NO_BROWSER in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"Note: {NO_BROWSER}. Install the package `chromium`.")
