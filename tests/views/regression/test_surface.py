"""The map of the loss: the arrow is the step, and what is off the map is told to be."""

from __future__ import annotations

import numpy as np
import pytest

from engines.problem import preset
from engines.regression import numpy_vectorized
from engines.trace import record
from views.player import Timeline
from views.regression import sections
from views.regression.surface import landscape

ARTICLE = preset("numpy_article")


def figure(rate, **named):
    trace = record(numpy_vectorized.train(ARTICLE, steps=30, learning_rate=rate))
    timeline = Timeline(sections.followed(trace), 30)
    return landscape(ARTICLE, trace, timeline, **named), trace, timeline


def layers(spec, kind):
    """The layers with this mark, those within layers too."""
    for layer in spec["layer"]:
        if "layer" in layer:
            yield from layers(layer, kind)
        elif layer["mark"]["type"] == kind:
            yield layer


def calculated(layer):
    return {one["as"]: one["calculate"] for one in layer["transform"] if "calculate" in one}


def test_the_arrow_leads_from_this_step_to_the_next_and_is_eta_times_the_gradient():
    spec, trace, timeline = figure(0.004)
    [shaft] = [
        layer
        for layer in layers(spec, "rule")
        if layer["encoding"].get("x2", {}).get("field") == "w_tip"
    ]
    assert shaft["encoding"]["x"]["field"] == "w"
    assert shaft["encoding"]["y2"]["field"] == "b_tip"
    made = calculated(shaft)
    for name in "wb":
        assert made[name] == timeline.now(name)
        assert made[f"{name}_next"] == timeline.now(f"{name}_next")
        assert made[f"{name}_tip"].startswith(f"clamp(datum.{name}_next, ")
        step = np.diff(trace.params[name])
        np.testing.assert_allclose(step, -0.004 * trace.grads[name][:-1])
    assert "grad" not in str(spec)  # nothing else is drawn for a gradient
    assert "sqrt(datum.grad" not in str(spec)


def test_the_dot_moves_to_the_tip_at_the_update():
    spec, *_ = figure(0.004)
    [dot] = layers(spec, "circle")
    assert calculated(dot)["w"] == "toNumber(now[1]) == 3 ? datum.w_next : datum.w"


def test_a_dot_that_has_left_the_map_is_told_of_at_its_edge():
    spec, *_ = figure(0.02)
    words = [layer for layer in layers(spec, "text") if layer["mark"].get("text") == "off the map"]
    assert len(words) == 4  # on either side, with a rim
    for layer in words:
        made = calculated(layer)
        assert "datum.out > 1 && isFinite(datum.out)" in str(layer["transform"])
        assert layer["encoding"]["x"]["field"] == "edge_w"
        # Vega computes these again when the picture is resized: not from what they replaced.
        assert made["w"] != made["edge_w"]


@pytest.mark.parametrize("rate", [0.004, 0.016, 0.02])
def test_the_axes_of_the_bowl_go_through_its_lowest_point(rate):
    spec, *_ = figure(rate, axes=True)
    axes = spec["datasets"]["axes"].to_pandas().set_index("name")
    for name, curvature in zip(
        ("shallow axis", "steep axis"), np.linalg.eigvalsh(ARTICLE.hessian), strict=True
    ):
        row = axes.loc[name]
        assert (row["best_w"], row["best_b"]) == pytest.approx(ARTICLE.least_squares())
        along = np.array([row["to_w"], row["to_b"]])
        np.testing.assert_allclose(ARTICLE.hessian @ along, curvature * along)
    assert "axes" not in figure(rate)[0]["datasets"]
