"""The stream of E4 under a player with another clock: its batches, its level, its explosions."""

from __future__ import annotations

import json
from functools import cache
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from engines.dynamic_graph.stream import batches, train
from engines.problem import preset
from engines.trace import record
from tests.support.visit import live_texts, player, titles, visit
from views.dynamic_graph import stream
from views.dynamic_graph.stream import (
    ARTICLE,
    LARGEST,
    LATE,
    SIZES,
    STEEPEST,
)
from views.dynamic_graph.stream_series import SHOWN, Settings, level, points_of
from views.ui.numbers import number

LAST = preset("stream_article").steps
EXPLODED = [Settings(batch, 0.001) for batch in (16, 32, 64)]


@cache
def run(batch, learning_rate):
    """The stream and the points shown of it, as the page has them."""
    problem = preset("stream_article")
    trace = record(train(problem, steps=LAST, learning_rate=learning_rate, batch=batch))
    return trace, points_of(islice(batches(size=batch), len(trace)))


def played(chosen):
    """The player's timeline of a stream, and how many batches a step of it stands for."""
    return stream._timeline(*run(*chosen))


def values_of(chosen):
    """The series' values at each step of the player."""
    timeline, _ = played(chosen)
    return {name: one.values for name, one in timeline.series.items()}


def distance(trace):
    w, b = (trace.params[name].astype(np.float64) for name in "wb")
    return np.hypot(w - 2, b - 3)


# The stream itself


def test_streams_settle_where_it_is_said_that_they_do():
    for chosen in (ARTICLE, Settings(2, 0.004), Settings(64, 0.000125)):
        trace, _ = run(*chosen)
        settled = level(chosen)
        assert np.mean(distance(trace)[LATE:] ** 2) == pytest.approx(settled.distance**2, rel=0.2)
        excess = np.mean(trace.losses[LATE:].astype(float)) - chosen.batch * 4.5
        assert excess == pytest.approx(settled.loss - chosen.batch * 4.5, rel=0.3)


def test_short_steps_stay_within_three_times_the_root_of_the_rate_whatever_the_batch():
    for batch in (1, 2, 4, 8):
        assert level(Settings(batch, 0.0001)).distance == pytest.approx(3 * 0.0001**0.5, rel=0.1)
    for batch in (8, 16, 32, 64):  # where 2/λ is not far, a little more
        rate = 0.008 / batch
        assert 1.2 < level(Settings(batch, rate)).distance / (3 * rate**0.5) < 1.4
    assert level(Settings(1, 0.008)).distance == pytest.approx(1.0973, rel=1e-4)
    assert np.isnan(level(Settings(16, 0.001)).distance)


def test_the_same_seed_gives_the_points_whose_loss_was_taken():
    trace, points = run(*ARTICLE)
    x, y = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    w, b = (trace.params[name].astype(np.float64)[:, None] for name in "wb")
    losses = np.sum((w * x + b - y) ** 2, axis=1) / 2
    np.testing.assert_allclose(trace.losses, losses, rtol=1e-3)
    np.testing.assert_array_equal(
        points[0], [preset("stream_article").x, preset("stream_article").y]
    )


def test_curvatures_are_those_of_the_data():
    x = next(batches(size=400_000, seed=3))[0].numpy().astype(np.float64)
    hessian = np.array([[np.mean(x**2), np.mean(x)], [np.mean(x), 1]])
    assert np.linalg.eigvalsh(hessian)[-1] == pytest.approx(STEEPEST, rel=0.01)
    point = np.array([[20.0**2, 20], [20, 1]])
    assert np.linalg.eigvalsh(point)[-1] == pytest.approx(LARGEST)


@pytest.mark.parametrize("batch", [16, 32, 64])
def test_the_articles_rate_is_stable_for_eight_points_and_explodes_from_sixteen_on(batch):
    assert 2 / (batch * STEEPEST) < 0.001 < 2 / (8 * STEEPEST)
    assert run(batch, 0.001)[0].final.non_finite
    assert not run(*ARTICLE)[0].final.non_finite


# Spread over the player's steps


@pytest.mark.parametrize("chosen", [ARTICLE, *EXPLODED], ids=lambda chosen: chosen.batch)
def test_the_player_goes_from_the_first_batch_to_the_last(chosen):
    (timeline, every), last = played(chosen), len(run(*chosen)[0]) - 1
    shown = values_of(chosen)["stream_batch"]
    assert len(shown) == timeline.last_step + 1 <= 401
    assert (shown[0], shown[-1]) == (0, last)
    assert set(np.diff(shown)[:-1]) <= {every}
    assert 0 < np.diff(shown)[-1] <= every


def test_what_is_shown_with_a_batch_belongs_to_it():
    trace, points = run(*ARTICLE)
    values = values_of(ARTICLE)
    k = values["stream_batch"].astype(int)
    assert k[-1] == 8000
    np.testing.assert_array_equal(values["stream_loss"], trace.losses[k].astype(np.float32))
    for name in "wb":
        shown = values[f"stream_{name}"]
        np.testing.assert_array_equal(shown, trace.params[name][k].astype(np.float32))
    np.testing.assert_allclose(values["stream_distance"], distance(trace)[k], rtol=1e-6)
    for i in range(SHOWN):
        np.testing.assert_array_equal(values[f"stream_x{i}"], points[k, 0, i])
        np.testing.assert_array_equal(values[f"stream_y{i}"], points[k, 1, i])


def test_the_mean_is_that_of_the_last_hundred_losses_or_of_all_while_there_are_fewer():
    losses = run(*ARTICLE)[0].losses.astype(np.float64)
    values = values_of(ARTICLE)
    for place in (0, 1, 3, 4, 100, -1):
        k = int(values["stream_batch"][place])
        expected = np.mean(losses[max(0, k - 99) : k + 1])
        assert values["stream_mean"][place] == pytest.approx(expected, rel=1e-6)


def test_names_do_not_depend_on_the_batch_and_missing_points_are_no_numbers():
    one, eight = values_of(Settings(1, 0.008)), values_of(ARTICLE)
    assert list(one) == list(eight)
    assert np.all(np.isfinite(one["stream_x0"]))
    assert np.all(np.isnan(one["stream_x1"]))
    assert np.all(np.isfinite(eight["stream_y7"]))


def test_of_a_larger_batch_its_first_eight_points_are_shown():
    points = points_of(islice(batches(size=64), 3))
    x, y = list(islice(batches(size=64), 3))[2]
    np.testing.assert_array_equal(points[2], [x[:8].numpy(), y[:8].numpy()])


# Pictures


@cache
def figures(chosen):
    trace, _ = run(*chosen)
    timeline, _ = played(chosen)
    line = stream.line(trace, timeline)
    loss = stream.loss(chosen, trace, timeline)
    return timeline, [line, loss, stream.distance(chosen, trace, timeline)]


def tables(drawing):
    """What the figure was filled with, by name."""
    data = drawing["datasets"]
    return {name: rows.to_pandas() for name, rows in data.items() if isinstance(rows, pa.Table)}


def bytes_sent(drawing):
    plain = {name: part for name, part in drawing.items() if name != "datasets"}
    return len(json.dumps(plain, allow_nan=False)) + sum(
        rows.nbytes for rows in drawing["datasets"].values() if isinstance(rows, pa.Table)
    )


def test_the_chapter_sends_less_than_80_kilobytes():
    timeline, drawings = figures(ARTICLE)
    series = len(json.dumps(timeline.payload))
    assert 40_000 < series < 55_000  # 22 numbers for each of 401 moments
    assert series + sum(map(bytes_sent, drawings)) < 80_000


@pytest.mark.parametrize("chosen", [*EXPLODED, ARTICLE, Settings(1, 0.008)])
def test_every_stream_is_drawn_between_finite_ends(chosen):
    _, drawings = figures(chosen)
    for drawing in drawings:
        assert tables(drawing)
        for name, rows in tables(drawing).items():
            assert len(rows) > 0 or (name, chosen in EXPLODED) == ("level", True)
            assert np.all(np.isfinite(rows.select_dtypes("number")))
    for drawing in drawings[1:]:
        values = {param["name"]: param.get("value") for param in drawing["params"]}
        rows, heights = tables(drawing)["rows"], tables(drawing)["level"]["y"]
        assert values["last"] == len(run(*chosen)[0]) - 1
        assert all(0 < values["low"] < height < values["high"] for height in heights)
        assert rows.iloc[:, -1].max() < values["high"]  # the curve, not each single dot
        assert 2 <= len(values["ticks"]) <= 8


def test_levels_are_the_loss_of_noise_alone_and_where_the_distance_settles():
    _, (_, loss, distance) = figures(Settings(64, 0.000125))
    [floor], [near] = (tables(one)["level"].to_dict("records") for one in (loss, distance))
    assert floor == {"y": 288.0, "label": "noise alone: 288"}
    assert near == {"y": pytest.approx(0.0424037), "label": "settles at 0.042"}


def test_noise_alone_is_the_mean_loss_of_the_true_line():
    x, y = next(batches(size=400_000, seed=9))
    alone = np.mean((y - 2 * x - 3).numpy().astype(np.float64) ** 2) / 2
    assert 8 * alone == pytest.approx(36, rel=0.01)


def test_earlier_lines_are_those_after_every_thousand_batches():
    trace, _ = run(*ARTICLE)
    _, (line, *_) = figures(ARTICLE)
    rows = tables(line)["before"]
    assert sorted(set(rows["batch"])) == list(range(0, 8001, 1000))
    at_20 = rows[(rows["batch"] == 3000) & (rows["x"] == 20)]["y"].item()
    assert at_20 == pytest.approx(20 * trace.params["w"][3000] + trace.params["b"][3000], rel=1e-5)


# The section, its words and its controls


@pytest.mark.parametrize(("batch", "told"), [("8", False), ("64", True)])
def test_the_stage_has_three_pictures_and_the_numbers_of_the_batch(batch, told):
    at = visit("dynamic_graph", chapter="stream", batch=batch)
    assert titles(at) == ["The line", "Loss, and its mean over 100", "The distance from (2, 3)"]
    text = live_texts(at)
    for name in ("batch", "distance"):
        assert f'data-now="stream_{name}"' in text
    near = level(Settings(int(batch), 0.008 / int(batch))).distance
    assert f"about {number(near, 2)} away" in text
    assert ("Of its 64 points the first 8 are drawn." in text) is told


def told(chosen):
    def page(chosen, trace, article):
        from views.dynamic_graph import stream

        stream.verdict(chosen, trace, article)

    runs = {"trace": run(*chosen)[0], "article": run(*ARTICLE)[0]}
    at = AppTest.from_function(page, kwargs={"chosen": chosen, **runs}).run()
    assert not at.exception
    why, above, *levels = [element.value for element in at.markdown]
    assert "stays above what noise alone leaves" in above
    assert "at a constant rate the last bit of noise never goes away" in why
    return levels


def test_the_level_is_told_for_the_stream_and_for_the_articles():
    [mine, article] = told(Settings(64, 0.000125))
    for text, chosen in ((mine, (64, 0.000125)), (article, ARTICLE)):
        away, losses = distance(run(*chosen)[0]), run(*chosen)[0].losses.astype(float)
        rms = np.sqrt(np.mean(away[-2000:] ** 2))
        assert f"they are **{rms:.3f}** and **{np.mean(losses[-2000:]):.1f}**" in text
        first = np.argmax(away <= level(Settings(*chosen)).distance)
        assert f"at batch {first}." in text
    assert told(ARTICLE) == [article]


def test_a_smaller_rate_stays_nearer_and_takes_longer():
    near, far = (distance(run(*chosen)[0]) for chosen in ((64, 0.000125), ARTICLE))
    assert np.mean(near[-LATE:]) < 0.5 * np.mean(far[-LATE:])
    slow = distance(run(1, 0.001)[0])
    assert slow.min() > level(Settings(1, 0.001)).distance
    assert "In 8000 batches the line has not come so near: its steps" in told(Settings(1, 0.001))[0]


def test_a_stream_of_single_points_is_told_why_its_level_is_higher():
    assert "the rate is beyond 2/401" in told(Settings(1, 0.008))[0]
    assert "401" not in told(ARTICLE)[0]


@pytest.mark.parametrize("chosen", EXPLODED, ids=lambda chosen: chosen.batch)
def test_an_exploding_stream_is_told_with_its_batch_and_its_limit(chosen):
    trace, _ = run(*chosen)
    assert np.isfinite(trace.losses[:-1]).all()
    at = visit("dynamic_graph", chapter="stream", batch=str(chosen.batch), stream_rate="same")
    [warning] = at.warning
    text = warning.value
    assert f"at batch **{len(trace) - 1}** the loss" in text
    assert player(at)["begin"] == [2, None]  # the line is still in sight
    assert f"for {chosen.batch} points 2/λ is {number(2 / chosen.batch / STEEPEST, 2)}" in text


def test_a_clicker_stops_where_the_loss_is_halved_and_where_the_line_first_comes_near():
    trace, _ = run(*ARTICLE)
    mean = np.array([np.mean(trace.losses[max(0, k - 99) : k + 1]) for k in range(1000)])
    halved, near = (
        np.argmax(mean < mean[0] / 2),
        np.argmax(distance(trace) <= level(ARTICLE).distance),
    )
    every = 20
    assert stream._stops(ARTICLE, trace, every) == [-(-halved // every), -(-near // every)]


def asked(**query):
    def page():
        import streamlit as st

        from views.dynamic_graph import stream
        from views.ui.controls import Controls

        st.session_state["chosen"] = stream._choose(Controls("page"))

    at = AppTest.from_function(page)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def test_the_address_chooses_the_stream_and_the_rate_allows_for_its_points():
    assert asked().session_state["chosen"] == ARTICLE
    for size in (min(SIZES), "64"):
        batch, rate = asked(batch=size).session_state["chosen"]
        assert batch == int(size)
        assert batch * rate == pytest.approx(0.008)
    assert asked(batch="64", stream_rate="same").session_state["chosen"] == (64, 0.001)


@pytest.mark.parametrize("batch", ["7", ""])
def test_a_batch_that_is_not_offered_is_not_taken(batch):
    assert asked(batch=batch, stream_rate="<b>").session_state["chosen"] == ARTICLE


def test_a_control_moved_is_taken_at_once():
    at = asked()
    at.button_group(key="batch").set_value("32").run()
    assert at.session_state["chosen"] == (32, 0.00025)
    at.button_group(key="stream_rate").set_value("same").run()
    assert at.session_state["chosen"] == (32, 0.001)
