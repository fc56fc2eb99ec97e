"""What the tests share: one server and one browser, and a plain word where there is none."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.sync_api import Browser

from tests.server import chromium, running

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


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if any(NO_BROWSER in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"Note: {NO_BROWSER}. Install the package `chromium`.")
