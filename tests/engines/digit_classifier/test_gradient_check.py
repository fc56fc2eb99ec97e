"""A handful of gradients against central differences, and a wrong one that is found out."""

import numpy as np
import pytest

from engines.digit_classifier import layers, tf_tape, torch_autograd
from engines.digit_classifier.digits import scans
from engines.digit_classifier.gradient_check import check


@pytest.mark.parametrize("engine", [torch_autograd, tf_tape], ids=["torch", "tape"])
@pytest.mark.parametrize("loss", ["mean_squared_error", "cross_entropy"])
def test_backward_and_differences_agree(engine, loss):
    checked = check(
        engine.train, scans(), layers.start(64), each=3, seed=2, loss_of=getattr(engine, loss)
    )
    assert len(checked.names) == 18
    assert set(checked.names) == set(layers.NAMES)
    assert checked.error[~checked.kinks].max() < 1e-5
    assert np.abs(checked.by_backward).max() > 1e-4


def test_it_holds_in_a_network_that_has_been_trained():
    *_, last = torch_autograd.train(scans(), layers.start(64), steps=100, learning_rate=0.5)
    checked = check(torch_autograd.train, scans(), last.params, each=5)
    assert checked.error[~checked.kinks].max() < 1e-4
    assert checked.kinks.sum() <= 3


def test_a_wrong_gradient_is_found_out():
    def wrong(*given, **how):
        for step in torch_autograd.train(*given, **how):
            yield step._replace(grads={**step.grads, "w2": 1.01 * step.grads["w2"]})

    checked = check(wrong, scans(), layers.start(64), each=3, seed=2)
    off = checked.error > 1e-3
    assert {name for name, found in zip(checked.names, off, strict=True) if found} == {"w2"}


def test_another_seed_draws_other_weights():
    places = [
        check(torch_autograd.train, scans(), layers.start(64), each=1, seed=seed).places
        for seed in (0, 0, 1)
    ]
    assert places[0] == places[1] != places[2]
