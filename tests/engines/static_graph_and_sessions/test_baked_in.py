"""E7's first listing: it trains on the arrays it was written with, whatever it is fed."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from engines.problem import preset
from engines.regression import tf_session
from engines.static_graph_and_sessions import baked_in
from engines.trace import record, relative_difference

ARTICLE = preset("session_article")
OTHER = replace(ARTICLE, x=ARTICLE.x / 2, y=-ARTICLE.y)


def run(engine, problem, **settings):
    return record(engine.train(problem, steps=100, learning_rate=0.01, **settings))


def waiting(**settings):
    """The variables of a listing that waits after its first step."""
    listing = baked_in.train(ARTICLE, steps=1, learning_rate=0.01, **settings)
    next(listing)
    return listing, listing.gi_frame.f_locals


def test_other_data_are_fed_and_every_number_is_the_same():
    assert run(baked_in, ARTICLE, fed=OTHER).key == run(baked_in, ARTICLE).key


def test_mended_other_data_make_another_run():
    own, other = run(tf_session, ARTICLE), run(tf_session, OTHER)
    assert own.final.params["b"] > 2  # on its way to y = 3x² + 2
    assert other.final.params["b"] < -2  # and to the same upside down


def test_fed_its_own_data_nobody_notices():
    assert relative_difference(run(baked_in, ARTICLE), run(tf_session, ARTICLE)).max() < 1e-6


def test_even_when_nothing_is_fed_there_is_no_error():
    listing, held = waiting()
    session, loss, x1 = held["session"], held["loss"], held["x1"]
    nothing, all_zero = session.run(loss), session.run(loss, {x1: 0 * ARTICLE.x})
    assert nothing == all_zero
    listing.close()


def assert_constant(tensor, values):
    assert tensor.op.type == "Const"
    np.testing.assert_array_equal(tf.make_ndarray(tensor.op.get_attr("value")), values)


def test_the_graph_has_constants_where_the_placeholders_should_lead():
    listing, held = waiting()
    graph = held["graph"]
    for name in ("x1", "y1"):
        assert graph.get_tensor_by_name(f"{name}:0").consumers() == []
    product, residual = (graph.get_operation_by_name(name) for name in ("mul", "sub"))
    assert_constant(product.inputs[1], ARTICLE.x**2)
    assert_constant(residual.inputs[1], ARTICLE.y)
    listing.close()


def test_its_session_is_closed_when_it_is_let_go():
    listing, held = waiting()
    session, loss = held["session"], held["loss"]
    listing.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.run(loss)
