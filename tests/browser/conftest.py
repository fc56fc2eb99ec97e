"""One server and one browser for all tests in a browser, and pages of theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from server.faults import SORRY
from tests.support.playing import begin_again, listens
from tests.support.server import CHROMIUM, chromium, has_player, open_page, running

NO_BROWSER = "no Chromium on this machine: the browser tests did not run"  # as in ../conftest.py


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None and "BACKSTEP_NEEDS_BROWSER" not in os.environ:
        pytest.skip(NO_BROWSER)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def server(browser: Browser):
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def profile(browser: Browser):
    """One for all visits: Streamlit's scripts are read and compiled once."""
    return browser.new_context()


class Visits:
    """Pages opened in this profile, and what went wrong on any of them."""

    def __init__(self, profile: BrowserContext, url: str) -> None:
        self._profile, self._url = profile, url
        self.opened: list[Page] = []
        self.errors: list[str] = []

    def __call__(self, path: str, *, prepare=None, player=True, **options) -> Page:
        """Open a path as a new visitor. prepare: called with the page before it loads.

        player: whether to wait for it, where the page has one.
        """

        def listen(page):
            page.on("pageerror", lambda error: self.errors.append(str(error)))
            page.on("console", lambda message: self._unbound(message.text))
            if prepare:
                prepare(page)

        page = open_page(self._profile, self._url + path, prepare=listen, **options)
        listens(page)
        if player and has_player(path):
            page.wait_for_function("document.querySelector('#player-step')?.frame")
        self.opened.append(page)
        return page

    def _unbound(self, text: str) -> None:
        """A chart that did not find the player when it was drawn would stay still."""
        if "bind element not found" in text:
            self.errors.append(text)

    def no_errors(self) -> None:
        for page in self.opened:
            assert page.locator('[data-testid="stException"]').count() == 0
            assert page.get_by_text(SORRY).count() == 0
        assert self.errors == []


@contextmanager
def visits(profile: BrowserContext, url: str) -> Iterator[Visits]:
    """Every page opened is closed again, no error goes unseen, and the browser keeps nothing."""
    made = Visits(profile, url)
    try:
        yield made
        made.no_errors()
    finally:
        for page in made.opened:
            if not page.is_closed():
                page.evaluate("localStorage.clear()")  # a talk, a speed: another test's beginning
            page.close()


@pytest.fixture
def visit(server, profile):
    """Open a path as a new visitor."""
    with visits(profile, server.url) as visit:
        yield visit


@pytest.fixture(scope="module")
def _kept(server, profile):
    with visits(profile, server.url) as visit:
        yield visit, {}


@pytest.fixture
def shared(_kept):
    """Open a path once for all tests of the file that only play there; it is at its beginning."""
    visit, pages = _kept

    def open_path(path):
        if path not in pages:
            page = visit(path)
            pages[path] = page, page.get_by_label("slow motion").is_checked()
        page, slow = pages[path]
        begin_again(page, slow=slow)
        return page

    yield open_path
    visit.no_errors()
