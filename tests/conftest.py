"""What all tests share: drawings are checked as they are drawn, and a word on those not run."""

from __future__ import annotations

from importlib import import_module

NO_BROWSER = "no Chromium on this machine: the browser tests did not run"

# Every drawing that any test draws is held against the grammar of Vega-Lite, once.
import_module("views.player.figure").VALIDATE = True


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if any(NO_BROWSER in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"Note: {NO_BROWSER}. Install the package `chromium`.")
