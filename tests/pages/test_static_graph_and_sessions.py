"""The static graph's chapters on what is fetched, built, kept and watched, without a browser."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from tests.support.visit import charts, live_texts, player, titles, visit, words

PAGE = "static_graph_and_sessions"


@pytest.fixture(scope="module")
def first_visit():
    return visit(PAGE)


def heads(at):
    """The titles of the graph, moment by moment."""
    [spec] = [one for one in charts(at) if "graph of the listing" in one.get("description", "")]
    return next(one["value"] for one in spec["params"] if one["name"] == "heads")


def boxes(at):
    """The boxes of the graph, by name."""
    for element in at.get("vega_lite_chart"):
        tables = {one.name: one.data.data for one in element.proto.datasets}
        if "boxes" in tables:
            rows = pa.ipc.open_stream(tables["boxes"]).read_all().to_pylist()
            return {row["name"]: row for row in rows}
    raise AssertionError("no picture of the graph")


def told(at):
    return re.findall(r'<p data-moments="\d+">(.*?)</p>', live_texts(at))


def test_it_opens_on_the_walk_back_from_the_loss(first_visit):
    assert "## What runs when you ask a graph for one number?" in words(first_visit)
    assert heads(first_visit)[0] == "88 written · none has run"
    assert "88 written · 17 needed" in heads(first_visit)
    assert heads(first_visit)[-1] == "88 written · 17 needed · 15 ran"
    assert player(first_visit)["begin"] == [0, 3]
    assert player(first_visit)["words"]["phases"] == ["ask", "walk back", "run"]
    assert "<b>17 of 88 operations are needed.</b>" in "\n".join(told(first_visit))
    assert told(first_visit)[-2].startswith("<b>loss = 10.00001.</b>")
    assert "feed_dict" in live_texts(first_visit)


def test_a_box_that_nothing_needs_is_never_reached(first_visit):
    rows, last = boxes(first_visit), len(heads(first_visit)) - 1
    reached = {name for name, row in rows.items() if row["reached"] <= last}
    assert reached == {
        "x", "w", "b", "y", "power", "product", "y_pred", "residual", "squared", "sum", "loss"
    }  # fmt: skip
    assert rows["residual"]["gone"] <= last  # into the square
    assert rows["squared"]["note_changed"] == "SquaredDifference"
    assert rows["loss"]["note_ran"] == "10"


def test_the_fates_of_all_operations_are_told_below(first_visit):
    assert "**What became of the 88 operations:**" in words(first_visit)
    assert "| 71 | not run: nothing that was fetched needs it |" in words(first_visit)


@pytest.mark.parametrize(
    ("fetch", "ran"), [("y_pred", 9), ("residual", 11), ("grad_w", 30), ("training", 52)]
)
def test_what_is_fetched_decides_what_runs(fetch, ran):
    at = visit(PAGE, fetch=fetch)
    assert heads(at)[-1].endswith(f"· {ran} ran")


def test_a_fetch_chosen_by_hand_stands_in_the_address():
    at = visit(PAGE)
    at.selectbox(key="fetch").set_value("new_w").run()
    assert not at.exception
    assert at.query_params["fetch"] == "new_w"
    assert "<b>new_w = 0.2282364.</b>" in told(at)[-2]


def test_feeding_y_pred_cuts_off_x():
    at = visit(PAGE, feed="y_pred")
    rows, last = boxes(at), len(heads(at)) - 1
    assert min(rows[name]["reached"] for name in ("x", "w", "b")) > last
    assert rows["y_pred"]["note_reached"] == "fed"


@pytest.mark.parametrize(
    ("feed", "phrase"),
    [
        ("without_y", "You must feed a value"),
        ("short_y", "Incompatible shapes"),
        ("not_initialized", "Could not find variable"),
    ],
)
def test_a_session_s_error_is_told_and_explained(feed, phrase):
    at = visit(PAGE, feed=feed)
    assert "The session stops with an error" in told(at)[-2]
    assert phrase in "\n".join(code.value for code in at.code)
    assert f"| `{phrase}" in words(at)
    assert "To mend it" in words(at)
    assert heads(at)[-1].endswith("an error")


def test_y_pred_does_not_need_y():
    at = visit(PAGE, fetch="y_pred", feed="without_y")
    assert heads(at)[-1].endswith("· 9 ran")


def test_a_sum_is_built_and_run_beside_eager_mode():
    at = visit(PAGE, chapter="build_and_run", a_value="-1.5", b_value="0.25")
    assert heads(at)[:5] == [f"{n} written · none has run" for n in (1, 2, 3, 4, 4)]
    assert told(at)[-2].startswith("<b>c = −1.25.</b>")
    assert "It returned **−1.25**" in words(at)


@pytest.mark.parametrize(("way", "ran"), [("alone", 15), ("watched", 17), ("as_written", 17)])
def test_the_ways_to_fetch_the_loss_run_different_graphs(way, ran):
    at = visit(PAGE, chapter="watching", loss_fetched=way)
    assert titles(at) == [f"Executed: {ran} operations"]


@pytest.mark.parametrize(
    "query",
    [
        {"chapter": "tower", "fetch": "secret", "feed": "without_b", "moment": "99999"},
        {"fetch": "c" * 5000, "feed": "<script>"},
        {"chapter": "build_and_run", "a_value": "nan", "b_value": "1e300"},
        {"chapter": "watching", "loss_fetched": "secretly"},
    ],
    ids="&".join,
)
def test_what_cannot_be_used_is_said(query):
    at = visit(PAGE, **query)
    assert not at.exception
    assert "which is not possible here" in "\n".join(warning.value for warning in at.warning)
