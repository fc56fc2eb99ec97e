"""One network in five ways, as a visitor reads of it."""

import altair as alt
import numpy as np
import pytest

from engines import numpy_two_layers, tf_custom_gradient, tf_two_layers
from engines.two_layers import Run
from tests.visit import charts, visit_section, words
from views import relu_elsewhere, shell
from views.live import source_of


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

    from engines import two_layers
    from views import relu_elsewhere
    from views.controls import Controls

    def draw(seed, dtype):
        st.session_state["asked for"] = dtype
        random = np.random.default_rng(seed)
        shapes = (6, 5), (6, 2), (5, 4), (4, 2)
        return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)

    def compare(runs, x, *, at):
        st.session_state["ran"] = list(runs)
        return two_layers.compare(runs, x, at=at)

    controls = Controls("section")
    lecture = st.query_params.get("lecture") == "true"
    named = {name: import_module(f"engines.{name}") for name in relu_elsewhere.LOOKS}
    ours = SimpleNamespace(draw=draw, compare=compare)
    relu_elsewhere.elsewhere(controls, SimpleNamespace(two_layers=ours, **named), lecture=lecture)
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


@pytest.fixture(autouse=True)
def nothing_kept():
    relu_elsewhere._finished.clear()


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
    assert shown[0] == source_of(numpy_two_layers.train).rstrip()
    assert shown[1].startswith("@tf.custom_gradient\ndef my_relu")
    assert shown[1].endswith(source_of(tf_custom_gradient.train).rstrip())
    assert shown[2] == source_of(tf_two_layers.train).rstrip()
    assert "ran" not in at.session_state
    assert not charts(at)


@pytest.mark.parametrize("dtype", relu_elsewhere.DTYPES)
def test_five_are_trained_with_the_numbers_chosen_and_kept(dtype, monkeypatch):
    monkeypatch.setattr(relu_elsewhere, "STEPS", 60)
    at = visit(five="true", five_dtype=dtype)
    assert at.session_state["ran"] == list(relu_elsewhere.LOOKS)
    assert at.session_state["ran"][0] == "torch_function"  # what the others are compared with
    assert at.session_state["asked for"] == dtype
    apart = max(one.weights_apart.max() for one in relu_elsewhere._finished(dtype)[0].values())
    assert f"no weight is farther than **{apart:.1e}** from" in words(at)
    assert f"less than the {relu_elsewhere.ALLOWED[dtype]:.0e}" in words(at)
    at.session_state["ran"] = None
    at.run()
    assert at.session_state["ran"] is None


def test_what_is_the_same_has_no_line_and_what_is_not_is_drawn_where_it_was_looked_at():
    names = list(relu_elsewhere.LOOKS)
    runs = {name: run(apart) for name, apart in zip(names, [0, 0, 3e-6, 2e-6, 2e-6], strict=True)}
    drawing = relu_elsewhere._weights_apart(runs, "only in this test", lecture=False)
    alt.Chart.from_dict({key: part for key, part in drawing.items() if key != "datasets"})
    rows = drawing["datasets"]["rows"].to_pandas()
    assert set(rows["step"]) == {500}
    assert set(rows["value"]) == {3e-6, 2e-6}
    told = relu_elsewhere._verdict(runs, "float32")
    assert "**3.0e-06**" in told
    assert "without a line of its own: *PyTorch, clamp(min=0)*." in told


def test_five_that_are_equal_in_every_bit_are_told_without_a_picture():
    runs = {name: run(0.0) for name in relu_elsewhere.LOOKS}
    relu_elsewhere._finished("float64").append(runs)
    at = visit(five="true", five_dtype="float64")
    assert not charts(at)
    assert "farther than **0.0e+00**" in words(at)


def test_a_difference_that_is_too_large_is_told_as_one():
    runs = {name: run(2e-12) for name in relu_elsewhere.LOOKS}
    assert "**more** than the 1e-12" in relu_elsewhere._verdict(runs, "float64")
    assert "less than the 1e-04" in relu_elsewhere._verdict(runs, "float32")


def test_the_steps_looked_at_are_among_those_that_a_curve_has():
    assert {0, relu_elsewhere.STEPS} <= set(relu_elsewhere.AT) <= set(relu_elsewhere.SHOWN)


def test_hostile_names_are_refused_and_pills_that_were_put_out_fall_back():
    relu_elsewhere._finished("float32").append({name: run(1e-6) for name in relu_elsewhere.LOOKS})
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
