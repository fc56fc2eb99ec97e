"""Home, run without a browser."""

from __future__ import annotations

import pytest

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import record
from tests.support.visit import charts, live_texts, plays, series, titles, visit, words
from views.ui.numbers import number
from views.ui.palette import ENGINES
from views.ui.shell import PAGES


@pytest.fixture(scope="module")
def first_visit():
    return visit()


@pytest.fixture(scope="module")
def with_frameworks():
    return visit(frameworks="true")


def test_home_plays_the_article_s_run(first_visit):
    expected = record(
        numpy_vectorized.train(preset("numpy_article"), steps=800, learning_rate=1e-3)
    )
    plays(first_visit, "w", expected.params["w"])
    assert titles(first_visit) == [
        "The fit",
        "The loss over w and b",
        "The loss",
        "How far apart the engines are",
    ]
    assert all(len(chart["description"]) > 30 for chart in charts(first_visit))


def test_without_being_asked_home_compares_the_two_that_need_no_framework(first_visit):
    shown = [name for name in series(first_visit) if name.endswith("_apart")]
    assert shown == ["numpy_loops_apart"]
    assert "801 steps and 2 engines" in words(first_visit).replace("\n", " ")


def test_when_asked_all_five_engines_agree_at_every_step(with_frameworks):
    shown = series(with_frameworks)
    for engine in ENGINES:
        for name in ("w", "b"):
            assert shown[f"{engine}_{name}"].shape == (801,)
            assert f'data-now="{engine}_{name}"' in live_texts(with_frameworks)
    gaps = [values for name, values in shown.items() if name.endswith("_apart")]
    assert len(gaps) == len(ENGINES) - 1
    worst = max(gap.max() for gap in gaps)
    assert 0 < worst < 1e-12
    assert f"**{number(worst, 2)}**" in words(with_frameworks)


def test_the_path_names_every_built_page_with_its_question(first_visit):
    text = words(first_visit)
    for page in PAGES[1:]:
        assert page.question in text


def test_nonsense_in_the_address_is_refused_aloud(first_visit):
    at = visit(frameworks="maybe", step="-3", moment="7", lecture="<script>")
    assert not at.exception
    told = at.warning[0].value
    assert all(f"{name} = " in told for name in ("frameworks", "step", "moment", "lecture"))
    assert list(series(at)) == list(series(first_visit))
