"""Several runs in one picture: whose path, whose star, and where a run is no longer shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import record
from views.player import Timeline
from views.regression import sections
from views.regression.charts import Drawn, losses
from views.regression.surface import paths
from views.ui.palette import MODEL, OTHER, Look

ARTICLE = preset("numpy_article")
LOOKS = Look("one", MODEL), Look("the other", OTHER, (6, 4))


def drawn(*settings, problems=(ARTICLE, ARTICLE)):
    """Two runs, each with a rate and its problem, and a timeline that plays both."""
    traces = [
        record(numpy_vectorized.train(problem, steps=60, learning_rate=rate))
        for rate, problem in zip(settings, problems, strict=True)
    ]
    series = sections.followed(traces[0]) | sections.followed(traces[1], run="other_")
    runs = [
        Drawn(prefix, look, trace, problem)
        for prefix, look, trace, problem in zip(
            ("", "other_"), LOOKS, traces, problems, strict=True
        )
    ]
    return runs, Timeline(series, 60)


def rows(figure, name):
    return figure["datasets"][name].to_pandas()


def params(figure):
    return {one["name"]: one.get("value") for one in figure["params"]}


def test_each_run_has_its_path_and_runs_on_the_same_data_have_one_star():
    runs, timeline = drawn(0.004, 0.01)
    figure = paths(runs, timeline)
    for run in runs:
        path = rows(figure, "paths").query(f"run == '{run.look.label}'")
        np.testing.assert_allclose(path["w"], run.trace.params["w"])
    [star] = rows(figure, "stars").to_dict("records")
    assert (star["w"], star["b"]) == pytest.approx(ARTICLE.least_squares())
    assert star["label"] == "least squares"


def test_other_data_have_a_star_of_their_own():
    y = ARTICLE.y.copy()
    y[3] += 100
    other = replace(ARTICLE, y=y)
    figure = paths(*drawn(0.004, 0.004, problems=(ARTICLE, other)))
    stars = rows(figure, "stars").set_index("label")
    expected = other.least_squares()
    assert tuple(stars.loc["best for the other", ["w", "b"]]) == pytest.approx(expected)
    assert len(stars) == 2


def test_the_frame_holds_the_first_jumps_of_a_run_that_runs_away_and_all_of_the_other():
    runs, timeline = drawn(0.004, 1.1 * ARTICLE.largest_stable_learning_rate)
    figure = paths(runs, timeline)
    frame = params(figure)
    for run, steps in zip(runs, (61, 3), strict=True):
        for name in "wb":
            away = np.abs(run.trace.params[name][:steps] - frame[f"center_{name}"])
            assert np.all(away <= frame[f"half_{name}"])
    last = rows(figure, "paths").query("run == 'the other'").iloc[-1]
    assert last["step"] < 60  # what is far outside is not drawn
    assert abs(last["b"]) < 100 * frame["half_b"]


def test_losses_share_an_axis_that_ends_where_a_run_has_run_away():
    runs, timeline = drawn(0.004, 1.2 * ARTICLE.largest_stable_learning_rate)
    frame = params(losses(runs, timeline))
    first = float(runs[0].trace.losses[0])
    assert frame["high"] == pytest.approx(1e4 * first)
    assert frame["low"] < runs[0].trace.losses.min()
    assert all(frame["low"] <= tick <= frame["high"] for tick in frame["ticks"])
    assert frame["last"] == 60


def test_both_pictures_tell_in_words_whose_runs_they_show():
    runs, timeline = drawn(0.004, 0.01)
    for figure in (paths(runs, timeline), losses(runs, timeline)):
        assert "one, the other" in figure["description"]
