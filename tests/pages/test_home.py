"""Home, run without a browser."""

from __future__ import annotations

import pytest

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import record
from tests.support.visit import charts, live_texts, player, plays, series, titles, visit, words
from views.ui.contents import PAGES
from views.ui.numbers import number
from views.ui.palette import ENGINES


@pytest.fixture(scope="module")
def first_visit():
    return visit()


@pytest.fixture(scope="module")
def engines():
    return visit(chapter="engines")


def test_home_plays_the_article_s_run_by_itself(first_visit):
    expected = record(
        numpy_vectorized.train(preset("numpy_article"), steps=800, learning_rate=1e-3)
    )
    plays(first_visit, "w", expected.params["w"])
    assert player(first_visit)["plays"]
    assert player(first_visit)["next"] == "Next: Five engines"
    assert titles(first_visit) == ["The fit"]


def test_a_card_leads_to_each_page_with_a_picture_and_its_question(first_visit):
    [cards] = [
        h.proto.body for h in first_visit.get("html") if '<div class="cards">' in h.proto.body
    ]
    for number_, page in enumerate(PAGES[1:], start=1):
        assert f'href="{page.path}" data-page="{number_}"' in cards
        assert page.question.replace("'", "&#x27;") in cards
    assert cards.count("data:image/webp;base64,") == 2 * len(PAGES[1:])


def test_all_five_engines_agree_at_every_step(engines):
    shown = series(engines)
    for engine in ENGINES:
        for name in ("w", "b"):
            assert shown[f"{engine}_{name}"].shape == (801,)
            assert f'data-now="{engine}_{name}"' in live_texts(engines)
    gaps = {name: values for name, values in shown.items() if name.endswith("_apart")}
    assert len(gaps) == len(ENGINES) - 1
    worst = max(gap.max() for gap in gaps.values())
    assert 0 < worst < 1e-12
    assert f"**{number(worst, 2)}**" in words(engines)
    opens, moment = player(engines)["begin"]
    assert moment is None
    assert all(gap[opens] > 0 for gap in gaps.values())
    assert all(len(chart["description"]) > 30 for chart in charts(engines))


def test_nonsense_in_the_address_is_refused_aloud(first_visit):
    at = visit(chapter="nowhere", step="-3", moment="7", lecture="<script>")
    assert not at.exception
    told = at.warning[0].value
    assert all(f"{name} = " in told for name in ("chapter", "step", "moment", "lecture"))
    assert list(series(at)) == list(series(first_visit))
