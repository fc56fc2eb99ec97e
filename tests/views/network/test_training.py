"""The network with three ReLUs: when it trains, what the player has of it, and what is told."""

import re
from types import SimpleNamespace

import altair as alt
import numpy as np
import pytest

from engines.network.compare import STEPS
from tests.support.visit import charts, live_texts, visit_section, words
from views.network import training
from views.network.training import OTHERS, OURS
from views.ui import slow_run


def section():
    """A page that has nothing but this."""
    import streamlit as st

    from views.network import training
    from views.ui.controls import Controls

    controls = Controls("section")
    runs = training.trained(training.chosen(controls))
    training.tell(controls, runs)
    st.session_state["runs"] = runs
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


@pytest.fixture
def drawn_with(monkeypatch):
    """A small network, nothing of it known; the types of the arrays that were drawn."""
    drawn = []

    def draw(seed, dtype):
        drawn.append(dtype)
        random = np.random.default_rng(seed)
        shapes = (6, 50), (6, 2), (50, 4), (4, 2)
        return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)

    slow_run._result.clear()
    monkeypatch.setattr(training, "draw", draw)
    yield drawn
    slow_run._result.clear()


def test_nothing_is_trained_until_it_is_asked_for(drawn_with):
    at = visit(dtype="float64")
    assert drawn_with == []
    assert not charts(at)
    runs = at.session_state["runs"]
    assert training.series(runs) == {}
    assert training.readout(runs, 10) == {}
    at.toggle(key="train_network").set_value(True).run()
    assert drawn_with == ["float64"]
    assert len(charts(at)) == 4
    for name in OTHERS:
        apart = at.session_state["runs"][name].weights_apart.max()
        assert f"**{training.gap(apart)}**" in words(at)
    assert "64 bits" in words(at)


def test_a_link_trains_and_the_player_has_the_run(drawn_with):
    at = visit(train_network="true")
    runs = at.session_state["runs"]
    assert list(runs) == [OURS, *OTHERS]
    assert len(runs[OURS].losses) == STEPS + 1
    series = training.series(runs)
    np.testing.assert_array_equal(series["loss"].values, runs[OURS].losses.astype("float32"))
    assert set(series) == {"loss", "counted", "active", "dead", "grad_w1", "grad_w2"}
    named = set(re.findall(r'data-now="(.*?)"', live_texts(at)))
    assert named == set(series) - {"loss"}
    assert sum(len(one.values) for one in series.values()) < 1000
    assert training.readout(runs, 10) == {"loss": (10, None)}
    again = visit(train_network="true", lecture="true")
    assert drawn_with == ["float32"]  # kept for the next visitor
    for chart in charts(again):
        alt.Chart.from_dict(chart)
        assert "now[0]" in str(chart["layer"][1])
    for name in ("losses", "units", "layers"):
        rows = training.chart(name, runs)["datasets"]["rows"].to_pandas()
        for step in (0, 29, 77, 400, STEPS):
            reached = rows[(rows["x"] <= step) & (step < rows["until"])]
            assert sorted(reached["line"]) == sorted(set(rows["line"]))
    again.button_group[0].set_value(None)
    assert not again.run().exception


def test_hostile_values_are_refused(drawn_with):
    at = visit(train_network="please", dtype="float16")
    assert drawn_with == []
    assert sorted(at.session_state["refused"]) == [
        ("dtype", "float16", "float32"),
        ("train_network", "please", "false"),
    ]


# ---- The verdict


def run(losses=(8.0, 2.0), weights=(0.0, 0.0), loss=(0.0, 0.0)):
    whole = {"losses": losses, "loss_apart": loss, "weights_apart": weights, "at": (0, 1)}
    return SimpleNamespace(**{name: np.array(values) for name, values in whole.items()})


def test_the_verdict_tells_the_largest_differences_of_the_whole_run():
    runs = {
        OURS: run(),
        "torch.relu": run(),
        "static graph": run(weights=(3e-5, 1e-6), loss=(0, 2e-7)),
    }
    told = training.verdict(runs, "float32")
    assert "inspected, is **0, to the last bit**" in told
    assert "inspected, is **3.0e−5**" in told
    assert "over the first loss, **2.0e−7**" in told
    assert "one derivative" in told
    assert "from 8 to 2," in told


def test_runs_farther_apart_than_rounding_are_called_so_and_have_the_only_line():
    runs = {OURS: run(), "torch.relu": run(), "static graph": run(weights=(0, 3e-5))}
    told = training.verdict(runs, "float64")
    assert "one derivative" not in told
    assert "more than the 1e−12" in told
    rows = training.chart("apart", runs)["datasets"]["rows"].to_pandas()
    assert set(rows["line"]) == {training.LOOKS["static graph"].label}
    assert list(rows["x"]) == [1]
