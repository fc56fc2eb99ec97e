"""The page Manual gradients, run without a browser: its controls, and the numbers it shows."""

from __future__ import annotations

import numpy as np
import pytest

from engines.manual_gradients.mistakes import CHANGES
from engines.problem import custom, preset
from engines.regression import numpy_vectorized
from engines.trace import record
from tests.support.visit import charts, live_texts, player, plays, series, titles, visit, words
from views.manual_gradients.mistakes import MISTAKES as TOLD
from views.ui.controls import RATES

PAGE = "manual_gradients"


def run_of(problem, steps, learning_rate):
    return record(numpy_vectorized.train(problem, steps=steps, learning_rate=learning_rate))


def chosen(at):
    """What the controls show: selectboxes, the rate, and the numbers by key."""
    numbers = {widget.key: widget.value for widget in at.number_input}
    rate = at.select_slider(key="lr").value
    return {"preset": at.selectbox(key="preset").value, "loss": at.selectbox(key="loss").value} | {
        "lr": rate,
        **numbers,
    }


@pytest.fixture(scope="module")
def first_visit():
    return visit(PAGE)


def test_the_first_visit_plays_the_run_that_the_article_printed(first_visit):
    expected = run_of(preset("numpy_article"), 800, 0.001)
    for name, values in expected.columns().items():
        plays(first_visit, name, values)
    assert player(first_visit)["lastStep"] == 800
    assert "At step **800** w is **2.99850472** and b is **2.0989827**" in words(first_visit)


def test_both_variants_of_the_notebook_are_told_with_their_digits(first_visit):
    text = words(first_visit)
    assert "w = 2.99868144 and b = 2.09891723" in text
    assert "w = 2.99850472, b = 2.0989827" in text


def test_the_page_has_its_pictures_each_with_a_text_alternative(first_visit):
    assert titles(first_visit) == [
        "The fit",
        "The loss over w and b",
        "The loss",
        "Each point's term of grad_w",
        "Each point's term of grad_b",
        "Relative error against the width h",
    ]
    assert all(len(chart["description"]) > 30 for chart in charts(first_visit))


def test_both_listings_are_shown_whole_with_a_place_for_each_value(first_visit):
    html = live_texts(first_visit)
    assert html.count('class="listing"') == 2
    for name in ("loss", "grad_w", "grad_b", "w_next", "b_next"):
        assert html.count(f'class="value"><span data-now="{name}"') == 2
    assert html.count("data-moments") == 2 * 7 + 6  # seven lines of each listing, six formulas


@pytest.mark.parametrize("name", ["numpy_article", "numpy_article_straight", "loops_article"])
def test_a_preset_in_the_address_brings_the_settings_it_was_published_with(name):
    problem = preset(name)
    at = visit(PAGE, preset=name)
    assert chosen(at)["loss"] == problem.loss
    assert (chosen(at)["lr"], chosen(at)["steps"]) == (problem.learning_rate, problem.steps)
    expected = run_of(problem, problem.steps, problem.learning_rate)
    plays(at, "w", expected.params["w"])


def test_choosing_another_preset_replaces_the_settings_of_the_last_one():
    at = visit(PAGE, lr="0.01", steps="50")
    at.selectbox(key="preset").select("loops_article").run()
    assert chosen(at)["loss"] == "mean"
    assert (chosen(at)["lr"], chosen(at)["steps"]) == (0.01, 1000)
    assert (chosen(at)["w"], chosen(at)["b"]) == (0, 0)
    assert not at.warning


def test_data_of_ones_own_is_made_as_asked():
    data = {"slope": "-2", "offset": "1", "noise": "0", "points": "7", "power": "1", "seed": "3"}
    at = visit(PAGE, preset="own", loss="half_sum", lr="0.1", steps="30", w="1", b="-1", **data)
    problem = custom(slope=-2, offset=1, noise=0, points=7, power=1, seed=3, loss="half_sum")
    expected = run_of(problem.starting_at(1, -1), 30, 0.1)
    plays(at, "w", expected.params["w"])
    assert not at.warning


@pytest.mark.parametrize("loss", ["half_sum", "mean", "mean_half_squared"])
def test_the_loss_changes_the_run_and_the_factor_in_the_formula(loss):
    at = visit(PAGE, loss=loss, steps="20")
    formulas = "\n".join(element.value for element in at.latex)
    assert (r"\tfrac{2}{100}\sum_i" in formulas) == (loss == "mean")
    assert (r"\tfrac{1}{2 \cdot 100}\sum_i" in formulas) == (loss == "mean_half_squared")
    start = preset("numpy_article")
    missed = start.w * start.x**2 + start.b - start.y
    by_hand = {
        "half_sum": sum(missed**2) / 2,
        "mean": np.mean(missed**2),
        "mean_half_squared": np.mean((missed / 2) ** 2),
    }
    assert series(at)["loss"][0] == pytest.approx(by_hand[loss], rel=1e-6)


def test_beyond_the_limit_the_page_says_by_how_much_each_step_grows():
    at = visit(PAGE, lr="0.02", steps="100")
    [warning] = at.warning
    grows = abs(1 - 0.02 * preset("numpy_article").lambda_max)
    assert f"= {grows:.4g}: it jumps across the valley" in warning.value
    assert not at.error


def test_overflow_ends_the_run_and_is_explained():
    at = visit(PAGE, lr="10", steps="8000")
    [error] = at.error
    last = player(at)["lastStep"]
    assert last < 200
    assert error.value.startswith(f"The run ended at step {last}: loss grew past")
    assert np.isinf(series(at)["loss"][-1])
    assert np.all(np.isfinite(series(at)["loss"][:-1]))


def test_the_check_agrees_with_the_gradients_by_hand(first_visit):
    shown = series(first_visit)
    checked = shown["checked"].astype(int)
    np.testing.assert_allclose(shown["numeric_w"], shown["grad_w"][checked], rtol=1e-5, atol=1e-6)
    assert np.all(shown["error"] <= shown["allowed"])


@pytest.mark.parametrize("mistake", TOLD)
def test_a_mistake_runs_beside_the_right_run_and_is_told_after_a_prediction(mistake):
    at = visit(PAGE, mistake=mistake, steps="300")
    assert "The fit" in titles(at)
    assert titles(at).count("The fit") == 1  # not before the visitor has said what to expect
    right, wrong = (code.value for code in at.code)
    assert right != wrong
    at.segmented_control(key=f"guess of {mistake}").set_value("show").run()
    assert titles(at).count("The fit") == 2
    assert TOLD[mistake].story in words(at)
    assert live_texts(at).count('class="changed"') == (mistake in CHANGES)
    shown = series(at)
    caught = np.median(shown["wrong_error"]) > np.median(shown["wrong_allowed"])
    assert caught == (mistake in ("wrong_sign", "input_forgotten", "factor_forgotten"))


def test_every_mistake_of_the_engines_is_told():
    assert set(TOLD) == {*CHANGES, "beyond_limit", "outlier"}


def test_a_prediction_is_answered_from_the_run():
    at = visit(PAGE, mistake="wrong_sign", steps="200")
    guess = at.segmented_control(key="guess of wrong_sign")
    assert "Yes: **the loss climbs**" in words(guess.set_value("explodes").run())
    guess = at.segmented_control(key="guess of wrong_sign")
    assert "Not quite: **the loss climbs**" in words(guess.set_value("arrives").run())


def test_the_two_listings_are_timed_when_asked():
    at = visit(PAGE, steps="10")
    at.button[0].click().run()
    assert "Point by point the same numbers" in words(at)
    assert not at.exception


# Limits and faults

NONSENSE = [
    {"preset": "<script>", "loss": "sum", "lr": "nan", "w": "nan", "b": "x", "step": "-1"},
    {"preset": "autograd_article", "loss": "½ · sum of squares", "lr": "-1", "steps": "1e9"},
    {"preset": "", "lr": "1e9", "steps": "-5", "w": "inf", "b": "99", "step": "801"},
    {"lr": "0.00123", "steps": "0", "w": "1e400", "mistake": "<b>", "step": "x"},
    {"lr": "0,1", "steps": "many", "w": "-11", "mistake": "none", "step": "1.5"},
]
NONSENSE_OF_OWN = [
    {"points": "2", "power": "3", "noise": "-1", "seed": "-1"},
    {"points": "1e6"},
]


def refuses(at, query):
    assert not at.exception
    [warning] = at.warning
    for name in query:
        assert f"The address asks for {name} = " in warning.value


@pytest.mark.parametrize("query", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_in_the_address_is_refused_aloud_and_leaves_no_trace(query, first_visit):
    at = visit(PAGE, **query)
    refuses(at, query)
    np.testing.assert_array_equal(series(at)["w"], series(first_visit)["w"])


def test_nonsense_about_data_of_ones_own_is_refused_aloud_and_leaves_no_trace():
    expected = series(visit(PAGE, preset="own"))
    for query in NONSENSE_OF_OWN:
        at = visit(PAGE, preset="own", **query)
        refuses(at, query)
        np.testing.assert_array_equal(series(at)["w"], expected["w"])


def test_a_number_of_steps_that_is_not_whole_is_refused_aloud():
    refuses(visit(PAGE, steps="7.5"), {"steps": "7.5"})


def test_a_repeated_parameter_is_refused_aloud():
    at = visit(PAGE, steps=["50", "60"])
    assert "steps = `50, 60`" in at.warning[0].value
    assert player(at)["lastStep"] in (50, 60)


def test_what_is_possible_is_taken_without_a_word():
    at = visit(PAGE, lr="0.01", steps="8000", w="-10", b="10", step="8000")
    assert not at.warning
    assert player(at)["lastStep"] == 8000


def test_a_browser_that_sends_what_its_control_forbids_is_bounded():
    at = visit(PAGE, steps="10")
    for value in (float("nan"), 1e300, -1e300):
        at.number_input(key="w").set_value(value).run()
        assert not at.exception
        assert abs(series(at)["w"][0]) <= 10


def test_the_rates_are_evenly_spaced_and_hold_the_articles():
    steps = np.diff(np.log10(RATES))
    assert np.all((steps > 0.09) & (steps < 0.11))
    assert {0.001, 0.01, 0.1} <= set(RATES)


def test_two_visitors_do_not_see_each_others_numbers():
    one, other = visit(PAGE, lr="0.01"), visit(PAGE, lr="0.002", preset="numpy_article_straight")
    again = one.run()
    assert series(again)["w"][1] != series(other)["w"][1]
    plays(again, "w", run_of(preset("numpy_article"), 800, 0.01).params["w"])


def test_in_lecture_mode_the_controls_are_folded_away_and_the_type_grows(first_visit):
    at = visit(PAGE, lecture="true")
    assert [box.label for box in at.expander] == ["Settings"]
    size, usual = (charts(page)[0]["config"]["axis"]["labelFontSize"] for page in (at, first_visit))
    assert size >= 1.5 * usual
    np.testing.assert_array_equal(series(at)["w"], series(first_visit)["w"])
