"""E11: the two-layer network as a static graph follows PyTorch's from the same arrays."""

import numpy as np
import pytest

from engines.network import tf_session, torch_two_layers
from engines.network.compare import draw
from engines.network.tf_session import compare
from engines.trace import Step, record


def small(seed=0, dtype=np.float64):
    random = np.random.default_rng(seed)
    shapes = (6, 5), (6, 2), (5, 4), (4, 2)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize(
    ("dtype", "steps", "weights", "loss"),
    [(np.float32, 500, 2e-5, 1e-6), (np.float64, 60, 1e-13, 1e-14)],
)
def test_the_articles_network_follows_pytorch_step_by_step(dtype, steps, weights, loss):
    arrays = draw(0, dtype)
    settings = {"steps": steps, "learning_rate": 1e-6}
    compared = compare(
        tf_session.train(*arrays, **settings), torch_two_layers.train(*arrays, **settings)
    )
    assert len(compared.losses) == steps + 1
    assert 1e7 < compared.losses[0] < 1e8
    assert compared.losses[-1] < (1e-3 if steps == 500 else 1e6)
    assert compared.weights_apart.max() < weights
    assert compared.loss_apart.max() < loss


def test_losses_weights_and_gradients_are_pytorchs():
    for seed in range(3):
        ours, theirs = (
            record(engine.train(*small(seed), steps=30, learning_rate=0.003))
            for engine in (tf_session, torch_two_layers)
        )
        assert ours.losses[30] < ours.losses[0] / 2
        for name, values in ours.columns().items():
            np.testing.assert_allclose(values, theirs.columns()[name], rtol=1e-9, atol=1e-11)


def test_at_zero_the_slope_of_its_relu_is_one():
    x, y, w1, w2 = small()
    [step] = tf_session.train(x, y, 0 * w1, w2, steps=0, learning_rate=0.1)
    np.testing.assert_allclose(step.grads["w1"], x.T @ (-2 * y @ w2.T), rtol=1e-12)


def test_what_is_compared_is_the_loss_over_its_first_and_the_weights_over_their_largest():
    def steps(*losses, w):
        return [Step(loss, {"w": np.array([w, -4.0])}, {}) for loss in losses]

    compared = compare(steps(10.0, 1.0, w=1.0), steps(10.0, 2.0, w=1.5))
    np.testing.assert_array_equal(compared.losses, [10, 1])
    np.testing.assert_array_equal(compared.other_losses, [10, 2])
    np.testing.assert_array_equal(compared.loss_apart, [0, 0.1])
    np.testing.assert_array_equal(compared.weights_apart, [0.125, 0.125])


def test_the_weights_are_no_constants_of_the_graph_and_the_session_is_closed():
    listing = tf_session.train(*draw(0), steps=1, learning_rate=1e-6)
    next(listing)
    held = listing.gi_frame.f_locals
    assert held["graph"].as_graph_def().ByteSize() < 50_000  # w1 alone has 400 000
    session, h = held["session"], held["h"]
    listing.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.run(h)
