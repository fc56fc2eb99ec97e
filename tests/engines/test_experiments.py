"""E1 to E13 stand in one place, and what their pages and listings say of them is there."""

import re
from pathlib import Path

import pytest

from engines.experiments import EXPERIMENTS

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("engines/**/*.py"), *ROOT.glob("pages/*.py")]


def test_there_are_thirteen_and_each_page_that_is_named_exists():
    assert list(EXPERIMENTS) == [f"E{n}" for n in range(1, 14)]
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert {experiment.page for experiment in EXPERIMENTS.values()} <= {*pages, ""}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_page_and_some_listing_name_their_experiment(name):
    page = ROOT / "pages" / f"{EXPERIMENTS[name].page}.py"
    assert re.search(rf"\b{name}\b", page.read_text(encoding="utf-8"))
    told = [path for path in SOURCES if re.search(rf"\b{name}\b", path.read_text(encoding="utf-8"))]
    assert any("engines" in path.parts for path in told)


def test_the_table_of_e7_has_a_value_for_each_step():
    printed = EXPERIMENTS["E7"].printed
    assert {len(column) for column in printed.values()} == {11}
