"""The two-layer network in both frameworks, as a visitor reads of it."""

import re

import altair as alt
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engines.network.tf_session import Compared
from tests.support.visit import charts, visit_section, words
from views.network import two_layers


def section():
    """A page that has nothing but this, with a small network in it."""
    import numpy as np
    import streamlit as st

    from engines.network import tf_session, torch_two_layers
    from views.network import two_layers
    from views.ui.controls import Controls

    def start(steps, dtype):
        st.session_state["asked for"] = steps, dtype
        random = np.random.default_rng(0)
        shapes = (6, 5), (6, 2), (5, 4), (4, 2)
        arrays = [random.standard_normal(shape).astype(dtype) for shape in shapes]
        settings = {"steps": steps, "learning_rate": 0.003}
        return [one.train(*arrays, **settings) for one in (tf_session, torch_two_layers)]

    controls = Controls("section")
    st.session_state["lecture"] = st.query_params.get("lecture") == "true"
    listings = {"TensorFlow": tf_session.train, "PyTorch": torch_two_layers.train}
    two_layers.compare(controls, listings, start, tf_session.compare)
    st.session_state["refused"] = controls.refused


def visit(**query):
    return visit_section(section, **query)


@pytest.fixture(autouse=True)
def nothing_kept():
    two_layers._finished.clear()


def test_nothing_is_trained_until_it_is_asked_for():
    at = visit()
    assert [code.value.split("(")[0] for code in at.code] == ["def train", "def train"]
    assert not charts(at)
    assert "asked for" not in at.session_state


@pytest.mark.parametrize(
    ("dtype", "least", "most"), [("float32", 1e-9, 1e-4), ("float64", 0, 1e-12)]
)
def test_both_are_trained_with_numbers_of_the_size_chosen(dtype, least, most):
    at = visit(two_layers="true", dtype=dtype)
    assert at.session_state["asked for"] == (500, dtype)
    apart = float(re.search(r"of a weight is \*\*(.*?)\*\*", words(at))[1])
    assert least <= apart < most
    losses, gaps = charts(at)
    alt.Chart.from_dict(losses)  # what the grammar allows
    assert len(losses["encoding"]["color"]["scale"]["domain"]) == 2
    assert losses["encoding"]["strokeDash"]["scale"]["range"][0] == [1, 0]
    assert gaps["title"] == "How far apart they are"


def test_a_run_is_kept_for_the_next_visitor():
    visit(two_layers="true")
    at = visit(two_layers="true")
    assert "asked for" not in at.session_state
    assert len(charts(at)) == 2


def test_hostile_names_are_refused():
    at = visit(two_layers="true", dtype="float16")
    assert at.session_state["refused"] == [("dtype", "float16", "float32")]
    assert at.session_state["asked for"] == (500, "float32")


def test_what_is_told_is_measured_against_the_first_loss():
    def page():
        import numpy as np

        from views.network.two_layers import _tell

        losses, others = np.array([100.0, 0.01]), np.array([100.0, 0.02])
        _tell((losses, others, np.array([0, 1e-4]), np.array([3e-4, 1e-4])), "float32")

    told = words(AppTest.from_function(page).run())
    assert "**1.0e-04** of the first loss" in told
    assert "would be 1.0e+00 at the end" in told
    assert "never more than 3.0e-04" in told
    assert "farther apart for a step" in told


def test_a_difference_of_zero_has_no_place_on_a_logarithmic_axis():
    apart = np.array([0.0, 1e-7, 0.0, 1e-9])
    drawing = two_layers._gaps(
        Compared(apart, apart, apart, apart), "only in this test", lecture=False
    )
    rows = drawing["datasets"]["rows"].to_pandas()
    assert sorted(rows["step"]) == [1, 1, 3, 3]
    assert set(rows["value"]) == {1e-7, 1e-9}
