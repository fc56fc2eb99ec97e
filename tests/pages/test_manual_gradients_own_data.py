"""The chapter on one's own data: pasted, linked or dragged, and what becomes of it."""

import numpy as np
import pytest

from engines.manual_gradients.standardising import Units
from tests.support.visit import (
    components,
    live_texts,
    player,
    series,
    table,
    titles,
    visit,
    words,
)
from views.manual_gradients import own_data, point_editor
from views.manual_gradients.point_editor import Data
from views.ui.numbers import number


def page(**query):
    return visit("manual_gradients", chapter="own_data", **query)


def shown(at):
    """What the picture of the data is given."""
    [data] = [one for one in components(at) if "points" in one]
    return data


def paste(at, text, comma=None):
    at.text_area(key="pasted").set_value(text).run()
    if comma:
        at.segmented_control(key="comma").set_value(comma).run()
    use = next(button for button in at.button if button.label == "Use these")
    return use.click().run()


@pytest.fixture(scope="module")
def first_visit():
    return page()


def test_the_first_visit_trains_a_line_that_arrives(first_visit):
    x, y = np.array(shown(first_visit)["points"]).T
    slope, offset = np.polyfit(x, y, 1)
    numbers = series(first_visit)
    assert numbers["w"][-1] == pytest.approx(slope, rel=0.01)
    assert numbers["b"][-1] == pytest.approx(offset, rel=0.01)
    assert f"w = {slope:.4g}, b = {offset:.4g}" in live_texts(first_visit)


def test_pasted_data_are_trained_and_stand_in_the_address():
    at = paste(page(), "way;time\n1,5;2\n2,5;4\nnone;5\n\n3,5;6,25")
    assert shown(at)["points"] == [[1.5, 2], [2.5, 4], [3.5, 6.25]]
    assert shown(at)["names"] == ["way", "time"]
    assert "3 points are used" in words(at)
    assert "Row 4 is left out: its x, “none”, is not a number." in words(at).replace("\\", "")
    [address] = np.ravel(at.query_params["data"])
    assert address == "1.5,2_2.5,4_3.5,6.25"
    again = page(example="own", data=address)
    assert shown(again)["points"] == shown(at)["points"]
    assert not again.warning


def test_what_has_two_readings_is_asked_about_and_not_guessed(first_visit):
    at = paste(page(), "1,234;5\n2,345;6")
    assert "Is the comma a decimal comma?" in at.warning[0].value.replace("\\", "")
    assert shown(at)["points"] == shown(first_visit)["points"]
    at = paste(at, "1,234;5\n2,345;6", comma="comma")
    assert shown(at)["points"] == [[1.234, 5], [2.345, 6]]


def test_a_thousand_pasted_rows_are_trained_but_not_put_into_the_address():
    at = paste(page(), "\n".join(f"{i}\t{i % 7}" for i in range(1500)))
    assert len(shown(at)["points"]) == 1000
    assert "Of 1,500 rows the first 1,000 are used." in words(at).replace("\\", "")
    assert "data" not in at.query_params


def test_what_is_pasted_is_text_and_nothing_else():
    at = paste(page(), "1\t2\n**bold**<img>\t3\n4\t5")
    assert r"\*\*bold\*\*\<img\>" in words(at)


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ("spring", "Drag a point"),
        ("years", "until a thousandth of the error is left"),
        ("seconds", "until a thousandth of the error is left"),
        ("one_x", "All points have the same x"),
    ],
)
def test_data_that_are_hard_to_train_on_get_a_sentence_and_a_rate_that_works(example, said):
    at = page(example=example)
    assert said in live_texts(at)
    losses = series(at)["loss"]
    assert np.all(np.isfinite(losses))
    assert losses[-1] <= losses[0]
    assert not at.warning


@pytest.mark.parametrize("example", ["spring", "years", "seconds"])
@pytest.mark.parametrize("power", ["1", "2"])
def test_standardised_data_are_learnt_in_a_few_steps_and_give_the_same_line(example, power):
    at = page(example=example, standardise="true", power=power)
    assert "A round bowl." in live_texts(at)
    x, y = np.array(shown(at)["points"]).T
    start = x[0] ** int(power)
    slope, offset = np.polyfit(x ** int(power) - start, y, 1)
    numbers = series(at)
    assert numbers["slope"][60] == pytest.approx(slope, rel=1e-4)
    assert numbers["offset"][60] == pytest.approx(offset - slope * start, rel=1e-4)
    w, b = Units(*shown(at)["units"]).back(numbers["w"][60], numbers["b"][60])
    np.testing.assert_allclose([w, b], [numbers["slope"][60], numbers["offset"][60]], rtol=1e-4)


@pytest.mark.parametrize("example", ["years", "seconds"])
def test_a_bowl_too_long_for_a_map_is_told_by_what_is_left_along_its_axes(example):
    at = page(example=example)
    data = own_data.EXAMPLES[example]
    curvature = own_data._problem(data, 1).condition
    assert f"curves {number(curvature, 3)} times as much across the bowl" in live_texts(at)
    left = table(at, 0, "errors").pivot(index="step", columns="axis", values="error")
    steps = left.index.to_numpy()
    np.testing.assert_allclose(left["steep axis"][:30], 0.6 ** steps[:30], atol=1e-3)
    np.testing.assert_allclose(left["shallow axis"], 1, atol=1e-6)  # 0.2 of the limit: 1 − 2·0.2
    assert titles(page(example=example, standardise="true")) == ["The loss over w and b"]


def test_the_panel_closes_where_all_was_read_and_else_says_what_was_not():
    at = page()
    at.session_state["paste"] = True
    assert not paste(at, "1\t2\n3\t4").session_state["paste"]
    at.session_state["paste"] = True
    assert paste(at, "1\t2\nnone\t3\n4\t5").session_state["paste"]


def test_other_data_leave_the_rate_s_slider_as_it_is(first_visit):
    # A browser forgets where a slider was whose marks have changed.
    marks = first_visit.select_slider(key="of_limit").options
    other = page(example="years").select_slider(key="of_limit")
    assert other.options == marks
    assert other.value == "0.2"


def test_beyond_the_limit_it_says_so():
    at = page(of_limit="1.2")
    assert "Too far." in live_texts(at)
    assert series(at)["loss"][-1] > series(at)["loss"][0]


@pytest.mark.parametrize(
    "query",
    [
        {"example": "own"},
        {"example": "own", "data": "<b>"},
        {"example": "own", "data": "nan,1_2,3"},
        {"power": "7", "of_limit": "1e9", "standardise": "maybe"},
    ],
    ids=str,
)
def test_nonsense_in_the_address_is_refused_aloud_and_leaves_no_trace(query, first_visit):
    at = page(**query)
    assert not at.exception
    assert at.warning
    np.testing.assert_array_equal(series(at)["w"], series(first_visit)["w"])
    assert player(at)["lastStep"] == own_data.STEPS


# ---- What is done in the picture

DATA = Data(((1, 2), (3, 4)), ("a", "b"))


def after(monkeypatch, edit, data=DATA):
    monkeypatch.setattr(point_editor.st, "session_state", {point_editor.KEY: {"edit": edit}})
    changed = point_editor.edited(data)
    return changed and changed.points


@pytest.mark.parametrize(
    ("edit", "points"),
    [
        ({"of": 2, "at": None, "x": 5, "y": 6.5}, ((1, 2), (3, 4), (5, 6.5))),
        ({"of": 2, "at": 0, "x": 5, "y": 6.5}, ((5, 6.5), (3, 4))),
        ({"of": 2, "at": 0, "remove": True}, ((3, 4),)),
    ],
)
def test_points_are_added_moved_and_removed(monkeypatch, edit, points):
    assert after(monkeypatch, edit) == points


@pytest.mark.parametrize(
    "edit",
    [
        None,
        "x",
        {},
        {"of": 3, "at": 0, "x": 1, "y": 1},
        {"of": 2, "at": 2, "x": 1, "y": 1},
        {"of": 2, "at": -1, "x": 1, "y": 1},
        {"of": 2, "at": True, "x": 1, "y": 1},
        {"of": 2, "at": 0, "x": float("nan"), "y": 1},
        {"of": 2, "at": 0, "x": 1, "y": 1e300},
        {"of": 2, "at": 0, "x": "1", "y": 1},
        {"of": 2, "at": None, "remove": True},
    ],
    ids=str,
)
def test_what_no_picture_sends_changes_nothing(monkeypatch, edit):
    assert after(monkeypatch, edit) is None


def test_there_are_never_no_points_and_never_more_than_a_thousand(monkeypatch):
    one, many = Data(((1, 2),)), Data(((1, 2),) * 1000)
    assert after(monkeypatch, {"of": 1, "at": 0, "remove": True}, one) is None
    assert after(monkeypatch, {"of": 1000, "at": None, "x": 1, "y": 1}, many) is None
