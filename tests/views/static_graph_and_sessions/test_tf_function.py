"""A traced function, as a visitor meets it: the modern form of a graph."""

import re

import altair as alt
import numpy as np
import pytest

from engines.static_graph_and_sessions import tracing
from tests.support.visit import charts, live_texts, player, plays, table, visit, words
from views.player import Timeline
from views.static_graph_and_sessions import tf_function


def opened(guess="show", **query):
    at = visit("static_graph_and_sessions", chapter="tf_function", **query)
    if guess:
        at.segmented_control(key="guess of three calls").set_value(guess).run()
    assert not at.exception
    return at


def rows(at):
    """The table of the calls, as lists of texts."""
    html = next(text for text in live_texts(at).split("\n") if "<th>append noted</th>" in text)
    found = [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in html.split("<tr>")[2:]]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in found]


def test_the_calls_that_are_asked_about_are_there_and_what_came_of_them_is_not():
    at = opened(None)
    told = re.sub("<.*?>", "", live_texts(at))
    assert "neither build a graph by hand nor open a session: tf.function calls your" in told
    calls = [f"square(tf.constant({x}))" for x in (1.0, 2.0, 3.0)]
    assert rows(at) == [[call, "?", "?", "?"] for call in calls]
    assert not charts(at)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("numbers", ""),
        ("reduced", ", reduce_retracing=True"),
        ("signature", ", input_signature=[tf.TensorSpec(None, tf.float32)]"),
    ],
)
def test_the_listing_says_how_the_function_of_these_calls_was_made(name, settings):
    told = re.sub("<.*?>", "", live_texts(opened(calls=name)))
    assert f"traced = tf.function(square{settings})" in told
    assert all(f"{one}=" in settings for one in tracing.SERIES[name].settings)


def test_the_question_is_answered_by_the_calls_themselves():
    assert "Yes: **once**" in words(opened("1"))
    assert "Not quite: **once**" in words(opened("3"))


@pytest.mark.parametrize("name", tracing.SERIES)
def test_a_row_of_calls_is_played_call_by_call(name):
    at, calls = opened(calls=name), tf_function.run(name)
    shown = rows(at)
    assert [row[0] for row in shown] == [call.call for call in calls]
    assert [row[2] for row in shown] == [str(call.traces) for call in calls]
    assert [row[1] == "nothing" for row in shown] == [not call.noted for call in calls]
    plays(at, "traces", np.array([0, *(call.traces for call in calls)]))
    assert player(at)["words"]["step"] == "call {step} of {last}"
    assert re.findall(r'data-from="(\d+)"', live_texts(at)) == [
        str(k) for k in range(1, len(calls) + 1)
    ]
    kept = table(at, 0, "graphs")
    assert len(kept) == calls[-1].traces
    assert (kept["until"] - kept["made"]).sum() == len(calls)  # each call ran one of them
    told = tf_function.TOLD[name]["story"]
    assert f"**Calls: {len(calls)}. Traces: {calls[-1].traces}.** {told}" in words(at)


def test_a_graph_says_what_it_was_traced_for():
    labels = {name: table(opened(calls=name), 0, "graphs")["label"].tolist()
              for name in ("tensors", "numbers", "signature", "equal")}  # fmt: skip
    assert labels["tensors"] == ["float32 ()", "float32 (2,)", "int32 ()"]
    assert labels["numbers"] == [f"x = {k}" for k in range(1, 13)]
    assert labels["signature"] == ["float32 any"]
    assert labels["equal"] == ["x = 2", "x = 3.0"]


def test_the_picture_can_be_drawn():
    for chart in charts(opened()):
        alt.Chart.from_dict(chart)
    timeline = Timeline({}, 3)
    assert tf_function.graphs(timeline, tuple(tf_function.run("mended")))


def test_what_tracing_costs_is_said_with_its_spread_or_not_at_all():
    text = words(opened(calls="numbers"))
    said = re.search(r"took \*\*([\d.]+) ms.*took \*\*([\d.]+) ms", text)
    assert said is None or float(said[1]) > float(said[2])
    assert said or "says nothing here" in text


def test_calls_that_are_none_of_them_are_refused():
    at = opened(calls="nan")
    assert any("calls = `nan`" in warning.value for warning in at.warning) or (
        at.button_group(key="calls").value == "tensors"
    )
