"""The network with three ReLUs: when it trains, what the player has of it, and what is told."""

import re
from types import SimpleNamespace

import altair as alt
import numpy as np
import pytest

from tests.support.visit import charts, live_texts, visit_section, words
from views.network import training
from views.network.training import LAST_STEP, OTHERS, OURS


def section():
    """A page that has nothing but this, with a small network in it."""
    from types import SimpleNamespace

    import numpy as np
    import streamlit as st

    from engines.custom_relu_backward import slope_at_zero
    from engines.network import compare, numpy_by_hand, torch_own_relu
    from views.network import training
    from views.ui.controls import Controls

    def draw(seed, dtype):
        st.session_state["trained with"] = dtype
        random = np.random.default_rng(seed)
        shapes = (6, 50), (6, 2), (50, 4), (4, 2)
        return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)

    engines = SimpleNamespace(
        two_layers=SimpleNamespace(draw=draw, compare=compare.compare),
        torch_function=torch_own_relu,
        torch_slopes=slope_at_zero,
        tf_two_layers=numpy_by_hand,  # as good, and loaded sooner
    )
    controls = Controls("section")
    dtype = training.chosen(controls)
    runs = training.trained(engines, dtype)
    st.session_state["lecture"] = st.query_params.get("lecture") == "true"
    training.tell(controls, runs)
    st.session_state["runs"] = runs
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


@pytest.fixture(autouse=True)
def nothing_kept():
    training._finished.clear()
    training._filled.clear()


def test_nothing_is_trained_until_it_is_asked_for():
    at = visit(dtype="float64")
    assert "trained with" not in at.session_state
    assert not charts(at)
    runs = at.session_state["runs"]
    assert training.series(runs) == {}
    assert training.readout(runs, 10) == {}
    at.toggle(key="train").set_value(True).run()
    assert at.session_state["trained with"] == "float64"
    assert len(charts(at)) == 4


def test_a_link_trains_and_the_player_has_the_run():
    at = visit(train="true")
    runs = at.session_state["runs"]
    assert list(runs) == [OURS, *OTHERS]
    assert len(runs[OURS].losses) == LAST_STEP + 1
    series = training.series(runs)
    np.testing.assert_array_equal(series["loss"].values, runs[OURS].losses.astype("float32"))
    assert set(series) == {"loss", "counted", "active", "dead", "grad_w1", "grad_w2"}
    named = set(re.findall(r'data-now="(.*?)"', live_texts(at)))
    assert named == set(series) - {"loss"}
    assert sum(len(one.values) for one in series.values()) < 1000
    assert training.readout(runs, 10) == {"loss": (10, None)}
    again = visit(train="true")
    assert "trained with" not in again.session_state  # kept for the next visitor
    assert len(charts(again)) == 4


def test_the_pictures_are_valid_and_their_dots_follow_the_player():
    for lecture in ("false", "true"):
        for chart in charts(visit(train="true")):
            alt.Chart.from_dict(chart)
            assert "now[0]" in str(chart["layer"][1])


def test_each_step_of_the_player_has_one_dot_on_each_line():
    visit(train="true")
    runs = training._finished("float32")[0]
    for name in ("losses", "units", "layers"):
        drawing = training._filled(name, runs, "float32")
        rows = drawing["datasets"]["rows"].to_pandas()
        for step in (0, 29, 77, 400, LAST_STEP):
            reached = rows[(rows["step"] <= step) & (step < rows["until"])]
            assert sorted(reached["line"]) == sorted(set(rows["line"]))


def test_hostile_values_are_refused():
    at = visit(train="please", dtype="float16")
    assert "trained with" not in at.session_state
    assert sorted(at.session_state["refused"]) == [
        ("dtype", "float16", "float32"),
        ("train", "please", "false"),
    ]
    at = visit(train="true")
    at.button_group[0].set_value(None)
    assert not at.run().exception


# ---- The verdict


def run(losses=(8.0, 2.0), weights=(0.0, 0.0), loss=(0.0, 0.0)):
    whole = {"losses": losses, "loss_apart": loss, "weights_apart": weights, "at": (0, 1)}
    return SimpleNamespace(**{name: np.array(values) for name, values in whole.items()})


def test_the_verdict_tells_the_largest_differences_of_the_whole_run():
    runs = {
        OURS: run(),
        "torch.relu": run(),
        "tf.maximum": run(weights=(3e-5, 1e-6), loss=(0, 2e-7)),
    }
    told = training.verdict(runs, "float32")
    assert "looked at, is **0, to the last bit**" in told
    assert "looked at, is **3.0e-05**" in told
    assert "over the first loss, **2.0e-07**" in told
    assert "one derivative" in told
    assert "8.0e+00 to 2.0e+00" in told


def test_runs_farther_apart_than_rounding_are_called_so():
    runs = {OURS: run(), "torch.relu": run(), "tf.maximum": run(weights=(0, 3e-5))}
    told = training.verdict(runs, "float64")
    assert "one derivative" not in told
    assert "more than the 1e-12" in told


def test_a_run_equal_to_the_last_bit_has_no_line_among_the_differences():
    runs = {OURS: run(), "torch.relu": run(), "tf.maximum": run(weights=(0, 3e-5))}
    drawing = training._filled("apart", runs, "only in this test")
    rows = drawing["datasets"]["rows"].to_pandas()
    assert set(rows["line"]) == {training.LOOKS["tf.maximum"].label}
    assert list(rows["step"]) == [1]


def test_what_is_told_of_the_runs_is_of_these_runs():
    at = visit(train="true", dtype="float64")
    runs = at.session_state["runs"]
    for name in OTHERS:
        apart = runs[name].weights_apart.max()
        assert f"**{training._size(apart)}**" in words(at)
    assert "64 bits" in words(at)
