"""What all tests share: drawings are checked as they are drawn, and a word on those not run."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from streamlit.components.v2 import manifest_scanner
from xdist.scheduler import LoadFileScheduling

NO_BROWSER = "no Chromium on this machine: the browser tests did not run"
NO_REDIS = "no Redis on this machine: the tests of rooms that replicas share did not run"

# Every drawing that any test draws is held against the grammar of Vega-Lite, once.
import_module("views.player.figure").VALIDATE = True

# An AppTest reads the metadata of every installed package, 0.2 s for each visit: once is enough.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


class Scheduler(LoadFileScheduling):
    """One worker runs all tests of a file, which share what it sets up; but stages take long."""

    def _split_scope(self, nodeid):
        return nodeid if "/test_stage.py" in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return Scheduler(config, log)


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if any(NO_BROWSER in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"Note: {NO_BROWSER}. Install `chromium-headless-shell`.")
    if any(NO_REDIS in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"Note: {NO_REDIS}. Install `redis-server`.")
