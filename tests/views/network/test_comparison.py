"""One network in five implementations and in two frameworks, as a visitor reads of it."""

import altair as alt
import numpy as np
import pytest

from engines.listing import source_of
from engines.network import numpy_by_hand, tf_own_relu, tf_session
from engines.network.compare import TOLERANCE, Run
from tests.support.visit import charts, visit_section, words
from views.network import comparison, training
from views.network.comparison import FIVE
from views.ui import slow_run


def section():
    import streamlit as st

    from views.network import comparison
    from views.ui.controls import Controls

    controls = Controls("section")
    if st.query_params.get("both"):
        comparison.in_both_frameworks(controls)
    else:
        comparison.five_engines(controls)
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
        shapes = (6, 5), (6, 2), (5, 4), (4, 2)
        return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)

    slow_run._result.clear()
    monkeypatch.setattr(training, "draw", draw)
    yield drawn
    slow_run._result.clear()


def run(apart, loss_apart=1e-8):
    filler = np.zeros(2)
    return Run(
        losses=np.array([100.0, 0.01]), loss_apart=np.array([0, loss_apart]), at=np.array([0, 500]),
        active=filler, dead=filler, grad_w1=filler, grad_w2=filler,
        weights_apart=np.array([0.0, apart]),
    )  # fmt: skip


def test_the_listings_are_the_functions_that_run_and_nothing_is_trained(drawn_with):
    at = visit()
    shown = [code.value for code in at.code]
    assert shown[0] == source_of(numpy_by_hand.train).rstrip()
    assert shown[1].startswith("@tf.custom_gradient\ndef my_relu")
    assert shown[1].endswith(source_of(tf_own_relu.train).rstrip())
    assert shown[2] == source_of(tf_session.train).rstrip()
    at = visit(both="true")
    assert [code.value.split("(")[0] for code in at.code] == ["def train", "def train"]
    assert drawn_with == []
    assert not charts(at)


def test_five_are_trained_with_the_precision_chosen_and_kept(drawn_with):
    at = visit(train_five_engines="true", five_engines_dtype="float64")
    assert "less than the 1e−12" in words(at)
    visit(train_five_engines="true", five_engines_dtype="float64")
    assert drawn_with == ["float64"]
    at = visit(train_five_engines="true", five_engines_dtype="float16")
    assert at.session_state["refused"] == [("five_engines_dtype", "float16", "float32")]
    at.session_state["five_engines_dtype"] = None
    at.run()
    assert not at.exception
    assert "with 32 bits" in words(at)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_both_frameworks_are_trained_with_the_precision_chosen(dtype, drawn_with):
    at = visit(both="true", train_both_frameworks="true", dtype=dtype)
    runs = comparison._both(dtype)
    assert list(runs) == list(comparison.FRAMEWORKS)
    assert f"of a weight is **{training.gap(runs['clamp'].weights_apart[-1])}**" in words(at)
    assert runs["clamp"].weights_apart.max() < TOLERANCE[dtype]
    assert drawn_with == [dtype]
    losses, gaps = charts(at)
    alt.Chart.from_dict(losses)  # what the grammar allows
    assert len(losses["encoding"]["color"]["scale"]["domain"]) == 2
    assert losses["encoding"]["strokeDash"]["scale"]["range"][0] == [1, 0]
    assert gaps["title"] == "How far apart they are"


def test_what_is_equal_has_no_line_and_what_is_not_is_drawn_where_it_was_inspected():
    runs = {name: run(apart) for name, apart in zip(FIVE, [0, 0, 3e-6, 2e-6, 2e-6], strict=True)}
    rows = comparison.weights_apart(runs)["datasets"]["rows"].to_pandas()
    assert set(rows["x"]) == {500}
    assert set(rows["value"]) == {3e-6, 2e-6}
    told = comparison.verdict(runs, "float32")
    assert "**3.0e−6**" in told
    assert "without a line of its own: *PyTorch, clamp(min=0)*." in told


def test_a_difference_that_is_too_large_is_told_as_one():
    runs = {name: run(2e-12) for name in FIVE}
    assert "**more** than the 1e−12" in comparison.verdict(runs, "float64")
    assert "less than the 0.0001" in comparison.verdict(runs, "float32")


def test_what_both_differ_by_is_measured_against_the_first_loss():
    ours = run(0.0)
    theirs = run(0.0)._replace(
        losses=np.array([100.0, 0.02]),
        loss_apart=np.array([0, 1e-4]),
        weights_apart=np.array([3e-4, 1e-4]),
    )
    told = " ".join(comparison.both_told({"static graph": ours, "clamp": theirs}, "float32"))
    assert "**0.0001** of the first loss" in told
    assert "would be 1 at the end" in told
    assert "never more than 0.0003" in told
    assert "farther apart for a step" in told


def test_a_run_that_was_stopped_says_where():
    at = visit()
    at.session_state["stopped views.network.comparison._five"] = 123
    at.run()
    assert "Stopped at step 123 of one of the five." in words(at)
    at.run()
    assert "Stopped" not in words(at)
