"""The chapters of Manual gradients, run without a browser: their controls and their numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engines.manual_gradients.mistakes import CHANGES
from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import record
from tests.support.visit import (
    charts,
    edits,
    live_texts,
    player,
    plays,
    series,
    table,
    visit,
    words,
)
from views.manual_gradients import check
from views.manual_gradients.mistakes import MISTAKES
from views.ui.contents import page_of
from views.ui.numbers import number

PAGE = "manual_gradients"
ARTICLE = preset("numpy_article")
CHAPTERS = [chapter.name for chapter in page_of(f"pages/{PAGE}.py").chapters]
opened = cache(lambda chapter: visit(PAGE, chapter=chapter))


def run_of(problem, steps, learning_rate):
    return record(numpy_vectorized.train(problem, steps=steps, learning_rate=learning_rate))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_its_question_a_picture_and_the_name_of_the_next(chapter):
    at = opened(chapter)
    assert not at.exception
    assert not at.warning
    one = page_of(f"pages/{PAGE}.py").chapter(chapter)
    assert f"## {one.question}" in words(at)
    assert charts(at) or 'class="listing"' in live_texts(at)
    assert all(len(chart["description"]) > 30 for chart in charts(at))
    assert player(at)["next"].startswith("Next: ")


def test_it_opens_on_one_step_whose_arrow_is_the_update():
    at = opened("one_step")
    run = run_of(ARTICLE, 60, 0.004)
    for name, values in run.columns().items():
        plays(at, name, values)
    assert player(at)["begin"] == [0, 2]
    _, surface = charts(at)
    assert "w_next" in str(surface)
    assert "grad_w" not in str(surface)
    step = run.params["w"][1] - run.params["w"][0]
    assert step == pytest.approx(-0.004 * run.grads["w"][0])
    assert "−η times the gradient" in words(at)


def test_each_pull_is_a_term_of_the_gradient_and_the_clicker_stops_where_it_changes_sign():
    at = opened("pulls")
    w, b = (series(at)[name][3] for name in "wb")
    by_b = 2 * ARTICLE.factor * (w * ARTICLE.x**2 + b - ARTICLE.y)
    by_w = by_b * ARTICLE.x**2
    assert by_w.sum() == pytest.approx(series(at)["grad_w"][3], rel=1e-4)
    assert by_b.sum() == pytest.approx(series(at)["grad_b"][3], rel=1e-4)
    for spec, by in zip(charts(at)[1:], "wb", strict=True):
        assert spec["title"]["text"].startswith(f"Terms of grad_{by}: below zero")
        factor = next(p["value"] for p in spec["params"] if p["name"] == "twice_factor")
        assert factor == 1  # ½ · 2
    sums = series(at)["grad_b"]
    assert player(at)["stops"] == [7]
    assert sums[6] * sums[7] < 0


@pytest.mark.parametrize("point", ["1", "85", "100"])
def test_the_terms_of_a_chosen_point_are_told_with_the_2_of_the_square(point):
    at = visit(PAGE, chapter="pulls", point=point)
    i = int(point) - 1
    run = run_of(ARTICLE, 60, 0.004)
    residual = run.params["w"] * ARTICLE.x[i] ** 2 + run.params["b"] - ARTICLE.y[i]
    plays(at, "residual", residual)
    plays(at, "term_w", 2 * ARTICLE.factor * residual * ARTICLE.x[i] ** 2)
    plays(at, "term_b", 2 * ARTICLE.factor * residual)
    told = live_texts(at)
    assert "2·½·(ŷ − y)·x²" in told.replace("\u00a0", " ")
    assert f"x² = {ARTICLE.x[i] ** 2:.3g}," in told
    assert "to ∂L/∂w" in told
    for chart in range(3):
        assert np.flatnonzero(table(at, chart, "points")["chosen"]).tolist() == [i]
    assert player(at)["table"]["term_w of the ringed point"] == "term_w"


def test_one_point_at_the_start_pulls_as_the_readers_found():
    at = visit(PAGE, chapter="pulls", point="1")  # x = −1
    assert series(at)["term_w"][0] == pytest.approx(-3.60, abs=0.005)
    assert series(at)["grad_w"][0] == pytest.approx(-91.43, abs=0.005)


@pytest.mark.parametrize(
    ("part", "regime"),
    [
        ("0.3", "It glides."),
        ("0.5", "It glides."),
        ("0.6", "It zig-zags."),
        ("0.95", "It zig-zags."),
        ("1", "It bounces."),
        ("1.02", "It explodes."),
        ("1.2", "It explodes."),
    ],
)
def test_the_rate_multiplies_the_error_along_each_axis_and_the_regime_is_named(part, regime):
    at = visit(PAGE, chapter="rate", of_limit=part)
    assert regime in live_texts(at)
    rate = float(part) * ARTICLE.largest_stable_learning_rate
    run = run_of(ARTICLE, 60, rate)
    plays(at, "w", run.params["w"])
    shallow, steep = np.linalg.eigvalsh(ARTICLE.hessian)
    steps = np.arange(15)
    for name, curvature in (("steep axis", steep), ("shallow axis", shallow)):
        expected = (1 - rate * curvature) ** steps
        np.testing.assert_allclose(series(at)[name][:15], expected, atol=1e-5)
    gauge = table(at, 1, "factors").set_index("axis")["factor"]
    assert gauge["steep axis"] == pytest.approx(max(-1.5, 1 - rate * steep))
    assert gauge["shallow axis"] == pytest.approx(1 - rate * shallow)
    first, last = (number(float(run.losses[k]), 3) for k in (0, -1))
    least = number(float(ARTICLE.loss_at(*ARTICLE.least_squares())), 3)
    assert f"the loss goes from {first} to {last}; the least is {least}." in live_texts(at)
    left = table(at, 2, "errors").query("axis == 'steep axis'")  # to the last step that is played
    np.testing.assert_allclose(left["error"][:15], (1 - rate * steep) ** steps, atol=1e-5)
    assert len(left) == player(at)["lastStep"] + 1


def test_the_map_of_the_rate_has_both_axes_of_the_bowl_and_keeps_the_first_jumps():
    at = visit(PAGE, chapter="rate", of_limit="1.2")
    axes = table(at, 0, "axes").set_index("name")
    for name, curvature in zip(
        ("shallow axis", "steep axis"), np.linalg.eigvalsh(ARTICLE.hessian), strict=True
    ):
        along = axes.loc[name, ["to_w", "to_b"]].to_numpy(float)
        np.testing.assert_allclose(ARTICLE.hessian @ along, curvature * along)
    window = {one["name"]: one["value"] for one in charts(at)[0]["params"] if "value" in one}
    w, b = (series(at)[name][:3] for name in "wb")
    assert np.all(np.abs(w - window["center_w"]) < window["half_w"])
    assert np.all(np.abs(b - window["center_b"]) < window["half_b"])
    assert abs(series(at)["b"][40]) > 100 * window["half_b"]  # which is off the map, and told to be
    assert "off the map" in str(charts(at)[0])


@pytest.mark.parametrize(("part", "stops"), [("0.3", [1]), ("1.2", [1, 3])])
def test_the_clicker_stops_at_the_first_jump_and_where_the_loss_is_half_or_four_times(part, stops):
    at = visit(PAGE, chapter="rate", of_limit=part)
    assert player(at)["stops"] == stops
    losses = series(at)["loss"]
    if part == "1.2":
        assert losses[2] <= 4 * losses[0] < losses[3]


def test_moving_the_rate_over_the_limit_changes_the_stage_at_once():
    at = visit(PAGE, chapter="rate")
    assert "It zig-zags." in live_texts(at)
    at.select_slider(key="of_limit").set_value("1.02").run()
    assert "It explodes." in live_texts(at)
    assert series(at)["loss"][-1] > series(at)["loss"][0]


@pytest.mark.parametrize("loss", ["mean", "mean_half_squared"])
@pytest.mark.parametrize("scaled", ["false", "true"])
def test_another_factor_is_another_step_unless_the_rate_is_scaled_with_it(loss, scaled):
    at = visit(PAGE, chapter="loss", loss=loss, scale_rate=scaled)
    other = replace(ARTICLE, loss=loss)
    times = ARTICLE.factor / other.factor
    shown = series(at)
    assert shown["grad_w"][0] / shown["other_grad_w"][0] == pytest.approx(times, rel=1e-5)
    same = np.allclose(shown["w"], shown["other_w"], rtol=1e-5)
    assert same == (scaled == "true")
    told = live_texts(at)
    assert f"<b>{times:.0f} times</b>" in told
    assert player(at)["whose"] == "½ · sum of squares"
    for problem in (ARTICLE, other):
        assert number(problem.largest_stable_learning_rate, 3) in told
    cut = table(at, 1, "cut").groupby("run")["loss"].agg(["min", "max"])
    heights = cut["max"] - cut["min"]
    assert heights.max() / heights.min() == pytest.approx(times)


def test_from_half_the_sum_to_the_mean_gradient_and_limit_change_by_50():
    told = live_texts(opened("loss"))
    mean = replace(ARTICLE, loss="mean")
    ratio = mean.largest_stable_learning_rate / ARTICLE.largest_stable_learning_rate
    assert ratio == pytest.approx(len(ARTICLE.x) / 2)
    assert "Its limit is 50 times higher" in told


def test_the_rate_that_goes_with_the_loss_is_offered():
    at = visit(PAGE, chapter="loss")
    assert not np.allclose(series(at)["w"], series(at)["other_w"], rtol=1e-2)
    at.toggle(key="scale_rate").set_value(True).run()
    np.testing.assert_allclose(series(at)["w"], series(at)["other_w"], rtol=1e-6)


def test_each_formula_has_its_line_and_both_listings_can_be_read():
    html = live_texts(opened("code"))
    assert html.count('class="listing"') == 1
    for name in ("loss", "grad_w", "grad_b", "w_next", "b_next"):
        assert f'class="value"><span data-now="{name}"' in html
    assert "numpy_vectorized.py" in html
    loops = live_texts(visit(PAGE, chapter="code", listing="loops"))
    assert "numpy_loops.py" in loops
    assert "numpy_vectorized.py" not in loops


def test_both_variants_of_the_notebook_are_told_with_their_digits():
    text = " ".join(words(opened("code")).split())
    assert "prints w = 2.99850472 and b = 2.0989827" in text
    assert "w = 2.99868144 and b = 2.09891723" in text
    assert "w = 2.99850472, b = 2.0989827**" in text


def test_the_two_listings_are_timed_when_asked():
    at = visit(PAGE, chapter="code")
    at.button[0].click().run()
    assert "Point by point the same numbers take" in words(at)


def test_the_check_agrees_with_the_gradients_by_hand():
    shown = series(opened("check"))
    checked = shown["checked"].astype(int)
    np.testing.assert_allclose(shown["numeric_w"], shown["grad_w"][checked], rtol=1e-5, atol=1e-6)
    assert np.all(shown["error"] <= shown["allowed"])
    # The picture of three slopes: for a quadratic the central one is that by hand, however wide.
    central = (shown["right"] - shown["left"]) / (2 * check.WIDTH)
    np.testing.assert_allclose(central, shown["grad_w"], rtol=1e-4, atol=1e-4)
    forward = (shown["right"] - shown["loss"]) / check.WIDTH
    np.testing.assert_allclose(
        forward - central, ARTICLE.hessian[0, 0] * check.WIDTH / 2, rtol=1e-3
    )


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_drawn_beside_the_right_run_after_a_prediction(mistake):
    at = visit(PAGE, chapter="mistakes", mistake=mistake)
    right, wrong = edits(at)
    assert right != wrong
    assert drawn(at) == {"the right run"}
    assert not player(at)["plays"]
    # What is not shown yet is not taken home either, and lies nowhere in the page.
    assert not [name for name in series(at) if name.startswith("wrong_")]
    before = player(at)["of"]
    at.segmented_control(key=f"guess of {mistake}").set_value("show").run()
    assert drawn(at) == {"the right run", "the wrong run"}
    assert "wrong_loss" in series(at)
    assert player(at)["plays"]  # so the difference is seen, and not the step at which both begin
    assert player(at)["of"] != before
    assert MISTAKES[mistake].story in words(at)
    assert live_texts(at).count('class="changed"') == (mistake in CHANGES)
    if mistake in CHANGES:
        assert right in CHANGES[mistake]
    expected = {"outlier": {"best for the right run", "best for the wrong run"}}
    assert stars(at) == expected.get(mistake, {"least squares"})


def drawn(at):
    """The runs whose paths are on the map."""
    return set(table(at, 0, "paths")["run"])


def stars(at):
    return set(table(at, 0, "stars")["label"])


@pytest.mark.parametrize(("step", "part"), [("0", "1.02"), ("7", "1.1"), ("39", "0.02")])
def test_two_futures_are_one_run_up_to_the_branch_and_the_address_holds_it(step, part):
    at = visit(PAGE, chapter="two_futures", branch_step=step, branch_rate=part)
    shown, k = series(at), int(step)
    np.testing.assert_array_equal(shown["w"][: k + 1], shown["other_w"][: k + 1])
    plays(at, "w", run_of(ARTICLE, 40, 0.004).params["w"])
    rate = float(part) * ARTICLE.largest_stable_learning_rate
    params = {name: float(shown[name][k]) for name in "wb"}
    later = run_of(ARTICLE.starting_at(**params), 40 - k, rate)
    np.testing.assert_allclose(shown["other_w"][k:], later.params["w"], rtol=1e-4)
    assert player(at)["whose"] == "η stays 0.004"
    assert set(table(at, 0, "paths")["run"]) == set(table(at, 1, "losses")["run"])
    assert len(set(table(at, 0, "paths")["run"])) == 2


def test_the_step_and_the_rate_of_the_branch_can_be_changed():
    at = visit(PAGE, chapter="two_futures")
    before = series(at)["other_loss"]
    at.number_input(key="branch_step").set_value(20).run()
    at.select_slider(key="branch_rate").set_value("1.2").run()
    after = series(at)["other_loss"]
    assert player(at)["stops"][0] == 20
    assert np.all(after[6:20] > before[6:20])  # on its way with the smaller rate, still
    assert f"η = {number(1.2 * ARTICLE.largest_stable_learning_rate, 3)} from step 20" in str(
        charts(at)[1]
    )


NONSENSE = {
    "pulls": {"point": "0"},
    "rate": {"of_limit": "nan"},
    "loss": {"loss": "<b>", "scale_rate": "7"},
    "code": {"listing": "all"},
    "mistakes": {"mistake": "none of them"},
    "two_futures": {"branch_step": "1e99", "branch_rate": "-3"},
}


@pytest.mark.parametrize("chapter", NONSENSE)
def test_nonsense_in_the_address_is_refused_aloud_and_leaves_no_trace(chapter):
    at = visit(PAGE, chapter=chapter, step="-3", moment="7000", **NONSENSE[chapter])
    assert not at.exception
    told = at.warning[0].value
    assert all(f"{name} = " in told for name in ("step", "moment", *NONSENSE[chapter]))
    if chapter != "two_futures":  # there the largest step is used
        np.testing.assert_array_equal(series(at)["w"], series(opened(chapter))["w"])


def test_a_chapter_that_is_none_opens_the_first():
    at = visit(PAGE, chapter="../secret")
    assert "chapter = `../secret`" in at.warning[0].value
    assert "## What happens in one step of training?" in words(at)


def test_two_visitors_do_not_see_each_others_numbers():
    one, other = (visit(PAGE, chapter="rate", of_limit=part) for part in ("0.1", "0.8"))
    again = one.run()
    assert series(again)["w"][5] != series(other)["w"][5]
    np.testing.assert_array_equal(
        series(again)["w"],
        run_of(ARTICLE, 60, 0.1 * ARTICLE.largest_stable_learning_rate).params["w"].astype("f4"),
    )


def test_lecture_mode_shows_the_same_numbers_larger():
    at = visit(PAGE, chapter="rate", lecture="true")
    np.testing.assert_array_equal(series(at)["w"], series(opened("rate"))["w"])
    assert next(p["value"] for p in charts(at)[0]["params"] if p["name"] == "lecture") is True
