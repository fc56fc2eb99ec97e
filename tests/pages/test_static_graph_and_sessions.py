"""The page on static graphs and sessions, run without a browser."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from engines.problem import preset
from engines.regression import numpy_vectorized, tf_session
from engines.static_graph_and_sessions import one_run
from engines.trace import record
from tests.support.visit import charts, live_texts, player, plays, series, visit, words

PAGE = "static_graph_and_sessions"
ARTICLE = preset("session_article").astype("float32")
TRACE = record(tf_session.train(ARTICLE, steps=2000, learning_rate=0.01))


@pytest.fixture(scope="module")
def first_visit():
    return visit(PAGE)


def picture(at):
    """The parameters of the picture of the two graphs, by name."""
    [spec] = [chart for chart in charts(at) if "band for each line" in chart.get("description", "")]
    return {param["name"]: param.get("value") for param in spec["params"]}


def boxes(at):
    """The operations in that picture, as rows."""
    for element in at.get("vega_lite_chart"):
        if "band for each line" in element.proto.spec:
            tables = {one.name: one.data.data for one in element.proto.datasets}
            return pa.ipc.open_stream(tables["chips"]).read_all().to_pylist()
    raise AssertionError("no picture of the graphs")


def told(at):
    return re.findall(r'<p data-moments="\d+">(.*?)</p>', live_texts(at))


def test_a_first_visit_adds_two_and_four(first_visit):
    assert picture(first_visit)["written"][:5] == [1, 2, 3, 4, 4]
    assert picture(first_visit)["ran"] == [0, 0, 0, 0, 0, 0, 2, 3, 4]
    assert "not one number has been computed" in told(first_visit)[4]
    assert "<b>c = 6.</b>" in told(first_visit)[8]
    assert "It returned **6**" in words(first_visit)
    values = {box["name"]: box["took"] for box in boxes(first_visit) if box["side"] == "written"}
    assert values == {"a": "2", "b": "4", "c": "6", "init": ""}


def test_slow_motion_is_on_and_goes_through_build_open_and_run(first_visit):
    data = player(first_visit)
    assert data["parts"] == [4, 2, 3, 0]
    assert data["words"]["phases"] == ["build", "open", "run"]
    assert data["begin"] == [0, 0]


def test_other_numbers_have_another_sum():
    at = visit(PAGE, a_value="-1.5", b_value="0.25")
    assert "<b>c = −1.25.</b>" in told(at)[8]
    assert "It returned **−1.25**" in words(at)


def test_the_player_plays_the_session_s_own_training(first_visit):
    plays(first_visit, "w", TRACE.params["w"])
    plays(first_visit, "loss", TRACE.losses)


def test_the_gradients_of_the_graph_are_those_by_hand(first_visit):
    shown = series(first_visit)
    by_hand = record(numpy_vectorized.train(ARTICLE, steps=2000, learning_rate=0.01))
    np.testing.assert_allclose(shown["tf_session_grad_w"], TRACE.grads["w"], rtol=1e-7)
    np.testing.assert_allclose(shown["numpy_vectorized_grad_w"], by_hand.grads["w"], rtol=1e-7)
    assert 0 < shown["tf_session_apart"].max() < 1e-5


def read(listing, *fetches, **options):
    """What is said of a run, outside the page."""

    def section(run):
        from views.static_graph_and_sessions import ask

        ask.tell(run)

    run = one_run.run(one_run.Request(listing, fetches, **options), ARTICLE, 0.01)
    at = AppTest.from_function(section, kwargs={"run": run}).run()
    assert not at.exception
    return at


@pytest.mark.parametrize(
    ("fetch", "ran", "said"),
    [
        ("y_pred", 9, "Nothing here needs the loss"),
        ("loss", 15, "Fused, because nobody watches"),
        ("residual,loss", 17, "Not fused, because you watch"),
        ("loss,new_w,new_b", 50, "The gradient takes the difference"),
        ("initialize", 7, "That is all that a first value needs"),
        ("residual", 11, "its square is not"),
        ("grad_w", 30, "The gradient takes the difference"),
        ("loss,grad_w", 35, "The gradient takes the difference"),
        ("", 0, "Nothing was fetched"),
    ],
)
def test_what_is_fetched_decides_what_runs(fetch, ran, said):
    at = read("regression", *filter(None, fetch.split(",")))
    assert f"**88 operations are written, {ran} ran:**" in words(at)
    assert said in words(at)


def test_a_linked_fetch_is_run_told_and_drawn():
    at = visit(PAGE, graph="regression", fetch="residual,loss")
    assert "**88 operations are written, 17 ran:**" in words(at)
    assert picture(at)["written"][-1] == 88
    assert picture(at)["ran"][-1] == 17


def test_a_fetch_chosen_by_hand_is_run_and_stands_in_the_address():
    at = visit(PAGE, graph="regression")
    at.button_group(key="fetch").set_value(["y_pred"]).run()
    assert picture(at)["ran"][-1] == 9
    assert at.query_params["fetch"] == "y_pred"


def test_another_graph_starts_with_a_fetch_of_its_own():
    at = visit(PAGE, fetch="a")
    assert "a = 2" in told(at)[-2]
    at.button_group(key="graph").set_value("regression").run()
    assert at.button_group(key="fetch").value == ["loss"]
    assert picture(at)["ran"][-1] == 15


def test_going_back_to_a_graph_fetches_what_it_did_at_first():
    at = visit(PAGE, graph="regression")
    del at.query_params["graph"]  # as the Back button does
    at.run()
    assert at.button_group(key="graph").value == "sum"
    assert at.button_group(key="fetch").value == ["c"]
    assert "<b>c = 6.</b>" in told(at)[-2]


def test_the_graph_cannot_be_chosen_away():
    at = visit(PAGE, graph="regression", feed="without_y")
    at.button_group(key="graph").set_value(None).run()
    assert not at.exception


def test_without_the_optimiser_the_loss_takes_more_operations():
    at = visit(PAGE, graph="regression", rewriting_off="true")
    assert "Nothing is rewritten" in words(at)
    labels = [box["label"] for box in boxes(at) if box["side"] == "executed"]
    assert labels.count("Pow") == 2
    assert not {"Square", "SquaredDifference"} & set(labels)


@pytest.mark.parametrize(
    ("listing", "fetch", "feed", "phrase"),
    [
        ("sum", "c", "without_b", "You must feed a value"),
        ("regression", "loss", "without_y", "You must feed a value"),
        ("regression", "loss", "short_y", "Incompatible shapes"),
        ("baked_in", "loss", "not_initialized", "Could not find variable"),
    ],
)
def test_a_session_s_error_is_shown_and_explained(listing, fetch, feed, phrase):
    at = read(listing, fetch, feeds=feed)
    assert phrase in "\n".join(code.value for code in at.code)
    assert f"| `{phrase}" in words(at)
    assert "To mend it" in words(at)


def test_an_error_is_told_and_marked_on_the_page():
    at = visit(PAGE, graph="regression", feed="short_y")
    assert "Incompatible shapes" in "\n".join(code.value for code in at.code)
    assert "The session stops with an error: <b>InvalidArgumentError" in told(at)[-3]
    assert picture(at)["failed"] is True
    assert [box["name"] for box in boxes(at) if box["failed"]] == ["sub"]
    assert player(at)["readout"]["loss"] == [sum(player(at)["parts"]), None]


def test_the_baked_in_data_does_not_need_to_be_fed():
    at = visit(PAGE, graph="baked_in", feed="without_y")
    assert "<b>loss = 10" in told(at)[-2]
    assert "Nothing here takes from x1 and y1" in words(at)
    assert "(w·x² − y) + b" in words(at)


def test_the_page_asks_how_many_operations_run_before_it_tells():
    at = visit(PAGE)
    assert "by the time y_pred has been written" not in words(at)
    at.button_group(key="guess of operations of y_pred").set_value("18").run()
    assert "Not quite: **9 operations**" in words(at)
    assert "18 operations stand in the graph by the time y_pred" in words(at)


@pytest.mark.parametrize(("way", "ran"), [("watched", 17), ("as_written", 17)])
def test_the_ways_to_fetch_the_loss_run_different_graphs(first_visit, way, ran):
    for at, executed in ((first_visit, 15), (visit(PAGE, loss_fetched=way), ran)):
        titles = [one["title"]["text"] for one in charts(at) if isinstance(one["title"], dict)]
        assert f"Executed: {executed} operations" in titles


BAD = [
    {"graph": "tower", "first": "3"},
    {"graph": "regression", "fetch": "secret,loss,loss", "feed": "without_b"},
    {"fetch": "c" * 5000, "feed": "y_pred", "rewriting_off": "perhaps", "loss_fetched": "secretly"},
    {"a_value": "nan", "b_value": "1e300", "steps": "-3", "moment": "99999", "mistake": "all"},
    {"preset": "own", "points": "1e400", "seed": "-inf", "steps": "inf"},
    {"graph": "regression", "lr": "10", "steps": "4000"},
    {"graph": "regression", "preset": "own", "points": "3", "noise": "0", "slope": "0"},
]


@pytest.mark.parametrize(
    "query", BAD, ids=lambda query: "&".join(map("=".join, query.items()))[:40]
)
def test_absurd_addresses_give_a_working_page(query):
    at = visit(PAGE, **query)
    assert not at.exception
    assert picture(at)["written"][-1] in (4, 81, 88)


def test_what_cannot_be_used_is_said():
    at = visit(PAGE, graph="regression", fetch="secret,loss", feed="nothing")
    said = "\n".join(warning.value for warning in at.warning)
    assert "fetch = `secret,loss`" in said
    assert "This page uses loss" in said
    assert "feed = `nothing`" in said
