"""One network in five ways, as a visitor reads of it."""

import altair as alt
import numpy as np
import pytest

from engines.network import numpy_by_hand, tf_own_relu, tf_session
from engines.network.compare import Run
from tests.support.visit import charts, visit_section, words
from views.network import elsewhere
from views.player import source_of
from views.ui import shell


@pytest.fixture(scope="module", autouse=True)
def settled():
    """As a page does it: else each visit would look through the frameworks for garbage."""
    shell.settle("the tests of a section")


def section():
    """A page that has nothing but this, with a small network in it."""
    from importlib import import_module
    from types import SimpleNamespace

    import numpy as np
    import streamlit as st

    from engines.network import compare as two_layers
    from views.network import elsewhere
    from views.ui.controls import Controls

    def draw(seed, dtype):
        st.session_state["asked for"] = dtype
        random = np.random.default_rng(seed)
        shapes = (6, 5), (6, 2), (5, 4), (4, 2)
        return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)

    def compare(runs, x, *, at):
        st.session_state["ran"] = list(runs)
        return two_layers.compare(runs, x, at=at)

    controls = Controls("section")
    st.session_state["lecture"] = st.query_params.get("lecture") == "true"
    files = "torch_own_relu", "torch_two_layers", "numpy_by_hand", "tf_own_relu", "tf_session"
    modules = [import_module(f"engines.network.{name}") for name in files]
    named = dict(zip(elsewhere.LOOKS, modules, strict=True))
    ours = SimpleNamespace(draw=draw, compare=compare)
    elsewhere.elsewhere(controls, SimpleNamespace(two_layers=ours, **named))
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


@pytest.fixture(autouse=True)
def nothing_kept():
    elsewhere._finished.clear()


def run(apart, loss_apart=1e-8):
    filler = np.zeros(2)
    return Run(
        losses=np.array([100.0, 0.01]), loss_apart=np.array([0, loss_apart]), at=np.array([0, 500]),
        active=filler, dead=filler, grad_w1=filler, grad_w2=filler,
        weights_apart=np.array([0.0, apart]),
    )  # fmt: skip


def test_the_listings_are_the_functions_that_run_and_nothing_is_trained():
    at = visit()
    shown = [code.value for code in at.code]
    assert shown[0] == source_of(numpy_by_hand.train).rstrip()
    assert shown[1].startswith("@tf.custom_gradient\ndef my_relu")
    assert shown[1].endswith(source_of(tf_own_relu.train).rstrip())
    assert shown[2] == source_of(tf_session.train).rstrip()
    assert "ran" not in at.session_state
    assert not charts(at)


@pytest.mark.parametrize("dtype", elsewhere.DTYPES)
def test_five_are_trained_with_the_numbers_chosen_and_kept(dtype, monkeypatch):
    monkeypatch.setattr(elsewhere, "STEPS", 60)
    at = visit(five="true", five_dtype=dtype)
    assert at.session_state["ran"] == list(elsewhere.LOOKS)
    assert at.session_state["ran"][0] == "torch_function"  # what the others are compared with
    assert at.session_state["asked for"] == dtype
    apart = max(one.weights_apart.max() for one in elsewhere._finished(dtype)[0].values())
    assert f"no weight is farther than **{apart:.1e}** from" in words(at)
    assert f"less than the {elsewhere.ALLOWED[dtype]:.0e}" in words(at)
    at.session_state["ran"] = None
    at.run()
    assert at.session_state["ran"] is None


def test_what_is_the_same_has_no_line_and_what_is_not_is_drawn_where_it_was_looked_at():
    names = list(elsewhere.LOOKS)
    runs = {name: run(apart) for name, apart in zip(names, [0, 0, 3e-6, 2e-6, 2e-6], strict=True)}
    drawing = elsewhere._weights_apart(runs, "only in this test")
    alt.Chart.from_dict({key: part for key, part in drawing.items() if key != "datasets"})
    rows = drawing["datasets"]["rows"].to_pandas()
    assert set(rows["step"]) == {500}
    assert set(rows["value"]) == {3e-6, 2e-6}
    told = elsewhere._verdict(runs, "float32")
    assert "**3.0e-06**" in told
    assert "without a line of its own: *PyTorch, clamp(min=0)*." in told


def test_five_that_are_equal_in_every_bit_are_told_without_a_picture():
    runs = {name: run(0.0) for name in elsewhere.LOOKS}
    elsewhere._finished("float64").append(runs)
    at = visit(five="true", five_dtype="float64")
    assert not charts(at)
    assert "farther than **0.0e+00**" in words(at)


def test_a_difference_that_is_too_large_is_told_as_one():
    runs = {name: run(2e-12) for name in elsewhere.LOOKS}
    assert "**more** than the 1e-12" in elsewhere._verdict(runs, "float64")
    assert "less than the 1e-04" in elsewhere._verdict(runs, "float32")


def test_the_steps_looked_at_are_among_those_that_a_curve_has():
    assert {0, elsewhere.STEPS} <= set(elsewhere.AT) <= set(elsewhere.SHOWN)


def test_hostile_names_are_refused_and_pills_that_were_put_out_fall_back():
    elsewhere._finished("float32").append({name: run(1e-6) for name in elsewhere.LOOKS})
    at = visit(five="true", five_dtype="float16")
    assert at.session_state["refused"] == [("five_dtype", "float16", "float32")]
    at.session_state["five_dtype"] = None
    at.run()
    assert not at.exception
    assert "with 32 bits" in words(at)


def test_a_run_that_was_stopped_says_where():
    at = visit()
    at.session_state["five stopped"] = 123
    at.run()
    assert "Stopped at step 123 of one of the five." in words(at)
    at.run()
    assert "Stopped" not in words(at)
